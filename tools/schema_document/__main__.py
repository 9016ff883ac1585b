"""python -m tools.schema_document, in the repository's folder: writes docs/schema.md from the database in DATABASE_URL.

With --check it writes nothing, and exits 1 if the file differs.
"""

import os
import sys
from pathlib import Path

import psycopg

from causeway.database import failures, urls
from tools import made_files
from tools.schema_document import document, reading
from tools.schema_document.sections import Unsorted

_FILE = Path("docs/schema.md")


def main() -> int:
    """Run the command; returns the process's exit status, 2 if the database cannot be read."""
    parser = made_files.parser("tools.schema_document", __doc__)
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
    return made_files.keep(_FILE, made, check=options.check)


def _failed(sentence: str) -> int:
    sys.stderr.write(f"{sentence}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
