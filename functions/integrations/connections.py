"""The tenant's connections: /integrations."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway.connections import call_log, changes, health, requests, rows, testing
from causeway.connections.access import UNDECRYPTED
from causeway.connections.connection import Connection
from causeway.connections.requests import parse_connection_id
from causeway.edge import answers
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.platforms.calls import AccountTest
from causeway.platforms.verdicts import VERDICTS
from causeway.vault import versions

app = APIGatewayHttpResolver()


def _shown(connection: Connection) -> HubAnswer:
    return HubAnswer(connection.as_json(with_config=True), version=connection.version)


def _created(connection: Connection) -> HubAnswer:
    headers = {"location": f"/integrations/{connection.connection_id}"}
    return HubAnswer(connection.as_json(with_config=True), 201, connection.version, headers)


def _deleted(_: None) -> HubAnswer:
    return HubAnswer("", 204)


def _tested(tested: tuple[AccountTest, Connection]) -> HubAnswer:
    result, connection = tested
    return HubAnswer(testing.as_json(result), version=connection.version)


@route(app, "GET", "/integrations", permission="connections.list", query="ConnectionFilter", response="ConnectionPage")
def list_connections(call: HubCall) -> HubAnswer:
    """List the tenant's connections, newest first."""
    with call.context.transaction() as transaction:
        page = rows.page(transaction, requests.ConnectionFilter.parse(call.query, call.context.tenant))
    with_config = call.context.may("connections.read")
    return HubAnswer(page.as_json("integrations", lambda one: one.as_json(with_config=with_config)))


@route(
    app,
    "POST",
    "/integrations",
    permission="credentials.write",
    request="ConnectionDraft",
    refuses_if_match=True,
    response="Connection",
    status=201,
    refuses=(
        "PROVIDER_NOT_FOUND",
        "PROVIDER_INACTIVE",
        "CONFIG_INVALID",
        "CONFIG_INCOMPLETE",
        "BLOCKED_ADDRESS",
        "CONFIG_SCHEMA_INVALID",
        "NAME_TAKEN",
        "CONNECTION_NOT_FOUND",
        "KEY_SERVICE_UNAVAILABLE",
    ),
)
def create(call: HubCall) -> HubAnswer:
    """Create a connection and test it."""
    return call.run(_created, changes.create, requests.ConnectionDraft.parse(call.body))


@route(
    app,
    "GET",
    "/integrations/{connection_id}",
    permission="connections.list",
    response="Connection",
    refuses=("CONNECTION_NOT_FOUND",),
)
def get(call: HubCall) -> HubAnswer:
    """Get a connection."""
    with call.context.transaction() as transaction:
        connection = rows.find(transaction, parse_connection_id(call.path))
        back = versions.rollback_target(transaction, connection.connection_id)
    until = {} if back is None else {"rollbackUntil": back.until.isoformat()}
    return HubAnswer(
        connection.as_json(with_config=call.context.may("connections.read")) | until, version=connection.version
    )


@route(
    app,
    "PATCH",
    "/integrations/{connection_id}",
    permission="connections.write",
    request="ConnectionChange",
    response="Connection",
    refuses=(
        "CONNECTION_NOT_FOUND",
        "IF_MATCH_REQUIRED",
        "NAME_TAKEN",
        "CONFIG_SCHEMA_INVALID",
        "INTEGRATION_NOT_ACTIVE",
        "SECRETS_REQUIRED",
        *UNDECRYPTED,
        *VERDICTS,
    ),
)
def change(call: HubCall) -> HubAnswer:
    """Change a connection; If-Match is required, and credentials.write for more than name and description."""
    wanted = requests.Change.parse(call.body)
    if wanted.reconfigures:
        call.context.caller.require("credentials.write")
    return call.run(_shown, changes.change, parse_connection_id(call.path), call.required_if_match, wanted)


@route(
    app,
    "DELETE",
    "/integrations/{connection_id}",
    permission="credentials.write",
    status=204,
    refuses=("CONNECTION_NOT_FOUND",),
)
def delete(call: HubCall) -> HubAnswer:
    """Delete a connection and destroy its credentials."""
    return call.run(_deleted, changes.delete, parse_connection_id(call.path), call.if_match)


@route(
    app,
    "POST",
    "/integrations/{connection_id}/test",
    permission="connections.use",
    response="ConnectionTest",
    refuses=("CONNECTION_NOT_FOUND", "INTEGRATION_NOT_ACTIVE", *UNDECRYPTED),
)
def test(call: HubCall) -> HubAnswer:
    """Test a connection with a call to its platform."""
    return call.run(_tested, testing.test_and_save, parse_connection_id(call.path), call.if_match)


@route(
    app,
    "POST",
    "/integrations/{connection_id}/enable",
    permission="connections.write",
    response="Connection",
    refuses=("CONNECTION_NOT_FOUND", *UNDECRYPTED),
)
def enable(call: HubCall) -> HubAnswer:
    """Enable a disabled connection, if its test succeeds."""
    return call.run(_shown, changes.enable, parse_connection_id(call.path), call.if_match)


@route(
    app,
    "POST",
    "/integrations/{connection_id}/disable",
    permission="connections.write",
    response="Connection",
    refuses=("CONNECTION_NOT_FOUND",),
)
def disable(call: HubCall) -> HubAnswer:
    """Disable a connection; it is not used until it is enabled."""
    return call.run(_shown, changes.disable, parse_connection_id(call.path), call.if_match)


@route(
    app,
    "POST",
    "/integrations/{connection_id}/credentials/rotate",
    permission="credentials.write",
    request="NewSecrets",
    response="Connection",
    refuses=(
        "CONNECTION_NOT_FOUND",
        "INTEGRATION_NOT_ACTIVE",
        "CONFIG_SCHEMA_INVALID",
        "SECRETS_REQUIRED",
        *UNDECRYPTED,
        *VERDICTS,
    ),
)
def rotate(call: HubCall) -> HubAnswer:
    """Replace a connection's secrets, if a test of the new secrets succeeds."""
    fresh = requests.NewSecrets.parse(call.body)
    return call.run(_shown, changes.rotate, parse_connection_id(call.path), fresh, call.if_match)


@route(
    app,
    "POST",
    "/integrations/{connection_id}/credentials/rollback",
    permission="credentials.write",
    response="Connection",
    refuses=(
        "CONNECTION_NOT_FOUND",
        "INTEGRATION_NOT_ACTIVE",
        "NOTHING_TO_ROLL_BACK",
        "CONFIG_SCHEMA_INVALID",
        *UNDECRYPTED,
        *VERDICTS,
    ),
)
def roll_back(call: HubCall) -> HubAnswer:
    """Roll back the last rotation within 24 hours, if a test of the old secrets succeeds."""
    return call.run(_shown, changes.roll_back, parse_connection_id(call.path), call.if_match)


@route(
    app,
    "GET",
    "/integrations/{connection_id}/logs",
    permission="connections.read",
    query="CallLogFilter",
    response="CallLogPage",
    refuses=("CONNECTION_NOT_FOUND",),
)
def list_calls(call: HubCall) -> HubAnswer:
    """List the calls made for a connection, newest first; a deleted connection keeps its list."""
    with call.context.transaction() as transaction:
        connection = rows.find(transaction, parse_connection_id(call.path), deleted=True)
        page = call_log.page(transaction, connection, call.query)
    return HubAnswer(page.as_json("logs", call_log.as_json))


@route(
    app,
    "GET",
    "/integrations/{connection_id}/health",
    permission="connections.list",
    response="Health",
    refuses=("CONNECTION_NOT_FOUND",),
)
def show_health(call: HubCall) -> HubAnswer:
    """Get a connection's health, as its last test or call showed it."""
    with call.context.transaction() as transaction:
        connection = rows.find(transaction, parse_connection_id(call.path))
        return HubAnswer(health.report(transaction, connection))


handler = answers.lambda_handler(app)
