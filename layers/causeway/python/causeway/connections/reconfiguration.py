"""A change of a connection's settings and secrets: which secrets are kept, and under which terms.

KMS and platforms are called between transactions, never in one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from causeway.audit_log.entries import Action
from causeway.catalogue import oauth_fields, secret_fields, validation
from causeway.catalogue.providers import Provider
from causeway.connections import access, answers, app_in_use, audit_entries, grants, testing, writes
from causeway.connections.access import StoredConnection
from causeway.connections.connection import ConnectionReference, ConnectionRow
from causeway.connections.requests import ConnectionChange
from causeway.connections.tokens import ConnectionTokens
from causeway.database.postgres import Transaction
from causeway.errors.connections import IntegrationNotActive, SecretsRequired
from causeway.errors.requests import InvalidRequest
from causeway.errors.tree import Problem
from causeway.errors.vault import CredentialMissing, CredentialUnreadable
from causeway.platforms.account import Account
from causeway.platforms.token_calls import FreshTokens
from causeway.platforms.tokens import renewal
from causeway.tenancy.context import RequestContext
from causeway.vault import credentials, data_keys, oauth_tokens, versions
from causeway.vault.crypto import ActiveKeys, HeldKey
from causeway.wire.preconditions import Expected
from causeway.wire.strict_json import shown_name


@dataclass(frozen=True, slots=True)
class _Plan:
    """The settings and secrets that a connection is to have.

    Attributes:
        account: with these settings and secrets.
        kept: the secrets in use, which the change may keep; None if it may not, or they cannot be decrypted.
        address_changed: whether secrets would be sent to another address.
    """

    account: Account
    kept: Mapping[str, str] | None
    address_changed: bool


@dataclass(frozen=True, slots=True)
class _Fresh:
    """What a change adds.

    Attributes:
        candidate: the secrets; None: those in use stay.
        grant: the access token that the test got; None: it needed none, or has the one in use.
    """

    candidate: credentials.EncryptedSecrets | None
    grant: oauth_tokens.EncryptedGrant | None


def reconfigure(
    context: RequestContext,
    reference: ConnectionReference,
    expected: Expected,
    wanted: ConnectionChange,
    config: dict[str, Any],
    *,
    secrets_only: bool = False,
) -> ConnectionRow:
    """Change settings and secrets. They are tested before they are saved; if the test fails, nothing is changed.

    Args:
        context: who changes them.
        reference: the connection.
        expected: the versions that the caller saw.
        wanted: what else to change.
        config: fields to set; null removes a field; others stay.
        secrets_only: whether it is a rotation, which changes secrets only.

    Raises:
        As changes.change; of a rotation, as changes.rotate.
    """
    stored = access.load(context, reference, disabled=True, expected=expected)
    if secrets_only:
        _check_secret_fields(stored.provider, config)
    plan = _plan(context, stored, config, wanted.environment)
    if secrets_only and plan.account.secrets == plan.kept:
        raise InvalidRequest.of_problems([Problem("config", "must have other secrets than those in use")])
    source = _tokens(context, stored, plan)
    tested = plan.account
    if isinstance(source, FreshTokens):
        # A refresh token that is not stored yet is refreshed here; a stored connection's source finds the app itself.
        tested = app_in_use.renewable(context.database, tested)
    # The test may use a refresh token up: after it nothing may fail for want of a key.
    key = audit_entries.fingerprint_key(context)
    keys = _keys(context, plan)
    result = testing.call_or_refuse(context, stored.connection, tested, source)
    fresh = _fresh_secrets(context, stored.connection.connection_id, plan, source, keys)
    with context.transaction() as transaction:
        changed, retired = _save(transaction, stored, plan, wanted, fresh)
        changed = testing.save_state(transaction, changed, result, fresh=True)
        action = Action.CREDENTIAL_ROTATED if secrets_only else Action.CONNECTION_CHANGED
        before = _audited(stored.connection, key, plan.kept or {})
        after = _audited(changed, key, plan.account.secrets)
        audit_entries.record(context, transaction, action, stored.connection, before=before, after=after)
        if retired:
            audit_entries.record(context, transaction, Action.CREDENTIAL_RETIRED, stored.connection)
        context.finish(transaction, changed)
    return changed


def _tokens(context: RequestContext, stored: StoredConnection, plan: _Plan) -> ConnectionTokens | FreshTokens:
    """Return what gives a plan's test its access token.

    The test may end the refresh token that is in use: then the next one must be stored, also if the test fails.
    """
    if grants.has_refresh_token_of(plan.account, plan.kept):
        return access.tokens(context, stored, anew=True, candidate=True)
    return FreshTokens()


def _keys(context: RequestContext, plan: _Plan) -> ActiveKeys:
    """Return the key of what a plan adds, got already; raises KeyServiceUnavailable."""
    keys = data_keys.current()
    if plan.account.secrets == plan.kept and renewal(plan.account) == "none":
        # It adds neither secrets nor a token.
        return keys
    return HeldKey(keys.active(context.tenant))


def _fresh_secrets(
    context: RequestContext,
    connection_id: UUID,
    plan: _Plan,
    source: ConnectionTokens | FreshTokens,
    keys: ActiveKeys,
) -> _Fresh:
    """Return the secrets and the access token that a plan adds, encrypted."""
    account, grant = plan.account, source.grant
    ready = None if grant is None else grants.encrypted(keys, context.tenant, connection_id, account, grant)
    # If the old secrets may not be kept, replace them, even by none: new terms must never apply to old secrets.
    if account.secrets == plan.kept:
        return _Fresh(None, ready)
    if isinstance(source, ConnectionTokens):
        secret = source.live(account).secrets
    else:
        secret = {**account.secrets, **({} if grant is None else grants.replaced_fields(account, grant))}
    return _Fresh(credentials.encrypt(keys, context.tenant, connection_id, secret), ready)


def _audited(connection: ConnectionRow, key: bytes, secret: Mapping[str, str]) -> dict[str, Any]:
    """Return settings and fingerprints of secrets, as an audit entry shows them."""
    return answers.audited(connection) | {"secrets": audit_entries.fingerprints_of(key, secret)}


def _save(
    transaction: Transaction,
    stored: StoredConnection,
    plan: _Plan,
    wanted: ConnectionChange,
    fresh: _Fresh,
) -> tuple[ConnectionRow, bool]:
    """Write a plan into the rows; return the connection, and whether the credential to roll back to was retired."""
    connection_id = stored.connection.connection_id
    terms = stored.provider.terms_digest(plan.account.environment)
    settings = dict(plan.account.settings)
    changed = writes.update(transaction, connection_id, stored.connection.version, wanted, settings, terms)
    before = version = stored.credential.version
    if fresh.candidate is not None:
        version = credentials.store(transaction, fresh.candidate)
        versions.promote(transaction, connection_id, version)
    if version is not None and fresh.grant is not None:
        oauth_tokens.store(transaction, connection_id, version, fresh.grant)
    elif version is not None and before not in (None, version) and grants.has_token_of(plan.account, plan.kept):
        oauth_tokens.carry_over(transaction, connection_id, before, version)
    # Never roll back to a credential that was given for other terms or another address, or cannot be decrypted.
    retired = (plan.address_changed or plan.kept is None) and versions.retire(transaction, connection_id)
    return changed, retired


def _check_secret_fields(provider: Provider, config: dict[str, Any]) -> None:
    if not config:
        raise InvalidRequest.of_problems([Problem("config", "must have at least one secret field")])
    plain = sorted(set(config) - secret_fields.names(provider.config_schema))
    if plain:
        rule = "is not a secret field of this template"
        raise InvalidRequest.of_problems([Problem(f"config.{shown_name(name)}", rule) for name in plain])


def _plan(context: RequestContext, stored: StoredConnection, config: dict[str, Any], environment: str | None) -> _Plan:
    """Return the plan of a change of config and environment. Nothing is changed; a refused attempt is audited.

    Raises:
        IntegrationNotActive: it is disabled, and a secret in use was not given again; nothing is decrypted.
        TemplateMoved: the template is not the agreed one, and a secret in use was not given again.
        SecretsRequired: the address would change, and a secret was left out.
        ConfigSchemaInvalid: the config does not match the template.
        CredentialMissing, CredentialUnreadable: a secret in use was not given again, and cannot be decrypted.
        KeyServiceUnavailable: KMS is needed and does not answer.
    """
    connection, provider = stored.connection, stored.provider
    given_again = stored.credential.fields <= config.keys()
    kept = _kept_secrets(context, stored, given_again=given_again)
    merged = {
        name: value for name, value in (connection.config | dict(kept or {}) | config).items() if value is not None
    }
    settings, secret = split_config(provider, merged)
    if kept is None and not given_again:
        connection.check_template()
    account = Account(provider, environment or connection.environment, settings, secret)
    before = Account(provider, connection.environment, connection.config, {})
    # Otherwise an admin could read the stored secrets by changing the address to a server of their own.
    address_changed = account.endpoints != before.endpoints or account.environment != before.environment
    left_out = sorted(secret.keys() - config.keys())
    # Without an address nothing is sent: let the test say what is missing.
    if address_changed and left_out and account.endpoints:
        _audit_refusal(context, stored, config)
        rule = "must be given again: a stored secret is not sent to a new address"
        raise SecretsRequired.of_problems([Problem(f"config.{name}", rule) for name in left_out])
    return _Plan(account, kept, address_changed)


def _audit_refusal(context: RequestContext, stored: StoredConnection, config: dict[str, Any]) -> None:
    """Write a refused attempt to send stored secrets to another address into the audit log."""
    after = {"refused": SecretsRequired.code, "fields": sorted(config)}
    audit_entries.record_refusal(context, Action.CONNECTION_CHANGED, stored.connection, outcome="refused", after=after)


def _kept_secrets(context: RequestContext, stored: StoredConnection, *, given_again: bool) -> Mapping[str, str] | None:
    """Return the secrets in use; None if the change may not keep them, or need not and they cannot be decrypted."""
    # Decrypt nothing of a disabled connection: all its secrets must be given again.
    if stored.connection.status == "disconnected":
        if given_again:
            return None
        raise IntegrationNotActive
    # A template that is not the agreed one gets no kept secret, neither in calls nor in its schema's check.
    if stored.connection.template_changed:
        return None
    try:
        return access.decrypt_secrets(context, stored.connection, stored.credential)
    except (CredentialMissing, CredentialUnreadable):
        if given_again:
            return None
        raise


def split_config(provider: Provider, config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a config's settings, and its secrets; fields that an authorization fills may be missing.

    Raises:
        ConfigSchemaInvalid: it does not match its template.
    """
    validation.validate(oauth_fields.schema_before(provider.config_schema, provider.oauth), config)
    return secret_fields.split(provider.config_schema, config)


def encrypted(context: RequestContext, connection_id: UUID, secret: Mapping[str, str]) -> credentials.EncryptedSecrets:
    """Return a connection's secrets encrypted, as they are stored; raises KeyServiceUnavailable."""
    return credentials.encrypt(data_keys.current(), context.tenant, connection_id, secret)
