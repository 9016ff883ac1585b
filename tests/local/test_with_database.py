"""`python -m local with-database`: a command with a new, migrated database, of which nothing is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import pytest

from local import ROOT
from local.__main__ import main

# Prints its own process id and the URL that it was given.
_SAYS_WHERE = "import os; print(os.getpid(), os.environ['DATABASE_URL'], flush=True)"


def _with_database(*command: str, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "local", "with-database", *command],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def _says_where(process: "subprocess.Popen[str]") -> tuple[int, str]:
    assert process.stdout is not None
    pid, url = process.stdout.readline().split()
    return int(pid), url


def test_command_gets_a_migrated_database_and_its_status_is_returned() -> None:
    look = "import psycopg; database = psycopg.connect(os.environ['DATABASE_URL'])"
    print_user = "print(*database.execute('SELECT current_user, min(code) FROM currencies').fetchone(), flush=True)"
    with _with_database(sys.executable, "-c", f"{_SAYS_WHERE}; {look}; {print_user}; os._exit(7)") as process:
        _, url = _says_where(process)
        output, errors = process.communicate(timeout=60)

    assert (output, errors, process.returncode) == ("causeway_owner AED\n", "", 7)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_stopped_command_leaves_nothing(number: signal.Signals, tmp_path: Path) -> None:
    waits = f"{_SAYS_WHERE}; import time; time.sleep(600)"
    with _with_database(sys.executable, "-c", waits, TMPDIR=str(tmp_path)) as process:
        pid, url = _says_where(process)
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (130, "stopping\n")
    assert not Path("/proc", str(pid)).exists()
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_stopped_command_that_nobody_listens_to_leaves_nothing() -> None:
    with _with_database(sys.executable, "-c", f"{_SAYS_WHERE}; import time; time.sleep(600)") as process:
        _, url = _says_where(process)
        assert process.stderr is not None
        process.stderr.close()
        process.terminate()

    assert process.returncode == 130
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url)


def test_command_ends_with_the_process_that_runs_it() -> None:
    with _with_database(sys.executable, "-c", f"{_SAYS_WHERE}; import time; time.sleep(600)") as process:
        pid, _ = _says_where(process)
        process.kill()
        process.wait(timeout=60)
        while Path("/proc", str(pid)).exists():
            time.sleep(0.02)  # the test's time limit ends the wait


def test_command_that_a_signal_ends_has_the_status_of_a_shell() -> None:
    kills_itself = "import os, signal; os.kill(os.getpid(), signal.SIGTERM)"

    with _with_database(sys.executable, "-c", kills_itself) as process:
        process.communicate(timeout=60)

    assert process.returncode == 128 + signal.SIGTERM


def test_next_run_removes_the_folder_of_a_killed_one(tmp_path: Path) -> None:
    with _with_database(sys.executable, "-c", f"{_SAYS_WHERE}; input()", TMPDIR=str(tmp_path)) as process:
        _says_where(process)
        process.kill()
    [left] = tmp_path.iterdir()
    (tmp_path / "causeway-database-of-others").mkdir()

    with _with_database(sys.executable, "-c", "pass", TMPDIR=str(tmp_path)) as process:
        assert process.wait(timeout=60) == 0

    assert left.name.startswith("causeway-database-")
    assert [path.name for path in tmp_path.iterdir()] == ["causeway-database-of-others"]


def test_server_of_the_shell_is_not_used() -> None:
    """It may be one on which nothing may be changed: the shell of an auditor has DATABASE_URL too."""
    nowhere = "postgresql://causeway_auditor@127.0.0.1:1/causeway"

    with _with_database(sys.executable, "-c", _SAYS_WHERE, DATABASE_URL=nowhere) as process:
        _, url = _says_where(process)
        _, errors = process.communicate(timeout=60)

    assert (process.returncode, errors) == (0, "")
    assert url.startswith("postgresql://causeway_owner:")


def test_unknown_command_is_named_before_anything_starts(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["with-database", "no-such-command"])

    assert ended.value.code == 2
    assert capsys.readouterr().err.endswith("there is no command no-such-command\n")
