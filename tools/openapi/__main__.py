"""Writes functions/console/openapi.json and docs.html: python -m tools.openapi, in the repository's folder."""

import json
from pathlib import Path

from tools.openapi import document, page


def main() -> None:
    """Make both files again."""
    folder = Path("functions/console")
    made = document.make(Path("functions"), Path("schema"))
    (folder / "openapi.json").write_text(json.dumps(made, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    page.write(folder)


if __name__ == "__main__":
    main()
