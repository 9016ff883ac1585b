"""The toy stack: real gateway, real execution environments, functions that misbehave on purpose."""

import http.client
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from local.stack import Stack

TOY_TEMPLATE = Path(__file__).parent / "toy" / "template.yaml"


@dataclass(frozen=True)
class Reply:
    """The gateway's answer."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str | None:
        """The first header of this name."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)


def request(
    base_url: str,
    method: str,
    target: str,
    body: bytes | None = None,
    headers: list[tuple[str, str]] | None = None,
) -> Reply:
    """Make one HTTP request; target and repeated headers are sent as given."""
    connection = http.client.HTTPConnection(urlsplit(base_url).netloc, timeout=40)
    try:
        connection.putrequest(method, target, skip_accept_encoding=True)
        for name, value in headers or []:
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        return Reply(response.status, response.getheaders(), response.read())
    finally:
        connection.close()


@pytest.fixture(scope="package")
def toy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(state_folder=tmp_path_factory.mktemp("toy"), template=TOY_TEMPLATE, bare=True) as stack:
        yield stack


@pytest.fixture
def call(toy: Stack) -> Callable[..., Reply]:
    """Calls the toy stack: call("GET", "/count")."""

    def call_toy(method: str, target: str, body: bytes | None = None, headers: Any = None) -> Reply:
        return request(toy.base_url, method, target, body, headers)

    return call_toy
