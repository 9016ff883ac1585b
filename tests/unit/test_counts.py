"""What functions count for their alarms."""

import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools import Metrics

from causeway.aws import counts
from causeway.edge.answers import error_answer
from causeway.errors import table
from causeway.errors.service import Internal, Unavailable
from causeway.errors.tree import CausewayError


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    Metrics().clear_metrics()
    yield
    Metrics().clear_metrics()


def context(*remaining: int) -> SimpleNamespace:
    """An invocation whose milliseconds left are these, one after another."""
    left = iter(remaining)
    return SimpleNamespace(get_remaining_time_in_millis=lambda: next(left))


def published(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]


@pytest.mark.parametrize(("left", "near"), [(5000, False), (1001, False), (1000, True), (0, True)])
def test_invocation_that_used_four_fifths_of_its_time_is_counted(
    capsys: pytest.CaptureFixture[str], left: int, near: bool
) -> None:
    with counts.published(context(5000, left)):
        pass

    assert [line["NearTimeLimit"] for line in published(capsys)] == ([[1.0]] if near else [])


def test_invocation_that_raises_is_counted_too_under_the_given_name(capsys: pytest.CaptureFixture[str]) -> None:
    def invocation() -> None:
        with counts.published(context(5000, 10), "JobNearTimeLimit"):
            counts.count("INTERNAL")
            raise LookupError

    with pytest.raises(LookupError):
        invocation()
    [line] = published(capsys)
    assert (line["INTERNAL"], line["JobNearTimeLimit"]) == ([1.0], [1.0])


def test_counts_are_in_the_namespace_of_the_deployment(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "causeway-staging")
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "wallet-debit")
    with counts.published(context(5000, 5000)):
        counts.count("INTERNAL", 2)

    [line] = published(capsys)
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], line["service"], line["INTERNAL"]) == ("causeway-staging", "wallet-debit", [2.0])
    assert directive["Dimensions"] == [["service"]]


def test_invocation_that_counts_nothing_publishes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with counts.published(context(5000, 4000)):
        pass

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("kind", table.every().values(), ids=table.every())
def test_answer_of_an_error_is_counted_if_the_fault_is_ours(
    capsys: pytest.CaptureFixture[str], kind: type[CausewayError]
) -> None:
    """HUB 54: a caller's mistake or a platform's failure rings no alarm, whatever its status."""
    with counts.published(context(5000, 5000)):
        error_answer(kind(), "request-id")

    counted = [name for line in published(capsys) for name in ("INTERNAL", "Unavailable") if name in line]
    expected = ["INTERNAL"] if issubclass(kind, Internal) else ["Unavailable"] if issubclass(kind, Unavailable) else []
    assert counted == expected
