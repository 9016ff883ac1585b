"""GoHighLevel's calendars of a connection: /integrations/{id}/calendars."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway.calendars import calendars
from causeway.connections.requests import parse_connection_id
from causeway.edge import answers
from causeway.edge.hub import HubAnswer, HubCall, hub_call
from causeway.edge.operations import describe
from causeway.platforms.verdicts import VERDICTS

app = APIGatewayHttpResolver()

_REFUSES = (
    "CONNECTION_NOT_FOUND INTEGRATION_NOT_ACTIVE TEMPLATE_MOVED CHANGED_MEANWHILE NOT_SUPPORTED PROVIDER_REJECTED "
    f"CREDENTIAL_UNREADABLE CREDENTIAL_MISSING KEY_SERVICE_UNAVAILABLE {VERDICTS}"
)


@app.get("/integrations/<connection_id>/calendars")
@hub_call(app, "connections.use")
@describe("CalendarList", refuses=_REFUSES)
def every(call: HubCall) -> HubAnswer:
    """List the calendars of a connection's location."""
    found = calendars.every(call.context, parse_connection_id(call.path["connection_id"]))
    return HubAnswer({"calendars": found})


@app.get("/integrations/<connection_id>/calendars/<calendar_id>/free-slots")
@hub_call(app, "connections.use")
@describe("FreeSlots", query="Day", refuses=_REFUSES)
def free_slots(call: HubCall) -> HubAnswer:
    """List the times at which a calendar is free on a day."""
    connection_id, day = parse_connection_id(call.path["connection_id"]), calendars.Day.parse(call.query)
    return HubAnswer({"slots": calendars.free_slots(call.context, connection_id, call.path["calendar_id"], day)})


@app.post("/integrations/<connection_id>/calendars/<calendar_id>/block-slots")
@hub_call(app, "connections.use", acts=True)
@describe("BlockedSlot", status=201, request="BlockedSlotDraft", refuses=f"{_REFUSES} PROVIDER_OUTCOME_UNKNOWN")
def block(call: HubCall) -> HubAnswer:
    """Block a time of a calendar, so that nobody books it."""
    connection_id, slot = parse_connection_id(call.path["connection_id"]), calendars.BlockedSlot.parse(call.body)
    blocked = calendars.block(call.context, connection_id, call.path["calendar_id"], slot, call.expected)
    return HubAnswer(blocked, 201)


handler = answers.lambda_handler(app)
