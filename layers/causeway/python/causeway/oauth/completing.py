"""The completion of an authorization: the code exchanged, the grant tested and stored.

KMS and platforms are called between transactions, never in one.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from causeway.audit_log.entries import Action
from causeway.catalogue import oauth_fields, secret_fields, validation
from causeway.connections import access, answers, app_in_use, audit_entries, grants, testing, writes
from causeway.connections.access import StoredConnection
from causeway.connections.connection import ConnectionReference, ConnectionRow
from causeway.connections.requests import ConnectionChange
from causeway.connections.work import Work
from causeway.errors.oauth import BEGIN_AGAIN, AuthorizationRefused
from causeway.oauth import flows
from causeway.oauth.flows import ReturnedFlow
from causeway.platforms import code_exchange
from causeway.platforms.account import Account
from causeway.platforms.calls import AccountTest
from causeway.platforms.code_exchange import App, Code, Granted
from causeway.platforms.token_calls import FreshTokens
from causeway.platforms.tokens import Grant
from causeway.tenancy.context import RequestContext
from causeway.vault import credentials, data_keys, deployment_key, oauth_tokens, versions
from causeway.vault.credentials import EncryptedSecrets
from causeway.vault.crypto import HeldKey
from causeway.vault.oauth_tokens import EncryptedGrant
from causeway.wire.preconditions import Expected

# The grant changes settings and secrets alone.
_NOTHING = ConnectionChange.model_construct()


@dataclass(frozen=True, slots=True, repr=False)
class Completed:
    """A completed authorization: the connection as it is now, its test, and the scopes. granted None: not told."""

    connection: ConnectionRow
    test: AccountTest
    granted: list[str] | None
    missing: list[str]


def complete(context: RequestContext, reference: ConnectionReference, expected: Expected) -> Completed:
    """Exchange the code of an authorization, test the connection with the grant, and store it.

    The connection, its name, its other settings and its data stay. An active connection keeps what it has if the test
    of the grant fails; any other takes the grant, and its status tells what the test found.

    Args:
        context: who began the authorization.
        reference: of the connection.
        expected: the versions that the caller saw.

    Raises:
        ConnectionNotFound, VersionMismatch, NotSupported, TemplateMoved, OauthAppMissing.
        As flows.take: there is no code to exchange; nothing is decrypted.
        CredentialMissing, CredentialUnreadable, KeyServiceUnavailable: a secret cannot be decrypted.
        OauthAppRefused, AuthorizationRefused, PlatformFailure: the platform gave no grant; nothing is changed.
        The verdict's error: the connection is active, and the grant does not work.
    """
    with context.transaction() as transaction:
        stored = access.load_in(transaction, reference, expected=expected)
        app_in_use.check_supported(stored.provider)
        stored.connection.check_template()
        flow = flows.take(transaction, stored.connection.connection_id, context.actor, again=context.resumed)
        context.checkpoint(transaction)
    kept = access.decrypt_account(context, stored)
    app = app_in_use.app(context.database, kept)
    # The exchange uses the code up: after it nothing may fail for want of a key.
    fingerprint_key = audit_entries.fingerprint_key(context)
    keys = HeldKey(data_keys.current().active(context.tenant))
    granted = _exchanged(context, stored, kept, app, flow)
    account = _account(kept, granted)
    # The test uses the token that was just granted: getting another one could end the refresh token.
    source = FreshTokens(granted.grant)
    result = _tested(context, stored.connection, app_in_use.with_app(account, app), source)
    # A refresh need not tell the scopes again.
    grant = replace(source.grant or granted.grant, scopes=granted.grant.scopes)
    encrypted = credentials.encrypt(keys, context.tenant, stored.connection.connection_id, account.secrets)
    ready = grants.encrypted(keys, context.tenant, stored.connection.connection_id, account, grant, authorized=True)
    outcome = _Outcome(encrypted, ready, grant, result, flow.flow_id)
    return _stored(context, stored, kept, account, outcome, fingerprint_key)


def _exchanged(
    context: RequestContext, stored: StoredConnection, account: Account, app: App, flow: ReturnedFlow
) -> Granted:
    connection_id = stored.connection.connection_id
    verifier = None
    if flow.verifier is not None:
        field = flows.verifier_field(context.tenant, connection_id)
        verifier = data_keys.current().decrypt(field, flow.verifier)
    # A code has no blank.
    state, _, text = deployment_key.decrypt_directly(flow.code, flow.flow_id).partition(" ")
    code = Code(text, state, flows.redirect_url(flow.callback, state), verifier)
    work = Work("interactive", code_exchange.BUDGET)
    with access.logged_calls(context, stored.connection, account, work) as log:
        return code_exchange.exchange(account, app, code, log)


def _account(kept: Account, granted: Granted) -> Account:
    """Return the account with the grant in the fields that it fills.

    Raises:
        AuthorizationRefused: the platform gave no refresh token, and the connection cannot do without.
        ConfigSchemaInvalid: what the platform gave does not fit the template.
    """
    provider = kept.provider
    oauth = provider.oauth or {}
    filled = {
        oauth.get("access_token_field"): granted.grant.access_token,
        # A platform that gives none means that the old one stays good.
        oauth.get("refresh_token_field"): granted.grant.refresh_token,
    }
    secrets = {**kept.secrets, **{name: value for name, value in filled.items() if name and value}}
    if "access_token_field" not in oauth and oauth.get("refresh_token_field") not in secrets:
        raise AuthorizationRefused(
            "The platform gave no refresh token, without which the connection ends within hours; nothing was changed",
            action="Remove the app's access in the account's own settings at the platform, then authorize again.",
        )
    settings = {**kept.settings, **granted.settings}
    validation.validate(oauth_fields.schema_before(provider.config_schema, oauth), settings | secrets)
    settings, secrets = secret_fields.split(provider.config_schema, settings | secrets)
    return Account(provider, kept.environment, settings, secrets)


def _tested(context: RequestContext, connection: ConnectionRow, account: Account, source: FreshTokens) -> AccountTest:
    if connection.status == "active":
        return testing.call_or_refuse(context, connection, account, source, again=BEGIN_AGAIN)
    return testing.call_and_log(context, connection, account, source, counted=False)


@dataclass(frozen=True, slots=True, repr=False)
class _Outcome:
    """What is stored: the secrets and the grant, encrypted, and what the test found."""

    secrets: EncryptedSecrets
    token: EncryptedGrant
    grant: Grant
    test: AccountTest
    flow_id: UUID


def _stored(
    context: RequestContext,
    stored: StoredConnection,
    kept: Account,
    account: Account,
    outcome: _Outcome,
    key: bytes,
) -> Completed:
    connection, provider = stored.connection, stored.provider
    connection_id = connection.connection_id
    scopes = None if outcome.grant.scopes is None else list(outcome.grant.scopes)
    missing = [scope for scope in (provider.oauth or {})["scopes"] if scopes is not None and scope not in scopes]
    terms = provider.terms_digest(connection.environment)
    with context.transaction() as transaction:
        settings = dict(account.settings)
        changed = writes.update(transaction, connection_id, connection.version, _NOTHING, settings, terms)
        version = credentials.store(transaction, outcome.secrets)
        versions.promote(transaction, connection_id, version)
        oauth_tokens.store(transaction, connection_id, version, outcome.token)
        flows.complete(transaction, outcome.flow_id)
        changed = testing.save_state(transaction, changed, outcome.test, fresh=True)
        before = _audited(connection, key, kept.secrets)
        after = _audited(changed, key, account.secrets) | {"scopesGranted": scopes, "scopesMissing": missing}
        action = Action.CONNECTION_AUTHORIZED
        audit_entries.record(context, transaction, action, connection, before=before, after=after)
        completed = Completed(changed, outcome.test, scopes, missing)
        context.finish(transaction, completed)
    return completed


def _audited(connection: ConnectionRow, key: bytes, secret: Mapping[str, str]) -> dict[str, Any]:
    """Return settings and fingerprints of secrets, as an audit entry shows them."""
    return answers.audited(connection) | {"secrets": audit_entries.fingerprints_of(key, secret)}
