"""The costly packages that each function loads when it starts; every other one waits for its first use.

A cold start of the wallet delays a bet, one of the authorizer every call. These functions, the rate limiter and the
receiver of webhooks load no pydantic: its import takes longer than that of all they need.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COSTLY = {"boto3", "cryptography", "jsonschema_rs", "pydantic", "requests"}
MODELS = {"pydantic"}
CALLS_OUT = {"requests"}
# By file in functions/.
LOADED = {
    "api_keys/api_keys": MODELS,
    "audit/log": MODELS,
    "console/api_docs": set(),
    "game_provider/launch": CALLS_OUT,
    "game_provider/simulate": CALLS_OUT,
    "games/launch": MODELS | CALLS_OUT,
    "games/simulate_round": MODELS | CALLS_OUT,
    "identity/authorizer": set(),
    "identity/me": MODELS,
    "integrations/calendars": MODELS | CALLS_OUT | {"cryptography"},
    "integrations/connections": MODELS | CALLS_OUT | {"cryptography"},
    "integrations/syncs": MODELS,
    "integrations/templates": MODELS,
    "oauth/authorize": MODELS | CALLS_OUT | {"cryptography"},
    "oauth/callback": {"cryptography"},
    "maintenance/key_rotation": {"cryptography"},
    "maintenance/partitions": set(),
    "maintenance/schema_migrate": MODELS,
    "maintenance/snapshot_cleanup": set(),
    "oauth/refresh": CALLS_OUT | {"cryptography"},
    "proxy/api_proxy": MODELS | CALLS_OUT | {"cryptography"},
    "rate_limits/rate_limiter": set(),
    "sync/run": set(),
    "sync/sweep": set(),
    "tenants/memberships": MODELS,
    "tenants/tenants": MODELS,
    "wallet/balance": set(),
    "wallet/credit": set(),
    "wallet/debit": set(),
    "wallet/rollback": set(),
}


def function_files() -> dict[str, Path]:
    """Every function's file, by family and name."""
    return {f"{file.parent.name}/{file.stem}": file for file in sorted((ROOT / "functions").glob("*/*.py"))}


def test_every_function_is_in_the_table() -> None:
    assert set(LOADED) == set(function_files())


@pytest.mark.parametrize("name", function_files())
def test_function_loads_the_costly_packages_that_it_needs_at_once(name: str) -> None:
    """In a new process: this one has loaded all of them."""
    file = function_files()[name]
    done = subprocess.run(
        [sys.executable, "-c", f"import sys, {file.stem}; print(*sys.modules)"],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": os.pathsep.join([str(file.parent), str(ROOT / "layers" / "causeway" / "python")]),
            "POWERTOOLS_SERVICE_NAME": "test",
        },
        capture_output=True,
        text=True,
        check=True,
    )

    assert set(done.stdout.split()) & COSTLY == LOADED[name]
