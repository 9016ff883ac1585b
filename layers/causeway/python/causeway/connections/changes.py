"""Connections made, changed, given new secrets, switched on and off, deleted: tested and written down.

KMS and providers are called between transactions, never inside one.
"""

from typing import Any
from uuid import UUID, uuid4

from causeway import catalogue, config_schema, credentials, data_keys, provider_calls
from causeway.audit_log import Action
from causeway.catalogue import Provider
from causeway.connections import access, audit, rows, testing
from causeway.connections.requests import Change, Claim, Draft, NewSecrets
from causeway.connections.rows import Connection
from causeway.context import RequestContext
from causeway.errors import (
    CredentialUnreadable,
    InvalidRequest,
    NothingToRollBack,
    ProviderInactive,
    SecretsRequired,
    TemplateMoved,
    VersionMismatch,
)
from causeway.provider_calls import Account
from causeway.strict_json import shown_name

# What new secrets change of the rest.
_NOTHING = Change(name=None, description=None, config=None)


def create(context: RequestContext, draft: Draft, idempotency_key: str | None) -> tuple[Connection, bool]:
    """Make a connection, test it, and return how it stands and whether it was made by this call.

    Args:
        context: who makes it.
        draft: as sent.
        idempotency_key: the caller's, None where he sent none.

    Raises:
        ProviderNotFound, ProviderInactive: there is no such template, or no new connections are made with it.
        ConfigSchemaInvalid: the config does not fit the template; its path is named.
        NameTaken, IdempotencyKeyReused: the name or the key is another's.
        InvalidRequest: the key is empty or too long.
        KeyServiceUnavailable: nothing is stored.
    """
    key = audit.fingerprint_key(context)
    claim = None if idempotency_key is None else Claim.of(idempotency_key, draft, key)
    with context.transaction() as transaction:
        provider = catalogue.find(transaction, draft.template_id)
    if not provider.is_active:
        raise ProviderInactive
    plain, secret = _checked(provider, draft.config)
    identity = uuid4()
    sealed = credentials.seal_all(data_keys.current(), context.caller.tenant, identity, secret)
    terms = provider_calls.terms(provider, draft.environment)
    with context.transaction() as transaction:
        found, made = rows.create(transaction, identity, draft, plain, terms, context.caller.subject, claim)
        if made:
            credentials.promote(transaction, identity, credentials.store(transaction, sealed))
        one = rows.find(transaction, found)
        if made:
            kept = {"secrets": audit.fingerprints(key, secret)}
            audit.note(context, transaction, Action.CONNECTION_CREATED, one, after=audit.shown(one) | kept)
            audit.note(context, transaction, Action.CREDENTIAL_STORED, one, after=kept)
    if not made:
        return one, False
    return testing.judge(context, one, Account(provider, one.environment, plain, secret))[1], True


def change(context: RequestContext, identity: UUID, version: int, wanted: Change) -> Connection:
    """Change a connection. Its config is tested as it would be; one that fails replaces nothing.

    Args:
        context: who changes it.
        identity: the connection.
        version: the one its reader saw.
        wanted: what to change; a field of the config that is null is taken away, a secret left out stays.

    Raises:
        ConnectionNotFound, VersionMismatch, NameTaken, ConfigSchemaInvalid.
        IntegrationNotActive: the config of a disabled connection; nothing is decrypted.
        SecretsRequired: the address would change, and a secret was left out.
        InvalidCredentials, ConnectionFailed: the new config does not work; nothing is changed.
    """
    if wanted.config is not None:
        return _reconfigured(context, identity, version, wanted, wanted.config)
    with context.transaction() as transaction:
        one = rows.find(transaction, identity)
        changed = rows.update(transaction, identity, version, wanted)
        audit.note(
            context, transaction, Action.CONNECTION_CHANGED, one, before=audit.shown(one), after=audit.shown(changed)
        )
    return changed


def rotate(context: RequestContext, identity: UUID, fresh: NewSecrets) -> Connection:
    """Replace secrets by new ones that a test found working; for a while roll_back brings the old ones back.

    Raises:
        ConnectionNotFound, ConfigSchemaInvalid.
        IntegrationNotActive: it is disabled; nothing is decrypted.
        InvalidRequest: a field is no secret, or nothing would change.
        InvalidCredentials, ConnectionFailed: the new secrets do not work; the old stay in use.
    """
    return _reconfigured(context, identity, None, _NOTHING, fresh.config)


def _reconfigured(
    context: RequestContext, identity: UUID, version: int | None, wanted: Change, config: dict[str, Any]
) -> Connection:
    """Change settings and secrets; version None: a rotation, of secrets alone and of whatever version it finds."""
    one, provider = access.found(context, identity)
    if version is None:
        _demand_secrets(provider, config)
    elif version != one.version:
        raise VersionMismatch
    # A template that is not the agreed one gets no kept secret: neither its calls, nor its schema's judgement.
    agreed = access.agreed(one, provider)
    before = access.secrets(context, one) if agreed else {}
    merged = {name: value for name, value in (one.config | before | config).items() if value is not None}
    plain, secret = _checked(provider, merged)
    if version is None and secret == before:
        raise InvalidRequest("These are the secrets in use: send new ones")
    account = Account(provider, one.environment, plain, secret)
    # Or who may change an address could have the secrets sent to himself, and so read them.
    moved = account.endpoints != Account(provider, one.environment, one.config, before).endpoints
    if moved and not set(secret) <= set(config):
        raise SecretsRequired
    tested = testing.demand(context, one, account)
    key = audit.fingerprint_key(context)
    sealed = (
        credentials.seal_all(data_keys.current(), context.caller.tenant, identity, secret) if secret != before else None
    )
    with context.transaction() as transaction:
        terms = provider_calls.terms(provider, one.environment)
        changed = rows.update(transaction, identity, one.version, wanted, plain, terms)
        if sealed is not None:
            credentials.promote(transaction, identity, credentials.store(transaction, sealed))
        # Secrets that were given for another address are not sent to this one by rolling back.
        retired = (moved or not agreed) and credentials.retire(transaction, identity)
        testing.settle(transaction, identity, changed.version, tested)
        changed = rows.find(transaction, identity)
        action = Action.CREDENTIAL_ROTATED if version is None else Action.CONNECTION_CHANGED
        audit.note(
            context,
            transaction,
            action,
            one,
            before=audit.shown(one) | {"secrets": audit.fingerprints(key, before)},
            after=audit.shown(changed) | {"secrets": audit.fingerprints(key, secret)},
        )
        if retired:
            audit.note(context, transaction, Action.CREDENTIAL_RETIRED, one)
    return changed


def roll_back(context: RequestContext, identity: UUID) -> Connection:
    """Put the secrets that were replaced last back into use, if a test finds them working still.

    Raises:
        ConnectionNotFound, ConfigSchemaInvalid, TemplateMoved.
        IntegrationNotActive: it is disabled; nothing is decrypted.
        NothingToRollBack: nothing was replaced, or too long ago, or at another address.
        InvalidCredentials, ConnectionFailed: the replaced secrets do not work; those in use stay.
        VersionMismatch: it was changed meanwhile.
    """
    one, provider = access.found(context, identity)
    if not access.agreed(one, provider):
        raise TemplateMoved
    with context.transaction() as transaction:
        back = credentials.retiring(transaction, identity)
    if back is None:
        raise NothingToRollBack
    secret = access.secrets(context, one, back.version)
    config_schema.validate(provider.config_schema, one.config | secret)
    tested = testing.demand(context, one, Account(provider, one.environment, one.config, secret))
    key = audit.fingerprint_key(context)
    before = _fingerprints_in_use(context, one, key)
    with context.transaction() as transaction:
        changed = rows.update(transaction, identity, one.version, _NOTHING)
        credentials.roll_back(transaction, identity, back.version)
        testing.settle(transaction, identity, changed.version, tested)
        changed = rows.find(transaction, identity)
        audit.note(
            context,
            transaction,
            Action.CREDENTIAL_ROLLED_BACK,
            one,
            before=audit.shown(one) | {"secrets": before},
            after=audit.shown(changed) | {"secrets": audit.fingerprints(key, secret)},
        )
    return changed


def _fingerprints_in_use(context: RequestContext, one: Connection, key: bytes) -> dict[str, str]:
    """Of the secrets in use; none where those cannot be read, which may be why they are replaced."""
    try:
        return audit.fingerprints(key, access.secrets(context, one))
    except CredentialUnreadable:
        return {}


def _demand_secrets(provider: Provider, config: dict[str, Any]) -> None:
    if not config:
        raise InvalidRequest("config must have at least one secret field")
    plain = sorted(set(config) - config_schema.secret_fields(provider.config_schema))
    if plain:
        raise InvalidRequest(f"{shown_name(plain[0])} is not a secret field of this template")


def enable(context: RequestContext, identity: UUID) -> Connection:
    """Let a connection be used, if its test succeeds; returns how it stands then.

    Raises:
        ConnectionNotFound.
        TemplateMoved: as for test; the connection stays as it was.
    """
    before, provider = access.found(context, identity, disabled=True)
    account = access.account(context, before, provider)
    if before.status == "disconnected":
        with context.transaction() as transaction:
            one = rows.enable(transaction, identity)
            audit.note(
                context, transaction, Action.CONNECTION_ENABLED, one, before=audit.shown(before), after=audit.shown(one)
            )
        before = one
    return testing.judge(context, before, account)[1]


def disable(context: RequestContext, identity: UUID) -> Connection:
    """Stop a connection from being used until it is enabled. Raises ConnectionNotFound."""
    with context.transaction() as transaction:
        before = rows.find(transaction, identity)
        one = rows.disable(transaction, identity)
        audit.note(
            context, transaction, Action.CONNECTION_DISABLED, one, before=audit.shown(before), after=audit.shown(one)
        )
    return one


def delete(context: RequestContext, identity: UUID) -> None:
    """Take a connection away and destroy its credentials; its logs and its audit stay. Raises ConnectionNotFound."""
    with context.transaction() as transaction:
        one = rows.find(transaction, identity)
        # The connection's row first, as all who change it and its credential do, so that none waits in a circle.
        rows.delete(transaction, identity)
        versions = credentials.destroy(transaction, identity)
        audit.note(context, transaction, Action.CREDENTIAL_DESTROYED, one, after={"versions": versions})
        audit.note(context, transaction, Action.CONNECTION_DELETED, one, before=audit.shown(one))


def _checked(provider: Provider, config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    config_schema.validate(provider.config_schema, config)
    return config_schema.split(provider.config_schema, config)
