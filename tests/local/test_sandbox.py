"""The provider sandbox, called as the hub calls the real platforms (HUB 8)."""

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from pydantic.alias_generators import to_camel

from causeway import settings
from causeway.outbound import client, failures
from causeway.outbound.attempts import Attempt
from local.errors import StartError
from local.sandbox.process import Sandbox
from local.sandbox.registry import FOLDER, demo_credentials, platforms
from tests.platforms.accounts import KEYS, demo_account, document, result_of_test, secrets_of, verdict_code
from tests.platforms.facts import facts, facts_of

ATTEMPTS: list[Attempt] = []


def _test(key: str, url: str, **changes: str) -> str:
    """Return the code of the test call's verdict on the demo credentials with these changes."""
    return verdict_code(demo_account(key, url, **changes), ATTEMPTS.append)


def _check(key: str, url: str, code: str, **changes: str) -> None:
    """Make the test call with these changes; another verdict fails the test and shows the requests and answers."""
    start = len(ATTEMPTS)
    found = _test(key, url, **changes)
    if found != code:
        lines = [f"{key}: the verdict is {found}, not {code}", *map(_shown, ATTEMPTS[start:])]
        pytest.fail("\n".join(lines), pytrace=False)


def _shown(attempt: Attempt) -> str:
    asked = f"{attempt.method} {attempt.url} {attempt.request_body}".rstrip()
    return f"{asked}\n-> {attempt.status} {attempt.error or ''}{attempt.response_body}"


@pytest.fixture
def url(sandbox_url: str) -> str:
    """The sandbox's URL, without a fault that an earlier test asked for."""
    assert _control(sandbox_url, "DELETE", "faults")[0] == 200
    return sandbox_url


def _control(url: str, method: str, path: str, content: Any = None) -> tuple[int, Any]:
    body = b"" if content is None else json.dumps(content).encode()
    reply = client.send(method, f"{url}/_sandbox/{path}", body=body, log=ATTEMPTS.append)
    return reply.status, json.loads(reply.body)


def test_sandbox_plays_the_platforms_of_a_given_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in the folder is all that a new platform needs."""
    (tmp_path / "toy.py").write_text((FOLDER / "sendgrid.py").read_text().replace("/v3/scopes", "/toy"))
    server = Sandbox(tmp_path, platforms=tmp_path)
    server.start()
    monkeypatch.setenv("EGRESS_ALLOWED_HOSTS", f"127.0.0.1:{server.port}")
    settings.egress_allowed_hosts.cache_clear()
    headers = {"Authorization": f"Bearer {demo_credentials('sendgrid')['api_key']}"}
    try:
        paths = ("toy/toy", "toy/v3/scopes", "sendgrid/v3/scopes")
        replies = [client.send("GET", f"{server.url}/{path}", headers=headers, log=ATTEMPTS.append) for path in paths]
    finally:
        server.stop()
        settings.egress_allowed_hosts.cache_clear()

    assert [reply.status for reply in replies] == [200, 404, 404]
    assert b"plays no 'sendgrid'" in replies[2].body


@pytest.mark.parametrize("part", ["CREDENTIALS", "routes", "problem"])
def test_platform_file_without_a_part_is_named(tmp_path: Path, part: str) -> None:
    whole = {"CREDENTIALS": "CREDENTIALS = {}", "routes": "def routes(): return []", "problem": "def problem(_): pass"}
    (tmp_path / "toy.py").write_text("\n".join(text for name, text in whole.items() if name != part))

    with pytest.raises(StartError, match=rf"toy\.py: {part} missing"):
        platforms(tmp_path)


def test_missing_file_of_a_platform_is_named() -> None:
    with pytest.raises(StartError, match=r"platforms/unheard\.py is missing: docs/development\.md, Add a platform"):
        demo_credentials("unheard")


def test_test_file_without_facts_is_named() -> None:
    module = ModuleType("tests.platforms.test_toy")
    module.__file__ = "tests/platforms/test_toy.py"

    with pytest.raises(pytest.fail.Exception, match=r"test_toy\.py: FACTS is missing: docs/development\.md, Add a "):
        facts_of(module)


@pytest.mark.parametrize("key", KEYS)
def test_demo_credentials_fit_the_catalogues_schema(key: str) -> None:
    schema = document(key)["config_schema"]

    assert set(schema["required"]) <= set(demo_credentials(key)) <= set(schema["properties"])
    for name, value in demo_credentials(key).items():
        assert re.search(schema["properties"][name].get("pattern", ""), value), name


@pytest.mark.parametrize("key", KEYS)
def test_good_credentials_are_accepted(url: str, key: str) -> None:
    """HUB 8."""
    _check(key, url, "CONNECTED")


@pytest.mark.parametrize("key", KEYS)
def test_each_detail_of_a_document_is_in_the_answer_to_the_test_call(url: str, key: str) -> None:
    details = result_of_test(demo_account(key, url), ATTEMPTS.append).details

    assert details == facts()[key].details
    told = {to_camel(name) for name, value in asdict(details).items() if value is not None}
    assert told == document(key)["health_call"].get("details", {}).keys()


def test_unexpected_verdict_shows_the_request_and_the_answer(url: str) -> None:
    with pytest.raises(pytest.fail.Exception) as caught:
        _check("telr", url, "RATE_LIMITED", store_id="1")

    assert re.match(
        r"telr: the verdict is INVALID_CREDENTIALS, not RATE_LIMITED\n"
        r'POST http://127\.0\.0\.1:\d+/telr/gateway/order\.json \{"method": "check".*\n'
        r'-> 200 \{"method": "check", "error": ',
        str(caught.value),
    )


@pytest.mark.parametrize("key", KEYS)
def test_429_says_how_long_to_wait(key: str) -> None:
    """A platform that answers another status to too many requests sends no Retry-After."""
    problem = platforms()[key].problem(429)

    assert problem.headers.get("Retry-After") == ("2" if problem.status == 429 else None), "use problems.waits(status)"


def _used_secrets() -> Iterator[tuple[str, str]]:
    for key in KEYS:
        described = document(key)
        used = set(re.findall(r"\{(\w+)\}", json.dumps([described["authentication"], described["health_call"]])))
        # A secret that only people's own apps have is in no demo credentials.
        for name in sorted(used & secrets_of(key) & demo_credentials(key).keys()):
            yield key, name


@pytest.mark.parametrize(("key", "name"), list(_used_secrets()))
def test_each_wrong_secret_is_refused(url: str, key: str, name: str) -> None:
    """HUB 8: the sandbox checks each secret to its last character."""
    wrong = demo_credentials(key)[name] + "0"

    _check(key, url, "INVALID_CREDENTIALS", **{name: wrong})


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("401", "INVALID_CREDENTIALS"),
        ("403", "PROVIDER_FORBIDDEN"),
        ("429", "RATE_LIMITED"),
        ("500", "PROVIDER_ERROR"),
        ("garbage", "UNEXPECTED_ANSWER"),
    ],
)
def test_fault_has_its_verdict_and_ends(url: str, key: str, fault: str, code: str) -> None:
    """HUB 8: the platform words the fault as its vendor does."""
    code = facts()[key].forbidden if fault == "403" else code
    assert _control(url, "POST", "faults", {"provider": key, "fault": fault})[0] == 200

    _check(key, url, code)
    _check(key, url, "CONNECTED")


@pytest.mark.parametrize("fault", ["silent", "drip", "slow"])
def test_call_that_a_fault_delays_ends_with_the_budget(url: str, fault: str) -> None:
    """HUB 8."""
    _control(url, "POST", "faults", {"provider": "stripe", "fault": fault})
    headers = {"Authorization": f"Bearer {demo_credentials('stripe')['api_key']}"}

    with pytest.raises(failures.TimedOut):
        client.send("GET", f"{url}/stripe/v1/balance", headers=headers, budget=0.3, log=ATTEMPTS.append)

    assert client.send("GET", f"{url}/stripe/v1/balance", headers=headers, log=ATTEMPTS.append).status == 200


def test_slow_response_is_the_usual_response(url: str) -> None:
    _control(url, "POST", "faults", {"provider": "sendgrid", "fault": "slow", "seconds": 0.2})

    _check("sendgrid", url, "CONNECTED")


def test_fault_occurs_as_often_as_asked(url: str) -> None:
    _control(url, "POST", "faults", {"provider": "mailchimp", "fault": "500", "times": 2})

    codes = [_test("mailchimp", url) for _ in range(3)]

    assert codes == ["PROVIDER_ERROR", "PROVIDER_ERROR", "CONNECTED"]


@pytest.mark.parametrize(
    ("key", "name", "value", "code"),
    [
        ("sendgrid", "api_key", "SG.sandbox-fault-429", "RATE_LIMITED"),
        ("stripe", "api_key", "sk_test_sandbox-fault-500", "PROVIDER_ERROR"),
        ("twilio", "auth_token", "sandbox-fault-403", "PROVIDER_FORBIDDEN"),
        ("aramex", "password", "sandbox-fault-garbage", "UNEXPECTED_ANSWER"),
        ("fedex", "client_secret", "sandbox-fault-401", "INVALID_CREDENTIALS"),
        ("twilio", "auth_token", "sandbox-fault-unheard", "PROVIDER_REJECTED"),
    ],
)
def test_credential_can_ask_for_a_fault(url: str, key: str, name: str, value: str, code: str) -> None:
    """HUB 8."""
    _check(key, url, code, **{name: value})


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        [],
        {"provider": "stripe"},
        {"provider": "none", "fault": "500"},
        {"provider": "stripe", "fault": "unheard"},
        {"provider": "stripe", "fault": ["500"]},
        {"provider": "stripe", "fault": "500", "times": 0},
    ],
)
def test_unknown_or_incomplete_fault_is_refused(url: str, wanted: Any) -> None:
    assert _control(url, "POST", "faults", wanted)[0] == 400


def test_calls_are_counted(url: str) -> None:
    before = _control(url, "GET", "calls")[1].get("linkedin", 0)
    _test("linkedin", url)

    assert _control(url, "GET", "calls")[1]["linkedin"] == before + 1


@pytest.mark.parametrize("path", ["/nobody/v1", "/", "/_sandbox/other"])
def test_other_paths_are_not_found(url: str, path: str) -> None:
    assert client.send("GET", url + path, log=ATTEMPTS.append).status == 404


def test_stopped_sandbox_leaves_no_process(tmp_path: Path) -> None:
    server = Sandbox(tmp_path)
    server.start()
    pid = server.pid
    server.stop()

    assert not Path(f"/proc/{pid}").exists()


def test_no_secret_of_a_call_is_in_its_record(url: str) -> None:
    """HUB 16: for every platform, wherever its requests carry the secrets."""
    start = len(ATTEMPTS)
    for key in KEYS:
        _test(key, url)
    attempts = repr(ATTEMPTS[start:])
    secrets = {value for key in KEYS for name, value in demo_credentials(key).items() if name in secrets_of(key)}

    assert len(ATTEMPTS) - start == sum(its.requests for its in facts().values())
    assert [secret for secret in secrets if secret in attempts] == []
