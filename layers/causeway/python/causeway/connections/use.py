"""A connection opened for a block's calls to its platform, each call logged."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar
from uuid import UUID

from causeway.connections import access
from causeway.connections.access import StoredConnection
from causeway.errors.connections import NotSupported
from causeway.platforms import registry
from causeway.platforms.kinds.errors import ErrorReader
from causeway.platforms.open_account import OpenAccount
from causeway.tenancy.context import Context
from causeway.wire.preconditions import ANY, Expected

if TYPE_CHECKING:
    from causeway.platforms.verdicts import Verdict

Kind = TypeVar("Kind")


@contextmanager
def open_connection(context: Context, connection_id: UUID, *, expected: Expected = ANY) -> Generator[OpenAccount]:
    """Open an active connection's account for a block's calls, which are logged when the block ends.

    Args:
        context: who makes the calls.
        connection_id: the connection.
        expected: the versions of the connection that the caller saw.

    Raises:
        ConnectionNotFound, VersionMismatch.
        IntegrationNotActive: it may not be used; nothing is decrypted.
        TemplateMoved: a super admin changed the template since the tenant agreed to it; nothing is decrypted.
        CredentialMissing, CredentialUnreadable, KeyServiceUnavailable: its secrets cannot be decrypted.
    """
    with _opened(context, access.load(context, connection_id, active=True, expected=expected)) as account:
        yield account


@contextmanager
def open_platform(
    context: Context, connection_id: UUID, kind: type[Kind], *, expected: Expected = ANY
) -> Generator[tuple[Kind, OpenAccount]]:
    """Open an active connection for one kind of work: its platform's module of that kind, and the account to call.

    Args:
        context: who makes the calls.
        connection_id: the connection.
        kind: a Protocol of causeway.platforms.kinds.
        expected: the versions of the connection that the caller saw.

    Raises:
        NotSupported: its platform has no such module; nothing is decrypted.
        As open_connection.
    """
    stored = access.load(context, connection_id, active=True, expected=expected)
    platform = registry.find(stored.provider.key, kind)
    if platform is None:
        raise NotSupported
    with _opened(context, stored) as account:
        yield platform, account


@contextmanager
def _opened(context: Context, stored: StoredConnection) -> Generator[OpenAccount]:
    account = access.decrypt_account(context, stored)
    reader = registry.find(stored.provider.key, ErrorReader)
    verdicts: list[Verdict] = []
    with access.logged_calls(context, stored.connection, account.secrets, verdicts) as log:
        yield OpenAccount(account, log, verdicts.append, reader)
