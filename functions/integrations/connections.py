"""The tenant's connections: /integrations."""

from causeway.connections import answers, call_log_listing, changes, health, limit_changes, listing, rows, testing
from causeway.connections.access import UNDECRYPTED
from causeway.connections.call_log_listing import CallLog, CallLogPage, CallLogQuery
from causeway.connections.connection import ConnectionRow
from causeway.connections.listing import ConnectionPage
from causeway.connections.requests import (
    ConnectionChange,
    ConnectionDraft,
    ConnectionQuery,
    LimitsDraft,
    NewSecrets,
    parse_connection_id,
)
from causeway.edge.answers import lambda_handler
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.edge.routes import App
from causeway.platforms.calls import AccountTest
from causeway.platforms.verdicts import VERDICTS
from causeway.vault import versions

app = App()


def _shown(made: ConnectionRow) -> HubAnswer:
    return HubAnswer(answers.shown(made, with_config=True), version=made.version)


def _created(made: ConnectionRow) -> HubAnswer:
    headers = {"location": f"/integrations/{made.connection_id}"}
    return HubAnswer(answers.shown(made, with_config=True), 201, made.version, headers)


def _deleted(_: None) -> HubAnswer:
    return HubAnswer("", 204)


def _tested(tested: tuple[AccountTest, ConnectionRow]) -> HubAnswer:
    """Leave the account out of the stored answer: its name may be a person's."""
    account_test, now = tested
    result = answers.test_result(account_test)
    return HubAnswer(result, version=now.version, replay_body=result.unnamed())


def _limits(found: ConnectionRow) -> HubAnswer:
    return HubAnswer(answers.limits(found), version=found.version)


@route(app, "GET", "/integrations", permission="connections.list", response=ConnectionPage)
def list_connections(call: HubCall, query: ConnectionQuery) -> HubAnswer:
    """List the tenant's connections, newest first."""
    return HubAnswer(listing.page(call.context, query, with_config=call.context.may("connections.read")))


@route(
    app,
    "POST",
    "/integrations",
    permission="credentials.write",
    refuses_if_match=True,
    response=answers.Connection,
    status=201,
    refuses=(
        "PROVIDER_NOT_FOUND",
        "PROVIDER_INACTIVE",
        "CONFIG_INVALID",
        "CONFIG_INCOMPLETE",
        "BLOCKED_ADDRESS",
        "CONFIG_SCHEMA_INVALID",
        "NAME_TAKEN",
        "EXTERNAL_ID_TAKEN",
        "CONNECTION_NOT_FOUND",
        "KEY_SERVICE_UNAVAILABLE",
    ),
)
def create(call: HubCall, body: ConnectionDraft) -> HubAnswer:
    """Create a connection and test it."""
    return call.run(_created, changes.create, body)


@route(
    app,
    "GET",
    "/integrations/{connection_id}",
    permission="connections.list",
    response=answers.Connection,
    refuses=("CONNECTION_NOT_FOUND",),
)
def get(call: HubCall) -> HubAnswer:
    """Get a connection."""
    with call.context.transaction() as transaction:
        found = rows.find(transaction, parse_connection_id(call.path))
        back = versions.rollback_target(transaction, found.connection_id)
    shown = answers.shown(found, with_config=call.context.may("connections.read"))
    if back is not None:
        shown = shown.model_copy(update={"rollback_until": back.until})
    return HubAnswer(shown, version=found.version)


@route(
    app,
    "PATCH",
    "/integrations/{connection_id}",
    permission="connections.write",
    response=answers.Connection,
    refuses=(
        "CONNECTION_NOT_FOUND",
        "IF_MATCH_REQUIRED",
        "NAME_TAKEN",
        "EXTERNAL_ID_TAKEN",
        "CONFIG_SCHEMA_INVALID",
        "INTEGRATION_NOT_ACTIVE",
        "SECRETS_REQUIRED",
        *UNDECRYPTED,
        *VERDICTS,
    ),
)
def change(call: HubCall, body: ConnectionChange) -> HubAnswer:
    """Change a connection; If-Match is required, and credentials.write for its config and environment."""
    if body.reconfigures:
        call.context.caller.require("credentials.write")
    return call.run(_shown, changes.change, parse_connection_id(call.path), call.required_if_match, body)


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
    response=answers.ConnectionTest,
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
    response=answers.Connection,
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
    response=answers.Connection,
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
    response=answers.Connection,
    refuses=(
        "CONNECTION_NOT_FOUND",
        "INTEGRATION_NOT_ACTIVE",
        "CONFIG_SCHEMA_INVALID",
        "SECRETS_REQUIRED",
        *UNDECRYPTED,
        *VERDICTS,
    ),
)
def rotate(call: HubCall, body: NewSecrets) -> HubAnswer:
    """Replace a connection's secrets, if a test of the new secrets succeeds."""
    return call.run(_shown, changes.rotate, parse_connection_id(call.path), body, call.if_match)


@route(
    app,
    "POST",
    "/integrations/{connection_id}/credentials/rollback",
    permission="credentials.write",
    response=answers.Connection,
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
    permission="logs.read",
    response=CallLogPage,
    refuses=("CONNECTION_NOT_FOUND",),
)
def list_calls(call: HubCall, query: CallLogQuery) -> HubAnswer:
    """List the calls made for a connection, newest first; a deleted connection keeps its list."""
    return HubAnswer(call_log_listing.page(call.context, parse_connection_id(call.path), query))


@route(
    app,
    "GET",
    "/integrations/{connection_id}/logs/{log_id}",
    permission="logs.read",
    response=CallLog,
    refuses=("CONNECTION_NOT_FOUND", "CALL_LOG_NOT_FOUND"),
)
def get_call(call: HubCall) -> HubAnswer:
    """Get a call made for a connection, with its bodies as long as they are stored."""
    log_id = call_log_listing.parse_log_id(call.path)
    return HubAnswer(call_log_listing.entry(call.context, parse_connection_id(call.path), log_id))


@route(
    app,
    "GET",
    "/integrations/{connection_id}/health",
    permission="connections.list",
    response=answers.ConnectionHealth,
    refuses=("CONNECTION_NOT_FOUND",),
)
def show_health(call: HubCall) -> HubAnswer:
    """Get a connection's health, as its last test or call showed it."""
    with call.context.transaction() as transaction:
        found = rows.find(transaction, parse_connection_id(call.path))
        observed = health.observed(transaction, found.connection_id)
    return HubAnswer(answers.health(found, observed))


@route(
    app,
    "GET",
    "/integrations/{connection_id}/limits",
    permission="connections.read",
    response=answers.ConnectionLimits,
    refuses=("CONNECTION_NOT_FOUND",),
)
def show_limits(call: HubCall) -> HubAnswer:
    """Get the limits of a connection's requests to its platform."""
    with call.context.transaction() as transaction:
        return _limits(rows.find(transaction, parse_connection_id(call.path)))


@route(
    app,
    "PUT",
    "/integrations/{connection_id}/limits",
    permission="limits.manage",
    response=answers.ConnectionLimits,
    refuses=("CONNECTION_NOT_FOUND", "LIMIT_OUT_OF_BOUNDS"),
)
def change_limits(call: HubCall, body: LimitsDraft) -> HubAnswer:
    """Replace the limits that an admin set; a window without one has the template's limit."""
    return call.run(_limits, limit_changes.change, parse_connection_id(call.path), call.if_match, body)


handler = lambda_handler(app)
