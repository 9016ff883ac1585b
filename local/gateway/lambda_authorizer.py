"""API Gateway's Lambda authorizer: what its function is told of a request, and what the answer lets through.

Payload format 2.0 with simple responses, asked anew for every request. Facts from the AWS API Gateway developer guide,
"Working with AWS Lambda authorizers for HTTP APIs" (http-api-lambda-authorizer), where nothing else is named.
"""

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

from local.account import arn
from local.errors import FunctionError, Refused, TemplateError, Throttled
from local.runtime.invocation import within

# Seconds for the function; quotas of HTTP APIs (http-api-quotas).
ANSWER_SECONDS = 10.0

_PLACES = {"Headers": "headers", "QueryStrings": "queryStringParameters", "Context": "requestContext"}

Invoke = Callable[[str, bytes], Coroutine[Any, Any, bytes]]


@dataclass(frozen=True)
class LambdaDeclaration:
    """A Lambda authorizer as the template declares it.

    function: its short name. sources: what a request must have, as (the event's part, name): headers, whose names are
    in lower case, queryStringParameters, or requestContext, of which only texts are sources here.
    """

    function: str
    sources: tuple[tuple[str, str], ...]


class LambdaAuthorizer:
    """Asks one function who may pass. invoke: runs a function of this short name with an event."""

    def __init__(self, declaration: LambdaDeclaration, invoke: Invoke) -> None:
        self._declaration = declaration
        self._invoke = invoke

    async def check(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """The context that the function gives a request; raises Refused.

        event: what the route's function would get. A request without one of the identity sources is 401, and the
        function is not asked; one that cannot be asked or answers in another form is 500. What isAuthorized: false
        becomes is documented nowhere: 403, as `sam local` answers and users report.
        """
        identities = [event.get(place, {}).get(name, "") for place, name in self._declaration.sources]
        if not all(identities):
            raise Refused(401)
        try:
            result = await within(
                ANSWER_SECONDS,
                self._invoke(self._declaration.function, json.dumps(_question(event, identities)).encode()),
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
    """An authorizer of the template, whose intrinsic functions are resolved.

    Raises TemplateError, naming what the local stack has not.
    """
    arn = str(authorizer["FunctionArn"]).split(":")
    if len(arn) < 7 or arn[5] != "function":
        raise TemplateError(f"{where}.FunctionArn: no function of the template has {authorizer['FunctionArn']}")
    if str(authorizer.get("AuthorizerPayloadFormatVersion")) != "2.0" or not authorizer.get("EnableSimpleResponses"):
        raise TemplateError(f"{where}: the local stack knows format 2.0 and simple responses alone")
    identity = authorizer.get("Identity") or {}
    unknown = set(identity) - {*_PLACES, "ReauthorizeEvery"}
    if unknown:
        raise TemplateError(f"{where}.Identity: the local stack has no {', '.join(sorted(unknown))}")
    sources = [(_PLACES[kind], str(name)) for kind in _PLACES for name in identity.get(kind) or ()]
    return LambdaDeclaration(
        arn[6], tuple((place, name.lower() if place == "headers" else name) for place, name in sources)
    )


def _question(event: Mapping[str, Any], identities: list[str]) -> dict[str, Any]:
    """What the authorizer's function is told: the event without its body, and what kind of question it is."""
    context = event["requestContext"]
    place = f"{context['apiId']}/{context['stage']}/{context['http']['method']}{context['http']['path']}"
    told = {name: value for name, value in event.items() if name not in ("body", "isBase64Encoded")}
    asked = {"type": "REQUEST", "routeArn": arn("execute-api", place)}
    return told | asked | ({"identitySource": identities} if identities else {})
