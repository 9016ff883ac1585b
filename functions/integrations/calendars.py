"""The calendars of a connection: /integrations/{connection_id}/calendars."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway.calendars import calendars
from causeway.connections import use
from causeway.connections.requests import parse_connection_id
from causeway.edge import answers
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall

app = APIGatewayHttpResolver()


@route(
    app,
    "GET",
    "/integrations/{connection_id}/calendars",
    permission="connections.use",
    response="CalendarList",
    refuses=use.REFUSES,
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
    refuses=use.REFUSES,
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
    refuses=(*use.REFUSES, "PROVIDER_OUTCOME_UNKNOWN"),
)
def block(call: HubCall) -> HubAnswer:
    """Block a time of a calendar, so that nobody can book it."""
    connection_id, wanted = parse_connection_id(call.path), calendars.parse_block(call.body)
    blocked = calendars.block_slot(call.context, connection_id, call.path["calendar_id"], wanted, call.if_match)
    return HubAnswer(blocked, 201)


handler = answers.lambda_handler(app)
