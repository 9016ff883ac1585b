"""Connections made, changed, given new secrets, switched on and off, deleted: tested and written down.

KMS and providers are called between transactions, never inside one.
"""

from uuid import UUID

from causeway.audit_log.entries import Action
from causeway.catalogue import providers, validation
from causeway.connections import access, audit, reconfiguration, rows, testing, writes
from causeway.connections.connection import Connection
from causeway.connections.requests import Change, Draft, NewSecrets
from causeway.database.postgres import Transaction
from causeway.errors.catalogue import ProviderInactive
from causeway.errors.connections import TemplateMoved
from causeway.errors.requests import VersionMismatch
from causeway.errors.vault import CredentialMissing, CredentialUnreadable, NothingToRollBack
from causeway.platforms.account import Account, demand_address
from causeway.tenancy.context import RequestContext
from causeway.vault import credentials, versions
from causeway.vault.credentials import Secrets
from causeway.wire.preconditions import ANY, Expected

# What new secrets change of the rest.
_NOTHING = Change(name=None, description=None, config=None)


def create(context: RequestContext, draft: Draft) -> Connection:
    """Make a connection, test it, and return how it stands; one that was deleted meanwhile is returned as it ended.

    Args:
        context: who makes it.
        draft: as sent.

    Raises:
        ProviderNotFound, ProviderInactive: there is no such template, or no new connections are made with it.
        ConfigInvalid: the platform has no such environment, or the config has no address that can be called.
        ConfigSchemaInvalid: the config does not fit the template; its path is named.
        NameTaken: another connection has the name.
        KeyServiceUnavailable: nothing is stored.
    """
    connection_id = context.new_id()
    if context.resumed:
        return _tested(context, connection_id)
    with context.transaction() as transaction:
        provider = providers.find(transaction, draft.template_id)
    key = audit.fingerprint_key(context)
    if not provider.is_active:
        raise ProviderInactive
    plain, secret = reconfiguration.checked(provider, draft.config)
    # Or its secrets would stand with an address that somebody else may give later.
    demand_address(Account(provider, draft.environment, plain, secret))
    sealed = reconfiguration.sealed(context, connection_id, secret)
    terms = provider.terms_digest(draft.environment)
    with context.transaction() as transaction:
        connection = writes.create(transaction, connection_id, draft, plain, terms, context.caller.subject)
        stored = Secrets.of(secret, credentials.store_first(transaction, sealed))
        kept = {"secrets": audit.fingerprints_of(key, secret)}
        audit.note(context, transaction, Action.CONNECTION_CREATED, connection, after=audit.shown(connection) | kept)
        audit.note(context, transaction, Action.CREDENTIAL_STORED, connection, after=kept)
        context.checkpoint(transaction)
    account = Account(provider, connection.environment, plain, stored)
    return testing.judge(context, connection, account, anew=True, deleted=True)


def _tested(context: RequestContext, connection_id: UUID) -> Connection:
    """Go on with a creation that failed after the connection was made: test it, unless somebody did, or changed it."""
    with context.transaction() as transaction:
        made = rows.find(transaction, connection_id, deleted=True)
        if made.status != "pending" or made.version != 1:
            context.finish(transaction, made)
            return made
        use = access.find(transaction, connection_id)
    try:
        account = access.account(context, use)
    except (TemplateMoved, CredentialMissing, CredentialUnreadable):
        # It is made all the same, and shows what is wrong.
        with context.transaction() as transaction:
            made = rows.find(transaction, connection_id, deleted=True)
            context.finish(transaction, made)
        return made
    return testing.judge(context, use.connection, account, anew=True, deleted=True)


def change(context: RequestContext, connection_id: UUID, expected: Expected, wanted: Change) -> Connection:
    """Change a connection. Its config is tested as it would be; one that fails replaces nothing.

    Args:
        context: who changes it.
        connection_id: the connection.
        expected: the versions its reader saw.
        wanted: what to change; a field of the config that is null is taken away, a secret left out stays.

    Raises:
        ConnectionNotFound, VersionMismatch, NameTaken, ConfigSchemaInvalid.
        IntegrationNotActive: it is disabled, and a secret in use was left out; nothing is decrypted.
        SecretsRequired: the address or the environment would change, and a secret was left out.
        TemplateMoved: the template is not the agreed one, and a secret in use was left out; nothing is decrypted.
        The verdict's error: the new config does not work; nothing is changed.
    """
    if wanted.reconfigures:
        return reconfiguration.reconfigure(context, connection_id, expected, wanted, wanted.config or {})
    with context.transaction() as transaction:
        before = rows.find(transaction, connection_id, lock=True)
        expected.check(before.version)
        changed = writes.update(transaction, connection_id, before.version, wanted)
        _note_change(context, transaction, Action.CONNECTION_CHANGED, before, changed)
        context.finish(transaction, changed)
    return changed


def rotate(context: RequestContext, connection_id: UUID, fresh: NewSecrets, expected: Expected) -> Connection:
    """Replace secrets by new ones that a test found working; for a while roll_back brings the old ones back.

    Raises:
        ConnectionNotFound, VersionMismatch, ConfigSchemaInvalid.
        IntegrationNotActive, TemplateMoved: a secret in use was left out, and may not be used; nothing is decrypted.
        CredentialMissing, CredentialUnreadable: a secret in use was left out, and cannot be read.
        SecretsRequired: a secret was left out, and the address has a new one in it.
        InvalidRequest: a field is no secret, or nothing would change.
        KeyServiceUnavailable: nothing is stored.
        The verdict's error: the new secrets do not work; the old stay in use.
    """
    return reconfiguration.reconfigure(context, connection_id, expected, _NOTHING, fresh.config, secrets_alone=True)


def roll_back(context: RequestContext, connection_id: UUID, expected: Expected) -> Connection:
    """Put the secrets that were replaced last back into use, if a test finds them working still.

    Raises:
        ConnectionNotFound, VersionMismatch, ConfigSchemaInvalid, TemplateMoved.
        IntegrationNotActive: it is disabled; nothing is decrypted.
        NothingToRollBack: nothing was replaced, or too long ago, or at another address.
        CredentialMissing, CredentialUnreadable, KeyServiceUnavailable: the replaced secrets cannot be read.
        The verdict's error: the replaced secrets do not work; those in use stay.
    """
    with context.transaction() as transaction:
        use = access.find(transaction, connection_id, expected=expected)
        back = versions.rollback_target(transaction, connection_id)
        replaced = None if back is None else credentials.find(transaction, connection_id, back.version)
    connection, provider = use.connection, use.provider
    connection.check_template()
    if back is None or replaced is None:
        raise NothingToRollBack
    if replaced.connection_version != connection.version:
        raise VersionMismatch(current=replaced.connection_version)
    secret = access.unsealed(context, connection, replaced, in_use=False)
    validation.validate(provider.config_schema, connection.config | secret)
    tested = testing.demand(context, connection, Account(provider, connection.environment, connection.config, secret))
    key = audit.fingerprint_key(context)
    before = _fingerprints_in_use(context, use, key)
    with context.transaction() as transaction:
        changed = writes.update(transaction, connection_id, connection.version, _NOTHING)
        versions.roll_back(transaction, connection_id, back.version)
        changed = testing.settle(transaction, changed, tested, anew=True)
        audit.note(
            context,
            transaction,
            Action.CREDENTIAL_ROLLED_BACK,
            connection,
            before=audit.shown(connection) | {"secrets": before},
            after=audit.shown(changed) | {"secrets": audit.fingerprints_of(key, secret)},
        )
        context.finish(transaction, changed)
    return changed


def _fingerprints_in_use(context: RequestContext, use: access.Found, key: bytes) -> dict[str, str]:
    """Of the secrets in use; none where those cannot be read, which may be why they are replaced."""
    try:
        return audit.fingerprints_of(key, access.unsealed(context, use.connection, use.stored))
    except CredentialUnreadable:
        return {}


def enable(context: RequestContext, connection_id: UUID, expected: Expected) -> Connection:
    """Let a connection be used, if its test succeeds; returns how it stands then.

    Raises:
        ConnectionNotFound, VersionMismatch.
        TemplateMoved: as for test; the connection stays as it was.
    """
    # What an earlier attempt has enabled is another version by now.
    with context.transaction() as transaction:
        use = access.find(transaction, connection_id, disabled=True, expected=ANY if context.resumed else expected)
        connection = use.connection
        disabled = connection.status == "disconnected"
        if disabled and context.resumed:
            # Somebody disabled it after that attempt.
            context.finish(transaction, connection)
            return connection
    account = access.account(context, use)
    if disabled:
        with context.transaction() as transaction:
            connection = writes.enable(transaction, connection_id, use.connection.version)
            _note_change(context, transaction, Action.CONNECTION_ENABLED, use.connection, connection)
            context.checkpoint(transaction)
    return testing.judge(context, connection, account, anew=disabled or context.resumed)


def disable(context: RequestContext, connection_id: UUID, expected: Expected) -> Connection:
    """Stop a connection from being used until it is enabled. Raises ConnectionNotFound, VersionMismatch."""
    with context.transaction() as transaction:
        before = rows.find(transaction, connection_id, lock=True)
        expected.check(before.version)
        connection = writes.disable(transaction, connection_id, before.version)
        _note_change(context, transaction, Action.CONNECTION_DISABLED, before, connection)
        context.finish(transaction, connection)
    return connection


def delete(context: RequestContext, connection_id: UUID, expected: Expected) -> None:
    """Take a connection away and destroy its credentials; its logs and its audit stay.

    Raises:
        ConnectionNotFound, VersionMismatch.
    """
    with context.transaction() as transaction:
        # Lock the connection's row first, as all who change it and its credential do: no deadlocks.
        connection = rows.find(transaction, connection_id, lock=True)
        expected.check(connection.version)
        writes.delete(transaction, connection_id, connection.version)
        destroyed = versions.destroy(transaction, connection_id)
        audit.note(context, transaction, Action.CREDENTIAL_DESTROYED, connection, after={"versions": destroyed})
        audit.note(context, transaction, Action.CONNECTION_DELETED, connection, before=audit.shown(connection))
        context.finish(transaction, None)


def _note_change(
    context: RequestContext, transaction: Transaction, action: Action, before: Connection, after: Connection
) -> None:
    audit.note(context, transaction, action, before, before=audit.shown(before), after=audit.shown(after))
