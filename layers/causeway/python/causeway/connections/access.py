"""A connection before and during its use: read, its secrets decrypted, the calls made with it logged.

KMS and platforms are called between transactions, never in one.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from aws_lambda_powertools import Logger

from causeway.audit_log.entries import Action
from causeway.aws.counts import count
from causeway.catalogue.providers import Provider
from causeway.connections import app_in_use, audit_entries, breaker, call_log_writes, rows, status
from causeway.connections.call_log_writes import Logged
from causeway.connections.connection import ConnectionReference, ConnectionRow
from causeway.connections.gate import ConnectionGate
from causeway.connections.tokens import ConnectionTokens
from causeway.connections.work import Work
from causeway.database.postgres import Transaction
from causeway.errors.connections import IntegrationNotActive, TemplateMoved
from causeway.errors.requests import VersionMismatch
from causeway.errors.tree import CausewayError
from causeway.errors.vault import CredentialMissing, CredentialUnreadable, KeyServiceUnavailable
from causeway.outbound.attempts import Attempt
from causeway.platforms import registry
from causeway.platforms.account import Account, Log
from causeway.platforms.call_terms import CallTerms
from causeway.platforms.kinds.errors import ErrorReader
from causeway.platforms.kinds.limits import LimitReader
from causeway.platforms.token_calls import FreshTokens
from causeway.platforms.tokens import TokenSource
from causeway.platforms.verdicts import Verdict
from causeway.rate_limits.subjects import Subject
from causeway.tenancy.context import Context
from causeway.vault import credentials, data_keys
from causeway.vault.credentials import Secrets, StoredCredential
from causeway.wire.preconditions import ANY, Expected

logger = Logger(child=True)

# A metric with an alarm: calls whose log rows, or what they have shown of the connection, were lost.
UNLOGGED = "CallsUnlogged"

# Error codes of decrypt_account.
UNDECRYPTED = tuple(
    error.code for error in (TemplateMoved, CredentialUnreadable, CredentialMissing, KeyServiceUnavailable)
)


@dataclass(frozen=True, slots=True)
class StoredConnection:
    """A connection, its platform's catalogue entry, and its credential in use, still encrypted."""

    connection: ConnectionRow
    provider: Provider
    credential: StoredCredential


def load(
    context: Context,
    reference: ConnectionReference,
    *,
    active: bool = False,
    disabled: bool = False,
    expected: Expected = ANY,
) -> StoredConnection:
    """Read a connection that is about to be used, in a transaction of its own; nothing is decrypted.

    The transaction is the context's, which writes an audit entry for a caller whose role is new to the tenant.

    Args:
        context: who uses it.
        reference: the connection.
        active: require that it may be used as it is.
        disabled: allow a disabled connection.
        expected: the versions that the caller saw.

    Raises:
        ConnectionNotFound, CredentialMissing.
        VersionMismatch: it is another version.
        IntegrationNotActive: it is disabled.
        IntegrationNotActive, TemplateMoved, CredentialUnreadable: active was required, and it may not be used.
    """
    with context.transaction() as transaction:
        return load_in(transaction, reference, active=active, disabled=disabled, expected=expected)


def load_in(
    transaction: Transaction,
    reference: ConnectionReference,
    *,
    active: bool = False,
    disabled: bool = False,
    expected: Expected = ANY,
) -> StoredConnection:
    """Read a connection as load does, in an open transaction."""
    connection, provider = rows.find_with_provider(transaction, reference)
    expected.check(connection.version)
    if active:
        connection.check_usable()
    if connection.status == "disconnected" and not disabled:
        raise IntegrationNotActive("The connection is disabled")
    credential = credentials.find(transaction, connection.connection_id)
    # New secrets and the version change together: secrets of another version may be for another address.
    if credential.connection_version != connection.version:
        raise VersionMismatch(current=credential.connection_version)
    return StoredConnection(connection, provider, credential)


def decrypt_account(context: Context, stored: StoredConnection) -> Account:
    """Return the account of a connection at its platform, its secrets decrypted.

    Raises:
        TemplateMoved: the template is not the one the connection was made for; nothing is decrypted.
        CredentialMissing, CredentialUnreadable, KeyServiceUnavailable: as decrypt_secrets.
    """
    connection = stored.connection
    connection.check_template()
    secrets = decrypt_secrets(context, connection, stored.credential)
    return Account(stored.provider, connection.environment, connection.config, secrets)


def tokens(
    context: Context, stored: StoredConnection, *, anew: bool = False, candidate: bool = False
) -> ConnectionTokens:
    """Return the source of a connection's access tokens.

    Args:
        context: who makes the calls.
        stored: the connection.
        anew, candidate: as ConnectionTokens has them.
    """
    connection_id = stored.connection.connection_id
    return ConnectionTokens(
        context, connection_id, stored.credential, data_keys.current(), anew=anew, candidate=candidate
    )


def decrypt_secrets(
    context: Context, connection: ConnectionRow, credential: StoredCredential, *, in_use: bool = True
) -> Secrets:
    """Return a connection's secrets. A failure is written into its status and the audit log.

    Args:
        context: who needs them.
        connection: the connection.
        credential: a version of its credential.
        in_use: whether it is the version in use, without which the connection does not work.

    Raises:
        CredentialMissing: the connection has no such version.
        CredentialUnreadable: a ciphertext was moved or changed.
        KeyServiceUnavailable: KMS is needed and does not answer.
    """
    try:
        return credentials.decrypt(data_keys.current(), credential)
    except (CredentialMissing, CredentialUnreadable) as error:
        with context.transaction() as transaction:
            if in_use:
                status.save_unreadable(transaction, connection, error)
            if isinstance(error, CredentialUnreadable):
                audit_entries.record(context, transaction, Action.CREDENTIAL_UNREADABLE, connection, outcome="failed")
        raise


@contextmanager
def terms_of_calls(
    context: Context,
    connection: ConnectionRow,
    account: Account,
    work: Work,
    tokens: TokenSource,
    verdicts: Sequence[Verdict] = (),
    logged: Logged | None = None,
    *,
    counted: bool = True,
) -> Generator[CallTerms]:
    """Yield the terms of a block's calls with a connection; when the block ends, write the log, then the verdicts.

    The calls are done by then. If the log cannot be written, log a warning and do not raise.

    Args:
        context: who makes the calls.
        connection: the connection.
        account: that is called.
        work: what the calls are made for.
        tokens: gives them their access token.
        verdicts: what the calls have shown of the connection, read when the block ends.
        logged: is filled when the block ends.
        counted: the calls show whether the platform works for the connection as it is. Those of a candidate, of an
            authorization and of a renewal do not: they change neither the breaker nor what is known of limits.
    """
    attempts: list[Attempt] = []
    version = account.secrets.version if isinstance(account.secrets, Secrets) else None
    use = call_log_writes.Use(
        context.request_id, context.actor_kind, context.actor, context.source_ip, version, work, counted
    )
    # Secrets that are not stored yet may be anybody's.
    owner = None if version is None else (context.tenant, connection.connection_id, connection.version, version)
    key = account.provider.key
    gate = ConnectionGate(context, connection, work.purpose, _shared_app(account, tokens), learns=counted)
    try:
        yield CallTerms(
            log=attempts.append,
            gate=gate,
            errors=registry.find(key, ErrorReader),
            limits=registry.find(key, LimitReader),
            tokens=tokens,
            keep_for=owner,
            seconds=work.seconds,
            deadline=work.deadline,
        )
    finally:
        # In two transactions, as the second may wait for a lock and fail.
        _save_attempts(context, connection, attempts, use, logged or Logged())
        _save_shown(context, connection, attempts if counted else [], verdicts, gate)


@contextmanager
def logged_calls(
    context: Context, connection: ConnectionRow, account: Account, work: Work, verdicts: Sequence[Verdict] = ()
) -> Generator[Log]:
    """Yield the log of a block's calls that only get a grant; when the block ends, write it as terms_of_calls does.

    No limit counts these calls and no breaker holds them: the limits are those of the platform's API.

    Args:
        context: who makes the calls.
        connection: the connection.
        account: that is called.
        work: what the calls are made for.
        verdicts: what the calls have shown of the connection, read when the block ends.
    """
    with terms_of_calls(context, connection, account, work, FreshTokens(), verdicts, counted=False) as terms:
        yield terms.log


def _shared_app(account: Account, tokens: TokenSource) -> Subject | None:
    """Return the deployment's OAuth app if an account's token is this app's, so that its calls count in its limits."""
    if isinstance(tokens, ConnectionTokens) and tokens.is_by_shared_app(account):
        return app_in_use.limited(account.provider)
    return None


def _save_attempts(
    context: Context, connection: ConnectionRow, attempts: list[Attempt], use: call_log_writes.Use, logged: Logged
) -> None:
    """Write the attempts into the API log."""
    if not attempts:
        return
    logged.attempts = attempts[-1].attempts
    with _warn_on_failure("Calls could not be logged"), context.transaction() as transaction:
        logged.log_id = call_log_writes.save(transaction, connection.connection_id, attempts, use)


def _save_shown(
    context: Context,
    connection: ConnectionRow,
    attempts: list[Attempt],
    verdicts: Sequence[Verdict],
    gate: ConnectionGate,
) -> None:
    """Write what calls with a connection as it is have shown: its status and health, its breaker, its limits."""
    gate.settle(attempts)
    changes = any(status.would_change(connection, verdict) for verdict in verdicts)
    trips = breaker.may_change(connection, attempts, trying=gate.tries)
    if changes or trips:
        with (
            _warn_on_failure("What calls have shown could not be saved"),
            context.transaction() as transaction,
        ):
            if changes:
                status.save_calls(transaction, connection, verdicts)
            if trips:
                breaker.settle(transaction, connection, attempts, trying=gate.tries)


@contextmanager
def _warn_on_failure(sentence: str) -> Generator[None]:
    """Write to the function's log that a block failed, count it for the alarm, and go on."""
    try:
        yield
    except CausewayError as error:
        count(UNLOGGED)
        logger.warning(sentence, extra={"reason": error.cause or error.sentence})
