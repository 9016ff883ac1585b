"""How an id stands in a path: as it is, or as b64: and its base64url form.

API Gateway decodes a path before it chooses the route and passes the parameters on
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html). An encoded slash therefore
makes another path (https://github.com/aws/aws-lambda-dotnet/pull/1901), and the path is cut at an encoded question mark
(captures in https://github.com/hotsock/voker/pull/8, told of in https://github.com/middleapi/standard-server/pull/93).
Whether an encoded percent sign is decoded once or twice is reported both ways. No function sees what was sent.
"""

import re

from causeway.errors.requests import InvalidRequest
from causeway.wire import base64url

_PREFIX = "b64:"
# What needs no encoding in a path (RFC 3986, 2.3); . and .. alone are steps of the path.
_PLAIN = re.compile(r"(?!\.{1,2}\Z)[0-9A-Za-z._~-]+")
# Refuse these: the path may have been decoded or cut here. Replaced bytes and control characters stand in no id.
_AMBIGUOUS = re.compile(r"[/?%\ufffd\x00-\x1f\x7f]")


def encode(identity: str) -> str:
    """Return the form of an id that any path can hold."""
    return identity if _PLAIN.fullmatch(identity) else _PREFIX + base64url.encode(identity.encode())


def is_exact(delivered: str) -> bool:
    """Return whether a path's parameter, as API Gateway delivered it, is all of what was sent."""
    return delivered.startswith(_PREFIX)


def parse(name: str, delivered: str) -> str:
    """Return the id that a path's parameter names.

    Args:
        name: the parameter's.
        delivered: its value as API Gateway delivered it, decoded.

    Raises:
        InvalidRequest: it cannot be told which id is meant.
    """
    if not is_exact(delivered):
        if _AMBIGUOUS.search(delivered):
            raise InvalidRequest(
                f"The {name} in the path holds a character that a path does not carry as it is: send b64: and the id's "
                "base64url form, as lists show it"
            )
        return delivered
    try:
        identity = base64url.decode(delivered.removeprefix(_PREFIX)).decode()
    except ValueError as error:
        raise InvalidRequest(f"The {name} in the path is not b64: and the base64url form of an id") from error
    if not identity or "\0" in identity:
        raise InvalidRequest(f"The {name} in the path is empty or holds NUL")
    return identity
