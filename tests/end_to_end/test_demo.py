"""The demo, as the README shows it."""

import subprocess
import sys
from pathlib import Path

from local import ROOT


def transcript(document: Path) -> list[str]:
    """The lines that a document shows of the demo's output, without those that stand for left-out lines."""
    shown = document.read_text().split("$ make demo\n")[1].split("```")[0]
    return [line for line in shown.splitlines() if line and line != "..."]


def test_demo_succeeds_and_prints_the_lines_of_the_readme_in_their_order() -> None:
    demo = subprocess.run(
        [sys.executable, "-m", "local.demo"], cwd=ROOT, capture_output=True, text=True, timeout=240, check=False
    )
    expected = transcript(ROOT / "README.md")

    assert demo.returncode == 0, demo.stdout + demo.stderr
    assert len(expected) > 5
    assert [line for line in demo.stdout.splitlines() if line in expected] == expected
