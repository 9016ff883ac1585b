"""python -m tools.schema_document, in the repository's folder: writes docs/schema.md from the database in DATABASE_URL.

With --check it writes nothing, and exits 1 if the file differs.
"""

import argparse
import os
import sys
from pathlib import Path

import psycopg

from causeway.database import failures, urls
from tools.schema_document import document, reading
from tools.schema_document.sections import Unsorted

_FILE = Path("docs/schema.md")


def main() -> int:
    """Run the command; returns the process's exit status, 2 if the database cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m tools.schema_document", description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare the file, and exit 1 if it differs")
    options = parser.parse_args()
    url = os.environ.get("DATABASE_URL")
    if not url:
        parser.error("set DATABASE_URL to a migrated database, or let `make docs` make one")
    try:
        urls.check(url)
        made = document.make(reading.read(url))
    except urls.WrongUrl as error:
        return _failed(f"{error}: give postgresql://user:password@host/database")
    except psycopg.Error as error:
        return _failed(f"The database cannot be read: {failures.reason_of(error)}")
    except Unsorted as error:
        return _failed(str(error))
    if not options.check:
        _FILE.write_text(made, encoding="utf-8")
        sys.stdout.write(f"wrote {_FILE}\n")
    elif not _FILE.is_file() or _FILE.read_text(encoding="utf-8") != made:
        sys.stderr.write(f"{_FILE} differs from the schema of the migrations: run `make docs` and commit the file\n")
        return 1
    return 0


def _failed(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
