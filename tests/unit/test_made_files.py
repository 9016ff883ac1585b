"""Files made from the code: written, or compared; `make check` compares each that `make docs` writes."""

import re
import subprocess
from pathlib import Path

import pytest

from local import ROOT
from tools import made_files


def test_file_is_written_or_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "made.md"
    differs = f"{file} differs from what the code makes: run `make docs` and commit the file\n"

    assert made_files.keep(file, "a\n", check=True) == 1
    assert not file.exists()
    assert made_files.keep(file, "a\n", check=False) == 0
    assert made_files.keep(file, "a\n", check=True) == 0
    for other in (b"a", b"a\r\n"):
        file.write_bytes(other)
        assert made_files.keep(file, "a\n", check=True) == 1
        assert file.read_bytes() == other
    assert capsys.readouterr() == (f"wrote {file}\n", differs * 3)


def test_make_checks_every_file_that_it_makes() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tools").rglob("*.py")]
    commands = {name for text in texts for name in re.findall(r'made_files[.]parser\("([a-z_.]+)"', text)}

    def run_by(target: str) -> list[str]:
        lines = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        return re.findall(r"-m (tools[.][a-z_.]+.*)", lines)

    assert {line.strip() for line in run_by("docs")} == commands
    assert {line for line in run_by("check") if line.endswith("--check")} == {f"{name} --check" for name in commands}
