"""Events of API Gateway for a handler in the test's process, and its answers."""

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any


@dataclass
class Context:
    """The context that Lambda passes to a handler."""

    function_name: str = "wallet-test"
    memory_limit_in_mb: int = 128
    invoked_function_arn: str = "arn:aws:lambda:eu-central-1:123456789012:function:wallet-test"
    aws_request_id: str = "lambda-request-id"

    def get_remaining_time_in_millis(self) -> int:
        return 29_000


@dataclass(frozen=True)
class Answered:
    """An answer as API Gateway receives it."""

    status: int
    headers: dict[str, str]
    body: str

    @property
    def fields(self) -> dict[str, Any]:
        return json.loads(self.body)


def make_event(
    path: str,
    body: bytes | str | None,
    *,
    signature: str | None = None,
    direction: str = "casino",
    code: str | None = None,
    method: str = "POST",
    base64: bool = False,
    authorizer: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """An event of API Gateway's payload format 2.0."""
    headers = {"content-type": "application/json"}
    if signature is not None:
        headers[f"x-{direction}-signature"] = signature
    if code is not None:
        headers["x-provider-code"] = code
    raw = body.encode() if isinstance(body, str) else body or b""
    event: dict[str, Any] = {
        "version": "2.0",
        "routeKey": f"{method} {path}",
        "rawPath": path,
        "rawQueryString": "",
        "headers": headers,
        "requestContext": {
            "http": {"method": method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "x"},
            "requestId": "request-id",
            "stage": "$default",
            **({"authorizer": authorizer} if authorizer else {}),
        },
        "isBase64Encoded": base64,
    }
    if body is not None:
        event["body"] = b64encode(raw).decode() if base64 else raw.decode()
    return event


def of_size(size: int) -> str:
    return '{"x":"' + "y" * (size - 8) + '"}'
