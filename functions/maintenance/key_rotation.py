"""Called by a schedule: ends what is over of replaced credentials, and seals secrets anew where a data key is old."""

from typing import Any

from aws_lambda_powertools import Logger, Metrics

from causeway.database import postgres
from causeway.vault import data_keys, key_rotation, retention

logger = Logger()
metrics = Metrics(namespace="Causeway")

# Milliseconds kept for ending in order: a batch that is begun takes four transactions and two calls of KMS at most, and
# each may take all of its time.
RESERVE = 30_000


@logger.inject_lambda_context
@metrics.log_metrics
def handler(event: dict[str, Any], context: Any) -> dict[str, int]:
    """Work until nothing is due or the time is up; the next call goes on. Returns what was done."""

    def may_go_on() -> bool:
        return context.get_remaining_time_in_millis() > RESERVE

    request_id = context.aws_request_id
    # First what needs no KMS; whatever becomes of it, data keys do not wait.
    try:
        credentials = _told("Credentials", retention.run(postgres.current(), may_go_on, request_id))
    finally:
        keys = _told("DataKeys", key_rotation.run(postgres.current(), data_keys.current(), may_go_on, request_id))
    return credentials | keys | {"failed": credentials["failed"] + keys["failed"]}


def _told(subject: str, counts: dict[str, int]) -> dict[str, int]:
    logger.info(subject, extra=counts)
    for name, count in counts.items():
        metrics.add_metric(name=f"{subject}{name.title()}", unit="Count", value=count)
    return counts
