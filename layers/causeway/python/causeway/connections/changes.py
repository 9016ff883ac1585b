"""Connections made, changed, given new secrets, switched on and off, deleted: tested and written down.

KMS and providers are called between transactions, never inside one.
"""

from uuid import UUID, uuid4

from causeway import catalogue, config_schema, credentials, provider_calls
from causeway.audit_log import Action
from causeway.connections import access, audit, reconfiguration, rows, testing
from causeway.connections.requests import Change, Draft, NewSecrets
from causeway.connections.rows import Connection
from causeway.context import RequestContext
from causeway.errors import CredentialUnreadable, NothingToRollBack, ProviderInactive, TemplateMoved
from causeway.idempotency import Claim
from causeway.provider_calls import Account

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
    claim = None if idempotency_key is None else Claim.of(idempotency_key, draft.as_json(), key)
    with context.transaction() as transaction:
        provider = catalogue.find(transaction, draft.template_id)
    if not provider.is_active:
        raise ProviderInactive
    plain, secret = reconfiguration.checked(provider, draft.config)
    connection_id = uuid4()
    sealed = reconfiguration.sealed(context, connection_id, secret)
    terms = provider_calls.terms(provider, draft.environment)
    with context.transaction() as transaction:
        found, made = rows.create(transaction, connection_id, draft, plain, terms, context.caller.subject, claim)
        if made:
            credentials.promote(transaction, connection_id, credentials.store(transaction, sealed))
        connection = rows.find(transaction, found)
        if made:
            kept = {"secrets": audit.fingerprints(key, secret)}
            audit.note(
                context, transaction, Action.CONNECTION_CREATED, connection, after=audit.shown(connection) | kept
            )
            audit.note(context, transaction, Action.CREDENTIAL_STORED, connection, after=kept)
    if not made:
        return connection, False
    return testing.judge(context, connection, Account(provider, connection.environment, plain, secret))[1], True


def change(context: RequestContext, connection_id: UUID, version: int, wanted: Change) -> Connection:
    """Change a connection. Its config is tested as it would be; one that fails replaces nothing.

    Args:
        context: who changes it.
        connection_id: the connection.
        version: the one its reader saw.
        wanted: what to change; a field of the config that is null is taken away, a secret left out stays.

    Raises:
        ConnectionNotFound, VersionMismatch, NameTaken, ConfigSchemaInvalid.
        IntegrationNotActive: it is disabled, and a secret in use was left out; nothing is decrypted.
        SecretsRequired: the address would change, and a secret was left out.
        TemplateMoved: the template is not the agreed one, and a secret in use was left out; nothing is decrypted.
        InvalidCredentials, ConnectionFailed: the new config does not work; nothing is changed.
    """
    if wanted.config is not None:
        return reconfiguration.reconfigure(context, connection_id, version, wanted, wanted.config)
    with context.transaction() as transaction:
        connection = rows.find(transaction, connection_id)
        changed = rows.update(transaction, connection_id, version, wanted)
        audit.note(
            context,
            transaction,
            Action.CONNECTION_CHANGED,
            connection,
            before=audit.shown(connection),
            after=audit.shown(changed),
        )
    return changed


def rotate(context: RequestContext, connection_id: UUID, fresh: NewSecrets) -> Connection:
    """Replace secrets by new ones that a test found working; for a while roll_back brings the old ones back.

    Raises:
        ConnectionNotFound, ConfigSchemaInvalid.
        IntegrationNotActive: it is disabled, and a secret in use was left out; nothing is decrypted.
        InvalidRequest: a field is no secret, or nothing would change.
        InvalidCredentials, ConnectionFailed: the new secrets do not work; the old stay in use.
    """
    return reconfiguration.reconfigure(context, connection_id, None, _NOTHING, fresh.config)


def roll_back(context: RequestContext, connection_id: UUID) -> Connection:
    """Put the secrets that were replaced last back into use, if a test finds them working still.

    Raises:
        ConnectionNotFound, ConfigSchemaInvalid, TemplateMoved.
        IntegrationNotActive: it is disabled; nothing is decrypted.
        NothingToRollBack: nothing was replaced, or too long ago, or at another address.
        InvalidCredentials, ConnectionFailed: the replaced secrets do not work; those in use stay.
        VersionMismatch: it was changed meanwhile.
    """
    connection, provider = access.found(context, connection_id)
    if not access.agreed(connection, provider):
        raise TemplateMoved
    with context.transaction() as transaction:
        back = credentials.retiring(transaction, connection_id)
    if back is None:
        raise NothingToRollBack
    secret = access.read_secrets(context, connection, back.version)
    config_schema.validate(provider.config_schema, connection.config | secret)
    tested = testing.demand(context, connection, Account(provider, connection.environment, connection.config, secret))
    key = audit.fingerprint_key(context)
    before = _fingerprints_in_use(context, connection, key)
    with context.transaction() as transaction:
        changed = rows.update(transaction, connection_id, connection.version, _NOTHING)
        credentials.roll_back(transaction, connection_id, back.version)
        changed = reconfiguration.settled(transaction, changed, tested)
        audit.note(
            context,
            transaction,
            Action.CREDENTIAL_ROLLED_BACK,
            connection,
            before=audit.shown(connection) | {"secrets": before},
            after=audit.shown(changed) | {"secrets": audit.fingerprints(key, secret)},
        )
    return changed


def _fingerprints_in_use(context: RequestContext, connection: Connection, key: bytes) -> dict[str, str]:
    """Of the secrets in use; none where those cannot be read, which may be why they are replaced."""
    try:
        return audit.fingerprints(key, access.read_secrets(context, connection))
    except CredentialUnreadable:
        return {}


def enable(context: RequestContext, connection_id: UUID) -> Connection:
    """Let a connection be used, if its test succeeds; returns how it stands then.

    Raises:
        ConnectionNotFound.
        TemplateMoved: as for test; the connection stays as it was.
        VersionMismatch: it was changed meanwhile.
    """
    before, provider = access.found(context, connection_id, disabled=True)
    account = access.account(context, before, provider)
    if before.status == "disconnected":
        with context.transaction() as transaction:
            connection = rows.enable(transaction, connection_id, before.version)
            audit.note(
                context,
                transaction,
                Action.CONNECTION_ENABLED,
                connection,
                before=audit.shown(before),
                after=audit.shown(connection),
            )
        before = connection
    return testing.judge(context, before, account)[1]


def disable(context: RequestContext, connection_id: UUID) -> Connection:
    """Stop a connection from being used until it is enabled. Raises ConnectionNotFound."""
    with context.transaction() as transaction:
        before = rows.find(transaction, connection_id)
        connection = rows.disable(transaction, connection_id)
        audit.note(
            context,
            transaction,
            Action.CONNECTION_DISABLED,
            connection,
            before=audit.shown(before),
            after=audit.shown(connection),
        )
    return connection


def delete(context: RequestContext, connection_id: UUID) -> None:
    """Take a connection away and destroy its credentials; its logs and its audit stay. Raises ConnectionNotFound."""
    with context.transaction() as transaction:
        connection = rows.find(transaction, connection_id)
        # The connection's row first, as all who change it and its credential do, so that none waits in a circle.
        rows.delete(transaction, connection_id)
        versions = credentials.destroy(transaction, connection_id)
        audit.note(context, transaction, Action.CREDENTIAL_DESTROYED, connection, after={"versions": versions})
        audit.note(context, transaction, Action.CONNECTION_DELETED, connection, before=audit.shown(connection))
