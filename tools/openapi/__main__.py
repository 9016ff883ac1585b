"""Writes functions/console/openapi.json and docs.html: python -m tools.openapi, in the repository's folder."""

import json
import sys
from pathlib import Path

from tools.openapi import document, page
from tools.openapi.examples import NoExample
from tools.openapi.functions import Undeclared
from tools.openapi.models import ModelNameTaken


def main() -> None:
    """Make both files again."""
    folder = Path("functions/console")
    try:
        made = document.make(Path("functions"))
        (folder / "openapi.json").write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"wrote {folder / 'openapi.json'}")
        page.write(folder)
        print(f"wrote {folder / 'docs.html'}")
    except (Undeclared, ModelNameTaken, NoExample, page.Unmade) as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
