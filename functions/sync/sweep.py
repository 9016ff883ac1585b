"""Called by a schedule: queues syncs again that the queue or their worker lost, and sweeps old Idempotency-Keys."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics

from causeway.database import idempotency, postgres
from causeway.syncs import sweeping

logger = Logger()
metrics = Metrics(namespace="Causeway")

# Milliseconds kept for ending in order.
RESERVE = 10_000


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Work until nothing is lost or the time is up; the next call goes on. Returns what was done."""

    def may_go_on() -> bool:
        return context.get_remaining_time_in_millis() > RESERVE

    try:
        done = sweeping.sweep(postgres.current(), may_go_on, context.aws_request_id)
        for name, count in done.items():
            metrics.add_metric(name=f"SyncsSwept{name.title()}", unit="Count", value=count)
    finally:
        # They do not wait for syncs that cannot be swept.
        keys = idempotency.sweep(postgres.current(), may_go_on)
        metrics.add_metric(name="IdempotencyKeysSwept", unit="Count", value=keys)
    logger.info("lost syncs, old keys", extra=done | {"keys": keys})
    return done | {"keys": keys}
