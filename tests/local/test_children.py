"""Child processes: the environment they get, how they are waited for, how they end."""

import os
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import ROOT
from local.errors import StartError
from local.processes import children
from local.processes.children import Child


def started(folder: Path, program: str, **environment: str) -> Child:
    with (folder / "log").open("ab") as log:
        return children.start([sys.executable, "-c", program], folder=folder, output=log, environment=environment)


@pytest.fixture
def sleeper(tmp_path: Path) -> Iterator[Child]:
    child = started(tmp_path, "import time; print('asleep', flush=True); time.sleep(60)")
    yield child
    child.kill()


def test_child_inherits_no_environment_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "1")
    child = started(tmp_path, "import os; print(sorted({*os.environ} - {'LC_CTYPE'}))", GIVEN="2")

    assert child.wait(20)
    assert child.exit_status == 0
    assert (tmp_path / "log").read_text() == "['GIVEN', 'HOME', 'LANG', 'PATH']\n"


def test_child_that_does_not_become_ready_is_killed_and_named(sleeper: Child, tmp_path: Path) -> None:
    log = tmp_path / "log"

    def never() -> bool:
        return False

    sleeper.wait_until_ready("the sleeper", log, lambda: bool(log.read_text()), 20)
    with pytest.raises(StartError, match=r"the sleeper did not start: it was not ready within 0 s; asleep \(log: "):
        sleeper.wait_until_ready("the sleeper", log, never, 0)

    assert sleeper.exit_status == -signal.SIGKILL
    with pytest.raises(ProcessLookupError):
        os.kill(sleeper.pid, 0)


def test_child_that_is_ready_goes_on(sleeper: Child, tmp_path: Path) -> None:
    sleeper.wait_until_ready("the sleeper", tmp_path / "log", lambda: True, 0)

    assert not sleeper.exited


def test_callback_after_the_end_is_called_at_once(tmp_path: Path) -> None:
    child = started(tmp_path, "raise SystemExit(3)")
    assert child.wait(20)
    called = []
    child.when_exited(lambda: called.append(child.exit_status))

    assert called == [3]


def test_program_that_wrote_nothing_has_no_last_line(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("\n")

    assert children.last_line(tmp_path / "log") == "it wrote no log"


def test_no_other_module_of_the_stack_starts_a_process() -> None:
    """A process started elsewhere could outlive the stack."""
    starters = re.compile(
        r"^\s*(?:import|from) (?:subprocess|multiprocessing|pty)\b|\bos\.(?:fork|posix_spawn|system)", re.MULTILINE
    )
    found = {
        str(file.relative_to(ROOT)) for file in (ROOT / "local").rglob("*.py") if starters.search(file.read_text())
    }

    assert found == {"local/processes/children.py"}
