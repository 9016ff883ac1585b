"""A connection opened for a block's calls to its platform, each call logged."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import TypeVar

from causeway.connections import access
from causeway.connections.access import StoredConnection
from causeway.connections.connection import UNUSABLE, ConnectionReference
from causeway.errors.connections import ConnectionNotFound, NotSupported
from causeway.errors.requests import ChangedMeanwhile
from causeway.errors.vault import KeyServiceUnavailable
from causeway.platforms import registry
from causeway.platforms.kinds.errors import ErrorReader
from causeway.platforms.open_account import OpenAccount
from causeway.platforms.verdicts import VERDICTS, Verdict
from causeway.tenancy.context import Context
from causeway.wire.preconditions import ANY, Expected

Kind = TypeVar("Kind")

# Error codes of open_platform and of the calls with its account, beside those of a call whose outcome is unknown.
REFUSES = (
    ConnectionNotFound.code,
    ChangedMeanwhile.code,
    *UNUSABLE,
    KeyServiceUnavailable.code,
    NotSupported.code,
    *VERDICTS,
)


@contextmanager
def open_connection(context: Context, reference: ConnectionReference) -> Generator[OpenAccount]:
    """Open an active connection's account for a block's calls, which are logged when the block ends.

    Args:
        context: who makes the calls.
        reference: the connection.

    Raises:
        ConnectionNotFound, VersionMismatch.
        IntegrationNotActive: it may not be used; nothing is decrypted.
        TemplateMoved: a super admin changed the template since the tenant agreed to it; nothing is decrypted.
        CredentialMissing, CredentialUnreadable, KeyServiceUnavailable: its secrets cannot be decrypted.
    """
    with _opened(context, access.load(context, reference, active=True)) as account:
        yield account


@contextmanager
def open_platform(
    context: Context, reference: ConnectionReference, kind: type[Kind], *, expected: Expected = ANY
) -> Generator[tuple[Kind, OpenAccount]]:
    """Open an active connection for one kind of work: its platform's module of that kind, and the account to call.

    Args:
        context: who makes the calls.
        reference: the connection.
        kind: a Protocol of causeway.platforms.kinds.
        expected: the versions of the connection that the caller saw.

    Raises:
        NotSupported: its platform has no such module; nothing is decrypted.
        As open_connection.
    """
    stored = access.load(context, reference, active=True, expected=expected)
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
        tokens = access.tokens(context, stored)
        yield OpenAccount(account, log, verdicts.append, reader, tokens)
