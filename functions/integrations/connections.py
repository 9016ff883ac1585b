"""The tenant's connections: /integrations, and what can be done with one."""

from uuid import UUID

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway.connections import call_log, changes, health, requests, rows, testing
from causeway.edge import answers
from causeway.edge.hub import HubAnswer, HubCall, hub_call
from causeway.edge.operations import describe
from causeway.platforms.verdicts import VERDICTS
from causeway.vault import credentials

app = APIGatewayHttpResolver()


def _shown(connection: rows.Connection) -> HubAnswer:
    return HubAnswer(connection.as_json(with_config=True), version=connection.version)


def _made(connection: rows.Connection) -> HubAnswer:
    headers = {"location": f"/integrations/{connection.connection_id}"}
    return HubAnswer(connection.as_json(with_config=True), 201, connection.version, headers)


def _deleted(_: None) -> HubAnswer:
    return HubAnswer("", 204)


def _tested(judged: tuple[testing.Tested, rows.Connection]) -> HubAnswer:
    verdict, connection = judged
    return HubAnswer(verdict.as_json(), version=connection.version)


def _connection_id(call: HubCall) -> UUID:
    return requests.parse_connection_id(call.path["connection_id"])


@app.get("/integrations")
@hub_call(app, "connections.list")
@describe("ConnectionPage", query="ConnectionFilter")
def list_connections(call: HubCall) -> HubAnswer:
    """List the tenant's connections, newest first."""
    with call.context.transaction() as transaction:
        found, cursor = rows.page(transaction, requests.Filter.parse(call.query))
    shown = [connection.as_json(with_config=call.context.may("connections.read")) for connection in found]
    return HubAnswer({"integrations": shown, "nextCursor": cursor})


@app.post("/integrations")
@hub_call(app, "credentials.write", creates=True)
@describe(
    "Connection",
    status=201,
    request="ConnectionDraft",
    refuses="PROVIDER_NOT_FOUND PROVIDER_INACTIVE CONFIG_INVALID CONFIG_INCOMPLETE BLOCKED_ADDRESS "
    "CONFIG_SCHEMA_INVALID NAME_TAKEN CONNECTION_NOT_FOUND KEY_SERVICE_UNAVAILABLE",
)
def create(call: HubCall) -> HubAnswer:
    """Create a connection and test it."""
    return _made(changes.create(call.keeping(_made), requests.Draft.parse(call.body)))


@app.get("/integrations/<connection_id>")
@hub_call(app, "connections.list")
@describe("Connection", refuses="CONNECTION_NOT_FOUND")
def get(call: HubCall) -> HubAnswer:
    """Get a connection."""
    with call.context.transaction() as transaction:
        connection = rows.find(transaction, _connection_id(call))
        back = credentials.retiring(transaction, UUID(connection.connection_id))
    until = {} if back is None else {"rollbackUntil": back.until.isoformat()}
    return HubAnswer(
        connection.as_json(with_config=call.context.may("connections.read")) | until, version=connection.version
    )


@app.patch("/integrations/<connection_id>")
@hub_call(app, "connections.write")
@describe(
    "Connection",
    request="ConnectionChange",
    refuses="CONNECTION_NOT_FOUND IF_MATCH_REQUIRED NAME_TAKEN CONFIG_SCHEMA_INVALID "
    "INTEGRATION_NOT_ACTIVE TEMPLATE_MOVED SECRETS_REQUIRED CREDENTIAL_UNREADABLE CREDENTIAL_MISSING "
    f"KEY_SERVICE_UNAVAILABLE {VERDICTS}",
)
def change(call: HubCall) -> HubAnswer:
    """Change a connection that is still as If-Match says; credentials.write is needed for more than names."""
    wanted = requests.Change.parse(call.body)
    if wanted.reconfigures:
        call.context.caller.demand("credentials.write")
    return _shown(changes.change(call.keeping(_shown), _connection_id(call), call.demanded, wanted))


@app.delete("/integrations/<connection_id>")
@hub_call(app, "credentials.write")
@describe(status=204, refuses="CONNECTION_NOT_FOUND")
def delete(call: HubCall) -> HubAnswer:
    """Delete a connection and destroy its credentials."""
    return _deleted(changes.delete(call.keeping(_deleted), _connection_id(call), call.expected))


@app.post("/integrations/<connection_id>/test")
@hub_call(app, "connections.use")
@describe(
    "Verdict",
    refuses="CONNECTION_NOT_FOUND INTEGRATION_NOT_ACTIVE TEMPLATE_MOVED CREDENTIAL_UNREADABLE "
    "CREDENTIAL_MISSING KEY_SERVICE_UNAVAILABLE",
)
def test(call: HubCall) -> HubAnswer:
    """Test a connection by a call to its platform."""
    return _tested(testing.test(call.keeping(_tested), _connection_id(call), call.expected))


@app.post("/integrations/<connection_id>/enable")
@hub_call(app, "connections.write")
@describe(
    "Connection",
    refuses="CONNECTION_NOT_FOUND TEMPLATE_MOVED CREDENTIAL_UNREADABLE CREDENTIAL_MISSING KEY_SERVICE_UNAVAILABLE",
)
def enable(call: HubCall) -> HubAnswer:
    """Enable a disabled connection, if its test succeeds."""
    return _shown(changes.enable(call.keeping(_shown), _connection_id(call), call.expected))


@app.post("/integrations/<connection_id>/disable")
@hub_call(app, "connections.write")
@describe("Connection", refuses="CONNECTION_NOT_FOUND")
def disable(call: HubCall) -> HubAnswer:
    """Disable a connection: it is not used until it is enabled."""
    return _shown(changes.disable(call.keeping(_shown), _connection_id(call), call.expected))


@app.post("/integrations/<connection_id>/credentials/rotate")
@hub_call(app, "credentials.write")
@describe(
    "Connection",
    request="NewSecrets",
    refuses="CONNECTION_NOT_FOUND INTEGRATION_NOT_ACTIVE TEMPLATE_MOVED CONFIG_SCHEMA_INVALID SECRETS_REQUIRED "
    f"CREDENTIAL_UNREADABLE CREDENTIAL_MISSING KEY_SERVICE_UNAVAILABLE {VERDICTS}",
)
def rotate(call: HubCall) -> HubAnswer:
    """Replace a connection's secrets by new ones that a test found working."""
    fresh = requests.NewSecrets.parse(call.body)
    return _shown(changes.rotate(call.keeping(_shown), _connection_id(call), fresh, call.expected))


@app.post("/integrations/<connection_id>/credentials/rollback")
@hub_call(app, "credentials.write")
@describe(
    "Connection",
    refuses="CONNECTION_NOT_FOUND INTEGRATION_NOT_ACTIVE TEMPLATE_MOVED NOTHING_TO_ROLL_BACK CONFIG_SCHEMA_INVALID "
    f"CREDENTIAL_UNREADABLE CREDENTIAL_MISSING KEY_SERVICE_UNAVAILABLE {VERDICTS}",
)
def roll_back(call: HubCall) -> HubAnswer:
    """Roll back the last rotation, within 24 hours and if a test finds the old secrets working still."""
    return _shown(changes.roll_back(call.keeping(_shown), _connection_id(call), call.expected))


@app.get("/integrations/<connection_id>/logs")
@hub_call(app, "connections.read")
@describe("CallLogPage", query="PageQuery", refuses="CONNECTION_NOT_FOUND")
def list_calls(call: HubCall) -> HubAnswer:
    """List the calls made for a connection, newest first; also after it was deleted."""
    with call.context.transaction() as transaction:
        connection = rows.find(transaction, _connection_id(call), deleted=True)
        calls, cursor = call_log.page(transaction, connection, call.query)
    return HubAnswer({"logs": calls, "nextCursor": cursor})


@app.get("/integrations/<connection_id>/health")
@hub_call(app, "connections.list")
@describe("Health", refuses="CONNECTION_NOT_FOUND")
def show_health(call: HubCall) -> HubAnswer:
    """Get what the last test or call showed of a connection."""
    with call.context.transaction() as transaction:
        connection = rows.find(transaction, _connection_id(call))
        return HubAnswer(health.shown(transaction, connection))


handler = answers.lambda_handler(app)
