"""Servers that run as child processes of the stack."""

import http.client
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from local.errors import StartError
from local.processes.servers import Server


class Web(Server):
    """A server of an empty folder's files, or a program that ends at once."""

    def __init__(self, folder: Path, program: Sequence[str] = ("-m", "http.server", "--bind", "127.0.0.1")) -> None:
        super().__init__("web server", folder / "web.log", "127.0.0.1")
        self._given = program

    @property
    def _environment(self) -> Mapping[str, str]:
        return {"PYTHONUNBUFFERED": "1"}

    def _program(self) -> Sequence[str]:
        return [sys.executable, *self._given, str(self.port)]

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(self.address, self.port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()


def test_server_answers_once_started_and_is_gone_once_stopped(tmp_path: Path) -> None:
    server = Web(tmp_path)
    server.start()
    pid = server.pid

    assert server.url == f"http://127.0.0.1:{server.port}"
    assert server._answers()
    server.stop()

    assert not server._answers()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(RuntimeError, match="the web server is not running"):
        _ = server.pid


def test_server_that_ends_at_once_is_named_with_its_log(tmp_path: Path) -> None:
    server = Web(tmp_path, ["-c", "print('no such luck')"])

    with pytest.raises(StartError, match=r"the web server did not start, see its log: .*/web\.log"):
        server.start()

    assert "no such luck" in server.log.read_text()
    server.stop()
