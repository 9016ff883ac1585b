"""Files that are made from the code: how the commands of `make docs` write them, and `make check` compares them."""

import argparse
import sys
from pathlib import Path


def parser(command: str, text: str | None) -> argparse.ArgumentParser:
    """Return the command's parser, with the option --check.

    Args:
        command: the module's name, such as tools.error_table.
        text: what the command does.
    """
    made = argparse.ArgumentParser(prog=f"python -m {command}", description=text)
    made.add_argument("--check", action="store_true", help="write nothing, and exit 1 if the file differs")
    return made


def keep(file: Path, text: str, *, check: bool) -> int:
    """Write a file, or compare it, and say so; returns the process's exit status.

    Args:
        file: in the repository's folder, where the process runs.
        text: what the file must be.
        check: write nothing, and return 1 if the file differs.
    """
    if not check:
        file.write_text(text, encoding="utf-8")
        sys.stdout.write(f"wrote {file}\n")
    elif not file.is_file() or file.read_bytes() != text.encode():
        sys.stderr.write(f"{file} differs from what the code makes: run `make docs` and commit the file\n")
        return 1
    return 0
