"""The tree of errors: one class per code, from which the table in the docs is generated."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from causeway.errors import table
from causeway.errors.casino import InsufficientFunds, WalletError
from causeway.errors.platforms import DnsUnavailable, PlatformFailure
from causeway.errors.requests import InProgress, InvalidRequest, RateLimitExceeded
from causeway.errors.service import Internal, Unavailable
from causeway.errors.tree import CausewayError
from tools.error_table import as_markdown

ERRORS = table.every()
ROOT = Path(__file__).parents[2]


def below(root: type[CausewayError] = CausewayError) -> list[type[CausewayError]]:
    return [error for child in root.__subclasses__() for error in (child, *below(child))]


# WalletError and PlatformFailure only have what the errors of one kind have in common.
TREE = [error for error in dict.fromkeys(below()) if error not in (WalletError, PlatformFailure)]


def test_every_error_introduces_a_code_or_refines_its_parents_sentence() -> None:
    introduced = [error for error in TREE if "code" in vars(error)]

    assert len({error.code for error in introduced}) == len(introduced)
    for error in TREE:
        parent = error.__mro__[1]
        if "code" not in vars(error):
            assert error.code == getattr(parent, "code", None)
            assert error.status == getattr(parent, "status", None)


def test_every_code_is_looked_up_as_the_class_that_introduced_it() -> None:
    assert {error.code: error for error in TREE if "code" in vars(error)} == ERRORS
    assert ERRORS["INTERNAL"] is Internal
    assert ERRORS["UNAVAILABLE"] is Unavailable


def test_modules_of_errors_are_loaded_separately() -> None:
    """A function loads the errors of its domain: the wallet does not load the platforms'."""
    loaded = (
        "import sys, causeway.errors.casino; print(*sorted(n for n in sys.modules if n.startswith('causeway.errors.')))"
    )
    printed = subprocess.run(
        [sys.executable, "-c", loaded],
        cwd=ROOT / "layers" / "causeway" / "python",
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout.split() == [f"causeway.errors.{name}" for name in ("casino", "requests", "service", "tree")]


def test_code_of_errors_that_are_not_loaded_is_found() -> None:
    """A row or the authorizer may answer the code of another domain than the function's own."""
    found = "from causeway.errors import table; print(table.of_code('CREDENTIAL_UNREADABLE').status)"
    printed = subprocess.run(
        [sys.executable, "-c", found],
        cwd=ROOT / "layers" / "causeway" / "python",
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == "409\n"


def test_unknown_code_is_the_callers_default_or_a_fault_that_names_it() -> None:
    assert table.of_code("A_CODE_OF_LATER", Unavailable) is Unavailable
    assert table.of_code("INTERNAL", Unavailable) is Internal
    with pytest.raises(Internal) as raised:
        table.of_code("A_CODE_OF_LATER")
    assert "A_CODE_OF_LATER" in raised.value.cause
    assert raised.value.sentence == Internal().sentence


def test_class_that_introduces_a_code_is_named_as_the_code() -> None:
    named = {code: error.__name__ for code, error in ERRORS.items()}
    assert named == {code: code.title().replace("_", "") for code in named}


@pytest.mark.parametrize("error", TREE, ids=lambda error: error.__name__)
def test_every_error_has_a_sentence_a_status_and_an_action(error: type[CausewayError]) -> None:
    assert "__doc__" in vars(error)
    sentence = (vars(error)["__doc__"] or "").strip()
    assert sentence
    assert "\n" not in sentence
    assert not sentence.endswith(".")
    made = error()
    assert made.sentence == str(made) == sentence.replace("{address}", "the base URL")
    assert "{" not in f"{made.sentence}{made.action}"
    assert 400 <= error.status < 600
    assert error.action.endswith(".")
    assert error.code == error.code.upper()
    # These have a retry time: an unknown outcome, and a call that waits for the first call with the same key.
    assert error.retry_after is None or error.status == 503 or error is InProgress


def test_given_sentence_overrides_the_docstring_and_the_cause_is_for_the_log() -> None:
    error = InvalidRequest("roundId must be a string", cause="inside")

    assert (error.sentence, error.cause, str(error)) == ("roundId must be a string", "inside", "inside")


def test_failure_of_a_platform_names_the_setting_and_what_is_done_again() -> None:
    told = DnsUnavailable(address="config.base_url", again="test again")

    assert told.sentence == "The host in config.base_url could not be looked up"
    assert told.action == "Wait a minute, then test again; if it fails again, check the spelling of config.base_url."


def test_only_the_wallets_refusals_have_a_balance() -> None:
    assert InsufficientFunds(balance=0).fields == {"balance": "0"}
    assert InsufficientFunds().fields == InvalidRequest().fields == {}


def test_docs_are_made_from_the_code() -> None:
    assert (ROOT / "docs" / "errors.md").read_text() == as_markdown(), "run make docs"


@pytest.mark.parametrize(
    ("missing", "named"),
    [("status", "status"), ("action", "action"), ("__doc__", "a docstring, which")],
)
def test_error_without_a_part_of_its_answer_is_named(missing: str, named: str) -> None:
    parts = {"__doc__": "A sentence", "code": "INCOMPLETE", "status": 400, "action": "Do something."}
    del parts[missing]

    with pytest.raises(TypeError, match=rf"tests.unit.test_errors.Incomplete \(INCOMPLETE\) lacks {named}"):
        type("Incomplete", (CausewayError,), parts | {"__module__": __name__})
    assert "INCOMPLETE" not in ERRORS


@pytest.mark.parametrize(
    ("paths", "written"), [([ROOT, ROOT / "layers/causeway/python"], True), ([ROOT], False)], ids=["whole", "failing"]
)
def test_command_writes_the_docs_or_leaves_them(tmp_path: Path, paths: list[Path], written: bool) -> None:
    file = tmp_path / "docs" / "errors.md"
    file.parent.mkdir()
    file.write_text("as it was")

    done = subprocess.run(
        [sys.executable, "-m", "tools.error_table"],
        cwd=tmp_path,
        env={"PYTHONPATH": ":".join(map(str, paths))},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (done.returncode == 0, done.stdout) == (written, "wrote docs/errors.md\n" if written else "")
    assert file.read_text() == (as_markdown() if written else "as it was")


def test_table_has_every_code_once_and_no_sentence_breaks_it() -> None:
    rows = [line.strip("|").split("|") for line in as_markdown().splitlines() if line.startswith("| `")]

    assert [row[0].strip(" `") for row in rows] == sorted(ERRORS)
    assert {len(row) for row in rows} == {5}


def test_table_says_when_a_retry_makes_sense() -> None:
    retry = {
        line.split("|")[1].strip(" `"): line.split("|")[5].strip()
        for line in as_markdown().splitlines()
        if line.startswith("| `")
    }

    assert retry["INTERNAL"] == "yes"
    assert retry["UNAVAILABLE"] == "yes, after 1 s"
    assert retry["RATE_LIMIT_EXCEEDED"] == "yes, after Retry-After"
    assert retry["INSUFFICIENT_FUNDS"] == "no"


def test_too_many_requests_carries_the_seconds_that_are_known() -> None:
    assert RateLimitExceeded(retry_after=7).retry_after == 7
    assert RateLimitExceeded().retry_after is None


def test_example_in_the_docs_is_the_body_an_error_has() -> None:
    example = as_markdown().split("`")[3]

    assert list(json.loads(example)) == ["error", "code", "requestId", "nextAction"]
