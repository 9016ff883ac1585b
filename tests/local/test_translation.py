"""Events and answers in payload format 2.0, against the examples in AWS's documentation.

Source of the examples: AWS API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs"
(http-api-develop-integrations-lambda).
"""

import base64
import json
from typing import Any

import pytest

from local.gateway.translation import Answer, MalformedResult, Request, answer, event, is_text, message


def _event(
    method: str = "GET",
    target: str = "/",
    headers: tuple[tuple[str, str], ...] = (),
    body: bytes = b"",
    route_key: str = "$default",
    path_parameters: dict[str, str] | None = None,
) -> dict[str, Any]:
    request = Request(method=method, target=target, headers=headers, body=body, source_ip="192.0.2.1", port=3000)
    return event(
        request,
        route_key=route_key,
        path_parameters=path_parameters or {},
        request_id="JKJaXmPLvHcESHA=",
        now=1583348638.39,
    )


def test_event_is_the_documented_example() -> None:
    made = _event(
        method="POST",
        target="/my/path?parameter1=value1&parameter1=value2&parameter2=value",
        headers=(
            ("Header1", "value1"),
            ("HEADER2", "value1"),
            ("header2", "value2"),
            ("Cookie", "cookie1; cookie2"),
            ("Content-Type", "text/plain"),
            ("User-Agent", "agent"),
            ("Host", "id.execute-api.us-east-1.amazonaws.com"),
        ),
        body=b"Hello from Lambda",
        path_parameters={"parameter1": "value1"},
    )

    assert made == {
        "version": "2.0",
        "routeKey": "$default",
        "rawPath": "/my/path",
        "rawQueryString": "parameter1=value1&parameter1=value2&parameter2=value",
        "cookies": ["cookie1", "cookie2"],
        "headers": {
            "header1": "value1",
            "header2": "value1,value2",
            "content-type": "text/plain",
            "user-agent": "agent",
            "host": "id.execute-api.us-east-1.amazonaws.com",
            "content-length": "17",
            "x-forwarded-for": "192.0.2.1",
            "x-forwarded-port": "3000",
            "x-forwarded-proto": "http",
        },
        "queryStringParameters": {"parameter1": "value1,value2", "parameter2": "value"},
        "requestContext": {
            "accountId": "123456789012",
            "apiId": "local",
            "domainName": "id.execute-api.us-east-1.amazonaws.com",
            "domainPrefix": "id",
            "http": {
                "method": "POST",
                "path": "/my/path",
                "protocol": "HTTP/1.1",
                "sourceIp": "192.0.2.1",
                "userAgent": "agent",
            },
            "requestId": "JKJaXmPLvHcESHA=",
            "routeKey": "$default",
            "stage": "$default",
            "time": "04/Mar/2020:19:03:58 +0000",
            "timeEpoch": 1583348638390,
        },
        "body": "Hello from Lambda",
        "pathParameters": {"parameter1": "value1"},
        "isBase64Encoded": False,
    }


def test_event_leaves_out_what_a_request_does_not_have() -> None:
    made = _event()

    assert made.keys() == {
        "version", "routeKey", "rawPath", "rawQueryString", "headers", "requestContext", "isBase64Encoded"
    }  # fmt: skip
    assert made["rawQueryString"] == ""
    assert made["headers"]["content-length"] == "0"


def test_event_carries_the_context_of_a_lambda_authorizer() -> None:
    request = Request(method="GET", target="/", headers=(), body=b"", source_ip="192.0.2.1")

    made = event(request, route_key="GET /", path_parameters={}, request_id="1", authorizer={"lambda": {"a": "b"}})

    assert made["requestContext"]["authorizer"] == {"lambda": {"a": "b"}}


def test_event_decodes_the_path_and_the_parameters_but_not_the_query_string() -> None:
    made = _event(target="/a%20b?q=x%26y&q=%C3%A4&empty=")

    assert made["rawPath"] == "/a b"
    assert made["requestContext"]["http"]["path"] == "/a b"
    assert made["rawQueryString"] == "q=x%26y&q=%C3%A4&empty="
    assert made["queryStringParameters"] == {"q": "x&y,ä", "empty": ""}


def test_event_holds_the_path_up_to_an_encoded_question_mark() -> None:
    """HUB 52: an encoded question mark ends the path, and does not begin a query string."""
    made = _event(target="/a%3Fb%2Fc?q=x%3Fy")

    assert (made["rawPath"], made["requestContext"]["http"]["path"]) == ("/a", "/a")
    assert (made["rawQueryString"], made["queryStringParameters"]) == ("q=x%3Fy", {"q": "x?y"})


def test_event_appends_the_caller_to_the_forwarded_addresses() -> None:
    assert (
        _event(headers=(("X-Forwarded-For", "198.51.100.7"),))["headers"]["x-forwarded-for"]
        == "198.51.100.7, 192.0.2.1"
    )


def test_event_drops_headers_of_the_connection() -> None:
    headers = _event(headers=(("Connection", "close"), ("Transfer-Encoding", "chunked"), ("TE", "trailers")))["headers"]

    assert not {"connection", "transfer-encoding", "te"} & headers.keys()


@pytest.mark.parametrize(
    ("content_type", "text"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("Application/JSON", True),
        ("application/problem+json", True),
        ("application/xml", True),
        ("application/soap+xml", True),
        ("text/csv", True),
        ("application/javascript", True),
        ("application/x-www-form-urlencoded", False),
        ("multipart/form-data; boundary=x", False),
        ("application/octet-stream", False),
        ("image/png", False),
        ("", False),
    ],
)
def test_body_is_base64_unless_the_content_type_is_a_text(content_type: str, text: bool) -> None:
    made = _event(method="POST", headers=(("Content-Type", content_type),) if content_type else (), body=b"a=1")

    assert is_text(content_type) is text
    assert made["isBase64Encoded"] is not text
    assert made["body"] == ("a=1" if text else base64.b64encode(b"a=1").decode())


def test_text_body_that_is_not_utf8_is_base64() -> None:
    made = _event(method="POST", headers=(("Content-Type", "text/plain"),), body=b"\xff\xfe")

    assert (made["body"], made["isBase64Encoded"]) == ("//4=", True)


def test_string_result_is_the_body() -> None:
    assert answer(b'"Hello from Lambda!"') == Answer(200, b"Hello from Lambda!", {"content-type": "application/json"})


def test_object_result_without_status_is_a_json_body() -> None:
    result = b'{ "message": "Hello from Lambda!" }'

    assert answer(result) == Answer(200, result, {"content-type": "application/json"})


@pytest.mark.parametrize("result", [b"null", b"[1, 2]", b"7", b"true"])
def test_any_other_json_result_is_the_body(result: bytes) -> None:
    assert answer(result) == Answer(200, result, {"content-type": "application/json"})


def test_result_with_status_gives_status_headers_cookies_and_body() -> None:
    result = {
        "cookies": ["cookie1", "cookie2=v; Path=/"],
        "isBase64Encoded": False,
        "statusCode": 201,
        "headers": {"X-Number": 5, "X-Flag": True, "Content-Type": "application/json"},
        "body": '{"ü": 1}',
    }

    assert answer(json.dumps(result).encode()) == Answer(
        201,
        '{"ü": 1}'.encode(),
        {"content-type": "application/json", "x-number": "5", "x-flag": "true"},
        ("cookie1", "cookie2=v; Path=/"),
    )


def test_result_with_status_is_plain_text_by_default() -> None:
    assert answer(b'{"statusCode": "204"}') == Answer(204, b"", {"content-type": "text/plain;charset=UTF-8"})


def test_result_cannot_set_headers_of_the_connection() -> None:
    result = b'{"statusCode": 200, "headers": {"Content-Length": "9", "Connection": "close", "X-A": "1"}}'

    assert answer(result).headers == {"content-type": "text/plain;charset=UTF-8", "x-a": "1"}


def test_base64_body_is_decoded() -> None:
    assert answer(b'{"statusCode": 200, "body": "/wA=", "isBase64Encoded": true}').body == b"\xff\x00"


@pytest.mark.parametrize(
    "result",
    [
        b"no json",
        b'{"statusCode": "ok"}',
        b'{"statusCode": 99}',
        b'{"statusCode": true}',
        b'{"statusCode": 200.5}',
        b'{"statusCode": null}',
        b'{"statusCode": 200, "body": {"a": 1}}',
        b'{"statusCode": 200, "body": "?", "isBase64Encoded": true}',
        b'{"statusCode": 200, "headers": ["a"]}',
        b'{"statusCode": 200, "headers": {"a": ["b"]}}',
        b'{"statusCode": 200, "headers": {"a": "b\\r\\nc: d"}}',
        b'{"statusCode": 200, "headers": {"a b": "c"}}',
        b'{"statusCode": 200, "cookies": "a=b"}',
        b'{"statusCode": 200, "cookies": ["a=b\\n"]}',
    ],
)
def test_malformed_result_is_refused(result: bytes) -> None:
    with pytest.raises(MalformedResult):
        answer(result)


def test_own_answers_are_compact_json() -> None:
    assert message(404, "Not Found").body == b'{"message":"Not Found"}'
