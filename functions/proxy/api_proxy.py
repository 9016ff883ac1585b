"""Calls to connections' platforms, passed through: POST /functions/v1/api-proxy and /proxy/{connection_id}/{proxy+}."""

from causeway.connections import use
from causeway.connections.call_log_writes import Logged
from causeway.connections.requests import parse_connection_id
from causeway.edge.answers import lambda_handler
from causeway.edge.http_events import HttpAnswer
from causeway.edge.proxied import ProxyAnswer, ProxyCall, route
from causeway.edge.routes import App
from causeway.errors.requests import InvalidRequest
from causeway.errors.tenancy import TenantNotFound
from causeway.proxy import forwarding, request_headers, requests
from causeway.proxy.answers import ProxiedReplay
from causeway.proxy.requests import Forwarded, ProxyRequest
from causeway.wire import path_ids, strict_json

app = App()

_REFUSES = (*use.REFUSES, "HEADER_NOT_ALLOWED", "PATH_NOT_ALLOWED", "ANSWER_TOO_LARGE", "SECRET_IN_ANSWER")


# All that the platform gets stands in the body.
@route(
    app,
    "POST",
    "/functions/v1/api-proxy",
    permission="proxy.use",
    distinguishing=lambda _: {},
    request=ProxyRequest,
    refuses=_REFUSES,
)
def forward(call: ProxyCall) -> ProxyAnswer:
    """Call a connection's platform; the answer is the platform's."""
    if "if-match" in call.headers:
        raise InvalidRequest("This route does not support If-Match: send it in the field headers")
    if call.query:
        raise InvalidRequest("This route takes no parameters in the query string: send them in the field query")
    body = ProxyRequest.parse(strict_json.parse_object(call.raw))
    if body.casino_id is not None and body.casino_id != call.context.tenant:
        raise TenantNotFound("casino_id names another tenant than your own: leave it out")
    return _passed_on(call, body.forwarded(call.headers.get("accept-encoding", "")))


@route(
    app,
    "ANY",
    "/proxy/{connection_id}/{proxy+}",
    permission="proxy.use",
    distinguishing=request_headers.distinguishing,
    refuses=(*_REFUSES, "METHOD_NOT_ALLOWED"),
)
def forward_rest(call: ProxyCall) -> ProxyAnswer:
    """Call a connection's platform at a path below its base URL; the answer is the platform's."""
    connection_id = path_ids.parse("connection_id", call.delivered["connection_id"])
    request = requests.of_rest(
        parse_connection_id({"connection_id": connection_id}),
        call.method,
        call.delivered["proxy"],
        call.query,
        call.headers,
        call.raw,
    )
    return _passed_on(call, request)


def _passed_on(call: ProxyCall, request: Forwarded) -> ProxyAnswer:
    logged = Logged()
    try:
        passed = forwarding.forward(call.context, request, logged)
    finally:
        call.told["x-causeway-attempts"] = str(logged.attempts)
        if logged.log_id is not None:
            call.told["x-causeway-log-id"] = str(logged.log_id)
    replay = ProxiedReplay(replayed=True, status=passed.status, log_id=call.told.get("x-causeway-log-id"))
    answer = HttpAnswer(passed.status, passed.content_type, "", dict(passed.headers), passed.content)
    return ProxyAnswer(answer, passed.outcome, replay)


handler = lambda_handler(app)
