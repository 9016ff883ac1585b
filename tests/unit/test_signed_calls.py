"""The models of signed calls describe what the readers of these calls accept: no description can drift."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from causeway import demo_provider
from causeway.casino.ledger import requests
from causeway.errors.tree import CausewayError
from causeway.wire import strict_json
from causeway.wire.field_readers import LARGEST_INTEGER
from tools.openapi import examples, signed_calls

Read = Callable[[dict[str, Any]], Any]
PAIRS: list[tuple[type[BaseModel], Read]] = [
    (signed_calls.BalanceQuery, requests.BalanceQuery.parse),
    (signed_calls.Bet, requests.Bet.parse),
    (signed_calls.Credit, requests.Credit.parse),
    (signed_calls.Rollback, requests.Rollback.parse),
    (signed_calls.ProviderLaunch, demo_provider.Launch.parse),
    (signed_calls.Simulation, demo_provider.Simulation.parse),
]
by_name = pytest.mark.parametrize(("model", "read"), PAIRS, ids=lambda one: getattr(one, "__name__", ""))
# The fields of all these requests: a reader may know a field that its model lacks.
NAMES = sorted({field.alias or "" for model, _ in PAIRS for field in model.model_fields.values()})
UUID = "788b3ad9-daf4-40ad-84df-fafcaa277285"
# Values at the limits of texts, ids, amounts and choices, and of every other kind.
LIMITS: list[Any] = [
    *(None, True, False, [], {}, [1], {"a": 1}, 1.5, 1e300, "win", "promo", "jackpot", "WIN", "USD"),
    *("", "x" * 255, "x" * 256, "\U0001f600" * 255, "\U0001f600" * 256, "a\0b", "\ud800", " ", "\n"),
    *(UUID, UUID.upper(), f"{{{UUID}}}", f"urn:uuid:{UUID}", UUID.replace("-", ""), f"{UUID}\n"),
    *(-1, 0, 1, LARGEST_INTEGER, LARGEST_INTEGER + 1, 10**400),
]
VALUES = st.one_of(st.sampled_from(LIMITS), st.text(max_size=300), st.integers())


def example(model: type[BaseModel]) -> dict[str, Any]:
    """The example of a request in the API's document, with every field."""
    return examples.of_model(model)


def accepts(read: Callable[[dict[str, Any]], Any], fields: dict[str, Any]) -> bool:
    try:
        read(fields)
    except (CausewayError, ValidationError):
        return False
    return True


def parsed(body: dict[str, Any]) -> dict[str, Any]:
    """A body's fields as a function gets them: numbers with a fraction or too many digits are no integers."""
    return strict_json.parse_object(json.dumps(body).encode())


@by_name
@given(data=st.data())
def test_reader_and_model_accept_the_same_bodies(model: type[BaseModel], read: Read, data: st.DataObject) -> None:
    changed = data.draw(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3))
    left_out = data.draw(st.sets(st.sampled_from(NAMES), max_size=2))
    fields = parsed({name: value for name, value in (example(model) | changed).items() if name not in left_out})

    assert accepts(read, fields) == accepts(model.model_validate, fields), fields


@by_name
def test_reader_and_model_agree_on_each_value_of_each_field(model: type[BaseModel], read: Read) -> None:
    """What the property may not draw: each field alone, absent and with each value at a limit."""
    for name in NAMES:
        bodies = [{key: value for key, value in example(model).items() if key != name}]
        bodies += [example(model) | {name: limit} for limit in LIMITS]
        for body in bodies:
            fields = parsed(body)
            assert accepts(read, fields) == accepts(model.model_validate, fields), body


@by_name
def test_example_of_a_signed_call_is_accepted_by_its_reader(model: type[BaseModel], read: Read) -> None:
    assert read(parsed(example(model)))


@by_name
def test_field_of_no_model_is_ignored_by_both(model: type[BaseModel], read: Read) -> None:
    fields = parsed(example(model) | {"another": 1})

    assert read(fields) == read(parsed(example(model)))
    assert accepts(model.model_validate, fields)
