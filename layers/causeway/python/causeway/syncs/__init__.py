"""Syncs of a connection's data: requested, queued, run by the provider's engine, finished with a result."""
