"""Scheduled functions: run every part of the work, and report its counts."""

from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager

from aws_lambda_powertools import Logger

from causeway.aws import counts as metrics

logger = Logger(child=True)
# The counts that alarms read. All others are in the log.
_ALARMED = {"failed", "refused", "left", "overflowed"}


def run_parts(**parts: Callable[[], dict[str, int]]) -> dict[str, int]:
    """Run every part in order, also after one has failed, and return their counts; equal names are added.

    Args:
        parts: by name. The log has the name and the traceback of each part that failed, once.

    Raises:
        ExceptionGroup: what the failed parts raised, after all parts have run; the message names each of them.
    """
    counts: Counter[str] = Counter()
    failures: dict[str, Exception] = {}
    for name, part in parts.items():
        try:
            counts.update(part())
        except Exception as error:
            logger.exception("A part of the job failed", extra={"part": name})
            failures[name] = error
    if failures:
        told = ", ".join(f"{name}: {error!r}" for name, error in failures.items())
        raise ExceptionGroup(f"failed parts: {told}", list(failures.values()))
    return dict(counts)


@contextmanager
def reported(subject: str) -> Generator[dict[str, int]]:
    """Give a part its counts to fill as it works, and report them when it ends, also if it raises.

    What was committed before a fault is reported, so its alarm rings too. Each count is logged; those
    that alarms read become metrics that are named by subject and count.

    Args:
        subject: the first words of the metrics' names: "DataKeys" and "failed" make DataKeysFailed.
    """
    counts: dict[str, int] = {}
    try:
        yield counts
    finally:
        logger.info(subject, extra=counts)
        for name, count in counts.items():
            if name in _ALARMED:
                metrics.count(f"{subject}{name.title()}", count)
