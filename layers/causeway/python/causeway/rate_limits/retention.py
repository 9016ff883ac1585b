"""The retention of used limits: a sweep deletes rows whose windows are over."""

from causeway.database.postgres import Database


def sweep_batch(database: Database) -> int:
    """Delete up to a thousand rows of all tenants that no longer count; return how many.

    database: of the hub's login.
    """
    return int(database.one("SELECT rate_limits_sweep_v1() AS swept", []).swept)
