"""The retention of events: a sweep deletes events that are older than 30 days."""

from causeway.database.postgres import Database


def sweep_batch(database: Database) -> int:
    """Delete up to a thousand events of all tenants that are over; return how many. database: of the hub's login."""
    return int(database.one("SELECT events_sweep_v1() AS swept", []).swept)
