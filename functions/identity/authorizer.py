"""Called by API Gateway before routes that machines may call too: authenticates the caller by token or by API key.

isAuthorized is always true, and the route's function refuses the call: AWS documents no way for an authorizer of an
HTTP API to answer 401. A false isAuthorized becomes 403, and an exception counts as our failure
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html). The route's function
answers 401 to an unauthenticated call, and 503 where the authorizer could not check the caller.
"""

from typing import Any

from aws_lambda_powertools import Logger

from causeway.aws.counts import count, published
from causeway.database import postgres
from causeway.edge.http_events import headers_of
from causeway.errors.service import Internal
from causeway.errors.tenancy import Unauthorized
from causeway.errors.tree import CausewayError
from causeway.tenancy import key_texts, machine_limits, tokens
from causeway.tenancy.authorizer_context import AuthorizerContext

logger = Logger()


@logger.inject_lambda_context(correlation_id_path="requestContext.requestId")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer in the simple form of payload format 2.0.

    The route's function reads the context in requestContext.authorizer.lambda.
    """
    with published(context):
        return {"isAuthorized": True, "context": _answer(event).as_context()}


def _answer(event: dict[str, Any]) -> AuthorizerContext:
    headers = headers_of(event)
    try:
        return _found(headers.get("authorization", ""), headers.get("x-api-key"), event.get("requestContext") or {})
    except CausewayError as error:
        log = logger.info if error.status < 500 else logger.error
        log(error.cause or error.sentence, extra={"code": error.code})
        if error.code == Internal.code:
            count(error.code)
        return AuthorizerContext.of_error(error)


def _found(authorization: str, key: str | None, call: dict[str, Any]) -> AuthorizerContext:
    if authorization and key is not None:
        raise Unauthorized("A token and an API key were sent: send one of them")
    if key is None:
        token = tokens.bearer(authorization)
        if not token:
            raise Unauthorized("Neither a token nor an API key was sent")
        if key_texts.looks_like_key(token):
            raise Unauthorized("An API key was sent in Authorization: send it in X-API-Key")
        return AuthorizerContext(tokens.check(token))
    if tokens.is_like_token(key):
        raise Unauthorized("A token was sent in X-API-Key: send it in Authorization, after Bearer")
    source_ip = (call.get("http") or {}).get("sourceIp")
    counted = machine_limits.counts_on_admission(str(call.get("routeKey", "")))
    used = key_texts.use(postgres.current(), key, source_ip, call.get("requestId"), counted=counted)
    if used.decision is not None:
        used.decision.require()
    return AuthorizerContext.of_machine(used.machine)
