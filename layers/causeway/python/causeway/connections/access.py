"""A connection about to be used: its provider, its secrets, and the log of the calls made with them.

KMS and providers are called between transactions, never inside one.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from uuid import UUID

from aws_lambda_powertools import Logger

from causeway import catalogue, credentials, data_keys, database, provider_calls
from causeway.audit_log import Action
from causeway.catalogue import Provider
from causeway.connections import audit, call_log, rows
from causeway.connections.rows import Connection
from causeway.context import RequestContext
from causeway.credentials import Secrets
from causeway.errors import CausewayError, CredentialUnreadable, IntegrationNotActive, TemplateMoved
from causeway.outbound import Attempt
from causeway.provider_calls import Account

logger = Logger(child=True)


def found(context: RequestContext, identity: UUID, *, disabled: bool = False) -> tuple[Connection, Provider]:
    """Return a connection about to be used, and its provider; its use is written down before anything is decrypted."""
    with context.transaction() as transaction:
        one = rows.find(transaction, identity)
        if one.status == "disconnected" and not disabled:
            raise IntegrationNotActive
        provider = catalogue.find(transaction, one.provider_key)
        audit.note(context, transaction, Action.CREDENTIAL_USED, one)
    return one, provider


def agreed(one: Connection, provider: Provider) -> bool:
    """Return whether the template is as the admin knew it, or as a release made it: what asks where secrets go."""
    return not provider.changed_by_admin or provider_calls.terms(provider, one.environment) == one.terms


def account(context: RequestContext, one: Connection, provider: Provider) -> Account:
    """Return the account a connection has at its provider, its secrets opened.

    Raises:
        TemplateMoved: the template is not the one the connection was made for; nothing is decrypted.
        CredentialMissing, CredentialUnreadable, KeyServiceUnavailable: as credentials.read.
    """
    if not agreed(one, provider):
        raise TemplateMoved
    return Account(provider, one.environment, one.config, secrets(context, one))


def secrets(context: RequestContext, one: Connection, version: int | None = None) -> Secrets:
    """Return a connection's secrets; one that cannot be read is written down. Raises as credentials.read.

    Args:
        context: who uses them.
        one: the connection.
        version: of its credential; None: the one in use.
    """
    tenant, identity = context.caller.tenant, UUID(one.connection_id)
    try:
        return credentials.read(database.current(), data_keys.current(), tenant, identity, version)
    except CredentialUnreadable:
        with context.transaction() as transaction:
            audit.note(context, transaction, Action.CREDENTIAL_UNREADABLE, one, outcome="failed")
        raise


@contextmanager
def logged(context: RequestContext, one: Connection) -> Generator[Callable[[Attempt], None]]:
    """Take note of the calls made with a connection, and keep them in its log when the block ends.

    The platform has done by then what it was asked for: a log that fails undoes nothing.
    """
    attempts: list[Attempt] = []
    try:
        yield attempts.append
    finally:
        _keep(context, one, attempts)


def _keep(context: RequestContext, one: Connection, attempts: list[Attempt]) -> None:
    if not attempts:
        return
    try:
        with context.transaction() as transaction:
            for attempt in attempts:
                call_log.keep(transaction, UUID(one.connection_id), attempt, context.request_id)
    except CausewayError as error:
        logger.warning("Calls could not be logged", extra={"reason": error.cause or error.sentence})
