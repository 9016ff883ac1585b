"""The caller authorizer: what it answers when it cannot authenticate, and its start-up cost."""

import json
import subprocess
import sys
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any
from uuid import UUID, uuid4

import pytest

from causeway.database import postgres
from causeway.tenancy import key_texts, tokens
from local import ROOT
from tests.end_to_end.tokens import signed
from tests.unit.gateway_events import Context

EVENT = json.loads((ROOT / "events" / "caller-authorizer.json").read_text())
NOWHERE = "127.0.0.1"


@pytest.fixture
def handler(set_environment: Callable[..., None]) -> Callable[..., dict[str, Any]]:
    """The function, while database and issuer do not answer: handler(authorization="...") is its answer."""
    set_environment(
        POWERTOOLS_SERVICE_NAME="caller-authorizer",
        DATABASE_HOST=NOWHERE,
        DATABASE_PORT="9",
        DATABASE_NAME="causeway",
        DATABASE_USER="causeway_hub",
        AWS_ACCESS_KEY_ID="id",
        AWS_SECRET_ACCESS_KEY="key",
        AWS_SESSION_TOKEN="token",
        AWS_REGION="eu-central-1",
        TOKEN_ISSUER="https://issuer.example",
        TOKEN_AUDIENCE="client",
        TOKEN_KEYS_URL=f"http://{NOWHERE}:9/keys",
    )
    postgres.current.cache_clear()
    tokens.current.cache_clear()
    spec = spec_from_file_location("authorizer", ROOT / "functions" / "identity" / "authorizer.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return lambda **headers: module.handler(
        EVENT | {"headers": {name.replace("_", "-"): value for name, value in headers.items()}}, Context()
    )


def test_unreachable_dependency_is_not_a_refusal(handler: Callable[..., dict[str, Any]]) -> None:
    """A valid key or token is not called invalid: the caller gets 503 and retries."""
    key, _ = key_texts.make(UUID(int=1), uuid4())
    unavailable = {"isAuthorized": True, "context": {"refused": "UNAVAILABLE"}}

    assert handler(x_api_key=key.text) == unavailable
    assert handler(authorization=f"Bearer {signed({'sub': 'x'})}") == unavailable


def test_internal_error_is_counted_under_the_alarms_metric(
    handler: Callable[..., dict[str, Any]], set_environment: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    """There is an answer, so Lambda counts no error: the alarm INTERNAL and the canary's rollback need this metric."""
    set_environment(POWERTOOLS_SERVICE_NAME="caller-authorizer")
    assert handler(authorization=f"Bearer {signed({'sub': 'x'})}") == {
        "isAuthorized": True,
        "context": {"refused": "INTERNAL"},
    }

    counted = [json.loads(line) for line in capsys.readouterr().out.splitlines() if "_aws" in line]
    assert [(one["service"], one["INTERNAL"]) for one in counted] == [("caller-authorizer", [1.0])]


def test_unexpected_exception_fails_the_invocation(handler: Callable[..., dict[str, Any]]) -> None:
    """Lambda counts an error: the alarm CallerAuthorizerErrors rings, and the canary is rolled back."""
    with pytest.raises(AttributeError):
        handler(authorization=1)


@pytest.mark.parametrize("headers", [{}, {"authorization": "x"}, {"x_api_key": "x"}, {"x_api_key": ""}])
def test_malformed_token_or_key_is_refused_without_any_call(
    handler: Callable[..., dict[str, Any]], headers: dict[str, str]
) -> None:
    assert handler(**headers)["context"]["refused"] == "UNAUTHORIZED"


def test_call_with_an_api_key_does_not_import_the_token_library() -> None:
    """The import takes 30 ms of a cold start."""
    program = "import sys, authorizer; assert 'jwt' not in sys.modules; print('cold')"
    folders = (ROOT / "functions" / "identity", ROOT / "layers" / "causeway" / "python")
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": ":".join(str(folder) for folder in folders), "POWERTOOLS_SERVICE_NAME": "x"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.strip() == "cold", done.stderr
