"""Starts child processes. Each ends with this process, and can be waited for until it is ready."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

from local.errors import StartError

_DIE_WITH_PARENT = Path(__file__).with_name("die_with_parent.py")
# Environment variables of every child; its own override them.
_ENVIRONMENT = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": "/"}
# Seconds between two checks whether a child is ready.
_PAUSE = 0.02
# Seconds between the signal to stop and SIGKILL.
_SECONDS_TO_STOP = 10

# One thread starts every child and lives as long as the interpreter: the kernel ties a child's death signal to the
# thread that forked the child, and would end the child together with a shorter-lived thread.
_STARTER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="children")


class Child:
    """A running child process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process
        self._exited = threading.Event()
        self._callbacks: list[Callable[[], None]] = []
        self._lock = threading.Lock()
        threading.Thread(target=self._wait, name=f"wait-{process.pid}", daemon=True).start()

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def exited(self) -> bool:
        """Whether the process has ended."""
        return self._exited.is_set()

    @property
    def exit_status(self) -> int | None:
        """The exit code, or minus the number of the signal that ended it; None while it runs."""
        return self._process.returncode

    def wait_until_ready(self, name: str, log: Path, ready: Callable[[], bool], seconds: float) -> None:
        """Return as soon as the process is ready. A process that does not become ready is killed.

        Args:
            name: the subject of the error's sentence.
            log: the file that its output goes to.
            ready: returns whether it is ready; called until it is.
            seconds: how long to wait.

        Raises:
            StartError: the process ended, or was not ready in time; quotes the last line of the log.
        """
        deadline = time.monotonic() + seconds
        while not ready():
            if self.wait(_PAUSE) or time.monotonic() > deadline:
                reason = "" if self.exited else f"it was not ready within {seconds:g} s; "
                self.kill()
                raise StartError(f"{name} did not start: {reason}{last_line(log)} (log: {log})")

    def when_exited(self, callback: Callable[[], None]) -> None:
        """Call back once, from another thread, when the process has ended (at once if it has ended already)."""
        with self._lock:
            if not self._exited.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until the process ends, at most so many seconds; returns whether it has ended."""
        return self._exited.wait(seconds)

    def send(self, signal_number: int) -> None:
        """Send a signal; nothing happens if the process has ended."""
        if not self._exited.is_set():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal_number)

    def stop(self, signal_number: int = signal.SIGTERM) -> None:
        """Send the signal, and kill the process if it has not ended within ten seconds."""
        self.send(signal_number)
        if not self._exited.wait(_SECONDS_TO_STOP):
            self.kill()

    def kill(self) -> None:
        """End the process with SIGKILL and wait until it has ended."""
        self.send(signal.SIGKILL)
        self._exited.wait()

    def _wait(self) -> None:
        self._process.wait()
        with self._lock:
            self._exited.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()


def start(
    command: Sequence[str],
    *,
    folder: Path,
    output: IO[bytes] | int,
    environment: Mapping[str, str],
    user: str = "",
    death_signal: int = signal.SIGKILL,
) -> Child:
    """Start a child process that the kernel ends when this process ends, however it ends.

    The child has a session of its own, so Ctrl-C in the terminal does not reach it.

    Args:
        command: absolute path and arguments.
        folder: its working folder.
        output: the file or descriptor that its stdout and stderr go to.
        environment: its environment variables, beside PATH, LANG and HOME. It inherits none.
        user: login name to run as; only root may name one.
        death_signal: the signal that the kernel sends to the child when this process has ended.
    """
    wrapper = [sys.executable, "-I", "-S", str(_DIE_WITH_PARENT), str(os.getpid()), str(int(death_signal)), user]

    def popen() -> Child:
        return Child(
            subprocess.Popen(
                [*wrapper, *command],
                env={**_ENVIRONMENT, **environment},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        )

    return _STARTER.submit(popen).result()


def run(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run a command in the foreground: it has this process's terminal, and is killed if this process ends first.

    Args:
        command: the path of the program and its arguments.
        environment: its environment variables; it inherits none.

    Returns:
        Its exit code, or minus the number of the signal that ended it.
    """
    wrapper = [sys.executable, "-I", "-S", str(_DIE_WITH_PARENT), str(os.getpid()), str(int(signal.SIGKILL)), ""]
    return subprocess.run([*wrapper, *command], env=dict(environment), check=False).returncode


def last_line(log: Path) -> str:
    """Return the last line of a log that is not empty and not a HINT, with which Postgres ends a message."""
    lines = [line for line in log.read_text(errors="replace").splitlines() if line.strip() and "HINT" not in line]
    return lines[-1] if lines else "it wrote no log"
