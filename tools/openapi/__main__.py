"""python -m tools.openapi, in the repository's folder: writes functions/console/openapi.json, and of it docs.html.

With --check it writes nothing, and exits 1 if openapi.json differs; docs.html is not in the repository.
"""

import json
import sys
from pathlib import Path

from tools import made_files
from tools.openapi import document, page
from tools.openapi.examples import NoExample
from tools.openapi.functions import Undeclared
from tools.openapi.models import ModelNameTaken
from tools.openapi.order import Unordered


def main() -> int:
    """Run the command; returns the process's exit status."""
    options = made_files.parser("tools.openapi", __doc__).parse_args()
    folder = Path("functions/console")
    try:
        made = json.dumps(document.make(Path("functions")), indent=1, ensure_ascii=False) + "\n"
        status = made_files.keep(folder / "openapi.json", made, check=options.check)
        if not options.check:
            page.write(folder)
            print(f"wrote {folder / 'docs.html'}")
    except (Undeclared, ModelNameTaken, NoExample, Unordered, page.Unmade) as error:
        sys.exit(str(error))
    return status


if __name__ == "__main__":
    sys.exit(main())
