"""Ctrl-C, SIGTERM and SIGHUP end a command of the local stack without a traceback, whenever they come."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from local import ROOT

_HEAD = "import signal, sys; from local.stopping import until_stopped"


def _run(*arguments: str, **variables: str) -> tuple[int, str]:
    """Run Python; returns its exit status and what it wrote to stderr."""
    ended = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**os.environ, **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ended.returncode, ended.stderr


@pytest.mark.parametrize(
    ("command", "ends"),
    [
        (("local", "up", "--port", "0"), (0, "stopping\nstopped\n")),
        (("local", "with-database", "true"), (130, "stopping\n")),
        (("local.demo",), (130, "stopping\n")),
    ],
)
def test_command_is_stopped_while_it_loads_its_modules(
    command: tuple[str, ...], ends: tuple[int, str], tmp_path: Path
) -> None:
    (tmp_path / "psycopg.py").write_text("import signal; signal.raise_signal(signal.SIGINT)")

    assert _run("-m", *command, PYTHONPATH=f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}") == ends


def test_error_of_the_clean_up_does_not_hide_that_the_command_was_stopped() -> None:
    """As in a migration: yoyo cannot roll it back, because psycopg has closed the connection."""
    work = """
def work():
    try:
        signal.raise_signal(signal.SIGINT)
    except BaseException:
        raise OSError("the connection is closed")
"""
    assert _run("-c", f"{_HEAD}\n{work}\nassert until_stopped(work) is None") == (0, "stopping\n")


def test_error_of_a_command_that_was_not_stopped_is_raised() -> None:
    status, errors = _run("-c", f"{_HEAD}\nuntil_stopped(lambda: 1 / 0)")

    assert status == 1
    assert errors.endswith("ZeroDivisionError: division by zero\n")


def test_nohup_keeps_a_command_without_its_terminal() -> None:
    ignores = "signal.signal(signal.SIGHUP, signal.SIG_IGN)"
    work = "lambda: signal.raise_signal(signal.SIGHUP) or 7"

    assert _run("-c", f"{_HEAD}\n{ignores}\nsys.exit(until_stopped({work}))") == (7, "")


def test_stop_is_raised_again_where_python_could_not_raise_it() -> None:
    """As in the weak references' callbacks of imported modules: their exceptions are only reported."""
    work = """
import time
class Last:
    def __del__(self):
        signal.raise_signal(signal.SIGINT)
def work():
    Last()
    time.sleep(600)
"""
    assert _run("-c", f"{_HEAD}\n{work}\nassert until_stopped(work) is None") == (0, "stopping\n")


def test_signal_after_a_swallowed_one_stops_the_command() -> None:
    work = """
def work():
    try:
        signal.raise_signal(signal.SIGINT)
    except BaseException:
        pass
    signal.raise_signal(signal.SIGTERM)
    print("not stopped", file=sys.stderr)
"""
    assert _run("-c", f"{_HEAD}\n{work}\nassert until_stopped(work) is None") == (0, "stopping\n")


def test_signal_does_not_interrupt_the_clean_up() -> None:
    work = """
def work():
    try:
        signal.raise_signal(signal.SIGINT)
    finally:
        try:
            raise OSError
        except OSError:
            signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        print("cleaned up", file=sys.stderr)
"""
    expected = (0, "stopping\ncleaned up\n")
    assert _run("-c", f"{_HEAD}\n{work}\nassert until_stopped(work) is None") == expected


@pytest.mark.parametrize("work", ["lambda: 7", "lambda: signal.raise_signal(signal.SIGINT)", "lambda: 1 / 0"])
def test_handlers_of_before_are_back_at_the_end(work: str) -> None:
    program = f"""
from contextlib import suppress
def handlers():
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM)
    return [signal.getsignal(number) for number in numbers], sys.unraisablehook
before = handlers()
with suppress(ZeroDivisionError):
    until_stopped({work})
assert handlers() == before
"""
    assert _run("-c", f"{_HEAD}\n{program}")[0] == 0


def test_other_errors_that_python_cannot_raise_are_still_reported() -> None:
    work = """
class Last:
    def __del__(self):
        raise ValueError("in __del__")
"""
    status, errors = _run("-c", f"{_HEAD}\n{work}\nsys.exit(until_stopped(lambda: Last() and 7))")

    assert status == 7
    assert errors.endswith("ValueError: in __del__\n")
