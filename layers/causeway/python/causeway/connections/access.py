"""A connection about to be used: its provider, its secrets, and the log of the calls made with them.

KMS and providers are called between transactions, never inside one.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from uuid import UUID

from aws_lambda_powertools import Logger

from causeway import catalogue, credentials, data_keys, provider_calls
from causeway.audit_log import Action
from causeway.catalogue import Provider
from causeway.connections import audit, call_log, rows
from causeway.connections.rows import Connection
from causeway.context import Context
from causeway.credentials import Secrets
from causeway.errors import (
    CausewayError,
    CredentialUnreadable,
    IntegrationNotActive,
    NotSupported,
    TemplateMoved,
    VersionMismatch,
)
from causeway.outbound import Attempt
from causeway.provider_calls import Account

logger = Logger(child=True)


def found(
    context: Context,
    connection_id: UUID,
    *provider_keys: str,
    active: bool = False,
    disabled: bool = False,
) -> tuple[Connection, Provider]:
    """Return a connection about to be used, and its provider; its use is written down before anything is decrypted.

    Args:
        context: who uses it.
        connection_id: the connection.
        provider_keys: the providers it may be of; none: any.
        active: only where its last test succeeded.
        disabled: where it is disabled too.

    Raises:
        ConnectionNotFound, IntegrationNotActive.
        NotSupported: it is another provider's.
    """
    with context.transaction() as transaction:
        connection = rows.find(transaction, connection_id)
        if active:
            rows.demand_active(connection)
        if connection.status == "disconnected" and not disabled:
            raise IntegrationNotActive
        if provider_keys and connection.provider_key not in provider_keys:
            raise NotSupported
        provider = catalogue.find(transaction, connection.provider_key)
        audit.note(context, transaction, Action.CREDENTIAL_USED, connection)
    return connection, provider


def agreed(connection: Connection, provider: Provider) -> bool:
    """Return whether the template is as the admin knew it, or as a release made it: what asks where secrets go."""
    return not provider.changed_by_admin or provider_calls.terms(provider, connection.environment) == connection.terms


def account(context: Context, connection: Connection, provider: Provider) -> Account:
    """Return the account a connection has at its provider, its secrets opened.

    Raises:
        TemplateMoved: the template is not the one the connection was made for; nothing is decrypted.
        CredentialMissing, CredentialUnreadable, KeyServiceUnavailable: as credentials.read.
    """
    if not agreed(connection, provider):
        raise TemplateMoved
    return Account(provider, connection.environment, connection.config, read_secrets(context, connection))


def read_secrets(context: Context, connection: Connection, version: int | None = None) -> Secrets:
    """Return a connection's secrets; one that cannot be read is written down.

    Args:
        context: who uses them.
        connection: whose they are, as it was read.
        version: of its credential; None: the one in use.

    Raises:
        ConnectionNotFound, VersionMismatch: it was changed since; its secrets may be for another address now.
        As credentials.read.
    """
    connection_id = UUID(connection.connection_id)
    try:
        secrets = credentials.read(context.database, data_keys.current(), context.tenant, connection_id, version)
    except CredentialUnreadable:
        with context.transaction() as transaction:
            audit.note(context, transaction, Action.CREDENTIAL_UNREADABLE, connection, outcome="failed")
        raise
    # A change puts new secrets into use and counts the version up at once: what is not seen now was not seen before.
    with context.transaction() as transaction:
        if rows.find(transaction, connection_id).version != connection.version:
            raise VersionMismatch
    return secrets


def secret_names(context: Context, connection: Connection) -> set[str]:
    """Return the names of the secrets a connection has in use; nothing is decrypted."""
    with context.transaction() as transaction:
        names = transaction.execute(
            """
            SELECT c.field FROM api_credentials AS c
            INNER JOIN api_credential_versions AS v USING (tenant_id, connection_id, version)
            WHERE c.tenant_id = current_tenant() AND c.connection_id = %s AND v.status = 'active'
            """,
            [connection.connection_id],
        )
        return {row.field for row in names}


@contextmanager
def logged(context: Context, connection: Connection) -> Generator[Callable[[Attempt], None]]:
    """Take note of the calls made with a connection, and keep them in its log when the block ends.

    The platform has done by then what it was asked for: a log that fails undoes nothing.
    """
    attempts: list[Attempt] = []
    try:
        yield attempts.append
    finally:
        _keep(context, connection, attempts)


def _keep(context: Context, connection: Connection, attempts: list[Attempt]) -> None:
    if not attempts:
        return
    try:
        with context.transaction() as transaction:
            for attempt in attempts:
                call_log.keep(transaction, UUID(connection.connection_id), attempt, context.request_id)
    except CausewayError as error:
        logger.warning("Calls could not be logged", extra={"reason": error.cause or error.sentence})
