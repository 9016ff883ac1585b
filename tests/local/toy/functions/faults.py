"""Functions that go wrong."""

import os
import time
from typing import Any


def sleep(event: dict[str, Any], context: Any) -> None:
    """Outlasts every time limit."""
    time.sleep(60)


def crash(event: dict[str, Any], context: Any) -> None:
    """Ends the process in the middle of the request."""
    os._exit(3)


def fail(event: dict[str, Any], context: Any) -> None:
    """Raises."""
    raise LookupError("nothing there")


def large(event: dict[str, Any], context: Any) -> str:
    """Answers more than the 6 MB that Lambda takes."""
    return "x" * 7_000_000
