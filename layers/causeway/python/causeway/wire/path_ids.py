"""Ids in a path: written as they are, or as b64: and their base64url form.

API Gateway decodes a path before it chooses the route and passes the parameters on
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html). An encoded slash therefore
makes another path (https://github.com/aws/aws-lambda-dotnet/pull/1901), and the path is cut at an encoded question mark
(captures in https://github.com/hotsock/voker/pull/8, reported in https://github.com/middleapi/standard-server/pull/93).
Reports disagree on whether an encoded percent sign is decoded once or twice. No function sees the path as it was sent.
"""

import re

from causeway.errors.requests import InvalidRequest
from causeway.errors.tree import Problem
from causeway.wire import base64url

_PREFIX = "b64:"
# Characters that need no encoding in a path (RFC 3986, 2.3). The ids . and .. would be steps of the path.
_PLAIN = re.compile(r"(?!\.{1,2}\Z)[0-9A-Za-z._~-]+")
# Refuse these: the path may have been decoded or cut here. No id holds replaced bytes or control characters.
_AMBIGUOUS = re.compile(r"[/?%\ufffd\x00-\x1f\x7f]")


def encode(identity: str, prefix: str = "") -> str:
    """Return an id in the form that every path can hold.

    Args:
        identity: the id.
        prefix: stands before the id, and is encoded with it.
    """
    whole = prefix + identity
    return whole if _PLAIN.fullmatch(identity) else _PREFIX + base64url.encode(whole.encode())


def is_exact(delivered: str) -> bool:
    """Return whether a path's parameter is certainly as it was sent. delivered: as API Gateway delivered it."""
    return delivered.startswith(_PREFIX)


def parse(name: str, delivered: str) -> str:
    """Return the id in a path's parameter.

    Args:
        name: the parameter's, for the error.
        delivered: its value as API Gateway delivered it, decoded.

    Raises:
        InvalidRequest: the value may belong to more than one id.
    """
    if not is_exact(delivered):
        if _AMBIGUOUS.search(delivered):
            raise InvalidRequest(
                f"The {name} in the path holds a character that a path does not carry as it is: send b64: and the id's "
                "base64url form, as lists show it"
            )
        return delivered
    try:
        return _decoded(delivered)
    except ValueError as error:
        raise InvalidRequest(f"The {name} in the path {error}") from error


def in_body(name: str, sent: str) -> str:
    """Return the id in a field of a body: written as it is, whatever its characters, or in its form for paths.

    Args:
        name: the field's, for the error.
        sent: its value.

    Raises:
        InvalidRequest: the value begins like the form for paths, and is not one.
    """
    if not is_exact(sent):
        return sent
    try:
        return _decoded(sent)
    except ValueError as error:
        raise InvalidRequest.of_problems([Problem(name, str(error))]) from error


def _decoded(encoded: str) -> str:
    """Return the id of its encoded form; raises ValueError, whose text says what is wrong with it."""
    try:
        identity = base64url.decode(encoded.removeprefix(_PREFIX)).decode()
    except ValueError as error:
        raise ValueError("is not b64: and the base64url form of an id") from error
    if not identity or "\0" in identity:
        raise ValueError("is empty or holds NUL")
    return identity
