"""The sample events of events/, by the result that test_simulation.py expects of each function."""

from typing import Any

# In the order of a round: a win needs its bet.
SAMPLES = [
    "game-launch",
    "provider-launch",
    "wallet-balance",
    "wallet-debit",
    "wallet-credit",
    "wallet-rollback",
    "provider-simulate",
    "game-simulate-round",
    "api-docs",
    "integration-templates",
    "integration-connections",
    "rate-limiter",
    "api-keys",
    "tenants",
    "memberships",
    "me",
    "audit-log",
]
# The objects that these events name do not exist.
MISSING = ["api-proxy", "integration-calendars", "integration-syncs", "oauth-authorize"]
# A redirect whose state belongs to no authorization.
STRANGE = ["oauth-callback"]
# The results of functions that have no route.
OTHERS: dict[str, Any] = {
    "caller-authorizer": {
        "isAuthorized": True,
        "context": {"refused": "UNAUTHORIZED", "sentence": "The call carries no valid token or key"},
    },
    "schema-migrate": {"applied": []},
    "sync-run": {"batchItemFailures": []},
}
# The counts that schedules return; other tests check the numbers.
COUNTED: dict[str, set[str]] = {
    "snapshot-cleanup": {"deleted"},
    "key-rotation": {"rotated", "rewrapped", "unreadable", "retired", "destroyed", "failed"},
    "token-refresh": {"renewed", "ungranted", "skipped", "warned", "failed"},
    "partitions": {"made", "overflowed"},
    "sync-sweep": {"queued", "failed", "refused", "left", "keys", "events", "limits"},
}

EVERY = {*SAMPLES, *MISSING, *STRANGE, *OTHERS, *COUNTED}
