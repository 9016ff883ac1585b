"""The stand-in for AWS on a laptop without Docker: Postgres, moto, gateway, Lambda runtime."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The stack runs the project's own migrations, so the shared layer must be importable as it is on Lambda
# (/opt/python).
_LAYER = str(ROOT / "layers" / "causeway" / "python")
if _LAYER not in sys.path:
    sys.path.append(_LAYER)
