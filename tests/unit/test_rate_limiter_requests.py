"""The reader of the rate limiter's request: what it refuses, and that the document's model refuses the same."""

from typing import Any

import pytest
from pydantic import ValidationError

from causeway.errors.requests import InvalidRequest
from causeway.rate_limits.limits import MOST
from causeway.rate_limits.requests import LimiterRequest
from tools.openapi import rate_limiter

ID = "788b3ad9-daf4-40ad-84df-fafcaa277285"
KEY = {"key": "sms:alice", "action": "take"}
GOOD: list[dict[str, Any]] = [
    KEY,
    {"connection_id": ID, "action": "check"},
    {"connection_id": ID.upper(), "key": None, "action": "usage", "cost": 1},
    KEY | {"cost": MOST},
    KEY | {"key": "a"},
    KEY | {"key": "A.b_c:d/e@f+g-9"},
    KEY | {"key": "a" * 128},
]
BAD: list[tuple[dict[str, Any], str]] = [
    ({}, "connection_id or key"),
    ({"action": "take"}, "connection_id or key"),
    ({"key": None, "action": "take"}, "connection_id or key"),
    (KEY | {"connection_id": ID}, "connection_id or key"),
    ({"connection_id": 7, "action": "take"}, "connection_id"),
    *[
        (KEY | {"key": key}, "key")
        for key in ("", "a" * 129, " a", "a b", "-a", "\u00e4", "a\n", "a\0", 7, True, [], {})
    ],
    ({"key": "a"}, "action"),
    *[(KEY | {"action": action}, "action") for action in (None, "", "TAKE", "reset", 1, [], {})],
    *[(KEY | {"cost": cost}, "cost") for cost in (0, -1, MOST + 1, 1.5, "1", True, None, [])],
    (KEY | {"limit": 5}, "limit"),
    (KEY | {"cwk_AAAABBBBCCCCDDDDEEEE": 5}, "<unnamed>"),
]


@pytest.mark.parametrize("body", GOOD)
def test_reader_and_model_accept(body: dict[str, Any]) -> None:
    read = LimiterRequest.parse(body)
    model = rate_limiter.LimiterRequest.model_validate(body)
    assert (read.connection, read.key, read.action, read.cost) == (
        *(model.connection_id, model.key, model.action, model.cost),
    )


@pytest.mark.parametrize(("body", "named"), BAD)
def test_reader_and_model_refuse_and_the_error_names_the_field(body: dict[str, Any], named: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        LimiterRequest.parse(body)
    assert named in refused.value.sentence
    with pytest.raises(ValidationError):
        rate_limiter.LimiterRequest.model_validate(body)


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(InvalidRequest) as refused:
        LimiterRequest.parse({"key": "", "cost": 0, "limit": 5, "window": "day"})
    assert [(problem.path, problem.rule) for problem in refused.value.problems] == [
        ("limit", "is not a known field: the fields are connection_id, key, action, cost"),
        ("window", "is not a known field"),
        ("key", "must be 1 to 128 letters, digits and characters of ._:/@+-, and begin with a letter or a digit"),
        ("action", "is missing"),
        ("cost", f"must be a whole number from 1 to {MOST}"),
    ]
