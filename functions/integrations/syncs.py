"""The syncs of the tenant's connections: /integrations/{connection_id}/sync and .../syncs."""

from causeway.connections import requests, rows
from causeway.connections.connection import UNUSABLE
from causeway.edge.answers import lambda_handler
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.edge.routes import App
from causeway.syncs import listing, runs, starting
from causeway.syncs.answers import SyncRun
from causeway.syncs.listing import SyncRunPage, SyncRunQuery

app = App()


@route(
    app,
    "POST",
    "/integrations/{connection_id}/sync",
    permission="connections.use",
    response=SyncRun,
    status=202,
    refuses=("CONNECTION_NOT_FOUND", *UNUSABLE),
)
def sync(call: HubCall) -> HubAnswer:
    """Start a sync, or return the one already queued or running."""
    return call.run(_started, starting.start, requests.parse_connection_id(call.path), call.if_match)


def _started(started: tuple[runs.Run, bool]) -> HubAnswer:
    run, is_new = started
    headers = {"location": f"/integrations/{run.connection_id}/syncs/{run.run_id}"}
    return HubAnswer(SyncRun.of_row(run), 202, headers=headers | ({} if is_new else {"idempotent-replay": "true"}))


@route(
    app,
    "GET",
    "/integrations/{connection_id}/syncs",
    permission="connections.list",
    response=SyncRunPage,
    refuses=("CONNECTION_NOT_FOUND",),
)
def list_runs(call: HubCall, query: SyncRunQuery) -> HubAnswer:
    """List a connection's syncs, newest first."""
    return HubAnswer(listing.page(call.context, requests.parse_connection_id(call.path), query))


@route(
    app,
    "GET",
    "/integrations/{connection_id}/syncs/{run_id}",
    permission="connections.list",
    response=SyncRun,
    refuses=("CONNECTION_NOT_FOUND", "SYNC_RUN_NOT_FOUND"),
)
def get_run(call: HubCall) -> HubAnswer:
    """Get a sync: its state, or its result."""
    with call.context.transaction() as transaction:
        found = rows.find(transaction, requests.parse_connection_id(call.path))
        run = runs.find(transaction, found.connection_id, runs.parse_run_id(call.path))
    return HubAnswer(SyncRun.of_row(run))


handler = lambda_handler(app)
