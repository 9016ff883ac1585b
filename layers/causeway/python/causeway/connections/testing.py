"""The test of a connection: the provider called, the verdict kept, the connection's state set by it."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from causeway.audit_log.entries import Action
from causeway.connections import access, audit, rows, standing
from causeway.connections.connection import Connection
from causeway.database.postgres import Transaction
from causeway.platforms import calls
from causeway.platforms.account import Account
from causeway.platforms.verdicts import Verdict
from causeway.tenancy.context import RequestContext
from causeway.wire.preconditions import Expected


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test came to. response_ms: for all of it, in milliseconds."""

    verdict: Verdict
    response_ms: int

    def as_json(self) -> dict[str, Any]:
        """Return the result in the API's names, with its cause and next action."""
        return {
            "success": self.verdict.success,
            "code": self.verdict.code,
            "message": self.verdict.message,
            "nextAction": self.verdict.next_action,
            "tested": list(self.verdict.tested),
            "untested": list(self.verdict.untested),
            "responseMs": self.response_ms,
        }


def test(
    context: RequestContext,
    connection_id: UUID,
    expected: Expected,
) -> tuple[Tested, Connection]:
    """Call the provider with the credentials in use, and set the connection's state by what came of it.

    Returns:
        What came of it, and how the connection stands now.

    Raises:
        ConnectionNotFound, VersionMismatch.
        IntegrationNotActive: it is disabled; nothing is decrypted.
        TemplateMoved: the template is not the one the connection was made for; nothing is decrypted.
    """
    use = access.found(context, connection_id, expected=expected)
    tested = call(context, use.connection, access.account(context, use))
    with context.transaction() as transaction:
        now = _judged(context, transaction, use.connection, tested)
        context.finish(transaction, (tested, now))
    return tested, now


def judge(
    context: RequestContext, connection: Connection, account: Account, *, anew: bool = False, deleted: bool = False
) -> Connection:
    """Test a connection with the account it has, and set its state; return how it stands then.

    Args:
        context: who tests it.
        connection: the connection.
        account: what it is called with.
        anew: it was just made or enabled: what was observed before does not count.
        deleted: return it also where it was deleted meanwhile.

    Raises:
        ConnectionNotFound: it was deleted meanwhile.
    """
    tested = call(context, connection, account)
    with context.transaction() as transaction:
        now = _judged(context, transaction, connection, tested, anew=anew, deleted=deleted)
        context.finish(transaction, now)
    return now


def _judged(
    context: RequestContext, transaction: Transaction, connection: Connection, tested: Tested, **how: bool
) -> Connection:
    """Set a connection's state by its test, as settle does, and write the test down."""
    now = settle(transaction, connection, tested, **how)
    outcome = "done" if tested.verdict.success else "failed"
    audit.note(context, transaction, Action.CONNECTION_TESTED, connection, outcome=outcome, after=tested.as_json())
    return now


def demand(context: RequestContext, connection: Connection, account: Account) -> Tested:
    """Test an account that a connection shall have; nothing is changed but the logs.

    Raises:
        The verdict's error: it does not work.
    """
    tested = call(context, connection, account)
    if not tested.verdict.success:
        audit.record_refusal(context, Action.CONNECTION_TESTED, connection, outcome="failed", after=tested.as_json())
        error = tested.verdict.error(again="send the change again")
        error.action += " Nothing was changed: what was in use stays in use."
        raise error
    return tested


def call(context: RequestContext, connection: Connection, account: Account) -> Tested:
    """Make a provider's test calls with an account, and log them."""
    with access.logged(context, connection, account.secrets) as log:
        return Tested(*calls.test(account, log))


def settle(
    transaction: Transaction, seen: Connection, tested: Tested, *, anew: bool = False, deleted: bool = False
) -> Connection:
    """Set a connection's state and health by a test of it, unless it was changed since.

    Args:
        transaction: of its tenant.
        seen: the connection as it was when the test began.
        tested: the test.
        anew: what was observed before does not count.
        deleted: return it also where it was deleted since.

    Returns:
        The connection as it stands now.

    Raises:
        ConnectionNotFound: it was deleted since.
    """
    now = standing.settle(transaction, seen, tested.verdict, tested.response_ms, anew=anew)
    return rows.find(transaction, UUID(seen.connection_id), deleted=deleted) if now is None else now
