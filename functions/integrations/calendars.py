"""The GoHighLevel calendars of a connection: /integrations/{connection_id}/calendars."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway.calendars import calendars
from causeway.connections.requests import parse_connection_id
from causeway.edge import answers
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.platforms.verdicts import VERDICTS

app = APIGatewayHttpResolver()

_REFUSES = (
    "CONNECTION_NOT_FOUND",
    "INTEGRATION_NOT_ACTIVE",
    "TEMPLATE_MOVED",
    "CHANGED_MEANWHILE",
    "NOT_SUPPORTED",
    "PROVIDER_REJECTED",
    "CREDENTIAL_UNREADABLE",
    "CREDENTIAL_MISSING",
    "KEY_SERVICE_UNAVAILABLE",
    *VERDICTS,
)


@route(
    app,
    "GET",
    "/integrations/{connection_id}/calendars",
    permission="connections.use",
    response="CalendarList",
    refuses=_REFUSES,
)
def list_calendars(call: HubCall) -> HubAnswer:
    """List the calendars of a connection's location."""
    found = calendars.list_calendars(call.context, parse_connection_id(call.path))
    return HubAnswer({"calendars": found})


@route(
    app,
    "GET",
    "/integrations/{connection_id}/calendars/{calendar_id}/free-slots",
    permission="connections.use",
    query="Day",
    response="FreeSlots",
    refuses=_REFUSES,
)
def free_slots(call: HubCall) -> HubAnswer:
    """List the times at which a calendar is free on a day."""
    connection_id, day = parse_connection_id(call.path), calendars.parse_day(call.query)
    return HubAnswer({"slots": calendars.free_slots(call.context, connection_id, call.path["calendar_id"], day)})


@route(
    app,
    "POST",
    "/integrations/{connection_id}/calendars/{calendar_id}/block-slots",
    permission="connections.use",
    request="BlockedSlotDraft",
    acts_on_platform=True,
    response="BlockedSlot",
    status=201,
    refuses=(*_REFUSES, "PROVIDER_OUTCOME_UNKNOWN"),
)
def block(call: HubCall) -> HubAnswer:
    """Block a time of a calendar, so that nobody can book it."""
    connection_id, wanted = parse_connection_id(call.path), calendars.parse_block(call.body)
    blocked = calendars.block_slot(call.context, connection_id, call.path["calendar_id"], wanted, call.if_match)
    return HubAnswer(blocked, 201)


handler = answers.lambda_handler(app)
