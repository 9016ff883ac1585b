"""Writes functions/console/openapi.json and docs.html: python -m tools.openapi, in the repository's folder."""

import json
from pathlib import Path

from tools.openapi import as_html, make


def main() -> None:
    """Make both files anew."""
    document = make(Path("functions"), Path("schema"))
    folder = Path("functions/console")
    (folder / "openapi.json").write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    (folder / "docs.html").write_text(as_html(document))


if __name__ == "__main__":
    main()
