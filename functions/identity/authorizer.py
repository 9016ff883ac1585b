"""Called by API Gateway before the routes that machines may use too: who calls, by a token or by an API key.

It finds out, and the route's function refuses, so isAuthorized is always true: AWS documents no way for an authorizer
of an HTTP API to answer 401, a false one is 403, and one that raises counts as a failure of ours
(https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-lambda-authorizer.html). causeway.edge.hub lets
nobody in whom this context does not name, and answers 401, or 503 where it could not be found out.
"""

from typing import Any

from aws_lambda_powertools import Logger, Metrics

from causeway.database import postgres
from causeway.edge.events import headers_of
from causeway.errors.tenancy import Unauthorized
from causeway.errors.tree import CausewayError
from causeway.tenancy import identity, tokens

logger = Logger()
metrics = Metrics(namespace="Causeway")


@logger.inject_lambda_context(correlation_id_path="requestContext.requestId")
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer in format 2.0's simple form; the route's function finds its context in requestContext.authorizer.lambda.

    The context holds texts alone: the claims of a token; keyId, tenantId and channel of an API key; or refused and
    sentence, an error's code and what the caller is told.
    """
    headers = headers_of(event)
    try:
        found = _found(headers.get("authorization", ""), headers.get("x-api-key"), event.get("requestContext") or {})
    except CausewayError as error:
        found = {"refused": error.code} | ({"sentence": error.sentence} if error.status < 500 else {})
        log = logger.info if error.status < 500 else logger.error
        log(error.cause or error.sentence, extra={"code": error.code})
        metrics.add_metric(name=error.code, unit="Count", value=1)
        metrics.flush_metrics()
    return {"isAuthorized": True, "context": found}


def _found(authorization: str, key: str | None, call: dict[str, Any]) -> dict[str, str]:
    if authorization and key is not None:
        raise Unauthorized("A token and an API key were sent: send one of them")
    if key is None:
        token = tokens.bearer(authorization)
        if not token:
            raise Unauthorized("Neither a token nor an API key was sent")
        if identity.is_like_key(token):
            raise Unauthorized("An API key was sent in Authorization: send it in X-API-Key")
        return tokens.check(token)
    if tokens.is_like_token(key):
        raise Unauthorized("A token was sent in X-API-Key: send it in Authorization, after Bearer")
    source_ip = (call.get("http") or {}).get("sourceIp")
    machine = identity.of_key(postgres.current(), key, source_ip, call.get("requestId"))
    channel = {} if machine.channel is None else {"channel": machine.channel}
    return {"keyId": machine.subject, "tenantId": machine.tenant} | channel
