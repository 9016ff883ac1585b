"""What a function counts for its alarms: CloudWatch metrics in its log, in the namespace of the deployment."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools import Metrics

# Milliseconds of its time limit that a route's function keeps: what waits for a platform or the database ends before.
_ROUTE_RESERVE = 1_000


def count(name: str, value: int = 1) -> None:
    """Add to a metric. Count only what an alarm of stacks/around.yaml reads: each metric of each function is billed."""
    # All instances share what is counted. Their namespace is in POWERTOOLS_METRICS_NAMESPACE, and is the deployment's:
    # a count of staging must not ring an alarm of production.
    Metrics().add_metric(name=name, unit="Count", value=value)


@contextmanager
def published(context: Any, near_limit: str = "NearTimeLimit", reserve: int = _ROUTE_RESERVE) -> Generator[None]:
    """Publish what the invocation counts when it ends, also if it raises.

    An invocation that used up half of its reserve is counted too, before the limit ends one without an answer. One that
    ends by its own time budget, before the reserve, is not.

    Args:
        context: Lambda's context object.
        near_limit: the name of that metric.
        reserve: milliseconds of the time limit in which the function begins nothing new.
    """
    try:
        yield
    finally:
        if context.get_remaining_time_in_millis() <= reserve / 2:
            count(near_limit)
        counted = Metrics()
        if counted.metric_set:
            counted.flush_metrics()
