"""Folders that are named after their process, so that a later process removes what a killed one left."""

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path


def new_path(parent: Path, prefix: str) -> Path:
    """Return a path for a folder of this process; removes the folders of processes that run no more.

    Args:
        parent: the folder that it is in.
        prefix: what the name begins with; the process's id and a random part follow.
    """
    for folder in parent.glob(f"{prefix}-*"):
        owner = re.fullmatch(r"-([1-9][0-9]{0,8})-[0-9a-f]{8}", folder.name.removeprefix(prefix))
        if owner is not None and not _runs(int(owner[1])):
            shutil.rmtree(folder, ignore_errors=True)
    return parent / f"{prefix}-{os.getpid()}-{secrets.token_hex(4)}"


@contextmanager
def temporary_folder(prefix: str) -> Generator[Path]:
    """Yield a new folder in the system's folder for temporary files, and remove it at the end."""
    folder = new_path(Path(tempfile.gettempdir()), prefix)
    folder.mkdir(mode=0o700)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
