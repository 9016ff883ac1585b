"""What a function counts for its alarms: CloudWatch metrics in its log, in the namespace of the deployment."""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from aws_lambda_powertools import Metrics

# An invocation is near its time limit when this part of the limit is left, or less.
_NEAR = 0.2


def count(name: str, value: int = 1) -> None:
    """Add to a metric. Count only what an alarm of stacks/around.yaml reads: each metric of each function is billed."""
    # All instances share what is counted. Their namespace is in POWERTOOLS_METRICS_NAMESPACE, and is the deployment's:
    # a count of staging must not ring an alarm of production.
    Metrics().add_metric(name=name, unit="Count", value=value)


@contextmanager
def published(context: Any, near_limit: str = "NearTimeLimit") -> Generator[None]:
    """Publish what the invocation counts when it ends, also if it raises.

    An invocation that used four fifths of its time limit is counted too, before the limit ends one without an answer.

    Args:
        context: Lambda's context object.
        near_limit: the name of that metric.
    """
    limit = context.get_remaining_time_in_millis()
    try:
        yield
    finally:
        if context.get_remaining_time_in_millis() <= _NEAR * limit:
            count(near_limit)
        counted = Metrics()
        if counted.metric_set:
            counted.flush_metrics()
