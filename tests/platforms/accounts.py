"""A platform's account with the demo credentials, at a server of the test's choice."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from causeway.catalogue import secret_fields
from causeway.outbound.attempts import Attempt
from causeway.platforms import calls, registry
from causeway.platforms.account import Account
from causeway.platforms.call_terms import CallTerms
from causeway.platforms.calls import AccountTest
from causeway.platforms.kinds.errors import ErrorReader
from causeway.platforms.kinds.limits import LimitReader
from causeway.platforms.open_account import OpenAccount
from local import ROOT
from local.sandbox.redirection import redirected
from local.sandbox.registry import demo_credentials
from tests.platforms.providers import released

CATALOGUE = ROOT / "schema" / "catalogue"
KEYS = sorted(path.stem for path in CATALOGUE.glob("[!_]*.json"))


def document(key: str) -> dict[str, Any]:
    """Return the catalogue's document of a platform."""
    return json.loads((CATALOGUE / f"{key}.json").read_bytes())


def secrets_of(key: str) -> frozenset[str]:
    """Return the names of the fields that the catalogue marks as secret."""
    return frozenset(secret_fields.names(document(key)["config_schema"]))


def demo_account(key: str, url: str | None = None, **changes: str) -> Account:
    """Return an account with the demo credentials and these changes.

    Args:
        key: the platform's.
        url: a server that answers in place of every platform, each below its key; None: the vendor's own addresses.
        changes: fields of the configuration.
    """
    original = document(key)
    platform = released(original)
    if url is not None:
        changed = redirected(original, url)
        fields = ("base_urls", "authentication", "health_call", "config_schema")
        platform = replace(platform, **{name: changed[name] for name in fields})
    settings, secrets = secret_fields.split(platform.config_schema, demo_credentials(key) | changes)
    environment = "sandbox" if original["base_urls"]["sandbox"] else "production"
    return Account(platform, environment, settings, secrets)


def result_of_test(account: Account, log: Callable[[Attempt], object]) -> AccountTest:
    """Make an account's test call and return its result."""
    return calls.call_for_test(account, _terms(account, log))


def verdict_code(account: Account, log: Callable[[Attempt], object] = lambda _: None) -> str:
    """Make an account's test call and return the code of the verdict."""
    return result_of_test(account, log).verdict.code


def opened(account: Account) -> OpenAccount:
    """Return an account for calls, which logs nothing."""
    return OpenAccount(account, _terms(account, lambda _: None), lambda _: None)


def _terms(account: Account, log: Callable[[Attempt], object]) -> CallTerms:
    key = account.provider.key
    return CallTerms(log, errors=registry.find(key, ErrorReader), limits=registry.find(key, LimitReader))
