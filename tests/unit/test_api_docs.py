"""GET /openapi.json and /docs, for a package with the page and for one without."""

import json
import shutil
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from local import ROOT
from tests.unit.gateway_events import Context, make_event
from tools.openapi import page

CONSOLE = ROOT / "functions" / "console"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """The files of functions/console that are in git: the page is made at build."""
    for name in ("api_docs.py", "openapi.json"):
        shutil.copyfile(CONSOLE / name, tmp_path / name)
    return tmp_path


def get(package: Path, path: str) -> dict[str, Any]:
    spec = spec_from_file_location("api_docs", package / "api_docs.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.handler(make_event(path, None, method="GET"), Context())


def test_package_without_the_page_serves_the_document_and_answers_404_for_the_page(package: Path) -> None:
    document, docs = get(package, "/openapi.json"), get(package, "/docs")

    assert (document["statusCode"], json.loads(document["body"])["openapi"]) == (200, "3.1.0")
    assert (docs["statusCode"], json.loads(docs["body"])["code"]) == (404, "NOT_FOUND")


def test_package_with_the_page_serves_it(package: Path) -> None:
    page.write(package)
    docs = get(package, "/docs")

    assert (docs["statusCode"], docs["body"]) == (200, (package / "docs.html").read_text(encoding="utf-8"))


def test_page_is_in_no_commit() -> None:
    assert "functions/console/docs.html*" in (ROOT / ".gitignore").read_text().splitlines()
