"""Child processes of the stack: started so that none outlives it, watched, stopped."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import IO

_LEASH = Path(__file__).with_name("leash.py")

# One thread starts every child and lives as long as the interpreter: the kernel ties a child's leash to the
# thread that forked it, and would end the child with a shorter-lived thread.
_SPAWNER = ThreadPoolExecutor(max_workers=1, thread_name_prefix="spawner")


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
        return self._process.pid

    @property
    def exited(self) -> bool:
        return self._exited.is_set()

    @property
    def exit_status(self) -> int | None:
        """The exit code, or minus the number of the signal that ended it; None while it runs."""
        return self._process.returncode

    def when_exited(self, callback: Callable[[], None]) -> None:
        """Calls back once, from another thread, when the process has ended (at once if it has already)."""
        with self._lock:
            if not self._exited.is_set():
                self._callbacks.append(callback)
                return
        callback()

    def wait(self, seconds: float | None = None) -> bool:
        """Waits for the end, at most so many seconds; True if it has ended."""
        return self._exited.wait(seconds)

    def send(self, signal_number: int) -> None:
        """Sends a signal; nothing happens if the process has ended."""
        if not self._exited.is_set():
            with suppress(ProcessLookupError):
                os.kill(self.pid, signal_number)

    def stop(self, signal_number: int = signal.SIGTERM, seconds: float = 10) -> None:
        """Asks the process to end, and kills it if it has not within so many seconds."""
        self.send(signal_number)
        if not self._exited.wait(seconds):
            self.kill()

    def kill(self) -> None:
        """Ends the process with SIGKILL and waits for it."""
        self.send(signal.SIGKILL)
        self._exited.wait()

    def _wait(self) -> None:
        self._process.wait()
        with self._lock:
            self._exited.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()


def spawn(
    program: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    output: IO[bytes] | int,
    user: str = "",
    death_signal: int = signal.SIGKILL,
) -> Child:
    """Starts a child process that gets death_signal when this process dies, however it dies.

    program: absolute path and arguments. environment: all it gets, nothing is inherited. folder: its working
    folder. output: where its stdout and stderr go. user: login name to run as, only for root. It is the
    leader of a session of its own, so that Ctrl-C in the terminal reaches the stack alone.
    """
    command = [
        sys.executable,
        "-I",
        "-S",
        str(_LEASH),
        str(os.getpid()),
        str(int(death_signal)),
        user,
        *program,
    ]

    def start() -> Child:
        return Child(
            subprocess.Popen(
                command,
                env=dict(environment),
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        )

    return _SPAWNER.submit(start).result()


def free_port(address: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on at this moment."""
    with socket.socket() as listener:
        listener.bind((address, 0))
        return listener.getsockname()[1]
