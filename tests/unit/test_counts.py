"""What functions count for their alarms."""

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from aws_lambda_powertools import Metrics

from causeway.aws import counts
from causeway.edge.answers import error_answer
from causeway.errors import table
from causeway.errors.service import Internal, Unavailable
from causeway.errors.tree import CausewayError
from causeway.jobs import invocations

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    Metrics().clear_metrics()
    yield
    Metrics().clear_metrics()


def context(*remaining: int) -> SimpleNamespace:
    """An invocation whose milliseconds left are these, one after another."""
    left = iter(remaining)
    return SimpleNamespace(get_remaining_time_in_millis=lambda: next(left))


def job(left: int) -> SimpleNamespace:
    """An invocation of a schedule with these milliseconds left."""
    return SimpleNamespace(get_remaining_time_in_millis=lambda: left, aws_request_id="id")


def published(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]


@pytest.mark.parametrize(("left", "near"), [(5000, False), (501, False), (500, True), (0, True)])
def test_invocation_that_used_up_half_of_its_reserve_is_counted(
    capsys: pytest.CaptureFixture[str], left: int, near: bool
) -> None:
    with counts.published(context(left)):
        pass

    assert [line["NearTimeLimit"] for line in published(capsys)] == ([[1.0]] if near else [])


# Milliseconds of the reserve of each job: it begins nothing new when no more are left.
RESERVES = {
    "oauth/refresh.py": 60_000,
    "maintenance/key_rotation.py": 30_000,
    "maintenance/partitions.py": 65_000,
    "maintenance/snapshot_cleanup.py": 25_000,
    "sync/sweep.py": 10_000,
}


@pytest.mark.parametrize("function", RESERVES)
def test_job_that_stops_by_its_own_time_budget_is_not_near_its_limit(
    capsys: pytest.CaptureFixture[str], function: str
) -> None:
    reserve = RESERVES[function]
    assert f"RESERVE = {reserve:_}\n" in (ROOT / "functions" / function).read_text()
    for left in (reserve, reserve // 2 + 1, reserve // 2):
        with invocations.of_schedule(job(left), reserve, uses_database=False):
            pass

    assert [line["JobNearTimeLimit"] for line in published(capsys)] == [[1.0]]


def test_invocation_that_raises_is_counted_too_under_the_given_name(capsys: pytest.CaptureFixture[str]) -> None:
    def invocation() -> None:
        with counts.published(context(10), "JobNearTimeLimit"):
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
    with counts.published(context(5000)):
        counts.count("INTERNAL", 2)

    [line] = published(capsys)
    [directive] = line["_aws"]["CloudWatchMetrics"]
    assert (directive["Namespace"], line["service"], line["INTERNAL"]) == ("causeway-staging", "wallet-debit", [2.0])
    assert directive["Dimensions"] == [["service"]]


def test_invocation_that_counts_nothing_publishes_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with counts.published(context(4000)):
        pass

    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("kind", table.every().values(), ids=table.every())
def test_answer_of_an_error_is_counted_if_the_fault_is_ours(
    capsys: pytest.CaptureFixture[str], kind: type[CausewayError]
) -> None:
    """HUB 54: a caller's mistake or a platform's failure rings no alarm, whatever its status."""
    with counts.published(context(5000)):
        error_answer(kind(), "request-id")

    counted = [name for line in published(capsys) for name in ("INTERNAL", "Unavailable") if name in line]
    expected = ["INTERNAL"] if issubclass(kind, Internal) else ["Unavailable"] if issubclass(kind, Unavailable) else []
    assert counted == expected
