"""What a platform's test file says of its platform: the data of the tests that all platforms share."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

import pytest

from causeway.platforms import account_details
from causeway.platforms.account_details import AccountDetails
from causeway.platforms.kinds.limits import Signal
from local.errors import StartError
from local.sandbox.registry import HOW_TO_ADD

FOLDER = Path(__file__).parent
# Seconds; until the next midnight at a place; or none told.
Wait = float | Literal["UTC", "Pacific"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """The facts of one platform, each from its vendor's documents or from the seeds.

    kind: the catalogue's kind of platform.
    secrets: every field of the configuration that must be marked as a secret.
    public: fields that are not secret, though their names contain a word such as key or token.
    example: a configuration as a tenant enters it.
    published: whether the vendor documents its addresses; otherwise each connection configures its own.
    verdicts: a response's status and content, and the code of the verdict on it.
    forbidden: the code of the verdict on a missing right.
    requests: how many requests the test call makes.
    details: what the sandbox's answer to the test call tells of the account.
    limits: a response's status, headers and content, and what they tell of the platform's limits.
    throttled: for each of the sandbox's faults that refuse because of a limit, the wait it tells for 90 seconds.
    refuses_with_200: such a refusal of the vendor has the status 200.
    """

    kind: str
    secrets: frozenset[str]
    example: Mapping[str, str]
    public: frozenset[str] = frozenset()
    published: bool = True
    verdicts: tuple[tuple[int, Any, str], ...] = ()
    forbidden: str = "PROVIDER_FORBIDDEN"
    requests: int = 1
    details: AccountDetails = account_details.NONE
    limits: tuple[tuple[int, Mapping[str, str], Any, Signal], ...] = ()
    throttled: Mapping[str, Wait] = field(default_factory=dict)
    refuses_with_200: bool = False


@cache
def facts() -> dict[str, Facts]:
    """Return the FACTS of each file test_<key>.py of this folder, by the platform's key."""
    files = sorted(FOLDER.glob("test_*.py"))
    try:
        modules = [import_module(f"tests.platforms.{file.stem}") for file in files]
    except StartError as error:
        # It asked for the demo credentials of a platform that the sandbox lacks.
        pytest.fail(str(error), pytrace=False)
    return {file.stem.removeprefix("test_"): facts_of(module) for file, module in zip(files, modules, strict=True)}


def facts_of(module: ModuleType) -> Facts:
    """Return the FACTS of a platform's test file; without them the test that asks fails, and names the file."""
    found = getattr(module, "FACTS", None)
    if not isinstance(found, Facts):
        pytest.fail(f"{module.__file__}: FACTS is missing: {HOW_TO_ADD}", pytrace=False)
    return found
