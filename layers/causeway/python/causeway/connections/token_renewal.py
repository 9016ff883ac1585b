"""The renewal of access tokens by a schedule, for connections that nobody uses; and a warning before access ends.

KMS and platforms are called between transactions, never in one.
"""

from datetime import timedelta
from typing import Any
from uuid import UUID

from causeway.connections import access
from causeway.connections.tokens import WAIT
from causeway.connections.work import Work
from causeway.database.postgres import Transaction
from causeway.errors.connections import ConnectionNotFound, IntegrationNotActive, TemplateMoved
from causeway.errors.requests import VersionMismatch
from causeway.errors.vault import CredentialMissing, CredentialUnreadable, KeyServiceUnavailable
from causeway.events import outbox
from causeway.events.outbox import Event
from causeway.jobs.due import for_each_due
from causeway.jobs.invocations import Invocation
from causeway.outbound.failures import CallFailed
from causeway.platforms.tokens import CONNECT_AGAIN, TokenRefused, renewal
from causeway.platforms.verdicts import Verdict, judge
from causeway.tenancy.context import JobContext
from causeway.vault import oauth_tokens

# A refresh token is used at least daily (HUB 58): the hour left is for schedules that come late.
DAILY = timedelta(hours=23)
# A token that renews itself must be at least a day old, and is valid for weeks.
WEEKLY = timedelta(days=7)
# So long before access ends, the tenant is warned.
WARNING = timedelta(days=14)

# What may have happened to a connection since it was found due: then there is nothing to renew.
_GONE = (
    ConnectionNotFound,
    IntegrationNotActive,
    TemplateMoved,
    VersionMismatch,
    CredentialMissing,
    CredentialUnreadable,
)


def run(invocation: Invocation, counts: dict[str, int]) -> None:
    """Renew and warn of everything that is due, within the time budget.

    Args:
        invocation: of a login that may read credentials.
        counts: filled as the work is done, so that it is right also if this raises. The numbers of connections whose
            token was renewed, whose platform gave none, that may not be used any more, and that were warned of; and of
            those that failed.

    Raises:
        KeyServiceUnavailable: KMS does not answer.
        Unavailable: what is due cannot be read.
        Exception: as jobs.due.for_each_due.
    """
    counts |= {"renewed": 0, "ungranted": 0, "skipped": 0, "warned": 0, "failed": 0}

    def work(context: JobContext, row: Any) -> None:
        if row.renew:
            counts[_renew(context, row.connection_id)] += 1
        counts["warned"] += _warn(context, row.connection_id)

    # Every connection's secrets may need KMS.
    for_each_due(invocation, "token-refresh", _due, work, counts, stop_on=(KeyServiceUnavailable,))


def _due(transaction: Transaction) -> list[Any]:
    return transaction.execute(
        """
        SELECT tenant_id, connection_id, renew
        FROM oauth_tokens_due_v1(p_daily => %s, p_weekly => %s, p_warning => %s)
        """,
        [DAILY, WEEKLY, WARNING],
    ).fetchall()


def _renew(context: JobContext, connection_id: UUID) -> str:
    """Get a new token for a connection and return the count that it belongs to; a refusal makes its status error."""
    try:
        stored = access.load(context, connection_id, active=True)
        account = access.decrypt_account(context, stored)
    except _GONE:
        return "skipped"
    verdicts: list[Verdict] = []
    source = access.tokens(context, stored, anew=True)
    work = Work("health", WAIT)
    with access.logged_calls(context, stored.connection, account, work, verdicts) as log:
        try:
            source.renew(account, log)
        except CallFailed as failure:
            # A token that cannot renew itself is good until it ends.
            if renewal(account) == "refresh":
                verdicts.append(failure.verdict if isinstance(failure, TokenRefused) else judge(failure))
            return "ungranted"
    return "renewed"


def _warn(context: JobContext, connection_id: UUID) -> int:
    """Write an event if a connection's access ends soon and nobody was told so; return the number of warnings."""
    with context.transaction() as transaction:
        ending = oauth_tokens.warn(transaction, connection_id, WARNING)
        if ending is None:
            return 0
        payload = {
            "connectionId": connection_id,
            "name": ending.name,
            "provider": ending.provider_key,
            "endsAt": ending.ends_at,
            "nextAction": CONNECT_AGAIN,
        }
        outbox.write(
            transaction,
            Event("connection", "token_expiring", "connection", str(connection_id), ending.version, payload),
        )
    return 1
