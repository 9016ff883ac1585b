"""Changes of connections: create, change, rotate, roll back, enable, disable, delete; tested and audited.

KMS and platforms are called between transactions, never in one.
"""

from dataclasses import replace
from uuid import UUID

from causeway.audit_log.entries import Action
from causeway.catalogue import oauth_fields, providers, validation
from causeway.connections import access, answers, audit_entries, reconfiguration, rows, testing, writes
from causeway.connections.access import StoredConnection
from causeway.connections.connection import ConnectionReference, ConnectionRow
from causeway.connections.requests import ConnectionChange, ConnectionDraft, NewSecrets
from causeway.database.postgres import Transaction
from causeway.errors.catalogue import ProviderInactive
from causeway.errors.connections import TemplateMoved
from causeway.errors.requests import VersionMismatch
from causeway.errors.vault import CredentialMissing, CredentialUnreadable, NothingToRollBack
from causeway.platforms.account import Account
from causeway.platforms.calls import check_address
from causeway.tenancy.context import RequestContext
from causeway.vault import credentials, versions
from causeway.vault.credentials import Secrets, StoredCredential
from causeway.wire.preconditions import ANY, Expected

# A rotation changes nothing beside the secrets.
_NOTHING = ConnectionChange.model_construct()


def create(context: RequestContext, draft: ConnectionDraft) -> ConnectionRow:
    """Create a connection, test it, and return it as it is then, also if it was deleted meanwhile.

    Args:
        context: who creates it.
        draft: as sent.

    Raises:
        ProviderNotFound, ProviderInactive: there is no such template, or it takes no new connections.
        ConfigInvalid: the platform has no such environment, or the config has no address that can be called.
        ConfigSchemaInvalid: the config does not fit the template; its path is named.
        NameTaken, ExternalIdTaken: another connection has the name or the external id.
        KeyServiceUnavailable: nothing is stored.
    """
    connection_id = context.new_id()
    if context.resumed:
        return _resume_creation(context, connection_id)
    with context.transaction() as transaction:
        provider = providers.find(transaction, draft.template_id)
    key = audit_entries.fingerprint_key(context)
    if not provider.is_active:
        raise ProviderInactive
    plain, secret = reconfiguration.split_config(provider, draft.config)
    # Require an address: otherwise somebody else could later give the address that the secrets are sent to.
    check_address(Account(provider, draft.environment, plain, secret))
    encrypted = reconfiguration.encrypted(context, connection_id, secret)
    terms = provider.terms_digest(draft.environment)
    with context.transaction() as transaction:
        connection = writes.create(transaction, connection_id, draft, plain, terms, context.caller.subject)
        secrets = Secrets.of(secret, credentials.store_first(transaction, encrypted))
        _audit_creation(context, transaction, connection, audit_entries.fingerprints_of(key, secret))
        context.checkpoint(transaction)
    account = Account(provider, connection.environment, plain, secrets)
    stored = StoredConnection(connection, provider, StoredCredential(secrets.version, connection.version, {}))
    tokens = access.tokens(context, stored, anew=True)
    return testing.call_and_save(context, connection, account, tokens, fresh=True, deleted=True)


def _audit_creation(
    context: RequestContext, transaction: Transaction, connection: ConnectionRow, fingerprints: dict[str, str]
) -> None:
    secret = {"secrets": fingerprints}
    settings = answers.audited(connection)
    audit_entries.record(context, transaction, Action.CONNECTION_CREATED, connection, after=settings | secret)
    audit_entries.record(context, transaction, Action.CREDENTIAL_STORED, connection, after=secret)


def _resume_creation(context: RequestContext, connection_id: UUID) -> ConnectionRow:
    """Go on after the connection was made: test it, unless it was tested or changed since."""
    with context.transaction() as transaction:
        made = rows.find(transaction, connection_id, deleted=True)
        if made.status != "pending" or made.version != 1:
            context.finish(transaction, made)
            return made
        stored = access.load_in(transaction, connection_id)
    try:
        account = access.decrypt_account(context, stored)
    except (TemplateMoved, CredentialMissing, CredentialUnreadable):
        # The connection is made all the same; its status says what is wrong.
        with context.transaction() as transaction:
            made = rows.find(transaction, connection_id, deleted=True)
            context.finish(transaction, made)
        return made
    tokens = access.tokens(context, stored, anew=True)
    return testing.call_and_save(context, stored.connection, account, tokens, fresh=True, deleted=True)


def change(
    context: RequestContext, reference: ConnectionReference, expected: Expected, wanted: ConnectionChange
) -> ConnectionRow:
    """Change a connection. A new config is tested before it is saved; if the test fails, nothing is changed.

    Args:
        context: who changes it.
        reference: the connection.
        expected: the versions that the caller saw.
        wanted: what to change; a field of the config that is null is removed, a secret that is left out stays.

    Raises:
        ConnectionNotFound, VersionMismatch, NameTaken, ExternalIdTaken, ConfigSchemaInvalid.
        IntegrationNotActive: it is disabled, and a secret in use was left out; nothing is decrypted.
        SecretsRequired: the address or the environment would change, and a secret was left out.
        TemplateMoved: the template is not the agreed one, and a secret in use was left out; nothing is decrypted.
        The verdict's error: the new config does not work; nothing is changed.
    """
    if wanted.reconfigures:
        return reconfiguration.reconfigure(context, reference, expected, wanted, wanted.config or {})
    with context.transaction() as transaction:
        before = rows.find(transaction, reference, lock=True)
        expected.check(before.version)
        changed = writes.update(transaction, before.connection_id, before.version, wanted)
        _audit_change(context, transaction, Action.CONNECTION_CHANGED, before, changed)
        context.finish(transaction, changed)
    return changed


def rotate(
    context: RequestContext, reference: ConnectionReference, fresh: NewSecrets, expected: Expected
) -> ConnectionRow:
    """Replace secrets by new ones, if a test with these succeeds; for a while roll_back brings the old ones back.

    Raises:
        ConnectionNotFound, VersionMismatch, ConfigSchemaInvalid.
        IntegrationNotActive, TemplateMoved: a secret in use was left out, and may not be used; nothing is decrypted.
        CredentialMissing, CredentialUnreadable: a secret in use was left out, and cannot be decrypted.
        SecretsRequired: a secret was left out, and a new secret is part of the address.
        InvalidRequest: a field is not a secret, or nothing would change.
        KeyServiceUnavailable: nothing is stored.
        The verdict's error: the new secrets do not work; the old stay in use.
    """
    return reconfiguration.reconfigure(context, reference, expected, _NOTHING, fresh.config, secrets_only=True)


def roll_back(context: RequestContext, reference: ConnectionReference, expected: Expected) -> ConnectionRow:
    """Put the secrets that were replaced last back into use, if a test with these succeeds.

    Raises:
        ConnectionNotFound, VersionMismatch, ConfigSchemaInvalid, TemplateMoved.
        IntegrationNotActive: it is disabled; nothing is decrypted.
        NothingToRollBack: nothing was replaced, or too long ago, or the address was another.
        CredentialMissing, CredentialUnreadable, KeyServiceUnavailable: the replaced secrets cannot be decrypted.
        The verdict's error: the replaced secrets do not work; those in use stay.
    """
    with context.transaction() as transaction:
        stored = access.load_in(transaction, reference, expected=expected)
        connection_id = stored.connection.connection_id
        target = versions.rollback_target(transaction, connection_id)
        replaced = None if target is None else credentials.find(transaction, connection_id, target.version)
    connection, provider = stored.connection, stored.provider
    connection.check_template()
    if target is None or replaced is None:
        raise NothingToRollBack
    if replaced.connection_version != connection.version:
        raise VersionMismatch(current=replaced.connection_version)
    secret = access.decrypt_secrets(context, connection, replaced, in_use=False)
    validation.validate(oauth_fields.schema_before(provider.config_schema, provider.oauth), connection.config | secret)
    account = Account(provider, connection.environment, connection.config, secret)
    tokens = access.tokens(context, replace(stored, credential=replaced), anew=True, candidate=True)
    result = testing.call_or_refuse(context, connection, account, tokens)
    key = audit_entries.fingerprint_key(context)
    before = _fingerprints_in_use(context, stored, key)
    with context.transaction() as transaction:
        changed = writes.update(transaction, connection_id, connection.version, _NOTHING)
        versions.roll_back(transaction, connection_id, target.version)
        changed = testing.save_state(transaction, changed, result, fresh=True)
        audit_entries.record(
            context,
            transaction,
            Action.CREDENTIAL_ROLLED_BACK,
            connection,
            before=answers.audited(connection) | {"secrets": before},
            after=answers.audited(changed) | {"secrets": audit_entries.fingerprints_of(key, secret)},
        )
        context.finish(transaction, changed)
    return changed


def _fingerprints_in_use(context: RequestContext, stored: StoredConnection, key: bytes) -> dict[str, str]:
    """Return fingerprints of the secrets in use; empty where they cannot be decrypted."""
    try:
        return audit_entries.fingerprints_of(key, access.decrypt_secrets(context, stored.connection, stored.credential))
    except CredentialUnreadable:
        return {}


def enable(context: RequestContext, reference: ConnectionReference, expected: Expected) -> ConnectionRow:
    """Enable a connection and test it; returns it as it is then.

    Raises:
        ConnectionNotFound, VersionMismatch.
        TemplateMoved: the template is not the one the connection was made for; the connection stays disabled.
        CredentialMissing, CredentialUnreadable, KeyServiceUnavailable: its secrets cannot be decrypted.
    """
    # An earlier attempt of this call may have enabled it, which made a new version.
    with context.transaction() as transaction:
        stored = access.load_in(transaction, reference, disabled=True, expected=ANY if context.resumed else expected)
        connection = stored.connection
        disabled = connection.status == "disconnected"
        if disabled and context.resumed:
            # It was disabled again after that attempt.
            context.finish(transaction, connection)
            return connection
    account = access.decrypt_account(context, stored)
    if disabled:
        with context.transaction() as transaction:
            connection = writes.enable(transaction, connection.connection_id, connection.version)
            _audit_change(context, transaction, Action.CONNECTION_ENABLED, stored.connection, connection)
            context.checkpoint(transaction)
    tokens = access.tokens(context, stored, anew=True)
    return testing.call_and_save(context, connection, account, tokens, fresh=disabled or context.resumed)


def disable(context: RequestContext, reference: ConnectionReference, expected: Expected) -> ConnectionRow:
    """Stop a connection from being used until it is enabled. Raises ConnectionNotFound, VersionMismatch."""
    with context.transaction() as transaction:
        before = rows.find(transaction, reference, lock=True)
        expected.check(before.version)
        connection = writes.disable(transaction, before.connection_id, before.version)
        _audit_change(context, transaction, Action.CONNECTION_DISABLED, before, connection)
        context.finish(transaction, connection)
    return connection


def delete(context: RequestContext, reference: ConnectionReference, expected: Expected) -> None:
    """Delete a connection and destroy its credentials; its logs and audit entries stay.

    Raises:
        ConnectionNotFound, VersionMismatch.
    """
    with context.transaction() as transaction:
        # Lock the connection's row first, as every change of it and its credential does: no deadlocks.
        connection = rows.find(transaction, reference, lock=True)
        connection_id = connection.connection_id
        expected.check(connection.version)
        writes.delete(transaction, connection_id, connection.version)
        destroyed = versions.destroy(transaction, connection_id)
        audit_entries.record(
            context, transaction, Action.CREDENTIAL_DESTROYED, connection, after={"versions": destroyed}
        )
        audit_entries.record(
            context, transaction, Action.CONNECTION_DELETED, connection, before=answers.audited(connection)
        )
        context.finish(transaction, None)


def _audit_change(
    context: RequestContext, transaction: Transaction, action: Action, before: ConnectionRow, after: ConnectionRow
) -> None:
    audit_entries.record(
        context,
        transaction,
        action,
        before,
        before=answers.audited(before),
        after=answers.audited(after),
    )
