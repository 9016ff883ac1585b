"""Requests to the proxy: the JSON of the function's form, and a call of the REST form, as a request to a platform."""

import json
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Self
from urllib.parse import parse_qsl, quote, urlencode

from pydantic import ConfigDict, Field, model_validator

from causeway.connections.connection import ConnectionReference, parse_reference_in_body
from causeway.errors.proxy import MOST_BYTES, MethodNotAllowed, PathNotAllowed, ProxiedBodyTooLarge
from causeway.errors.requests import InvalidRequest
from causeway.errors.tree import Problem
from causeway.outbound.request_rules import path_fault, query_fault
from causeway.proxy import request_headers
from causeway.wire import example_ids
from causeway.wire.field_types import Id, Text, rule_broken
from causeway.wire.models import Request
from causeway.wire.strict_json import NotAnInteger

Method = Literal["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"]
METHODS: tuple[Method, ...] = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")

_LONGEST_URL = 8192
# Characters that stand in a path as they are. Not @: what stands before it can be read as a user's name.
_IN_PATHS = "/!$&'()*+,;=:-._~"


@dataclass(frozen=True, slots=True, repr=False)
class Forwarded:
    """A request as it is passed to a platform, without what authenticates it.

    Attributes:
        path: below the connection's base URL, percent-encoded.
        query: the query string, without the question mark.
        headers: without Accept-Encoding.
        encodings: the Accept-Encoding.
    """

    reference: ConnectionReference
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    encodings: str
    content: bytes

    def __post_init__(self) -> None:
        """Raise PathNotAllowed, HeaderNotAllowed or ProxiedBodyTooLarge for a request that no platform gets."""
        fault = path_fault(self.path)
        if fault is not None:
            raise PathNotAllowed(f"path {fault}")
        fault = query_fault(self.query)
        if fault is not None:
            raise PathNotAllowed(f"query {fault}")
        if len(self.path) + len(self.query) > _LONGEST_URL:
            raise PathNotAllowed(f"path and query have more than {_LONGEST_URL} characters together")
        request_headers.check(self.headers)
        if len(self.content) > MOST_BYTES:
            raise ProxiedBodyTooLarge

    @property
    def parameters(self) -> set[str]:
        """The names of the query's parameters."""
        # Some servers take a semicolon for an ampersand.
        return {name for name, _ in parse_qsl(self.query.replace(";", "&"), keep_blank_values=True)}


class ProxyRequest(Request):
    """A call to a connection's platform. path stands below the connection's base URL, percent-encoded."""

    model_config = ConfigDict(alias_generator=None)

    casino_id: Id | None = Field(
        None, description="Your own tenant, where you name it.", examples=[example_ids.TENANT_ID]
    )
    connection: Annotated[str, Text(1400)] = Field(
        alias="connection_id",
        description="The connection's id, or ext: and its externalId; as in paths, also in base64url after b64:.",
        examples=[example_ids.CONNECTION_ID],
    )
    method: Method = Field(examples=["GET"])
    path: str = Field(examples=[f"/locations/{example_ids.LOCATION_ID}"])
    query: dict[str, str | list[str]] = Field({}, examples=[{}])
    headers: dict[str, str] = Field({}, examples=[{"Accept": "application/json"}])
    body: Any = Field(
        None,
        description="A text, which is sent as it is, or another JSON value, which is sent as JSON.",
        examples=[None],
    )
    body_base64: str | None = Field(None, description="Bytes, in base64; send body or body_base64.", examples=[None])

    @model_validator(mode="after")
    def _of_text(self) -> Self:
        for name in ("body", "query"):
            if not _is_text(getattr(self, name)):
                raise rule_broken(f"{name} must not hold half of a surrogate pair: no encoding sends it")
        return self

    @model_validator(mode="after")
    def _one_body(self) -> Self:
        if self.body is not None and self.body_base64 is not None:
            raise rule_broken("body and body_base64 must not both be sent")
        return self

    def forwarded(self, accept_encoding: str) -> Forwarded:
        """Return the request for the platform.

        Args:
            accept_encoding: of the caller's own call, where `headers` has none.

        Raises:
            InvalidRequest: body_base64 or connection_id is not in its form; ConnectionNotFound: connection_id is no id.
            PathNotAllowed, HeaderNotAllowed, ProxiedBodyTooLarge.
        """
        headers = dict(self.headers)
        asked = [headers.pop(name) for name in self.headers if name.lower() == "accept-encoding"]
        if isinstance(self.body, (dict, list)) and not any(name.lower() == "content-type" for name in headers):
            headers["Content-Type"] = "application/json"
        return Forwarded(
            parse_reference_in_body(self.connection),
            self.method,
            self.path,
            urlencode(self.query, doseq=True),
            headers,
            request_headers.accepted_encodings(asked[-1] if asked else accept_encoding),
            self._content(),
        )

    def _content(self) -> bytes:
        if self.body_base64 is not None:
            try:
                return b64decode(self.body_base64, validate=True)
            except ValueError as error:
                raise InvalidRequest.of_problems([Problem("body_base64", "must be valid base64")]) from error
        if self.body is None:
            return b""
        return (self.body if isinstance(self.body, str) else _json(self.body)).encode()


def of_rest(
    reference: ConnectionReference, method: str, path: str, query: str, headers: Mapping[str, str], content: bytes
) -> Forwarded:
    """Return the request of a call of the REST form.

    API Gateway delivers the path decoded, so it is encoded again. What it may have changed is refused.

    Args:
        reference: the connection.
        method: of the call.
        path: the rest of the path, decoded, without the first slash.
        query: the query string as it was sent.
        headers: of the call, by name in lower case.
        content: the body.

    Raises:
        MethodNotAllowed, PathNotAllowed, HeaderNotAllowed, ProxiedBodyTooLarge.
    """
    if method not in METHODS:
        raise MethodNotAllowed
    if set(path) & set("%?\\\ufffd"):
        raise PathNotAllowed("path holds an encoded character that the REST form does not carry as it is")
    passed = request_headers.passed_on(headers)
    encodings = request_headers.accepted_encodings(headers.get("accept-encoding", ""))
    return Forwarded(reference, method, "/" + quote(path, safe=_IN_PATHS), query, passed, encodings, content)


def _is_text(value: Any) -> bool:
    """Return whether all names and texts of a JSON value can be encoded."""
    match value:
        case str():
            return not any("\ud800" <= one <= "\udfff" for one in value)
        case dict():
            return all(_is_text(name) and _is_text(inner) for name, inner in value.items())
        case list():
            return all(map(_is_text, value))
    return True


def _json(value: Any) -> str:
    """Return a JSON value as text; a number is written as it was sent."""
    match value:
        case NotAnInteger():
            return value.text
        case dict():
            return "{" + ",".join(f"{json.dumps(name)}:{_json(inner)}" for name, inner in value.items()) + "}"
        case list():
            return "[" + ",".join(map(_json, value)) + "]"
    return json.dumps(value, ensure_ascii=False)
