"""A connection about to be used: its provider, its secrets, and the log of the calls made with them.

KMS and providers are called between transactions, never inside one.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from uuid import UUID

from aws_lambda_powertools import Logger

from causeway.audit_log.entries import Action
from causeway.catalogue import providers
from causeway.catalogue.providers import Provider
from causeway.connections import audit, call_log, rows, standing
from causeway.connections.connection import Connection
from causeway.database.postgres import Transaction
from causeway.errors.connections import IntegrationNotActive, NotSupported
from causeway.errors.requests import VersionMismatch
from causeway.errors.tree import CausewayError
from causeway.errors.vault import CredentialMissing, CredentialUnreadable
from causeway.outbound.client import Attempt
from causeway.platforms.account import Account
from causeway.platforms.verdicts import Verdict
from causeway.tenancy.context import Context
from causeway.vault import credentials, data_keys
from causeway.vault.credentials import Secrets, StoredCredential
from causeway.wire.preconditions import ANY, Expected

logger = Logger(child=True)


@dataclass(frozen=True, slots=True)
class Found:
    """A connection about to be used, its provider, and its credential in use, not opened yet."""

    connection: Connection
    provider: Provider
    stored: StoredCredential

    @property
    def agreed(self) -> bool:
        """True if no super admin changed the template since the tenant agreed to it."""
        return not self.connection.template_changed


def found(
    context: Context,
    connection_id: UUID,
    *provider_keys: str,
    active: bool = False,
    disabled: bool = False,
    expected: Expected = ANY,
) -> Found:
    """Return a connection about to be used, read in one transaction; nothing is decrypted.

    Args:
        context: who uses it.
        connection_id: the connection.
        provider_keys: the providers it may be of; none: any.
        active: only one that may be used as it is.
        disabled: one that is disabled too.
        expected: the versions its user means.

    Raises:
        ConnectionNotFound, CredentialMissing.
        VersionMismatch: it is another version.
        IntegrationNotActive: it is disabled.
        IntegrationNotActive, TemplateMoved, CredentialUnreadable: active was asked for, and it may not be used.
        NotSupported: it is another provider's.
    """
    with context.transaction() as transaction:
        return find(transaction, connection_id, *provider_keys, active=active, disabled=disabled, expected=expected)


def find(
    transaction: Transaction,
    connection_id: UUID,
    *provider_keys: str,
    active: bool = False,
    disabled: bool = False,
    expected: Expected = ANY,
) -> Found:
    """Do as found does, in a transaction that is open."""
    connection = rows.find(transaction, connection_id)
    expected.check(connection.version)
    provider = providers.find(transaction, connection.provider_key)
    # The template may have changed since the first statement: the connection is judged by the one that is used.
    changed = provider.terms(connection.environment) if provider.changed_by_admin else None
    connection = replace(connection, changed_template=changed)
    if active:
        connection.check_usable()
    if connection.status == "disconnected" and not disabled:
        raise IntegrationNotActive("The connection is disabled")
    if provider_keys and connection.provider_key not in provider_keys:
        raise NotSupported
    stored = credentials.find(transaction, connection_id)
    # New secrets and the version are changed at once: secrets of another version may be for another address.
    if stored.connection_version != connection.version:
        raise VersionMismatch(current=stored.connection_version)
    return Found(connection, provider, stored)


def account(context: Context, use: Found) -> Account:
    """Return the account a connection has at its provider, its secrets opened.

    Raises:
        TemplateMoved: the template is not the one the connection was made for; nothing is decrypted.
        CredentialMissing, CredentialUnreadable, KeyServiceUnavailable: as credentials.decrypt.
    """
    connection = use.connection
    connection.check_template()
    return Account(use.provider, connection.environment, connection.config, unsealed(context, connection, use.stored))


def unsealed(context: Context, connection: Connection, stored: StoredCredential, *, in_use: bool = True) -> Secrets:
    """Return a connection's secrets; what cannot be opened is written down.

    Args:
        context: who opens them.
        connection: the connection.
        stored: a version of its credential.
        in_use: whether it is the one in use, without which the connection does not work.

    Raises:
        CredentialMissing, CredentialUnreadable, KeyServiceUnavailable: as credentials.decrypt.
    """
    try:
        return credentials.decrypt(data_keys.current(), stored)
    except (CredentialMissing, CredentialUnreadable) as error:
        with context.transaction() as transaction:
            if in_use:
                standing.unopened(transaction, connection, error)
            if isinstance(error, CredentialUnreadable):
                audit.note(context, transaction, Action.CREDENTIAL_UNREADABLE, connection, outcome="failed")
        raise


@contextmanager
def logged(
    context: Context, connection: Connection, secrets: Mapping[str, str], observed: Sequence[Verdict] = ()
) -> Generator[Callable[[Attempt], None]]:
    """Take note of the calls made with a connection, and keep them in its log when the block ends.

    The platform has done by then what it was asked for: a log that fails undoes nothing.

    Args:
        context: who makes them.
        connection: the connection.
        secrets: which the calls are made with.
        observed: what the calls have shown of the connection, when the block ends.
    """
    attempts: list[Attempt] = []
    version = secrets.version if isinstance(secrets, Secrets) else None
    use = call_log.Use(context.request_id, context.actor_kind, context.actor, context.source_ip, version)
    try:
        yield attempts.append
    finally:
        _keep(context, connection, attempts, use, observed)


def _keep(
    context: Context,
    connection: Connection,
    attempts: list[Attempt],
    use: call_log.Use,
    observed: Sequence[Verdict],
) -> None:
    """Keep the attempts, then what they have shown: that waits for others, and must not take the log with it."""
    if not attempts:
        return
    news = False
    with _told("Calls could not be logged"), context.transaction() as transaction:
        call_log.keep(transaction, UUID(connection.connection_id), attempts, use)
        news = any(standing.is_news(transaction, connection, verdict) for verdict in observed)
    if news:
        with _told("What calls have shown could not be noted"), context.transaction() as transaction:
            standing.observe(transaction, connection, observed)


@contextmanager
def _told(sentence: str) -> Generator[None]:
    """Write to the function's log that a block failed, and go on."""
    try:
        yield
    except CausewayError as error:
        logger.warning(sentence, extra={"reason": error.cause or error.sentence})
