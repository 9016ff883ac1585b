"""`python -m local up` leaves no process behind, however it ends."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import ROOT

TOY_TEMPLATE = Path(__file__).parent / "toy" / "template.yaml"


class Up:
    """A stack that runs in a process of its own, with one execution environment."""

    def __init__(self, state_folder: Path) -> None:
        self.state_folder = state_folder
        self.process = _up("--port", "0", "--state-folder", str(state_folder), "--template", str(TOY_TEMPLATE))
        stdout = self.process.stdout
        assert stdout is not None
        while b"Ctrl-C stops" not in stdout.readline():
            assert self.process.poll() is None
        base_url = json.loads((state_folder / "stack.json").read_text())["base_url"]
        with urllib.request.urlopen(f"{base_url}/count") as answer:  # noqa: S310
            self.environment = int(json.load(answer)["pid"])

    def end(self) -> int:
        """Wait for the process; returns its exit code."""
        try:
            return self.process.wait(20)
        finally:
            self.process.kill()
            self.process.communicate()


@pytest.fixture
def up(tmp_path: Path) -> Iterator[Up]:
    up = Up(tmp_path)
    yield up
    up.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_stack_stopped_by_a_signal_leaves_no_child(up: Up, number: signal.Signals) -> None:
    up.process.send_signal(number)

    stderr = up.process.stderr
    assert stderr is not None
    assert stderr.read().decode().split()[-2:] == ["stopping", "stopped"]
    assert up.end() == 0
    assert not {"stack.json", "sam-env.json", "sam.sh"} & {path.name for path in up.state_folder.iterdir()}
    assert not _alive(up.environment)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_killed_stack_leaves_no_child(up: Up) -> None:
    up.process.kill()
    up.end()

    assert _ends(up.environment)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends a child with its parent")
def test_postgres_ends_with_a_killed_owner(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path; from local.services.postgres import Postgres\n"
        "with Postgres(Path(sys.argv[1])) as server:\n"
        "    print(server.pid, server.data, flush=True); sys.stdin.read()"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        assert owner.stdout is not None
        pid, data = owner.stdout.readline().decode().split(" ", 1)
    finally:
        owner.kill()
        owner.communicate()

    assert _ends(int(pid))
    assert not any(_ends(backend) is False for backend in _processes_in(Path(data.strip())))


def test_taken_port_is_reported_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = _up("--port", str(port), "--state-folder", str(tmp_path), "--template", str(TOY_TEMPLATE))
        _, stderr = process.communicate(timeout=20)

    assert process.returncode == 1
    expected = f"The local stack did not start: the port {port} is taken: choose another with PORT=... (--port)"
    assert stderr.decode().strip() == expected


def test_template_error_stops_what_was_started(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text(
        "Resources:\n  OneFunction:\n    Type: AWS::Serverless::Function\n"
        "    Properties: {CodeUri: ., Handler: !Ref X}\n"
    )

    process = _up("--port", "0", "--state-folder", str(tmp_path), "--template", str(template))
    _, stderr = process.communicate(timeout=20)

    assert process.returncode == 1
    assert b"OneFunction.Handler: nothing local stands for X" in stderr


def _up(*arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "local", "up", "--bare", *arguments]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] != "Z"


def _ends(pid: int, seconds: float = 10) -> bool:
    """Return True as soon as the process is gone, False if it still runs after so many seconds."""
    deadline = time.monotonic() + seconds
    while _alive(pid):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def _processes_in(folder: Path) -> list[int]:
    """The processes whose working folder this is; those of a Postgres server work in its data folder."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                if (process / "cwd").readlink() == folder:
                    found.append(int(process.name))
            except OSError:
                continue
    return found
