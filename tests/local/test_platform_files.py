"""The stack does not start with a platform's file that is wrong or missing; the sentence names the file."""

import shutil
from pathlib import Path

import pytest

from local.errors import StartError
from local.sandbox.registry import FOLDER
from local.services.platform_files import CATALOGUE, check


@pytest.fixture
def catalogue(tmp_path: Path) -> Path:
    """A catalogue with one platform."""
    folder = tmp_path / "catalogue"
    folder.mkdir()
    shutil.copy(CATALOGUE / "twilio.json", folder)
    return folder


@pytest.fixture
def sandbox(tmp_path: Path) -> Path:
    """A sandbox's folder with the same platform."""
    folder = tmp_path / "platforms"
    folder.mkdir()
    shutil.copy(FOLDER / "twilio.py", folder)
    return folder


def test_files_of_the_product_are_complete() -> None:
    check()


def test_document_that_is_not_json_is_named_with_line_and_column(catalogue: Path, sandbox: Path) -> None:
    (catalogue / "twilio.json").write_text('{\n  "key": twilio\n}')

    with pytest.raises(StartError, match=r"twilio\.json: not valid JSON: .*line 2 column 10"):
        check(catalogue, sandbox)


def test_document_that_is_no_provider_is_named_with_the_field(catalogue: Path, sandbox: Path) -> None:
    (catalogue / "toy.json").write_text("{}")

    with pytest.raises(StartError) as caught:
        check(catalogue, sandbox)
    missing = ("key", "kind", "display_name", "description", "config_schema")
    assert str(caught.value) == f"{catalogue / 'toy.json'}: {'; '.join(f'{name} is missing' for name in missing)}"


def test_platform_that_only_one_of_the_folders_has_is_named(catalogue: Path, sandbox: Path) -> None:
    (sandbox / "twilio.py").rename(sandbox / "twillio.py")

    with pytest.raises(StartError) as caught:
        check(catalogue, sandbox)
    missing = f"{sandbox / 'twilio.py'}, {catalogue / 'twillio.json'}"
    assert str(caught.value) == f"{missing} missing: docs/development.md, Add a platform"
