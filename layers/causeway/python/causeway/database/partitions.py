"""The partitions of the tables that are partitioned by time. They are made ahead."""

from causeway.database.postgres import Database


def make(database: Database, counts: dict[str, int]) -> None:
    """Make the partitions of the present and of the time ahead that do not exist.

    A row whose partition does not exist goes to its table's default partition, so nothing is lost meanwhile.

    Args:
        database: of the hub's login.
        counts: made: the partitions that were made. overflowed: the tables that have rows in their default partition.

    Raises:
        Unavailable: the database does not answer, or a table is locked; the next call makes what is missing.
    """
    row = database.one("SELECT made, overflowed FROM partitions_make_v1()", [])
    counts |= {"made": row.made, "overflowed": row.overflowed}
