"""All cases, in the order of the wallet's rules."""

from tests.conformance.cases import CASES, Case, happy_path, idempotency, operation, rollback, signature, wallets
from tests.conformance.cases import input as bad_input

HEADINGS = (happy_path, idempotency, rollback, bad_input, signature, operation, wallets)


def all_cases() -> list[Case]:
    """Every registered case, by number."""
    return sorted(CASES, key=lambda case: case.id.partition("_")[2][:2])
