"""Called by a schedule: gives tenants a new data key when theirs is old, and seals their secrets anew under it."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics

from causeway import data_keys, database, key_rotation

logger = Logger()
metrics = Metrics(namespace="Causeway")

# Milliseconds kept for ending in order.
_RESERVE = 10_000


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Work until nothing is due or the time is up; the next call goes on. Returns what was done."""
    done = key_rotation.run(
        database.current(), data_keys.current(), lambda: context.get_remaining_time_in_millis() > _RESERVE
    )
    logger.info("data keys", extra=done)
    for name, count in done.items():
        metrics.add_metric(name=f"DataKeys{name.title()}", unit="Count", value=count)
    return done
