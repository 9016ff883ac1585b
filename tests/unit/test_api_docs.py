"""GET /openapi.json and /docs, for a package with the page and for one without; how the page is made."""

import json
import os
import shutil
import signal
import subprocess
import sys
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


CALLS = """
import json
import api_docs
from tests.unit.gateway_events import Context, make_event

for path in ("/openapi.json", "/docs"):
    print(json.dumps({"answer": api_docs.handler(make_event(path, None, method="GET"), Context())}))
"""


def test_package_without_the_page_serves_the_document_and_rings_for_the_page(package: Path) -> None:
    """The alarm INTERNAL rings, and the log says what was forgotten.

    In a process of its own: loggers and metrics keep the output and the service's name of the test that loaded them.
    """
    path = os.pathsep.join([str(package), *sys.path])
    environment = {**os.environ, "PYTHONPATH": path, "POWERTOOLS_SERVICE_NAME": "api-docs"}
    done = subprocess.run(
        [sys.executable, "-c", CALLS], env=environment, cwd=ROOT, capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    document, docs = (line["answer"] for line in lines if "answer" in line)

    assert (document["statusCode"], json.loads(document["body"])["openapi"]) == (200, "3.1.0")
    assert (docs["statusCode"], json.loads(docs["body"])["code"]) == (500, "INTERNAL")
    assert "make build" not in docs["body"]
    [error] = [line["message"] for line in lines if line.get("level") == "ERROR"]
    assert error == "docs.html is not in the function's package: make build was not run"
    assert [(line["service"], line["INTERNAL"]) for line in lines if "INTERNAL" in line] == [("api-docs", [1.0])]


def test_package_with_the_page_serves_it(package: Path) -> None:
    page.write(package)
    docs = get(package, "/docs")

    assert (docs["statusCode"], docs["body"]) == (200, (package / "docs.html").read_text(encoding="utf-8"))


def test_page_is_in_no_commit() -> None:
    assert {"functions/console/docs.html", "functions/docs.html.*"} <= set(
        (ROOT / ".gitignore").read_text().splitlines()
    )


def checkout(folder: Path, openapi: str | None) -> Path:
    """A checkout with this openapi.json; returns functions/console."""
    console = folder / "functions" / "console"
    console.mkdir(parents=True)
    if openapi is not None:
        (console / "openapi.json").write_text(openapi)
    return console


# JSON can hold it, UTF-8 cannot.
LONE_SURROGATE = (
    '{"info": {"title": "\\ud800", "description": ""}, "tags": [], "paths": {}, "components": {"schemas": {}}}'
)


@pytest.mark.parametrize(
    "openapi",
    [None, "", "{", "[]", "null", "{}", '{"info": {}}', '{"info": {"title": 1}}', "[" * 100_000, LONE_SURROGATE],
    ids=lambda openapi: str(openapi)[:25],
)
def test_broken_document_is_named_in_one_sentence(tmp_path: Path, openapi: str | None) -> None:
    console = checkout(tmp_path, openapi)

    with pytest.raises(page.Unmade, match=r"docs\.html could not be made: .*openapi\.json .*; run make docs$"):
        page.write(console)
    assert not (console / "docs.html").exists()


def test_page_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    console = checkout(tmp_path, (CONSOLE / "openapi.json").read_text(encoding="utf-8"))
    (console / "docs.html").mkdir()

    with pytest.raises(page.Unmade, match=r"docs\.html could not be made: .*directory"):
        page.write(console)
    assert {file.name for file in console.iterdir()} == {"openapi.json", "docs.html"}
    assert [file.name for file in console.parent.iterdir()] == ["console"]


# The file's size is limited: the process is killed while it writes the page.
KILLED = """
import resource, signal, sys
from pathlib import Path
from tools.openapi import page
signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))
page.write(Path("functions/console"))
"""


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run Python in this folder with the repository's packages."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path])}
    return subprocess.run(
        [sys.executable, *arguments], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )


def test_process_killed_while_it_writes_the_page_leaves_nothing_in_the_package(tmp_path: Path) -> None:
    """Everything in functions/console is deployed."""
    console = checkout(tmp_path, (CONSOLE / "openapi.json").read_text(encoding="utf-8"))
    done = run(tmp_path, "-c", KILLED)

    assert (done.returncode, done.stderr) == (-signal.SIGXFSZ, "")
    assert [file.name for file in console.iterdir()] == ["openapi.json"]


def test_build_without_a_document_fails_with_one_sentence(tmp_path: Path) -> None:
    """The first command of `make build`."""
    checkout(tmp_path, "{")
    done = run(tmp_path, "-m", "tools.openapi.page")

    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (1, "", 1)
    assert done.stderr.startswith("docs.html could not be made: functions/console/openapi.json cannot be read")


def test_build_makes_the_page(tmp_path: Path) -> None:
    console = checkout(tmp_path, (CONSOLE / "openapi.json").read_text(encoding="utf-8"))
    done = run(tmp_path, "-m", "tools.openapi.page")

    assert (done.returncode, done.stdout + done.stderr) == (0, "")
    assert (console / "docs.html").read_text(encoding="utf-8").startswith("<!doctype html>")
