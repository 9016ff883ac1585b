"""POST /functions/v1/rate-limiter: take from the limits of a connection or of a key, or look at them."""

import json
from dataclasses import replace
from typing import Any

from causeway.connections import rows
from causeway.connections.connection import parse_reference_in_body
from causeway.edge.answers import error_answer, json_answer, lambda_handler
from causeway.edge.http_events import HttpAnswer
from causeway.edge.limits import route
from causeway.edge.routes import App
from causeway.errors.rate_limits import CostAboveLimit
from causeway.rate_limits import fields, limiter
from causeway.rate_limits.answers import Refused, body_of
from causeway.rate_limits.decisions import Decision
from causeway.rate_limits.limits import DEFAULT
from causeway.rate_limits.requests import LimiterRequest
from causeway.rate_limits.subjects import Subject
from causeway.tenancy.context import RequestContext

app = App()


@route(
    app,
    "POST",
    "/functions/v1/rate-limiter",
    permission="connections.use",
    request="LimiterRequest",
    response="LimiterDecision",
    refuses=("CONNECTION_NOT_FOUND", "COST_ABOVE_LIMIT", "RATE_LIMIT_EXCEEDED"),
)
def decide(context: RequestContext, body: dict[str, Any]) -> HttpAnswer:
    """Take from the limits of a connection or of a key, or look at them."""
    request = LimiterRequest.parse(body)
    decision = _decided(context, request, _subject(context, request))
    if request.action == "take" and not decision.allowed:
        answer = error_answer(Refused(decision), context.request_id)
    else:
        answer = json_answer("OK", 200, json.dumps(body_of(decision), separators=(",", ":")), {})
    return replace(answer, headers=answer.headers | fields.of(decision))


def _subject(context: RequestContext, request: LimiterRequest) -> Subject:
    """Return what is counted; the transaction admits the caller. Raises ConnectionNotFound, CostAboveLimit."""
    with context.transaction() as transaction:
        if request.connection is not None:
            subject = rows.find(transaction, parse_reference_in_body(request.connection)).limited
        else:
            subject = Subject("key", request.key or "", DEFAULT)
    smallest = subject.usable(reserved=False).smallest
    if smallest is not None and request.cost > smallest:
        raise CostAboveLimit(
            f"cost is {request.cost}, and the smallest window of the {subject.kind} has room for {smallest} at most",
            action="" if request.connection is None else "Send a smaller cost, or have an admin raise its limits.",
        )
    return subject


def _decided(context: RequestContext, request: LimiterRequest, subject: Subject) -> Decision:
    """Return the decision, by a statement outside the transaction: its rows are locked for as short as possible."""
    database, tenant_id = context.database, context.tenant
    # The reserve of a connection is for the payments and messages that are made with it. A key has none.
    if request.action == "take":
        return limiter.take(database, [subject], request.cost, tenant_id=tenant_id)
    cost = 1 if request.action == "usage" else request.cost
    return limiter.look(database, [subject], cost, tenant_id=tenant_id)


handler = lambda_handler(app)
