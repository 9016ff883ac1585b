"""The API log: the calls made with connections, written. causeway.connections.call_log_listing shows them."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from causeway.database.postgres import Transaction
from causeway.database.storable import storable_text
from causeway.outbound.client import Attempt


@dataclass(frozen=True, slots=True)
class Use:
    """The use of a connection: the actor, the address and the version of the credential.

    Attributes:
        actor: a person's subject, a key's id, a job's name.
        source_ip: None for a job.
        credential_version: None for a candidate in a test, which is not stored.
    """

    request_id: str
    actor_kind: str
    actor: str
    source_ip: str | None
    credential_version: int | None


def save(transaction: Transaction, connection_id: UUID, attempts: Sequence[Attempt], use: Use) -> None:
    """Write the records of calls made with a connection, in one statement."""
    columns = [
        [
            attempt.method,
            storable_text(attempt.url),
            attempt.status,
            attempt.milliseconds,
            attempt.error,
            storable_text(attempt.request_body),
            storable_text(attempt.response_body),
        ]
        for attempt in attempts
    ]
    transaction.execute(
        """
        INSERT INTO integration_api_logs (
            tenant_id, connection_id, method, url, status, milliseconds, error, request_body, response_body,
            request_id, actor_kind, actor, source_ip, credential_version
        )
        SELECT current_tenant(), %s, a.method, a.url, a.status, a.milliseconds, a.error, a.request_body,
            a.response_body, %s, %s, %s, %s, %s
        FROM unnest(
            %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::text[], %s::text[]
        ) WITH ORDINALITY AS a (method, url, status, milliseconds, error, request_body, response_body, place)
        ORDER BY a.place
        """,
        [
            connection_id,
            use.request_id,
            use.actor_kind,
            use.actor,
            use.source_ip,
            use.credential_version,
            *(list(column) for column in zip(*columns, strict=True)),
        ],
    )
