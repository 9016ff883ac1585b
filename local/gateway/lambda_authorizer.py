"""API Gateway's Lambda authorizer: invokes the authorizer's function for a request and reads its response.

Payload format 2.0 with simple responses; no response is cached. Source where no other is named: AWS API Gateway
developer guide, "Working with AWS Lambda authorizers for HTTP APIs" (http-api-lambda-authorizer).
"""

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from local.account import arn
from local.errors import FunctionError, Refused, TemplateError, Throttled
from local.runtime.invocation import within

# Time limit of the function in seconds; quotas of HTTP APIs (http-api-quotas).
ANSWER_SECONDS = 10.0

_PLACES = {"Headers": "headers", "QueryStrings": "queryStringParameters", "Context": "requestContext"}

Invoke = Callable[[str, bytes], Coroutine[Any, Any, bytes]]


@dataclass(frozen=True)
class LambdaDeclaration:
    """A Lambda authorizer as the template declares it.

    Attributes:
        function: its short name.
        sources: the identity sources, which a request must have, as (part of the event, name): headers (names in
            lower case), queryStringParameters, or requestContext (only its texts).
    """

    function: str
    sources: tuple[tuple[str, str], ...]


class LambdaAuthorizer:
    """A Lambda authorizer: its function decides whether a request may pass.

    Args:
        declaration: of the authorizer.
        invoke: runs a function, given its short name and an event.
    """

    def __init__(self, declaration: LambdaDeclaration, invoke: Invoke) -> None:
        self._declaration = declaration
        self._invoke = invoke

    async def check(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return the context that the function gives to a request; raises Refused.

        A request without one of the identity sources gets 401, and the function is not invoked. A function that fails
        or responds in another form gives 500. isAuthorized: false gives 403: AWS does not document it, `sam local`
        answers so and users report it. event: the event for the route's function.
        """
        identities = [event.get(place, {}).get(name, "") for place, name in self._declaration.sources]
        if not all(identities):
            raise Refused(401)
        try:
            result = await within(
                ANSWER_SECONDS,
                self._invoke(self._declaration.function, json.dumps(_authorizer_event(event, identities)).encode()),
            )
            answer = json.loads(result)
        except (FunctionError, Throttled, TimeoutError, ValueError) as error:
            raise Refused(500) from error
        match answer:
            case {"isAuthorized": True, "context": dict(context)}:
                return context
            case {"isAuthorized": True} if "context" not in answer:
                return {}
            case {"isAuthorized": False}:
                raise Refused(403)
        raise Refused(500)


def lambda_declaration(authorizer: Mapping[str, Any], where: str) -> LambdaDeclaration:
    """Return the declaration of an authorizer of the template, whose intrinsic functions are resolved.

    Raises TemplateError, naming what the local stack does not support.
    """
    arn = str(authorizer["FunctionArn"]).split(":")
    if len(arn) < 7 or arn[5] != "function":
        raise TemplateError(f"{where}.FunctionArn: no function of the template has {authorizer['FunctionArn']}")
    if str(authorizer.get("AuthorizerPayloadFormatVersion")) != "2.0" or not authorizer.get("EnableSimpleResponses"):
        raise TemplateError(f"{where}: the local stack supports only format 2.0 and simple responses")
    identity = authorizer.get("Identity") or {}
    unknown = set(identity) - {*_PLACES, "ReauthorizeEvery"}
    if unknown:
        raise TemplateError(f"{where}.Identity: the local stack does not support {', '.join(sorted(unknown))}")
    sources = [(_PLACES[kind], str(name)) for kind in _PLACES for name in identity.get(kind) or ()]
    return LambdaDeclaration(
        arn[6], tuple((place, name.lower() if place == "headers" else name) for place, name in sources)
    )


def _authorizer_event(event: Mapping[str, Any], identities: list[str]) -> dict[str, Any]:
    """The authorizer's event: the route's event without its body, with type, routeArn and identitySource."""
    context = event["requestContext"]
    place = f"{context['apiId']}/{context['stage']}/{context['http']['method']}{context['http']['path']}"
    told = {name: value for name, value in event.items() if name not in ("body", "isBase64Encoded")}
    asked = {"type": "REQUEST", "routeArn": arn("execute-api", place)}
    return told | asked | ({"identitySource": identities} if identities else {})
