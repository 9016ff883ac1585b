"""Functions that fail."""

import os
import time
from typing import Any


def sleep(event: dict[str, Any], context: Any) -> None:
    """Run longer than every time limit."""
    time.sleep(60)


def crash(event: dict[str, Any], context: Any) -> None:
    """End the process during the request."""
    os._exit(3)


def fail(event: dict[str, Any], context: Any) -> None:
    """Raise an exception."""
    raise LookupError("nothing there")


def large(event: dict[str, Any], context: Any) -> str:
    """Return more than the 6 MB that Lambda accepts."""
    return "x" * 7_000_000
