"""The tree of errors: one class per code, and the table in the docs is made of it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from causeway import errors
from causeway.errors import BY_CODE, CausewayError

ROOT = Path(__file__).parents[2]


def tree(root: type[CausewayError] = CausewayError) -> list[type[CausewayError]]:
    return [root, *(below for child in root.__subclasses__() for below in tree(child))]


def test_every_error_introduces_a_code_or_refines_its_parents_sentence() -> None:
    introduced = [error for error in tree() if "code" in vars(error)]

    assert len({error.code for error in introduced}) == len(introduced)
    for error in tree():
        parent = error.__mro__[1]
        if "code" not in vars(error):
            assert error.code == getattr(parent, "code", None)
            assert error.status == getattr(parent, "status", None)


def test_every_code_is_looked_up_as_the_class_that_introduced_it() -> None:
    assert {error.code: error for error in tree() if "code" in vars(error)} == BY_CODE
    assert BY_CODE["INTERNAL"] is CausewayError
    assert BY_CODE["UNAVAILABLE"] is errors.Unavailable


def test_class_that_introduces_a_code_is_named_as_the_code() -> None:
    named = {code: error.__name__ for code, error in BY_CODE.items() if error is not CausewayError}
    assert named == {code: code.title().replace("_", "") for code in named}


@pytest.mark.parametrize("error", tree(), ids=lambda error: error.__name__)
def test_every_error_has_a_sentence_a_status_and_an_action(error: type[CausewayError]) -> None:
    assert "__doc__" in vars(error)
    sentence = (vars(error)["__doc__"] or "").strip()
    assert sentence
    assert "\n" not in sentence
    assert not sentence.endswith(".")
    assert error().sentence == str(error()) == sentence
    assert 400 <= error.status < 600
    assert error.action.endswith(".")
    assert error.code == error.code.upper()
    # Worth a retry: an unknown outcome, and a call that waits for the first one with its key.
    assert error.retry_after is None or error.status == 503 or error is errors.InProgress


def test_sentence_given_goes_before_the_docstring_and_the_cause_is_for_the_log() -> None:
    error = errors.InvalidRequest("roundId must be a string", cause="inside", balance=5)

    assert (error.sentence, error.cause, error.balance, str(error)) == (
        "roundId must be a string",
        "inside",
        5,
        "inside",
    )
    assert errors.InsufficientFunds(balance=0).balance == 0


def test_docs_are_made_from_the_code() -> None:
    assert (ROOT / "docs" / "errors.md").read_text() == errors.as_markdown()


def test_command_prints_the_docs() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "causeway.errors"],
        cwd=ROOT / "layers" / "causeway" / "python",
        capture_output=True,
        text=True,
        check=True,
    )
    assert (printed.stdout, printed.stderr) == (errors.as_markdown(), "")


def test_table_has_every_code_once_and_no_sentence_breaks_it() -> None:
    rows = [line.strip("|").split("|") for line in errors.as_markdown().splitlines() if line.startswith("| `")]

    assert [row[0].strip(" `") for row in rows] == sorted(BY_CODE)
    assert {len(row) for row in rows} == {5}


def test_table_says_when_a_retry_makes_sense() -> None:
    retry = {
        line.split("|")[1].strip(" `"): line.split("|")[5].strip()
        for line in errors.as_markdown().splitlines()
        if line.startswith("| `")
    }

    assert retry["INTERNAL"] == "yes"
    assert retry["UNAVAILABLE"] == "yes, after 1 s"
    assert retry["RATE_LIMIT_EXCEEDED"] == "yes, after Retry-After"
    assert retry["INSUFFICIENT_FUNDS"] == "no"


def test_too_many_requests_carries_the_seconds_that_are_known() -> None:
    assert errors.RateLimitExceeded(retry_after=7).retry_after == 7
    assert errors.RateLimitExceeded().retry_after is None


def test_example_in_the_docs_is_the_body_an_error_has() -> None:
    example = errors.as_markdown().split("`")[3]

    assert list(json.loads(example)) == ["error", "code", "requestId", "nextAction"]
