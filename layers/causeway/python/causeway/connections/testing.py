"""The test of a connection: its platform called, the verdict written into its status, its health and the audit log."""

from causeway.audit_log.entries import Action
from causeway.connections import access, answers, audit_entries, rows, status
from causeway.connections.connection import ConnectionReference, ConnectionRow
from causeway.connections.work import Work
from causeway.database.postgres import Transaction
from causeway.platforms import calls
from causeway.platforms.account import Account
from causeway.platforms.calls import AccountTest
from causeway.platforms.tokens import TokenSource
from causeway.platforms.verdicts import Effect
from causeway.tenancy.context import RequestContext
from causeway.wire.preconditions import Expected


def test_and_save(
    context: RequestContext, reference: ConnectionReference, expected: Expected
) -> tuple[AccountTest, ConnectionRow]:
    """Read a connection, call its platform with the credentials in use, and write the result.

    Returns:
        The result, and the connection as it is now.

    Raises:
        ConnectionNotFound, VersionMismatch.
        IntegrationNotActive: it is disabled; nothing is decrypted.
        TemplateMoved: the template is not the one the connection was made for; nothing is decrypted.
    """
    stored = access.load(context, reference, expected=expected)
    account = access.decrypt_account(context, stored)
    result = call_and_log(context, stored.connection, account, access.tokens(context, stored, anew=True))
    with context.transaction() as transaction:
        now = _save_and_audit(context, transaction, stored.connection, result, fresh=False)
        context.finish(transaction, (result, now))
    return result, now


def call_and_save(
    context: RequestContext,
    connection: ConnectionRow,
    account: Account,
    tokens: TokenSource,
    *,
    fresh: bool,
    deleted: bool = False,
) -> ConnectionRow:
    """Call a connection's platform with an account, write the result, and return the connection as it is now.

    Args:
        context: who tests it.
        connection: the connection.
        account: what it is called with.
        tokens: gives the access token.
        fresh: it was just made or enabled, so earlier observations do not count.
        deleted: return it also where it was deleted meanwhile.

    Raises:
        ConnectionNotFound: it was deleted meanwhile.
    """
    result = call_and_log(context, connection, account, tokens)
    with context.transaction() as transaction:
        now = _save_and_audit(context, transaction, connection, result, fresh=fresh, deleted=deleted)
        context.finish(transaction, now)
    return now


def _save_and_audit(
    context: RequestContext,
    transaction: Transaction,
    connection: ConnectionRow,
    result: AccountTest,
    *,
    fresh: bool,
    deleted: bool = False,
) -> ConnectionRow:
    now = save_state(transaction, connection, result, fresh=fresh, deleted=deleted)
    outcome = "done" if result.verdict.success else "failed"
    audit_entries.record(
        context, transaction, Action.CONNECTION_TESTED, connection, outcome=outcome, after=answers.audited_test(result)
    )
    return now


def call_or_refuse(
    context: RequestContext,
    connection: ConnectionRow,
    account: Account,
    tokens: TokenSource,
    *,
    again: str = "send the change again",
) -> AccountTest:
    """Call the platform with an account that a connection is to have; only the logs are written.

    An account that waits for its authorization is not refused: no call is made with it.

    Args:
        context: who gave the account.
        connection: the connection.
        account: what it is called with.
        tokens: gives the access token.
        again: what the caller does to try again.

    Raises:
        The verdict's error: the account does not work. The audit log has the attempt.
    """
    result = call_and_log(context, connection, account, tokens, counted=False)
    if not result.verdict.success and result.verdict.effect is not Effect.UNAUTHORIZED:
        audit_entries.record_refusal(
            context, Action.CONNECTION_TESTED, connection, outcome="failed", after=answers.audited_test(result)
        )
        refusal = result.verdict.refusal(again=again)
        refusal.action += " Nothing was changed: what was in use stays in use."
        raise refusal
    return result


def call_and_log(
    context: RequestContext, connection: ConnectionRow, account: Account, tokens: TokenSource, *, counted: bool = True
) -> AccountTest:
    """Make the platform's test call; only the API log and the circuit breaker are written, and a token that it got.

    Args:
        context: who tests it.
        connection: the connection.
        account: what it is called with.
        tokens: gives the access token.
        counted: the account is the connection's as it is: False: one that it is to have.
    """
    work = Work("health", calls.TEST_SECONDS)
    with access.terms_of_calls(context, connection, account, work, tokens, counted=counted) as terms:
        return calls.call_for_test(account, terms)


def save_state(
    transaction: Transaction,
    seen: ConnectionRow,
    result: AccountTest,
    *,
    fresh: bool,
    deleted: bool = False,
) -> ConnectionRow:
    """Write a connection's status and health by its test, unless the connection was changed since.

    Args:
        transaction: of its tenant.
        seen: the connection as it was when the test began.
        result: of the test.
        fresh: earlier observations do not count.
        deleted: return it also where it was deleted since.

    Returns:
        The connection as it is now.

    Raises:
        ConnectionNotFound: it was deleted since.
    """
    now = status.save_test(transaction, seen, result.verdict, result.response_ms, fresh=fresh)
    return rows.find(transaction, seen.connection_id, deleted=deleted) if now is None else now
