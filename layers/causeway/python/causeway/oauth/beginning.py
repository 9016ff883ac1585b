"""The beginning of an authorization: the URL where the person consents."""

from dataclasses import dataclass
from datetime import datetime
from secrets import token_urlsafe
from uuid import UUID

from causeway.audit_log.entries import Action
from causeway.connections import access, app_in_use, audit_entries
from causeway.connections.connection import ConnectionReference
from causeway.oauth import flows
from causeway.oauth.requests import AuthorizationDraft
from causeway.platforms import code_exchange
from causeway.platforms.account import Account
from causeway.tenancy.context import RequestContext
from causeway.vault import crypto, data_keys
from causeway.wire.preconditions import Expected

CALLBACK = "/oauth/callback"


@dataclass(frozen=True, slots=True, repr=False)
class Begun:
    """An authorization that was begun: the URL where the person consents, and until when it must be completed."""

    url: str
    expires_at: datetime


def begin(
    context: RequestContext,
    reference: ConnectionReference,
    expected: Expected,
    draft: AuthorizationDraft,
    public_url: str,
) -> Begun:
    """Begin an authorization of a connection; an earlier one of the same caller is good for nothing from then on.

    The connection stays as it is until the authorization is completed.

    Args:
        context: who begins it; nobody else completes it.
        reference: of the connection.
        expected: the versions that the caller saw.
        draft: as sent.
        public_url: of this deployment, as browsers reach it.

    Raises:
        ConnectionNotFound, VersionMismatch, NotSupported, OauthAppMissing.
        IntegrationNotActive: it is disabled.
        TemplateMoved: the template is not the one that the connection was made for.
        KeyServiceUnavailable: nothing is stored.
    """
    stored = access.load(context, reference, expected=expected)
    connection, provider = stored.connection, stored.provider
    connection_id = connection.connection_id
    client_id = app_in_use.client_id(context.database, provider, connection.config, stored.credential.fields)
    connection.check_template()
    oauth = provider.oauth or {}
    state = token_urlsafe(32)
    verifier = None if oauth.get("pkce", "off") == "off" else token_urlsafe(48)
    # A platform that may not return the state is told a path of this one authorization.
    callback = f"{public_url}{CALLBACK}" + ("" if oauth.get("state_returned", True) else "/")
    redirect_url = flows.redirect_url(callback, state)
    account = Account(provider, connection.environment, connection.config, {})
    url = code_exchange.authorize_url(account, client_id, redirect_url, state, verifier)
    flow = flows.NewFlow(
        connection_id=connection_id,
        actor=context.actor,
        state=state,
        callback=callback,
        return_url=draft.return_url,
        declined=oauth.get("declined", ["access_denied"]),
        verifier=None if verifier is None else _encrypted(context, connection_id, verifier),
    )
    with context.transaction() as transaction:
        begun = Begun(url, flows.begin(transaction, flow))
        audit_entries.record(context, transaction, Action.CONNECTION_AUTHORIZATION_BEGUN, connection)
        context.finish(transaction, begun)
    return begun


def _encrypted(context: RequestContext, connection_id: UUID, verifier: str) -> bytes:
    key = data_keys.current().active(context.tenant)
    return crypto.encrypt(key, flows.verifier_field(context.tenant, connection_id), verifier)
