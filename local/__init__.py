"""The local stack: Postgres, AWS services, API Gateway and Lambda on a laptop without Docker."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

# The stack runs the project's migrations, so make the shared layer importable, as /opt/python is on Lambda.
_LAYER = str(ROOT / "layers" / "causeway" / "python")
if _LAYER not in sys.path:
    sys.path.append(_LAYER)
