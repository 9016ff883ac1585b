"""Errors of syncs."""

from causeway.errors.tree import CausewayError


class SyncRunNotFound(CausewayError):
    """No such sync of this connection"""

    code = "SYNC_RUN_NOT_FOUND"
    status = 404
    action = "List the connection's syncs."
