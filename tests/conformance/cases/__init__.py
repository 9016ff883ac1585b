"""The cases of the wallet's rules; each module has one heading's cases, each case names its number."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.conformance.client import Casino

Check = Callable[..., None]


@dataclass(frozen=True)
class Case:
    """One requirement for an implementation; run raises AssertionError if it is not met."""

    id: str
    run: Callable[[Casino], None]


CASES: list[Case] = []


def case(check: Check) -> Check:
    """Register a check as a case; its name starts with the case's number, its docstring with "WALLET n:"."""
    CASES.append(Case(_numbered(check), check))
    return check


def cases_of(inputs: Mapping[str, Any]) -> Callable[[Check], Check]:
    """Register a check as one case per input, passed as its second argument; the input's key is part of the name."""

    def register(check: Check) -> Check:
        name = _numbered(check)
        for label, given in inputs.items():
            CASES.append(Case(f"{name}[{label}]", partial(_check_input, check, given)))
        return check

    return register


def _check_input(check: Check, given: Any, casino: Casino) -> None:
    check(casino, given)


def _numbered(check: Check) -> str:
    """The check's name, which together with its docstring names the case."""
    name = getattr(check, "__name__", "")
    number = re.match(r"case_([0-9]{2})_", name)
    if number is None or not (check.__doc__ or "").startswith(f"WALLET {int(number[1])}: "):
        raise TypeError(f"{name or check} does not name the case it covers")
    return name
