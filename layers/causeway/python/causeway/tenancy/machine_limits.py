"""The limits of API keys and of tenants: which calls of machines count, and in whose limits."""

from uuid import UUID

from causeway import settings
from causeway.rate_limits.limits import Limits
from causeway.rate_limits.subjects import Subject


def counts_on_admission(route_key: str) -> bool:
    """Return whether a machine's call of a route is counted when its key is checked: each that may change something.

    A read is counted only if it calls a platform, with its first call. route_key: as API Gateway names it.
    """
    return not route_key.startswith("GET ")


def subjects(tenant_id: UUID, key_id: str) -> list[Subject]:
    """Return the subjects that a call of a machine counts for. key_id: of its API key."""
    return [
        Subject("api_key", key_id, Limits(minute=settings.machine_requests())),
        Subject("tenant", str(tenant_id), Limits(minute=settings.tenant_requests())),
    ]
