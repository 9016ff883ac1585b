"""A connection opened for a block's calls to its platform, each call logged."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

from causeway.catalogue.providers import Provider
from causeway.connections import access, breaker
from causeway.connections.access import StoredConnection
from causeway.connections.call_log_writes import Logged
from causeway.connections.connection import UNUSABLE, ConnectionReference
from causeway.connections.work import Work
from causeway.errors.connections import ConnectionNotFound, NotSupported
from causeway.errors.platforms import CircuitOpen
from causeway.errors.requests import ChangedMeanwhile, RateLimitExceeded
from causeway.errors.vault import KeyServiceUnavailable
from causeway.platforms import registry
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
    CircuitOpen.code,
    RateLimitExceeded.code,
    *VERDICTS,
)


@contextmanager
def open_connection(
    context: Context,
    reference: ConnectionReference,
    work: Work | None = None,
    *,
    check: Callable[[Provider], object] | None = None,
    logged: Logged | None = None,
) -> Generator[OpenAccount]:
    """Open an active connection's account for a block's calls, which are logged when the block ends.

    Args:
        context: who makes the calls.
        reference: the connection.
        work: what the calls are made for; None: a caller who waits for the answer.
        check: is given the connection's platform before anything is decrypted, and raises if the work does not fit it.
        logged: is filled when the block ends.

    Raises:
        ConnectionNotFound, VersionMismatch.
        IntegrationNotActive: it may not be used; nothing is decrypted.
        TemplateMoved: a super admin changed the template since the tenant agreed to it; nothing is decrypted.
        CircuitOpen: its platform failed often and is left alone for a while; nothing is decrypted.
        CredentialMissing, CredentialUnreadable, KeyServiceUnavailable: its secrets cannot be decrypted.
    """
    started = work or Work.behind_http()
    stored = access.load(context, reference, active=True)
    if check is not None:
        check(stored.provider)
    with _opened(context, stored, started, logged) as account:
        yield account


@contextmanager
def open_platform(
    context: Context,
    reference: ConnectionReference,
    kind: type[Kind],
    *,
    expected: Expected = ANY,
    work: Work | None = None,
) -> Generator[tuple[Kind, OpenAccount]]:
    """Open an active connection for one kind of work: its platform's module of that kind, and the account to call.

    Args:
        context: who makes the calls.
        reference: the connection.
        kind: a Protocol of causeway.platforms.kinds.
        expected: the versions of the connection that the caller saw.
        work: what the calls are made for; None: a caller who waits for the answer.

    Raises:
        NotSupported: its platform has no such module; nothing is decrypted.
        As open_connection.
    """
    started = work or Work.behind_http()
    stored = access.load(context, reference, active=True, expected=expected)
    platform = registry.find(stored.provider.key, kind)
    if platform is None:
        raise NotSupported
    with _opened(context, stored, started) as account:
        yield platform, account


@contextmanager
def _opened(
    context: Context, stored: StoredConnection, work: Work, logged: Logged | None = None
) -> Generator[OpenAccount]:
    breaker.check(stored.connection)
    account = access.decrypt_account(context, stored)
    verdicts: list[Verdict] = []
    tokens = access.tokens(context, stored)
    with access.terms_of_calls(context, stored.connection, account, work, tokens, verdicts, logged) as terms:
        yield OpenAccount(account, terms, verdicts.append)
