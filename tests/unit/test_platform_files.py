"""A platform lives under its key in four places and is found by its files: a missing file is named."""

from pathlib import Path

import pytest

from tests.findings import none_of
from tests.unit.platform_files import CODE, FILES, INIT, keys, missing, with_code

ROOT = Path(__file__).parents[2]


def test_each_platform_has_all_of_its_files() -> None:
    none_of(missing(ROOT), "is missing: docs/development.md, Add a platform")
    assert "twilio" in keys(ROOT, FILES[0])
    assert "telr" in with_code(ROOT)


@pytest.mark.parametrize("only", [*FILES, INIT, f"{CODE}/messages.py"])
def test_missing_file_of_a_platform_is_named(tmp_path: Path, only: str) -> None:
    file = tmp_path / only.format(key="toy")
    file.parent.mkdir(parents=True)
    file.touch()

    required = FILES if only in FILES else (*FILES, INIT)
    assert missing(tmp_path) == [pattern.format(key="toy") for pattern in required if pattern != only]
