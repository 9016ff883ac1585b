"""The log of one function: its output, and the lines START, END and REPORT that Lambda writes."""

import os
from pathlib import Path

from local.errors import FunctionError


class FunctionLog:
    """The log file of all execution environments of a function; emptied when the stack starts."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o644)

    def start(self, request_id: str) -> None:
        """Log that a request begins."""
        self._write(f"START RequestId: {request_id} Version: $LATEST\n")

    def failure(self, request_id: str, error: FunctionError) -> None:
        """Log why the function returned no result; request_id is empty for a failed initialisation."""
        self._write(f"{f'RequestId: {request_id}' if request_id else 'INIT_REPORT'} {error}\n")

    def end(self, request_id: str, seconds: float, memory: int) -> None:
        """Log that a request ended; memory is the function's size in MB."""
        report = f"Duration: {seconds * 1000:.2f} ms\tMemory Size: {memory} MB"
        self._write(f"END RequestId: {request_id}\nREPORT RequestId: {request_id}\t{report}\n")

    def close(self) -> None:
        """Close the file."""
        os.close(self.descriptor)

    def _write(self, text: str) -> None:
        os.write(self.descriptor, text.encode())
