"""A request to a platform that the sandbox plays, and its response."""

import base64
import json
from binascii import Error
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl


@dataclass(frozen=True, slots=True)
class Request:
    """A request to a platform.

    Attributes:
        path: without the platform's key, percent-encoded as it was sent.
        headers: by their names in lower case.
    """

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def bearer(self) -> str:
        """The bearer token; empty without one."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() == "bearer" else ""

    @property
    def basic(self) -> tuple[str, str]:
        """User and password of HTTP Basic; both empty without a readable header."""
        scheme, _, encoded = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return "", ""
        try:
            user, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (Error, UnicodeDecodeError):
            return "", ""
        return user, password

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form."""
        return dict(parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True))

    @property
    def json(self) -> dict[str, Any]:
        """The fields of a JSON object; empty if the body is not a JSON object."""
        try:
            content = json.loads(self.body)
        except ValueError:
            return {}
        return content if isinstance(content, dict) else {}


@dataclass(frozen=True, slots=True)
class Response:
    """The response of a platform.

    Attributes:
        content: a JSON value, or a text that is sent as it is.
    """

    status: int
    content: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
