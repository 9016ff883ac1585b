"""Changes of a connection's limits by the tenant's admin."""

from collections.abc import Mapping

from causeway.audit_log.entries import Action
from causeway.connections import audit_entries, rows, writes
from causeway.connections.connection import ConnectionReference, ConnectionRow
from causeway.connections.requests import LimitsDraft
from causeway.errors.rate_limits import LimitOutOfBounds
from causeway.errors.tree import Problem
from causeway.rate_limits import limits
from causeway.rate_limits.limits import WINDOWS
from causeway.tenancy.context import RequestContext
from causeway.wire.preconditions import Expected


def change(
    context: RequestContext, reference: ConnectionReference, expected: Expected, wanted: LimitsDraft
) -> ConnectionRow:
    """Replace the limits that the tenant's admin set, and return the connection.

    Args:
        context: who changes them.
        reference: the connection.
        expected: the versions that the caller saw.
        wanted: the limits; a window without one has its template's.

    Raises:
        ConnectionNotFound, VersionMismatch.
        LimitOutOfBounds: a limit is larger than the template allows.
    """
    sent = {name: getattr(wanted, name) for name in WINDOWS}
    own: dict[str, int] = {name: limit for name, limit in sent.items() if limit is not None}
    with context.transaction() as transaction:
        before = rows.find(transaction, reference, lock=True)
        expected.check(before.version)
        _check(own, before.template_rate_limits)
        changed = writes.set_limits(transaction, before.connection_id, before.version, own)
        audit_entries.record(
            context,
            transaction,
            Action.CONNECTION_CHANGED,
            changed,
            before={"rateLimits": before.rate_limits, "version": before.version},
            after={"rateLimits": changed.rate_limits, "version": changed.version},
        )
        context.finish(transaction, changed)
    return changed


def _check(own: Mapping[str, int], template: Mapping[str, int]) -> None:
    most = limits.most(template)
    wrong = {name: most.of(name) for name in WINDOWS if name in own and own[name] > (most.of(name) or 0)}
    if wrong:
        raise LimitOutOfBounds.of_problems([Problem(name, f"must be at most {limit}") for name, limit in wrong.items()])
