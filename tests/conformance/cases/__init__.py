"""The cases of the wallet's rules; each module is a heading of them, each case names its number."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.conformance.client import Casino

Check = Callable[..., None]


@dataclass(frozen=True)
class Case:
    """One thing that an implementation must do; run raises AssertionError if it does not."""

    id: str
    run: Callable[[Casino], None]


CASES: list[Case] = []


def case(check: Check) -> Check:
    """Registers a check as a case; its name starts with the case's number, its docstring with "WALLET n:"."""
    _require_number(check)
    CASES.append(Case(check.__name__, check))
    return check


def cases_of(inputs: Mapping[str, Any]) -> Callable[[Check], Check]:
    """Registers a check as one case per input, which it gets as its second argument; named by the input's key."""

    def register(check: Check) -> Check:
        _require_number(check)
        for label, given in inputs.items():
            CASES.append(Case(f"{check.__name__}[{label}]", partial(_check_input, check, given)))
        return check

    return register


def _check_input(check: Check, given: Any, casino: Casino) -> None:
    check(casino, given)


def _require_number(check: Check) -> None:
    number = re.match(r"case_([0-9]{2})_", check.__name__)
    if number is None or not (check.__doc__ or "").startswith(f"WALLET {int(number[1])}: "):
        raise TypeError(f"{check.__name__} does not name the case it covers")
