"""The API log: the calls made with connections, written. causeway.connections.call_log_listing shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from causeway.connections import faults
from causeway.connections.work import Work
from causeway.database.postgres import Transaction
from causeway.database.storable import storable_text
from causeway.outbound.attempts import Attempt


@dataclass(frozen=True, slots=True)
class Use:
    """The use of a connection: the actor, the address, the version of the credential, and the work.

    Attributes:
        actor: a person's subject, a key's id, a job's name.
        source_ip: None for a job.
        credential_version: None for a candidate in a test, which is not stored.
        counted: the calls show whether the platform works for the connection as it is.
    """

    request_id: str
    actor_kind: str
    actor: str
    source_ip: str | None
    credential_version: int | None
    work: Work
    counted: bool = True


@dataclass(slots=True)
class Logged:
    """What the API log has of a piece of work when it ends.

    Attributes:
        attempts: of the last call; 0: no call was made.
        log_id: of the last attempt's row; None: no call was made, or it could not be logged.
    """

    attempts: int = 0
    log_id: int | None = None


def save(transaction: Transaction, connection_id: UUID, attempts: Sequence[Attempt], use: Use) -> int:
    """Write the records of calls made with a connection, and their bodies, in one statement.

    Args:
        transaction: of the connection's tenant.
        connection_id: the connection.
        attempts: at least one, in their order.
        use: of the connection.

    Returns:
        The id of the last attempt's row.
    """
    rows = transaction.execute(
        """
        WITH called AS (
            SELECT * FROM unnest(
                %(methods)s::text[], %(urls)s::text[], %(statuses)s::bigint[], %(milliseconds)s::bigint[],
                %(errors)s::text[], %(request_bodies)s::text[], %(response_bodies)s::text[],
                %(platform_request_ids)s::text[], %(numbers)s::bigint[], %(attempts)s::bigint[],
                %(faults)s::boolean[]
            ) WITH ORDINALITY AS a (
                method, url, status, milliseconds, error, request_body, response_body, platform_request_id, number,
                attempts, fault, place
            )
        ), logged AS (
            INSERT INTO integration_api_logs (
                tenant_id, connection_id, method, url, status, milliseconds, error, request_id, actor_kind, actor,
                source_ip, credential_version, purpose, run_id, event_id, platform_request_id, attempt, attempts,
                platform_failed
            )
            SELECT current_tenant(), %(connection)s, a.method, a.url, a.status, a.milliseconds, a.error,
                %(request_id)s, %(actor_kind)s, %(actor)s, %(source_ip)s, %(credential_version)s,
                %(purpose)s, %(run_id)s, %(event_id)s, a.platform_request_id, a.number, a.attempts,
                a.fault
            FROM called AS a
            ORDER BY a.place
            RETURNING log_id
        )
        INSERT INTO integration_api_log_bodies (tenant_id, log_id, request_body, response_body)
        SELECT current_tenant(), l.log_id, a.request_body, a.response_body
        -- The calls were numbered in their order, and both rows get the time of this transaction.
        FROM (SELECT log_id, row_number() OVER (ORDER BY log_id) AS place FROM logged) AS l
        INNER JOIN called AS a ON a.place = l.place
        RETURNING log_id
        """,
        {
            "connection": connection_id,
            "methods": [attempt.method for attempt in attempts],
            "urls": [storable_text(attempt.url) for attempt in attempts],
            "statuses": [attempt.status for attempt in attempts],
            "milliseconds": [attempt.milliseconds for attempt in attempts],
            "errors": [attempt.error for attempt in attempts],
            "request_bodies": [storable_text(attempt.request_body) for attempt in attempts],
            "response_bodies": [storable_text(attempt.response_body) for attempt in attempts],
            "platform_request_ids": [attempt.platform_request_id for attempt in attempts],
            "numbers": [attempt.number for attempt in attempts],
            "attempts": [attempt.attempts for attempt in attempts],
            "faults": [faults.shown_by(attempt) if use.counted else None for attempt in attempts],
            "request_id": use.request_id,
            "actor_kind": use.actor_kind,
            "actor": use.actor,
            "source_ip": use.source_ip,
            "credential_version": use.credential_version,
            "purpose": use.work.purpose,
            "run_id": use.work.run_id,
            "event_id": use.work.event_id,
        },
    )
    # The ids grow in the order of the calls.
    return max(row.log_id for row in rows)
