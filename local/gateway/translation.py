"""API Gateway's payload format 2.0: translates an HTTP request to an event, and a function's result to an HTTP answer.

Source where no other is named: AWS API Gateway developer guide, "Create AWS Lambda proxy integrations for HTTP APIs"
(http-api-develop-integrations-lambda).
"""

import base64
import binascii
import json
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from local.account import ACCOUNT_ID
from local.gateway.routes import delivered_path

REQUEST_LIMIT = 10 * 1024 * 1024  # bytes of a body; quotas of HTTP APIs (http-api-quotas)
HEADER_LIMIT = 10_240  # bytes of request line and header values together; the same page
INTEGRATION_SECONDS = 30.0  # the same page

# Headers of one connection, not of the request; API Gateway removes them.
_HOP_BY_HOP = frozenset(
    (
        "connection",
        "expect",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    )
)
# A function's result cannot set these: API Gateway has its own connection to the client and counts the bytes itself.
_NOT_ANSWERED = _HOP_BY_HOP | {"content-length"}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_TEXT_TYPES = frozenset(("application/json", "application/javascript", "application/xml"))
_DEFAULT_TYPE = "text/plain;charset=UTF-8"


@dataclass(frozen=True)
class Request:
    """An HTTP request as it arrived.

    Attributes:
        target: path and query string as sent.
        headers: names and values in order, as sent.
        source_ip: the caller's address.
    """

    method: str
    target: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    source_ip: str
    protocol: str = "HTTP/1.1"
    port: int = 80


@dataclass(frozen=True)
class Answer:
    """An HTTP answer.

    Attributes:
        headers: names in lower case.
        cookies: each becomes a set-cookie header.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: tuple[str, ...] = ()


class MalformedResult(Exception):
    """API Gateway does not accept the function's result; the message says why."""


def event(
    request: Request,
    *,
    route_key: str,
    path_parameters: Mapping[str, str],
    request_id: str,
    authorizer: Mapping[str, Any] | None = None,
    now: float | None = None,
) -> dict[str, Any]:
    """Return the event that a function gets for a request.

    Keys without a value are left out, as on AWS (queryStringParameters, cookies, pathParameters, body, stageVariables);
    there are no stage variables here. rawPath and requestContext.http.path are the path by which the route was chosen:
    routes.delivered_path. A body is base64 unless its content type is a text (see is_text).

    route_key: as Route.key. path_parameters: decoded. authorizer: the result of the route's authorizer, as
    {"jwt": {"claims", "scopes"}} or {"lambda": context}. now: epoch seconds.
    """
    path, query = delivered_path(request.target), request.target.partition("?")[2]
    moment = time.time() if now is None else now
    headers, cookies = _headers(request)
    host = headers.get("host", "localhost").rsplit(":", 1)[0]
    context: dict[str, Any] = {
        "accountId": ACCOUNT_ID,
        "apiId": "local",
        "domainName": host,
        "domainPrefix": host.split(".", 1)[0],
        "http": {
            "method": request.method,
            "path": path,
            "protocol": request.protocol,
            "sourceIp": request.source_ip,
            "userAgent": headers.get("user-agent", ""),
        },
        "requestId": request_id,
        "routeKey": route_key,
        "stage": "$default",
        "time": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(moment)),
        "timeEpoch": int(moment * 1000),
    }
    if authorizer is not None:
        context["authorizer"] = dict(authorizer)
    result: dict[str, Any] = {
        "version": "2.0",
        "routeKey": route_key,
        "rawPath": path,
        "rawQueryString": query,
        "headers": headers,
        "requestContext": context,
        "isBase64Encoded": False,
    }
    if cookies:
        result["cookies"] = cookies
    if query:
        result["queryStringParameters"] = _joined(parse_qsl(query, keep_blank_values=True))
    if path_parameters:
        result["pathParameters"] = dict(path_parameters)
    if request.body:
        result["body"], result["isBase64Encoded"] = _body(request.body, headers.get("content-type", ""))
    return result


def is_text(content_type: str) -> bool:
    """Return whether a body of this content type is text in the event, and not base64.

    API Gateway infers it from the content type and documents no list. Text here: text/*, JSON, JavaScript and XML, with
    the +json and +xml types. Everything else is base64, also application/x-www-form-urlencoded and a body without a
    content type. Source: AWS Compute Blog, "Handling binary data using Amazon API Gateway HTTP APIs".
    """
    kind = content_type.split(";", 1)[0].strip().lower()
    return kind.startswith("text/") or kind in _TEXT_TYPES or kind.endswith(("+json", "+xml"))


def answer(result: bytes) -> Answer:
    """Return the HTTP answer for a function's result, the JSON text it returned.

    A result without statusCode is the body of a 200 with content type application/json (a string as it is, anything
    else as the JSON text). A result with statusCode gives status, headers, cookies and body; its content type is
    text/plain unless a header says otherwise. Raises MalformedResult for a result that API Gateway answers with 500.
    """
    try:
        value = json.loads(result)
    except ValueError as error:
        raise MalformedResult(f"the result is not JSON: {error}") from None
    if not isinstance(value, dict) or "statusCode" not in value:
        body = value.encode() if isinstance(value, str) else result
        return Answer(200, body, {"content-type": "application/json"})
    headers = {"content-type": _DEFAULT_TYPE}
    for name, content in _mapping(value, "headers").items():
        if not isinstance(content, str | int | float):
            raise MalformedResult(f"the header {name} is not a text")
        text = str(content).lower() if isinstance(content, bool) else str(content)
        if not _HEADER_NAME.fullmatch(name) or _CONTROL.search(text):
            raise MalformedResult(f"the header {name!r} cannot be sent")
        if name.lower() not in _NOT_ANSWERED:
            headers[name.lower()] = text
    cookies = value.get("cookies") or []
    if not isinstance(cookies, list) or not all(isinstance(cookie, str) for cookie in cookies):
        raise MalformedResult("cookies is not a list of texts")
    if any(_CONTROL.search(cookie) for cookie in cookies):
        raise MalformedResult("a cookie cannot be sent")
    return Answer(_status(value["statusCode"]), _answer_body(value), headers, tuple(cookies))


def message(status: int, text: str, headers: Mapping[str, str] | None = None) -> Answer:
    """Return an answer of API Gateway, e.g. 404 {"message":"Not Found"}. headers: more headers, in lower case."""
    return Answer(
        status,
        json.dumps({"message": text}, separators=(",", ":")).encode(),
        {"content-type": "application/json", **(headers or {})},
    )


def _headers(request: Request) -> tuple[dict[str, str], list[str]]:
    """Header values by lower-case name, repeated headers joined with commas; and the cookies."""
    cookies: list[str] = []
    kept: list[tuple[str, str]] = []
    forwarded = []
    for given, value in request.headers:
        name = given.lower()
        if name == "cookie":
            cookies += [cookie.strip() for cookie in value.split(";") if cookie.strip()]
        elif name == "x-forwarded-for":
            forwarded.append(value)
        elif name not in _HOP_BY_HOP:
            kept.append((name, value))
    headers = _joined(kept)
    headers["content-length"] = str(len(request.body))
    headers["x-forwarded-for"] = ", ".join([*forwarded, request.source_ip])
    headers["x-forwarded-port"] = str(request.port)
    headers["x-forwarded-proto"] = "http"
    return headers, cookies


def _joined(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    joined: dict[str, str] = {}
    for name, value in pairs:
        joined[name] = f"{joined[name]},{value}" if name in joined else value
    return joined


def _body(body: bytes, content_type: str) -> tuple[str, bool]:
    """The body as the event carries it, and whether it is base64 (as all bytes that are not UTF-8)."""
    if is_text(content_type):
        try:
            return body.decode(), False
        except UnicodeDecodeError:
            pass
    return base64.b64encode(body).decode(), True


def _mapping(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key) or {}
    if not isinstance(found, dict):
        raise MalformedResult(f"{key} is not an object")
    return found


def _status(value: Any) -> int:
    number = int(value) if isinstance(value, str) and value.isascii() and value.isdigit() else value
    if isinstance(number, bool) or not isinstance(number, int) or not 100 <= number <= 599:
        raise MalformedResult(f"statusCode is {value!r}")
    return number


def _answer_body(value: Mapping[str, Any]) -> bytes:
    body = value.get("body")
    if body is None:
        return b""
    if not isinstance(body, str):
        raise MalformedResult("body is not a text")
    if not value.get("isBase64Encoded"):
        return body.encode()
    try:
        return base64.b64decode(body, validate=True)
    except binascii.Error as error:
        raise MalformedResult(f"body is not base64: {error}") from None
