"""The toy functions through the real gateway, under AWS's own runtime client."""

import base64
import gzip
import http.client
import json
import socket
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from local.errors import FunctionError, StartError
from local.network import reserve
from local.stack import Stack

INTERNAL_SERVER_ERROR = b'{"message":"Internal Server Error"}'


def test_function_gets_the_event_of_its_route(call: Callable[..., Any]) -> None:
    reply = call(
        "GET", "/echo/items/a%22%23b?x=1&x=2", headers=[("X-One", "1"), ("x-one", "2"), ("Cookie", "a=1; b=2")]
    )

    event = json.loads(reply.body)["event"]
    assert reply.status == 200
    assert reply.header("Content-Type") == "application/json"
    assert event["routeKey"] == "GET /echo/items/{id}"
    assert event["pathParameters"] == {"id": 'a"#b'}
    assert event["queryStringParameters"] == {"x": "1,2"}
    assert event["headers"]["x-one"] == "1,2"
    assert event["cookies"] == ["a=1", "b=2"]
    assert event["requestContext"]["requestId"] == reply.header("Apigw-Requestid")
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"


def test_path_is_decoded_and_cut_before_its_route_is_chosen(call: Callable[..., Any]) -> None:
    """HUB 52: like API Gateway, over HTTP."""
    divided = json.loads(call("GET", "/echo/items/a%2Fb").body)["event"]
    cut = json.loads(call("GET", "/echo/items/a%3Fb").body)["event"]

    assert (divided["routeKey"], divided["pathParameters"]) == ("ANY /echo/{proxy+}", {"proxy": "items/a/b"})
    assert (cut["routeKey"], cut["pathParameters"]) == ("GET /echo/items/{id}", {"id": "a"})
    assert (cut["rawPath"], cut["rawQueryString"]) == ("/echo/items/a", "")


def test_binary_body_and_answer_arrive_unchanged(call: Callable[..., Any]) -> None:
    every_byte = bytes(range(256))

    event = json.loads(call("PUT", "/echo/x", every_byte, [("Content-Type", "application/octet-stream")]).body)["event"]
    result = {"statusCode": 200, "isBase64Encoded": True, "body": event["body"], "cookies": ["a=1", "b=2"]}
    reply = call("POST", "/answer", json.dumps(result).encode(), [("Content-Type", "application/json")])

    assert event["isBase64Encoded"] is True
    assert reply.body == every_byte
    assert [value for name, value in reply.headers if name == "Set-Cookie"] == ["a=1", "b=2"]


def test_malformed_result_is_an_internal_server_error(call: Callable[..., Any]) -> None:
    reply = call("POST", "/answer", b'{"statusCode": "fine"}', [("Content-Type", "application/json")])

    assert (reply.status, reply.body) == (500, INTERNAL_SERVER_ERROR)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/nowhere"), ("POST", "/count"), ("GET", "/count/"), ("GET", "/deployed")]
)
def test_unknown_route_and_wrong_method_are_not_found(call: Callable[..., Any], method: str, path: str) -> None:
    reply = call(method, path)

    assert (reply.status, reply.body) == (404, b'{"message":"Not Found"}')


@pytest.mark.parametrize("headers", [[], [("Authorization", "Bearer eyJhbGciOiJSUzI1NiIsImtpZCI6IjEifQ.e30.x")]])
def test_route_with_authorizer_is_closed_without_a_token_issuer(call: Callable[..., Any], headers: Any) -> None:
    reply = call("GET", "/protected", headers=headers)

    assert (reply.status, reply.body) == (401, b'{"message":"Unauthorized"}')


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "identity"])
def test_compressed_body_arrives_as_it_was_sent(call: Callable[..., Any], coding: str) -> None:
    """WALLET 35: signatures cover these bytes."""
    sent = gzip.compress(b'{"a": 1}')
    headers = [("Content-Type", "application/json"), ("Content-Encoding", coding)]

    event = json.loads(call("PUT", "/echo/x", sent, headers).body)["event"]

    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (sent, True)
    assert event["headers"]["content-encoding"] == coding
    assert event["headers"]["content-length"] == str(len(sent))


def test_body_over_10_mb_is_too_large(call: Callable[..., Any]) -> None:
    reply = call("PUT", "/echo/x", None, [("Content-Length", str(11_000_000))])

    assert (reply.status, reply.body) == (413, b'{"message":"Request Entity Too Large"}')


def test_event_over_the_6_mb_of_lambda_is_too_large(call: Callable[..., Any]) -> None:
    reply = call("PUT", "/echo/x", b"x" * 7_000_000, [("Content-Type", "text/plain")])

    assert (reply.status, reply.body) == (413, b'{"message":"Request Entity Too Large"}')


def test_headers_over_10240_bytes_are_too_large(call: Callable[..., Any]) -> None:
    headers = [(f"X-{number}", "x" * 2000) for number in range(6)]

    assert call("GET", "/count", headers=headers).status == 431


def test_request_line_over_10240_bytes_is_too_large(call: Callable[..., Any]) -> None:
    reply = call("GET", f"/count?cursor={'x' * 10_240}")

    assert (reply.status, reply.body) == (431, b'{"message":"Request Header Fields Too Large"}')


@pytest.mark.parametrize("size", [70_000, 1_000_000])
def test_line_that_the_server_does_not_read_is_too_large(
    call: Callable[..., Any], caplog: pytest.LogCaptureFixture, size: int
) -> None:
    """The server would answer and log the beginning of the line, such as a token."""
    long = "s3cret" * (size // 6)
    with caplog.at_level("DEBUG"):
        replies = [
            call("GET", "/count", headers=[("Authorization", long)]),
            call("GET", f"/count?cursor={long}"),
            call("GET", "/count", headers=[(f"X-{long}", "1")]),
        ]

    assert {reply.status for reply in replies} == {431}
    assert {reply.body for reply in replies} == {b'{"message":"Request Header Fields Too Large"}'}
    assert {reply.header("content-type") for reply in replies} == {"application/json"}
    assert "s3cret" not in caplog.text


def test_many_small_headers_are_no_large_request(call: Callable[..., Any]) -> None:
    assert call("GET", "/count", headers=[(f"X-{number}", "1") for number in range(300)]).status == 200


def test_request_that_is_not_http_is_refused_without_its_text(
    call: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("DEBUG"):
        reply = call("GET", "/count", headers=[("X s3cret", "1")])

    assert (reply.status, reply.body) == (400, b'{"message":"Bad Request"}')
    assert "s3cret" not in caplog.text


def test_environment_variables_are_those_of_lambda_and_none_of_the_shell(
    call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("SHELL_SECRET", "1")

    seen = json.loads(call("GET", "/echo/x").body)

    environment = seen["environment"]
    assert seen["function"] == "echo"
    assert 0 < seen["remaining"] <= 10_000
    assert environment["GREETING"] == "hello from local"
    assert environment["STAGE"] == "local"
    assert environment["_HANDLER"] == "answers.echo"
    assert Path(environment["LAMBDA_TASK_ROOT"]).name == "functions"
    assert environment["AWS_LAMBDA_FUNCTION_NAME"] == "echo"
    assert environment["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert environment["AWS_EXECUTION_ENV"] == f"AWS_Lambda_python3.{sys.version_info.minor}"
    assert {
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SESSION_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
    } <= environment.keys()
    assert not {"PYTHONDONTWRITEBYTECODE", "SHELL_SECRET", "VIRTUAL_ENV"} & environment.keys()


def test_environment_is_reused_and_replaced_when_it_is_killed(toy: Stack, call: Callable[..., Any]) -> None:
    first, second = (json.loads(call("GET", "/count").body) for _ in range(2))
    killed = toy.kill_environment("counter")
    _until(lambda: killed not in _pids(toy))
    third = json.loads(call("GET", "/count").body)

    assert first["pid"] == second["pid"] == killed
    assert second["count"] == first["count"] + 1
    assert third["count"] == 1
    assert third["pid"] != killed


def test_environment_is_frozen_between_requests(toy: Stack, call: Callable[..., Any]) -> None:
    call("GET", "/ticks")
    (status,) = toy.environments("ticker")
    _until(lambda: _state(status.pid) == "T")
    before = _processor_time(status.pid)
    time.sleep(0.5)

    assert _processor_time(status.pid) == before
    assert json.loads(call("GET", "/ticks").body) == {"ticks": pytest.approx(2, abs=1), "pid": status.pid}


def test_requests_run_at_the_same_time_up_to_the_cap(call: Callable[..., Any], tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as callers:
        one = callers.submit(call, "GET", f"/meet?place={tmp_path}")
        _until(lambda: any(tmp_path.iterdir()))
        two = callers.submit(call, "GET", f"/meet?place={tmp_path}")
        pids = {json.loads(caller.result().body)["pid"] for caller in (one, two)}

    assert len(pids) == 2


def test_function_at_its_cap_answers_service_unavailable(toy: Stack, call: Callable[..., Any], tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as callers:
        for other in ("a", "b"):
            (tmp_path / other).mkdir()
        busy = [callers.submit(call, "GET", f"/meet?place={tmp_path / other}") for other in ("a", "b")]
        _until(lambda: all(any((tmp_path / other).iterdir()) for other in ("a", "b")))
        reply = call("GET", f"/meet?place={tmp_path}")
        for other in ("a", "b"):
            (tmp_path / other / "company").touch()

    assert (reply.status, reply.body) == (503, b'{"message":"Service Unavailable"}')
    assert [caller.result().status for caller in busy] == [200, 200]
    assert len(toy.environments("meeting")) == 2


def test_function_is_killed_at_its_time_limit(toy: Stack, call: Callable[..., Any]) -> None:
    reply = call("GET", "/slow")

    assert (reply.status, reply.body) == (500, INTERNAL_SERVER_ERROR)
    assert "Task timed out after 1.00 seconds" in toy.log("slow").read_text()
    assert not toy.environments("slow")


@pytest.mark.parametrize(
    ("function", "in_log"),
    [
        ("crash", "Runtime exited with error: exit status 3"),
        ("raise", "LookupError: nothing there"),
        ("large", "Function.ResponseSizeTooLarge"),
        ("unimportable", "RuntimeError: no use"),
    ],
)
def test_failing_function_is_an_internal_server_error_again_and_again(
    toy: Stack, call: Callable[..., Any], function: str, in_log: str
) -> None:
    for _ in range(2):
        reply = call("GET", f"/{function}")
        assert (reply.status, reply.body) == (500, INTERNAL_SERVER_ERROR)

    assert in_log in toy.log(function).read_text()


def test_function_that_does_not_initialise_in_time_is_killed(
    toy: Stack, call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("local.runtime.environment.INIT_SECONDS", 0.5)

    reply = call("GET", "/hanging")

    assert (reply.status, reply.body) == (500, INTERNAL_SERVER_ERROR)
    assert "the initialisation took more than" in toy.log("hanging").read_text()


def test_gateway_stops_waiting_at_its_time_limit(call: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("local.gateway.server.INTEGRATION_SECONDS", 0.2)

    reply = call("GET", "/slow")

    assert (reply.status, reply.body) == (503, b'{"message":"Service Unavailable"}')


def test_idle_environment_is_reaped(toy: Stack, call: Callable[..., Any]) -> None:
    pid = json.loads(call("GET", "/count").body)["pid"]
    _until(lambda: _state(pid) == "T")

    assert toy._loop is not None
    assert toy._running is not None
    toy._loop._loop.call_soon_threadsafe(toy._running._pools["counter"].reap, 0)

    _until(lambda: pid not in _pids(toy))


def test_body_in_chunks_arrives_whole(toy: Stack) -> None:
    connection = http.client.HTTPConnection(toy.base_url.removeprefix("http://"))
    connection.request("PUT", "/echo/x", iter([b"one ", b"two"]), {"Content-Type": "text/plain"})

    event = json.loads(connection.getresponse().read())["event"]
    connection.close()

    assert event["body"] == "one two"
    assert event["headers"]["content-length"] == "7"


def test_log_holds_what_the_function_prints(toy: Stack, call: Callable[..., Any]) -> None:
    call("GET", "/echo/find-me")

    log = toy.log("echo").read_text()
    assert "echoing /echo/find-me\n" in log
    assert "REPORT RequestId: " in log


def test_function_can_be_invoked_without_a_route(toy: Stack) -> None:
    assert toy.invoke("answer", {"body": '{"a": 1}'}) == {"a": 1}
    with pytest.raises(FunctionError, match="LookupError: nothing there"):
        toy.invoke("raise", {})
    with pytest.raises(KeyError):
        toy.invoke("absent", {})


def test_second_stack_with_the_same_state_folder_does_not_start(toy: Stack) -> None:
    with (
        pytest.raises(StartError, match=f"runs already at {toy.base_url}: use it, or stop it with Ctrl-C"),
        Stack(state_folder=toy.state_folder, bare=True),
    ):
        pass

    assert json.loads((toy.state_folder / "stack.json").read_text())["base_url"] == toy.base_url


@pytest.mark.parametrize("port", [-5, 65536, 99999])
def test_invalid_port_is_reported_in_one_sentence(tmp_path: Path, port: int) -> None:
    with pytest.raises(StartError, match=f"{port} is not a port"), Stack(port=port, state_folder=tmp_path, bare=True):
        pass


def test_foreign_address_is_reported_in_one_sentence() -> None:
    with pytest.raises(StartError, match="the port 0 cannot be used"):
        reserve(("192.0.2.1",), 0)


@pytest.mark.skipif("docker0" in [name for _, name in socket.if_nameindex()], reason="Docker runs here")
def test_stack_for_containers_without_docker_says_what_to_do(tmp_path: Path) -> None:
    remedy = r"start Docker, or leave out CONTAINERS=1 \(--containers\)$"
    with pytest.raises(StartError, match=remedy), Stack(state_folder=tmp_path, containers=True, bare=True):
        pass


def _until(holds: Callable[[], bool]) -> None:
    """Wait until a condition holds; fail after some seconds."""
    deadline = time.monotonic() + 10
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def _pids(stack: Stack) -> list[int]:
    return [status.pid for status in stack.environments()]


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]


def _processor_time(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
