"""Each platform's reader of rate limits tells what the vendor documents, and takes any answer (HUB 10)."""

import json
from collections.abc import Mapping
from math import isfinite
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from requests.structures import CaseInsensitiveDict

from causeway.platforms import registry
from causeway.platforms.kinds.limits import LimitReader, Signal
from tests.platforms.facts import facts
from tests.unit.odd_answers import STATUSES, VENDORS, answers, constants, nested
from tests.unit.platform_folders import PLATFORMS, folders, loaded

READERS = [file for folder in folders(PLATFORMS) if (file := folder / "limits.py").exists()]
CASES = [(key, *case) for key, its in sorted(facts().items()) for case in its.limits]
GENERAL = ["Retry-After", "RateLimit", "X-RateLimit-Reset"]


def values(file: Path) -> st.SearchStrategy[str]:
    """Values of headers: numbers, JSON texts with the fields that a reader reads, and others."""
    numbers = st.sampled_from(["0", "-1", "1e999", "NaN", "9" * 5000, "[" * 100_000]) | st.integers().map(str)
    return numbers | answers(file).map(json.dumps) | st.text(max_size=9)


def headers_of(file: Path) -> st.SearchStrategy[dict[str, str]]:
    known = [one for source in (file, *VENDORS) for one in constants(source) if isinstance(one, str) and "-" in one]
    return st.dictionaries(st.sampled_from([*GENERAL, *known]), values(file))


@pytest.mark.parametrize(("key", "status", "headers", "content", "told"), CASES)
def test_reader_tells_what_the_platform_documents(
    key: str, status: int, headers: Mapping[str, str], content: Any, told: Signal
) -> None:
    reader = registry.find(key, LimitReader)

    assert reader is not None
    assert reader.read_limits(status, CaseInsensitiveDict(headers), content) == told


def test_each_reader_has_cases() -> None:
    assert {key for key, *_ in CASES} == {file.parent.name for file in READERS}
    assert len(READERS) >= 14


@pytest.mark.parametrize("file", READERS, ids=lambda file: file.parent.name)
def test_reader_takes_any_answer(file: Path) -> None:
    reader = loaded(file)
    contents = answers(file) | st.none() | st.lists(answers(file), max_size=2) | st.text(max_size=9)

    @given(STATUSES, headers_of(file), contents)
    @example(429, {}, {"error": nested(5000), "errors": [nested(5000)], "message": nested(5000), "code": nested(5000)})
    @example(403, {}, {"error": {"errors": [{"reason": nested(5000)}], "code": nested(5000)}})
    @example(200, {}, {"propertyQuota": {"tokensPerDay": {"remaining": nested(5000)}}})
    @example(200, {"X-Ad-Account-Usage": '{"acc_id_util_pct": 1e999, "reset_time_duration": NaN}'}, None)
    @example(200, {"X-Business-Use-Case-Usage": '{"1": [{"estimated_time_to_regain_access": 1e999}]}'}, None)
    @example(200, {"X-Business-Use-Case-Usage": f'{{"1": [{{"estimated_time_to_regain_access": {"9" * 4000}}}]}}'}, 1)
    def check(status: int, headers: dict[str, str], content: Any) -> None:
        told = reader.read_limits(status, CaseInsensitiveDict(headers), content)

        assert isinstance(told, Signal)
        assert told.wait is None or (told.wait >= 0 and isfinite(told.wait))

    check()
