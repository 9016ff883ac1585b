"""Temporary folders that their process keeps locked, so that a later process removes what a killed one left."""

import fcntl
import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def temporary_folder(prefix: str, parent: Path | None = None, mode: int = 0o700) -> Generator[Path]:
    """Yield a new folder, and remove it at the end; first removes the folders that killed processes left.

    The lock of a folder, and not a process id in its name, says that its process lives: a process in another container
    may share the parent folder but has process ids of its own.

    Args:
        prefix: what the name begins with; a random part follows.
        parent: the folder that it is in; None = the system's folder for temporary files.
        mode: its permissions.
    """
    parent = parent or Path(tempfile.gettempdir())
    for left in parent.glob(f"{prefix}-*"):
        if re.fullmatch("-[0-9a-f]{16}", left.name.removeprefix(prefix)):
            _remove_if_left(left)
    folder, lock = _made(parent, prefix, mode)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _remove_if_left(folder: Path) -> None:
    try:
        lock = _opened(folder)
    except OSError:
        # It is gone, or another user's.
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except BlockingIOError:
        return
    finally:
        os.close(lock)


def _made(parent: Path, prefix: str, mode: int) -> tuple[Path, int]:
    """A new folder and the descriptor that holds its lock."""
    while True:
        folder = parent / f"{prefix}-{secrets.token_hex(8)}"
        folder.mkdir(mode=mode)
        try:
            lock = _opened(folder)
        except FileNotFoundError:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Another process may have removed the folder before it was locked.
        if folder.exists():
            # The process's umask took bits from mkdir's mode.
            folder.chmod(mode)
            return folder, lock
        os.close(lock)


def _opened(folder: Path) -> int:
    return os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
