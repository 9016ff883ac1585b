"""The calendars of a connection: /integrations/{connection_id}/calendars."""

from causeway.calendars import calendars
from causeway.calendars.answers import BlockedSlot, CalendarList, FreeSlots
from causeway.calendars.requests import BlockedSlotDraft, FreeSlotsQuery
from causeway.connections import use
from causeway.connections.requests import parse_connection_id
from causeway.edge.answers import lambda_handler
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.edge.routes import App

app = App()


@route(
    app,
    "GET",
    "/integrations/{connection_id}/calendars",
    permission="connections.use",
    response=CalendarList,
    refuses=use.REFUSES,
)
def list_calendars(call: HubCall) -> HubAnswer:
    """List the calendars of a connection's location."""
    return HubAnswer(calendars.list_calendars(call.context, parse_connection_id(call.path)))


@route(
    app,
    "GET",
    "/integrations/{connection_id}/calendars/{calendar_id}/free-slots",
    permission="connections.use",
    response=FreeSlots,
    refuses=use.REFUSES,
)
def free_slots(call: HubCall, query: FreeSlotsQuery) -> HubAnswer:
    """List the times at which a calendar is free on a day."""
    reference, calendar_id = parse_connection_id(call.path), call.path["calendar_id"]
    return HubAnswer(calendars.free_slots(call.context, reference, calendar_id, query))


@route(
    app,
    "POST",
    "/integrations/{connection_id}/calendars/{calendar_id}/block-slots",
    permission="connections.use",
    acts_on_platform=True,
    response=BlockedSlot,
    status=201,
    refuses=(*use.REFUSES, "PROVIDER_OUTCOME_UNKNOWN"),
)
def block(call: HubCall, body: BlockedSlotDraft) -> HubAnswer:
    """Block a time of a calendar, so that nobody can book it."""
    reference, calendar_id = parse_connection_id(call.path), call.path["calendar_id"]
    return HubAnswer(calendars.block_slot(call.context, reference, calendar_id, body, call.if_match), 201)


handler = lambda_handler(app)
