"""Servers that run as child processes of the stack."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from local.errors import StartError
from local.processes.servers import Server, answers


def web_server(folder: Path, program: Sequence[str] = ("-m", "http.server", "--bind", "127.0.0.1")) -> Server:
    """A server of an empty folder's files, or another program."""
    server = Server(
        "the web server",
        folder / "web.log",
        "127.0.0.1",
        command=lambda: [sys.executable, *program, str(server.port)],
        ready=lambda: answers("127.0.0.1", server.port, "/"),
        environment={"PYTHONUNBUFFERED": "1"},
    )
    return server


def test_server_answers_once_started_and_is_gone_once_stopped(tmp_path: Path) -> None:
    server = web_server(tmp_path)
    server.start()
    pid = server.pid

    assert server.url == f"http://127.0.0.1:{server.port}"
    assert answers("127.0.0.1", server.port, "/")
    server.stop()

    assert not answers("127.0.0.1", server.port, "/")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(RuntimeError, match="the web server is not running"):
        _ = server.pid


def test_server_that_ends_at_once_is_named_with_its_last_line_and_its_log(tmp_path: Path) -> None:
    server = web_server(tmp_path, ["-c", "print('no such luck')"])

    with pytest.raises(StartError, match=r"the web server did not start: no such luck \(log: .*/web\.log\)"):
        server.start()

    server.stop()
