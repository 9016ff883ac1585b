"""Authorization by OAuth: /integrations/{connection_id}/authorize, and the deployment's apps."""

from causeway import settings
from causeway.connections import answers as connection_answers
from causeway.connections.access import UNDECRYPTED
from causeway.connections.requests import parse_connection_id
from causeway.edge.answers import lambda_handler
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.edge.routes import App
from causeway.oauth import apps, beginning, completing
from causeway.oauth.answers import Authorization, AuthorizedConnection, OAuthApp
from causeway.oauth.beginning import Begun
from causeway.oauth.completing import Completed
from causeway.oauth.requests import AuthorizationDraft, OAuthAppDraft
from causeway.platforms.verdicts import VERDICTS
from causeway.vault.oauth_apps import OAuthAppRow

app = App()


def _begun(begun: Begun) -> HubAnswer:
    """Leave the URL out of the stored answer: its state is good for one use."""
    answer = Authorization(url=begun.url, expires_at=begun.expires_at)
    return HubAnswer(answer, replay_body=answer.model_copy(update={"url": None}))


def _completed(completed: Completed) -> HubAnswer:
    """Leave the account out of the stored answer: its name may be a person's."""
    test = connection_answers.test_result(completed.test)
    answer = AuthorizedConnection(
        connection=connection_answers.shown(completed.connection, with_config=True),
        test=test,
        scopes_granted=completed.granted,
        scopes_missing=completed.missing,
    )
    unnamed = answer.model_copy(update={"test": test.unnamed()})
    return HubAnswer(answer, version=completed.connection.version, replay_body=unnamed)


def _app(row: OAuthAppRow) -> HubAnswer:
    return HubAnswer(OAuthApp.of_row(row), version=row.version)


def _public_url(call: HubCall) -> str:
    scheme = call.headers.get("x-forwarded-proto", "https")
    return settings.public_url() or f"{scheme}://{call.headers.get('host', '')}"


@route(
    app,
    "POST",
    "/integrations/{connection_id}/authorize",
    permission="credentials.write",
    response=Authorization,
    refuses=(
        "CONNECTION_NOT_FOUND",
        "INTEGRATION_NOT_ACTIVE",
        "NOT_SUPPORTED",
        "OAUTH_APP_MISSING",
        *UNDECRYPTED,
    ),
)
def authorize(call: HubCall, body: AuthorizationDraft) -> HubAnswer:
    """Begin the authorization of a connection: the URL where a person consents."""
    reference = parse_connection_id(call.path)
    return call.run(_begun, beginning.begin, reference, call.if_match, body, _public_url(call))


@route(
    app,
    "POST",
    "/integrations/{connection_id}/authorize/complete",
    permission="credentials.write",
    response=AuthorizedConnection,
    refuses=(
        "CONNECTION_NOT_FOUND",
        "INTEGRATION_NOT_ACTIVE",
        "NOT_SUPPORTED",
        "CONFIG_SCHEMA_INVALID",
        "OAUTH_APP_MISSING",
        "OAUTH_APP_REFUSED",
        "AUTHORIZATION_NOT_BEGUN",
        "AUTHORIZATION_PENDING",
        "AUTHORIZATION_EXPIRED",
        "AUTHORIZATION_USED",
        "AUTHORIZATION_DECLINED",
        "AUTHORIZATION_REFUSED",
        *UNDECRYPTED,
        *VERDICTS,
    ),
)
def complete(call: HubCall) -> HubAnswer:
    """Complete the authorization that the caller began, and test the connection."""
    return call.run(_completed, completing.complete, parse_connection_id(call.path), call.if_match)


@route(
    app,
    "PUT",
    "/integrations/templates/{template_id}/oauth-app",
    permission="catalogue.write",
    response=OAuthApp,
    refuses=("PROVIDER_NOT_FOUND", "NOT_SUPPORTED", "KEY_SERVICE_UNAVAILABLE", "CREDENTIAL_UNREADABLE"),
)
def put_app(call: HubCall, body: OAuthAppDraft) -> HubAnswer:
    """Set the deployment's own OAuth app at a platform, for connections without an app of their own."""
    return call.run(_app, apps.put, call.path["template_id"], call.if_match, body)


handler = lambda_handler(app)
