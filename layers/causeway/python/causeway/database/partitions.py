"""The partitions of the tables that are partitioned by time. They are made ahead."""

import random
from collections.abc import Callable
from time import sleep
from typing import Any

from aws_lambda_powertools import Logger

from causeway.database.postgres import Database
from causeway.errors.service import PartitionsMissing, Unavailable

logger = Logger(child=True)

# Seconds for a step, a transaction. Its statement has 60.
STEP = 62.0
# Seconds between two attempts of a step that did not get its lock: a random time between these.
_PAUSES = (0.1, 1.0)
# The steps to a new default partition, in place of one that has rows.
_REPLACING = {"limited", "checked", "replaced", "refused"}


def make(database: Database, has_time: Callable[[], bool], counts: dict[str, int]) -> None:
    """Make the partitions of the present and of the time ahead that do not exist, each in a transaction of its own.

    A row whose partition does not exist goes to its table's default partition. A default partition that has rows
    becomes the partition of their time, and the table gets a new one.

    Args:
        database: of the hub's login.
        has_time: returns whether another step may begin; asked before each one, and before it is tried again.
        counts: filled while working. made: the partitions that were made. overflowed: the tables that had rows in
            their default partition.

    Raises:
        PartitionsMissing: a lock was not free while there was time, or a default partition cannot become
            the partition of its rows. What was made before stays, and the next call goes on.
    """
    counts |= {"made": 0, "overflowed": 0}
    overflowed = set()
    while (row := _step(database, has_time)).step is not None:
        if row.step in _REPLACING:
            overflowed.add(row.table_name)
            counts["overflowed"] = len(overflowed)
            logger.warning("A default partition has rows", extra={"table": row.table_name, "step": row.step})
        if row.step == "refused":
            raise PartitionsMissing(
                cause=f"The default partition of {row.table_name} has rows of more than one gap, or too many to read "
                "in a minute: see docs/deploy.md, alarm PartitionsOverflowed"
            )
        counts["made"] += row.step == "made"


def _step(database: Database, has_time: Callable[[], bool]) -> Any:
    """Do the next step, and return its table and its name."""
    missed: Unavailable | None = None
    while has_time():
        try:
            with database.transaction_without_tenant(STEP) as transaction:
                transaction.execute("SELECT partitions_limits_v1()")
                return transaction.execute("SELECT table_name, step FROM partitions_step_v1()").fetchone()
        except Unavailable as error:
            missed = error
            logger.info("A step has to wait", extra={"cause": str(error.cause)})
            sleep(random.SystemRandom().uniform(*_PAUSES))
    raise PartitionsMissing(cause=f"No step was possible in the time of the job: {missed}") from missed
