"""The engine that syncs a platform's data: sync.py in the platform's folder."""

from collections.abc import Callable

from causeway.platforms import registry
from causeway.platforms.kinds.sync import Result, SyncEngine, SyncRun

Engine = Callable[[SyncRun], Result]


def find(provider_key: str) -> Engine | None:
    """Return a platform's engine; None if the platform has none."""
    platform = registry.find(provider_key, SyncEngine)
    return None if platform is None else platform.sync
