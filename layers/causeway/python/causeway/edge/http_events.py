"""Reads headers, path parameters and body from an event of the HTTP API, and writes the answer to it."""

from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any

from causeway.errors.requests import REQUEST_BYTES, MalformedBody, PayloadTooLarge


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """The answer to a call, as it is sent.

    Attributes:
        headers: by name in lower case, besides content-type.
        content: bytes that are sent in the place of the body, in base64; None: the body is sent.
    """

    status: int
    content_type: str
    body: str
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None

    def as_result(self) -> dict[str, Any]:
        """Return the answer in the form that API Gateway takes from a function (payload format 2.0)."""
        headers = {"content-type": self.content_type} | self.headers
        encoded = self.content is not None
        body = self.body if self.content is None else b64encode(self.content).decode()
        return {"statusCode": self.status, "headers": headers, "body": body, "isBase64Encoded": encoded}


def headers_of(event: dict[str, Any]) -> dict[str, str]:
    """Return the headers by name in lower case, as API Gateway sends them; `sam local` keeps the client's spelling."""
    return {name.lower(): value for name, value in (event.get("headers") or {}).items()}


def path_of(event: dict[str, Any]) -> dict[str, str]:
    """Return the path's parameters by name, as API Gateway delivered them (wire.path_ids reads ids)."""
    return dict(event.get("pathParameters") or {})


def raw_body(event: dict[str, Any], most: int = REQUEST_BYTES) -> bytes:
    """Return the bytes of the body.

    Args:
        event: of the call.
        most: bytes that are accepted.

    Raises:
        PayloadTooLarge: the body has more bytes.
        MalformedBody: the event says that the body is base64, and it is not.
    """
    body = event.get("body") or ""
    try:
        raw = b64decode(body, validate=True) if event.get("isBase64Encoded") else body.encode("utf-8", "surrogatepass")
    except ValueError as error:
        raise MalformedBody("The body is not valid base64") from error
    if len(raw) > most:
        raise PayloadTooLarge(action=f"Send at most {most // 1024} KiB.")
    return raw
