"""The import of each function's module in a new interpreter, with byte code, against psycopg and the Logger only.

Processor time is measured: an import waits for nothing else. On a busy machine its ratio varies less than that of the
elapsed time, but it does vary.
"""

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

from benchmarks.table import Row
from local.stack import ROOT

_ROUNDS = 9
_REFERENCE = "import psycopg; from aws_lambda_powertools import Logger"
# A bet waits for the wallet's start-up, and every call of a machine for the authorizer's: they load no pydantic.
_BOUNDS = {
    "wallet/balance": 1.3,
    "wallet/credit": 1.3,
    "wallet/debit": 1.3,
    "wallet/rollback": 1.3,
    "identity/authorizer": 1.3,
}
# The others' bound; most load pydantic.
_BOUND = 2.7


def _milliseconds(statement: str, folder: Path) -> float:
    code = f"import time; t = time.process_time(); {statement}; print((time.process_time() - t) * 1000)"
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT / "layers/causeway/python")]),
        "POWERTOOLS_SERVICE_NAME": "bench",
    }
    result = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return float(result.stdout)


def run() -> list[Row]:
    """Measure every function and the reference in turn."""
    functions = sorted(path for path in (ROOT / "functions").glob("*/*.py"))
    reference: list[float] = []
    times: dict[Path, list[float]] = {path: [] for path in functions}
    for round_ in range(_ROUNDS):
        print(f"    round {round_ + 1} of {_ROUNDS}", file=sys.stderr, flush=True)
        reference.append(_milliseconds(_REFERENCE, ROOT))
        for path in functions:
            times[path].append(_milliseconds(f"import {path.stem}", path.parent))
    rows = []
    for path in functions:
        pairs = zip(times[path], reference, strict=True)
        rows.append(
            Row(
                f"imports of {path.parent.name}/{path.stem} / psycopg and Logger",
                f"{median(times[path]):.0f} ms, reference {median(reference):.0f} ms",
                median(a / b for a, b in pairs),
                at_most=_BOUNDS.get(f"{path.parent.name}/{path.stem}", _BOUND),
            )
        )
    return rows
