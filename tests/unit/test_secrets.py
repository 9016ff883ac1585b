"""Secrets by name, read from a real HTTP server on loopback in place of the extension."""

import json
from collections.abc import Callable
from http.client import HTTPConnection
from socket import create_server, socket
from threading import Thread
from urllib.parse import urlsplit

import pytest

from causeway.aws import secrets
from causeway.errors.service import Misconfigured, Unavailable
from causeway.outbound.deadlines import Deadline
from tests.unit.clock import Clock
from tests.unit.secrets_server import REFUSED, Asked, SecretsServer
from tests.unit.wire_server import WireServer

NAME = "causeway/local/game-providers/DEMO"
VALUE = {"tenant_id": "t", "casino_secrets": ["current", "pr\u00e9vious"]}


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_secret_is_requested_by_its_quoted_name_with_the_functions_token(extension: SecretsServer) -> None:
    extension.secrets[NAME] = VALUE

    assert secrets.read(NAME) == VALUE
    assert extension.asked == [
        Asked("/secretsmanager/get?secretId=causeway%2Flocal%2Fgame-providers%2FDEMO", "session-token")
    ]


@pytest.mark.parametrize(
    "name", ["a&versionStage=AWSPREVIOUS", "a b", "a#b", "a?b=c", "../other", "a%2Fb", "a+b", "\u00e9\u2028\r\n", "a\0"]
)
def test_name_cannot_leave_its_query_parameter(extension: SecretsServer, name: str) -> None:
    extension.secrets[name] = VALUE

    assert secrets.read(name) == VALUE


def test_url_with_a_path_and_a_trailing_slash_works(
    extension: SecretsServer, set_environment: Callable[..., None]
) -> None:
    set_environment(SECRETS_EXTENSION_URL=extension.url + "/below/", AWS_SESSION_TOKEN="other-token")
    extension.fixed = (200, json.dumps({"SecretString": "{}"}).encode())

    assert secrets.read("x") == {}
    assert extension.asked == [Asked("/below/secretsmanager/get?secretId=x", "other-token")]


DOUBTFUL = [REFUSED, b"not ready to serve traffic, please wait", b"", b'{"__type":"ResourceNotFoundException"}']


@pytest.mark.parametrize("body", DOUBTFUL)
def test_refused_name_is_unavailable(extension: SecretsServer, body: bytes) -> None:
    """The extension answers the same text for a missing secret and for one it could not read, so both are 503."""
    extension.fixed = (400, body)

    with pytest.raises(Unavailable, match="400 for the secret"):
        secrets.read(NAME)


@pytest.mark.parametrize("body", DOUBTFUL)
def test_expired_secret_is_unavailable_while_the_extension_refuses(
    extension: SecretsServer, clock: Clock, body: bytes
) -> None:
    kept = secrets.Secrets(clock)
    extension.secrets[NAME] = VALUE
    kept.read(NAME)
    extension.fixed = (400, body)
    clock.go(29.9)
    assert kept.read(NAME) == VALUE

    clock.go(0.1)
    with pytest.raises(Unavailable):
        kept.read(NAME)
    extension.fixed = None
    assert kept.read(NAME) == VALUE


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, b"not ready to serve traffic, please wait"),
        (403, b"the token is not the function's AWS_SESSION_TOKEN"),
        (404, b"404 page not found"),
        (429, b""),
        (500, b"an unexpected error"),
        (204, b""),
    ],
)
def test_any_other_answer_is_unavailable_and_not_cached(extension: SecretsServer, status: int, body: bytes) -> None:
    extension.secrets[NAME] = VALUE
    extension.fixed = (status, body)

    with pytest.raises(Unavailable) as raised:
        secrets.read(NAME)
    assert (str(status) in raised.value.cause) or status == 400
    assert body.decode() not in raised.value.sentence or not body

    extension.fixed = None
    assert secrets.read(NAME) == VALUE


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not JSON",
        b"\xff",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"SecretString":null,"SecretBinary":"AAAA"}',
        b'{"SecretString":1}',
        b'{"SecretString":{"password":"x"}}',
        b'{"SecretString":""}',
        b'{"SecretString":"plain text"}',
        b'{"SecretString":"[]"}',
        b'{"SecretString":"1"}',
        b'{"SecretString":"null"}',
        b'{"SecretString":"\\"text\\""}',
    ],
)
def test_secret_that_is_not_a_json_object_is_unavailable(extension: SecretsServer, body: bytes) -> None:
    extension.fixed = (200, body)

    with pytest.raises(Unavailable) as raised:
        secrets.read(NAME)
    assert f"The secret {NAME} is not a JSON object" in raised.value.cause


def test_error_contains_no_secret(extension: SecretsServer) -> None:
    extension.fixed = (200, b'{"SecretString":"hunter2"}')

    with pytest.raises(Unavailable) as raised:
        secrets.read(NAME)
    assert "hunter2" not in f"{raised.value} {raised.value.cause} {raised.value.sentence}"


def test_extension_that_is_down_is_unavailable_and_says_what_to_do(extension: SecretsServer) -> None:
    extension.close()

    with pytest.raises(Unavailable) as raised:
        secrets.read(NAME)
    assert "add its layer" in raised.value.cause
    assert urlsplit(extension.url).netloc in raised.value.cause
    assert raised.value.retry_after is not None


def test_silent_extension_is_unavailable(set_environment: Callable[..., None]) -> None:
    with create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        set_environment(SECRETS_EXTENSION_URL=url, AWS_SESSION_TOKEN="session-token")

        with pytest.raises(Unavailable) as raised:
            secrets.read(NAME)
    assert "TimeoutError" in raised.value.cause


def test_answer_that_is_not_http_is_unavailable(set_environment: Callable[..., None]) -> None:
    with create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n")

        thread = Thread(target=answer)
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        set_environment(SECRETS_EXTENSION_URL=url, AWS_SESSION_TOKEN="session-token")

        with pytest.raises(Unavailable):
            secrets.read(NAME)
        thread.join()


def test_missing_token_is_a_misconfiguration(extension: SecretsServer, set_environment: Callable[..., None]) -> None:
    set_environment(SECRETS_EXTENSION_URL=extension.url)

    with pytest.raises(Misconfigured) as raised:
        secrets.read(NAME)
    assert "AWS_SESSION_TOKEN" in raised.value.cause
    assert extension.asked == []


def test_secret_is_cached_for_30_seconds(extension: SecretsServer, clock: Clock) -> None:
    kept = secrets.Secrets(clock)
    extension.secrets[NAME] = {"version": 1}
    kept.read(NAME)
    extension.secrets[NAME] = {"version": 2}

    clock.go(29.9)
    assert kept.read(NAME) == {"version": 1}
    clock.go(0.1)
    assert kept.read(NAME) == {"version": 2}
    assert len(extension.asked) == 2


def test_secret_cached_before_a_frozen_time_is_read_again(extension: SecretsServer, clock: Clock) -> None:
    """A revoked secret works for at most 30 s, also by the wall clock."""
    kept = secrets.Secrets(clock)
    extension.secrets[NAME] = {"version": 1}
    kept.read(NAME)
    extension.secrets[NAME] = {"version": 2}

    clock.freeze(30)
    assert kept.read(NAME) == {"version": 2}


def test_secret_is_read_again_after_the_wall_clock_was_set_back(extension: SecretsServer, clock: Clock) -> None:
    kept = secrets.Secrets(clock)
    extension.secrets[NAME] = {"version": 1}
    kept.read(NAME)
    extension.secrets[NAME] = {"version": 2}

    clock.set_wall(-3600)
    assert kept.read(NAME) == {"version": 2}


def test_age_is_a_setting(extension: SecretsServer, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_MAX_AGE", "2.5")
    kept = secrets.Secrets(clock)
    extension.secrets[NAME] = VALUE

    for seconds, requests in ((0, 1), (2.4, 1), (0.1, 2)):
        clock.go(seconds)
        kept.read(NAME)
        assert len(extension.asked) == requests


def test_fresh_read_asks_again_at_most_once_a_second(extension: SecretsServer, clock: Clock) -> None:
    kept = secrets.Secrets(clock)
    extension.secrets[NAME] = {"version": 1}
    kept.read(NAME)
    extension.secrets[NAME] = {"version": 2}

    clock.go(0.9)
    assert kept.read(NAME, fresh=True) == {"version": 1}
    clock.go(0.1)
    assert kept.read(NAME, fresh=True) == {"version": 2}
    assert kept.read(NAME) == {"version": 2}
    assert len(extension.asked) == 2


def test_secrets_are_cached_by_name(extension: SecretsServer) -> None:
    extension.secrets |= {"one": {"n": 1}, "two": {"n": 2}}

    assert [secrets.read(name) for name in ("one", "two", "one")] == [{"n": 1}, {"n": 2}, {"n": 1}]


def test_cached_secrets_are_known(extension: SecretsServer) -> None:
    extension.secrets["one"] = {"n": 1}
    secrets.read("one")
    with pytest.raises(Unavailable):
        secrets.read("two")

    assert [secrets.current().has_read(name) for name in ("one", "two")] == [True, False]


def test_read_ends_with_its_callers_deadline(set_environment: Callable[..., None]) -> None:
    """WALLET 39: after the deadline nothing is requested."""
    with create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        set_environment(SECRETS_EXTENSION_URL=url, AWS_SESSION_TOKEN="session-token")

        with pytest.raises(Unavailable):
            secrets.read(NAME, deadline=Deadline(0))
        silent.setblocking(False)
        with pytest.raises(BlockingIOError):
            silent.accept()


def test_slow_answer_is_given_up(set_environment: Callable[..., None]) -> None:
    """A socket's own time limit starts again with every byte."""

    def drip(connection: socket, server: WireServer) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nx-slow: ")
        while not server.over.wait(0.05):
            connection.sendall(b"x")

    with WireServer(drip) as slow:
        set_environment(SECRETS_EXTENSION_URL=slow.url, AWS_SESSION_TOKEN="session-token")

        with pytest.raises(Unavailable, match="TimeoutError"):
            secrets.read(NAME, deadline=Deadline(0.3))


def test_the_tests_server_is_as_strict_as_the_extension(extension: SecretsServer) -> None:
    """It serves only GET of the extension's path, so a wrong path cannot pass unnoticed."""
    connection = HTTPConnection(urlsplit(extension.url).netloc)
    connection.request("GET", f"/secretsmanager/put?secretId={NAME}")
    assert connection.getresponse().status == 404
    connection.close()
