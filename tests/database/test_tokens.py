"""Access tokens: got once for all callers, kept encrypted, got anew before they end (HUB 6, 58)."""

import time
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from threading import Event, Timer
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from causeway import settings
from causeway.connections import tokens
from causeway.errors.service import Unavailable
from causeway.outbound.deadlines import Deadline
from causeway.outbound.failures import AddressBlocked, CallFailed, Garbled, OutOfTime, TimedOut
from causeway.platforms import retrying, token_calls
from causeway.platforms.account import Account
from causeway.platforms.call_terms import CallTerms
from causeway.platforms.failures import SettingMissing
from causeway.platforms.retrying import PlatformRequest
from causeway.platforms.tokens import Grant, TokenRefused
from causeway.platforms.verdicts import Verdict, judge
from causeway.tenancy.context import JobContext
from causeway.vault import credentials, oauth_tokens, versions
from causeway.vault.crypto import CacheLimits
from tests.database.hub import Hub
from tests.database.parallel import at_once
from tests.database.token_endpoint import (
    CLIENT_CREDENTIALS,
    REFRESH,
    REFRESH_SECRETS,
    SECRETS,
    Answer,
    Connected,
    TokenEndpoint,
    granted,
)
from tests.unit.platforms import platform

# Parallel callers: HUB 6.
CALLERS = 50


@pytest.fixture(autouse=True)
def _loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("EGRESS_ALLOWED_HOSTS", "127.0.0.1")
    settings.egress_allowed_hosts.cache_clear()
    yield
    settings.egress_allowed_hosts.cache_clear()


@pytest.fixture
def endpoint() -> Iterator[TokenEndpoint]:
    with TokenEndpoint() as server:
        yield server


@pytest.fixture
def by_client(hub: Hub, endpoint: TokenEndpoint) -> Connected:
    """A connection that gets its tokens with the client's credentials."""
    return Connected.to(hub, endpoint, CLIENT_CREDENTIALS, SECRETS)


@pytest.fixture
def by_refresh(hub: Hub, endpoint: TokenEndpoint) -> Connected:
    """A connection that gets its tokens with a refresh token."""
    return Connected.to(hub, endpoint, REFRESH, REFRESH_SECRETS)


def test_token_is_got_once_and_kept_for_other_environments(by_client: Connected, endpoint: TokenEndpoint) -> None:
    found = [by_client.current(), by_client.current(), by_client.elsewhere().current()]

    assert found == ["acc3ss-canary-1"] * 3
    assert endpoint.calls == [{"grant_type": "client_credentials", **SECRETS}]


@pytest.mark.parametrize("kind", ["client", "refresh"])
def test_fifty_callers_of_an_ended_token_make_one_call_and_all_succeed(
    hub: Hub, endpoint: TokenEndpoint, kind: str
) -> None:
    """HUB 6."""
    ways = {"client": (CLIENT_CREDENTIALS, SECRETS), "refresh": (REFRESH, REFRESH_SECRETS)}
    connected = Connected.to(hub, endpoint, *ways[kind])
    connected.current()
    connected.age(obtained_at="-2 hours", expires_at="-2 hours")
    endpoint.rule = lambda _, number: Answer(200, granted(number).content, seconds=0.5)

    found = at_once([partial(one.current) for one in [connected.elsewhere() for _ in range(CALLERS)]])

    assert found == ["acc3ss-canary-2"] * CALLERS
    assert len(endpoint.calls) == 2


def test_fifty_first_callers_make_one_call(by_client: Connected, endpoint: TokenEndpoint) -> None:
    found = at_once([one.current for one in [by_client.elsewhere() for _ in range(CALLERS)]])

    assert found == ["acc3ss-canary-1"] * CALLERS
    assert len(endpoint.calls) == 1


def test_fifty_callers_whose_token_the_platform_refused_make_one_call(
    by_client: Connected, endpoint: TokenEndpoint
) -> None:
    """Each has had a 401 with the same token."""
    refused = by_client.current()
    found = at_once([partial(one.renewed, refused) for one in [by_client.elsewhere() for _ in range(CALLERS)]])

    assert found == ["acc3ss-canary-2"] * CALLERS
    assert len(endpoint.calls) == 2


def test_platform_that_refuses_a_token_gets_another_one_once(by_client: Connected, endpoint: TokenEndpoint) -> None:
    """HUB 58: a 401 to a token that can be got anew."""
    by_client.current()
    statuses = []
    for accepted in ("acc3ss-canary-2", "none"):
        endpoint.api = accepted.__eq__
        terms = CallTerms(by_client.log.append, tokens=by_client.source())
        statuses.append(retrying.call(by_client.live, PlatformRequest("GET", "/me"), terms).reply.status)

    assert statuses == [200, 401]
    assert len(endpoint.calls) == 3


def test_killed_caller_delays_the_others_less_than_15_seconds(by_client: Connected, endpoint: TokenEndpoint) -> None:
    """HUB 6: a process is killed while it gets the token; fifty callers wait, and one of them gets it."""
    called = []

    def rule(_: Mapping[str, str], number: int) -> Answer:
        called.append(number)
        return Answer(200, granted(number).content, seconds=30.0 if number == 1 else 0.2)

    endpoint.rule = rule
    with by_client.caller() as process:
        deadline = time.monotonic() + 30
        while not called:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.01)
        process.kill()
        process.wait()
        callers = [partial(by_client.elsewhere().current, seconds=15.0) for _ in range(CALLERS)]
        found = at_once(callers)

    assert found == ["acc3ss-canary-2"] * CALLERS
    assert len(endpoint.calls) == 2


def test_token_near_its_end_is_used_while_another_caller_gets_the_next(
    by_client: Connected, endpoint: TokenEndpoint
) -> None:
    old = by_client.current()
    by_client.age(obtained_at="-3570 seconds", expires_at="-3570 seconds")
    endpoint.rule = lambda _, number: Answer(200, granted(number).content, seconds=2.0)

    started = time.monotonic()

    def at_its_time(one: Connected) -> tuple[str, float]:
        return one.current(), time.monotonic() - started

    found = at_once([partial(at_its_time, one) for one in [by_client.elsewhere() for _ in range(4)]])

    assert sorted(token for token, _ in found) == [old] * 3 + ["acc3ss-canary-2"]
    assert len(endpoint.calls) == 2


def test_refresh_token_that_the_answer_omits_stays(by_refresh: Connected, endpoint: TokenEndpoint) -> None:
    """HUB 6."""
    by_refresh.current()
    by_refresh.age(obtained_at="-2 hours", expires_at="-2 hours")
    by_refresh.current()

    assert [call["refresh_token"] for call in endpoint.calls] == ["r3fresh-canary-0"] * 2
    assert by_refresh.hub.read() == REFRESH_SECRETS


def rotating(used: set[str]) -> Callable[[Mapping[str, str], int], Answer]:
    """A rule whose refresh tokens are good once."""

    def rule(fields: Mapping[str, str], number: int) -> Answer:
        if fields["refresh_token"] in used:
            return Answer(400, {"error": "invalid_grant"})
        used.add(fields["refresh_token"])
        return granted(number, refresh_token=f"r3fresh-canary-{number}")

    return rule


def test_refresh_token_that_changes_with_each_use_is_stored_with_the_access_token(
    by_refresh: Connected, endpoint: TokenEndpoint
) -> None:
    endpoint.rule = rotating(set())
    for number in (1, 2, 3):
        assert by_refresh.elsewhere().current() == f"acc3ss-canary-{number}"
        by_refresh.age(obtained_at="-2 hours", expires_at="-2 hours")

    assert by_refresh.hub.read()["refresh_token"] == "r3fresh-canary-3"


def test_source_that_lives_long_uses_the_refresh_token_that_another_one_got(
    by_refresh: Connected, endpoint: TokenEndpoint
) -> None:
    """A sync holds its account for minutes: meanwhile another function replaces the refresh token."""
    endpoint.rule = rotating(set())
    source, account = by_refresh.source(), by_refresh.live
    assert source.current(account, print) == "acc3ss-canary-1"
    assert by_refresh.elsewhere().renewed("acc3ss-canary-1") == "acc3ss-canary-2"

    assert source.renewed(account, print, "acc3ss-canary-1") == "acc3ss-canary-2"
    assert source.renewed(account, print, "acc3ss-canary-2") == "acc3ss-canary-3"
    assert len(endpoint.calls) == 3


def test_fifty_callers_of_a_rotating_refresh_token_lose_no_connection(
    by_refresh: Connected, endpoint: TokenEndpoint
) -> None:
    endpoint.rule = rotating(set())
    for number in (1, 2):
        found = at_once([one.current for one in [by_refresh.elsewhere() for _ in range(CALLERS)]])
        by_refresh.age(obtained_at="-2 hours", expires_at="-2 hours")

        assert found == [f"acc3ss-canary-{number}"] * CALLERS
    assert len(endpoint.calls) == 2


def test_refused_refresh_token_is_asked_about_once_until_a_test(by_refresh: Connected, endpoint: TokenEndpoint) -> None:
    """RFC 6749, 5.2: invalid_grant."""
    endpoint.rule = lambda *_: Answer(400, {"error": "invalid_grant", "error_description": "revoked"})

    def code(one: Connected, *, anew: bool = False) -> str:
        with pytest.raises(TokenRefused) as refusal:
            one.current(anew=anew)
        return refusal.value.verdict.code

    refused = at_once([partial(code, one) for one in [by_refresh.elsewhere() for _ in range(CALLERS)]])
    assert refused == ["INVALID_CREDENTIALS"] * CALLERS
    assert len(endpoint.calls) == 1

    assert code(by_refresh, anew=True) == "INVALID_CREDENTIALS"
    assert len(endpoint.calls) == 2
    endpoint.rule = lambda _, number: granted(number)
    assert by_refresh.current(anew=True) == "acc3ss-canary-3"
    assert by_refresh.current() == "acc3ss-canary-3"


@pytest.mark.parametrize(
    ("answer", "refusal", "code"),
    [
        (Answer(400, {"error": "invalid_grant"}), "ended", "INVALID_CREDENTIALS"),
        (Answer(401, {"error": "invalid_client"}), "client", "INVALID_CREDENTIALS"),
        (Answer(403, {}), "client", "PROVIDER_FORBIDDEN"),
    ],
    ids=["grant", "client", "forbidden"],
)
def test_all_callers_are_told_the_same_cause_of_a_refusal(
    by_refresh: Connected, endpoint: TokenEndpoint, answer: Answer, refusal: str, code: str
) -> None:
    """The caller who asked, those who waited, and those who come later."""
    endpoint.rule = lambda *_: answer

    def told(one: Connected) -> tuple[str | None, Verdict]:
        with pytest.raises(TokenRefused) as refused:
            one.current()
        return refused.value.refusal, refused.value.verdict

    found = at_once([partial(told, one) for one in [by_refresh.elsewhere() for _ in range(5)]])
    found.append(told(by_refresh))

    assert {(refused, verdict.code) for refused, verdict in found} == {(refusal, code)}
    assert len({verdict.sentences for _, verdict in found}) == 1
    assert len(endpoint.calls) == 1


def test_refused_caller_uses_the_grant_that_another_one_stored_meanwhile(
    by_refresh: Connected, endpoint: TokenEndpoint
) -> None:
    """The lease ran out, and both used one refresh token that is good once."""
    rule = rotating(set())
    second_asks, first_has_stored = Event(), Event()

    def slow(fields: Mapping[str, str], number: int) -> Answer:
        answer = rule(fields, number)
        if number == 1:
            by_refresh.age(leased_until="-1 hour")
            second_asks.wait(30)
        else:
            second_asks.set()
            first_has_stored.wait(30)
        return answer

    def first() -> str:
        token = by_refresh.elsewhere().current()
        first_has_stored.set()
        return token

    def second() -> str:
        while not endpoint.calls:
            time.sleep(0.01)
        return by_refresh.elsewhere().current()

    endpoint.rule = slow

    assert at_once([first, second]) == ["acc3ss-canary-1"] * 2
    assert len(endpoint.calls) == 2
    assert (by_refresh.row.refusal, by_refresh.row.grants) == (None, 1)


def test_caller_with_an_ended_lease_uses_the_grant_that_is_stored_late(
    by_refresh: Connected, endpoint: TokenEndpoint
) -> None:
    """The holder stores its grant just after another caller has taken the lease that ran out."""
    rule = rotating(set())

    def late(fields: Mapping[str, str], number: int) -> Answer:
        by_refresh.age(leased_until="-1 hour")
        holder = by_refresh.row.lease_id
        deadline = time.monotonic() + 5
        while by_refresh.row.lease_id == holder and time.monotonic() < deadline:
            time.sleep(0.01)
        return rule(fields, number)

    def second() -> str:
        while not endpoint.calls:
            time.sleep(0.01)
        return by_refresh.elsewhere().current()

    endpoint.rule = late

    assert at_once([by_refresh.elsewhere().current, second]) == ["acc3ss-canary-1"] * 2
    assert len(endpoint.calls) == 1


def test_grant_is_stored_although_kms_is_down_when_the_platform_answers(
    by_refresh: Connected, endpoint: TokenEndpoint, kms_down: Callable[[], None]
) -> None:
    """Keys are cached for no time at all."""
    rule = rotating(set())
    account, environment = by_refresh.live, by_refresh.elsewhere(CacheLimits(seconds=0))

    def broken(fields: Mapping[str, str], number: int) -> Answer:
        kms_down()
        return rule(fields, number)

    endpoint.rule = broken

    assert environment.source().current(account, print) == "acc3ss-canary-1"
    assert by_refresh.hub.read()["refresh_token"] == "r3fresh-canary-1"


def test_grant_is_stored_when_the_database_answers_again(
    by_refresh: Connected, endpoint: TokenEndpoint, admin_url: str
) -> None:
    """The database refuses sessions from the moment when the platform has replaced the refresh token."""
    rule = rotating(set())
    name = conninfo_to_dict(by_refresh.hub.casino.urls["superuser"])["dbname"]

    def allow(*, sessions: bool) -> None:
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {sessions}')  # ty: ignore[no-matching-overload]

    def restarted(fields: Mapping[str, str], number: int) -> Answer:
        allow(sessions=False)
        with psycopg.connect(admin_url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s AND usename <> current_user",
                [name],
            )
        Timer(1.0, partial(allow, sessions=True)).start()
        return rule(fields, number)

    endpoint.rule = restarted
    assert by_refresh.current() == "acc3ss-canary-1"

    endpoint.rule = rule
    by_refresh.age(obtained_at="-2 hours", expires_at="-2 hours")
    assert by_refresh.elsewhere().current() == "acc3ss-canary-2"


class Away:
    """A database that is away from the call of the endpoint until so many attempts after the lease has ended."""

    def __init__(self, behind: Any, endpoint: TokenEndpoint) -> None:
        self._behind = behind
        self._endpoint = endpoint
        self._lease_ends: Deadline | None = None
        self.left = 20

    def transaction(self, tenant_id: Any) -> Any:
        """A transaction of the database behind, when it is not away."""
        if not self._endpoint.calls or not self.left:
            return self._behind.transaction(tenant_id)
        self._lease_ends = self._lease_ends or Deadline(tokens.LEASE)
        self.left -= not self._lease_ends.left()
        raise Unavailable("the database")


def test_grant_is_stored_at_once_when_the_lease_has_ended_meanwhile(
    by_refresh: Connected, endpoint: TokenEndpoint
) -> None:
    """The attempts to store it are so close together that another caller does not use the old refresh token."""
    endpoint.rule = rotating(set())
    hub, account = by_refresh.hub, by_refresh.live
    away = Away(hub.database, endpoint)
    context = JobContext("test", hub.tenant_id, "request", away)  # ty: ignore[invalid-argument-type]
    with context.transaction() as transaction:
        stored = credentials.find(transaction, hub.connection_id)
    source = tokens.ConnectionTokens(context, hub.connection_id, stored, hub.keys)

    assert source.current(account, print, Deadline(tokens.LEASE + 3.0)) == "acc3ss-canary-1"
    assert away.left == 0
    assert hub.read()["refresh_token"] == "r3fresh-canary-1"


def test_throttled_endpoint_is_left_alone_as_long_as_it_asks(by_client: Connected, endpoint: TokenEndpoint) -> None:
    """All callers together call it once, and each is told how long to wait."""
    endpoint.rule = lambda *_: Answer(429, {}, {"Retry-After": "600"})

    def refusal(one: Connected) -> tuple[str, int]:
        with pytest.raises(TokenRefused) as refused:
            one.current()
        verdict = refused.value.verdict
        assert verdict.retry_after is not None
        return verdict.code, verdict.retry_after

    found = at_once([partial(refusal, one) for one in [by_client.elsewhere() for _ in range(CALLERS)]])

    assert {code for code, _ in found} == {"RATE_LIMITED"}
    assert all(590 < seconds <= 601 for _, seconds in found)
    assert len(endpoint.calls) == 1


def test_failure_of_the_endpoint_is_waited_for_within_the_budget(by_client: Connected, endpoint: TokenEndpoint) -> None:
    """One caller fails; those that wait try again after the wait, and succeed."""
    endpoint.rule = lambda _, number: Answer(503, {}) if number == 1 else granted(number)

    def outcome(one: Connected) -> str:
        try:
            return one.current()
        except TokenRefused as refusal:
            return refusal.verdict.code

    found = at_once([partial(outcome, one) for one in [by_client.elsewhere() for _ in range(CALLERS)]])

    assert sorted(found) == ["PROVIDER_ERROR"] + ["acc3ss-canary-2"] * (CALLERS - 1)
    assert len(endpoint.calls) == 2


@pytest.mark.parametrize("status", [429, 500, 503])
def test_token_that_is_still_valid_is_used_while_the_endpoint_fails(
    by_client: Connected, endpoint: TokenEndpoint, status: int
) -> None:
    old = by_client.current()
    by_client.age(obtained_at="-3570 seconds", expires_at="-3570 seconds")
    endpoint.rule = lambda *_: Answer(status, {}, {"Retry-After": "60"})

    assert [by_client.current(), by_client.current()] == [old, old]
    assert len(endpoint.calls) == 2


@pytest.mark.parametrize(
    ("answer", "failure", "code"),
    [
        (Answer(401, {"error": "invalid_client"}), TokenRefused, "INVALID_CREDENTIALS"),
        (Answer(400, {"error": "invalid_client"}), TokenRefused, "INVALID_CREDENTIALS"),
        (Answer(200, {"error": "invalid_grant", "log_id": "1"}), TokenRefused, "INVALID_CREDENTIALS"),
        (Answer(200, {"error": "server_error"}), TokenRefused, "PROVIDER_ERROR"),
        (Answer(400, {"error": {"code": 190}}), TokenRefused, "INVALID_CREDENTIALS"),
        (Answer(403, {}), TokenRefused, "PROVIDER_FORBIDDEN"),
        (Answer(500, "down"), TokenRefused, "PROVIDER_ERROR"),
        (Answer(200, {"token": "x"}), Garbled, "UNEXPECTED_ANSWER"),
        (Answer(200, {"access_token": "a\r\nb"}), Garbled, "UNEXPECTED_ANSWER"),
        (Answer(200, ["access_token"]), Garbled, "UNEXPECTED_ANSWER"),
    ],
    ids=lambda given: repr(given) if isinstance(given, Answer) else "",
)
def test_answer_without_a_token_is_told_by_its_cause(
    by_client: Connected, endpoint: TokenEndpoint, answer: Answer, failure: type[CallFailed], code: str
) -> None:
    endpoint.rule = lambda *_: answer
    with pytest.raises(failure) as caught:
        by_client.current()

    raised = caught.value
    assert (raised.verdict if isinstance(raised, TokenRefused) else judge(raised)).code == code
    assert not raised.sent


def test_silent_endpoint_ends_with_the_callers_deadline(by_client: Connected, endpoint: TokenEndpoint) -> None:
    endpoint.rule = lambda *_: Answer(200, {}, seconds=30.0)
    with pytest.raises(TimedOut):
        by_client.current(seconds=token_calls.LEAST + 0.5)
    assert len(endpoint.calls) == 1


def test_caller_without_time_does_not_call_the_endpoint(by_refresh: Connected, endpoint: TokenEndpoint) -> None:
    """A call that is cut off would lose the new refresh token; and others are told of no failure."""
    endpoint.rule = rotating(set())
    for seconds in (0.0, 1.0):
        with pytest.raises(OutOfTime):
            by_refresh.current(seconds=seconds)
        with pytest.raises(OutOfTime):
            token_calls.call(by_refresh.live, print, Deadline(seconds))

    assert not endpoint.calls
    assert by_refresh.hub.casino.value("SELECT count(failed_status) FROM oauth_tokens") == 0
    assert by_refresh.current() == "acc3ss-canary-1"


def test_waiter_whose_time_ends_leaves_the_lease_that_becomes_free(
    by_refresh: Connected, endpoint: TokenEndpoint
) -> None:
    """The holder gives the lease back in the last second of the waiter's time."""
    holder = uuid4()
    with by_refresh.hub.database.transaction(by_refresh.hub.tenant_id) as transaction:
        oauth_tokens.lease(transaction, by_refresh.connection_id, 1, lease_id=holder, seen=0, seconds=60.0, again=False)
    free = "UPDATE oauth_tokens SET lease_id = NULL, leased_until = NULL WHERE lease_id = %s"
    Timer(2.0, partial(by_refresh.hub.casino.query, free, [holder])).start()
    with pytest.raises(OutOfTime):
        by_refresh.elsewhere().current(seconds=2.5)

    assert not endpoint.calls
    assert (by_refresh.row.failed_status, by_refresh.row.lease_id, by_refresh.row.waits_until) == (None, None, None)


@pytest.mark.parametrize(
    ("wanted", "host", "failure"),
    [
        (CLIENT_CREDENTIALS | {"scope": "{region}"}, None, SettingMissing),
        (CLIENT_CREDENTIALS, "https://127.0.0.2:9", AddressBlocked),
    ],
    ids=["setting", "address"],
)
def test_call_that_is_not_sent_is_no_failure_of_the_endpoint(
    hub: Hub, endpoint: TokenEndpoint, wanted: dict[str, Any], host: str | None, failure: type[CallFailed]
) -> None:
    """Each caller is told the cause, the first one and those after it."""
    connected = Connected.to(hub, endpoint, wanted, SECRETS)
    if host is not None:
        connected.account = Account(platform(host, wanted), "production", {}, SECRETS)
    for one in (connected, connected.elsewhere()):
        with pytest.raises(failure):
            one.current()
        assert (connected.row.failed_status, connected.row.lease_id, connected.row.waits_until) == (None, None, None)
    assert not endpoint.calls


@pytest.mark.parametrize("life", [0, None, "0", "soon", -5, True])
def test_token_without_a_known_end_does_not_end(by_client: Connected, endpoint: TokenEndpoint, life: Any) -> None:
    endpoint.rule = lambda _, number: granted(number, expires_in=life)
    by_client.current()
    by_client.age(obtained_at="-10 years")

    assert by_client.current() == "acc3ss-canary-1"
    assert by_client.row.expires_at is None


def test_short_life_is_used_to_four_fifths(by_client: Connected, endpoint: TokenEndpoint) -> None:
    endpoint.rule = lambda _, number: granted(number, expires_in=20)
    by_client.current()
    by_client.age(obtained_at="-15 seconds", expires_at="-15 seconds")
    assert by_client.current() == "acc3ss-canary-1"

    by_client.age(obtained_at="-2 seconds", expires_at="-2 seconds")
    assert by_client.current() == "acc3ss-canary-2"


def test_lives_and_scopes_of_the_answer_are_stored(by_refresh: Connected, endpoint: TokenEndpoint) -> None:
    endpoint.rule = lambda _, number: granted(number, expires_in="7200", refresh_expires_in=86400, scope="b,a c")
    by_refresh.current()

    row = by_refresh.row
    assert (row.expires_at - row.obtained_at).total_seconds() == 7200
    assert (row.refresh_expires_at - row.obtained_at).total_seconds() == 86400
    assert (row.renewal, row.scopes, row.grants) == ("refresh", ["a", "b", "c"], 1)


def test_token_of_a_replaced_credential_is_not_used(by_client: Connected, endpoint: TokenEndpoint) -> None:
    by_client.current()
    by_client.hub.use(SECRETS | {"client_secret": "another"})
    assert by_client.current() == "acc3ss-canary-2"

    retiring = versions.rollback_target
    target = by_client.hub.change(retiring)
    by_client.hub.change(versions.roll_back, target.version)
    assert by_client.current() == "acc3ss-canary-1"


@pytest.mark.parametrize("changed", ["settings", "template", "environment"])
def test_token_got_with_other_terms_is_not_used(by_client: Connected, endpoint: TokenEndpoint, changed: str) -> None:
    by_client.current()
    before = by_client.account
    provider, environment, given = before.provider, before.environment, dict(before.settings)
    match changed:
        case "settings":
            given = {"region": "eu"}
        case "template":
            provider = platform(endpoint.url, CLIENT_CREDENTIALS | {"scope": "all"})
        case "environment":
            provider.base_urls["sandbox"] = endpoint.url
            environment = "sandbox"
    by_client.account = Account(provider, environment, given, before.secrets)

    assert by_client.current() == "acc3ss-canary-2"


def test_token_is_encrypted_and_bound_to_its_connection(new_hub: Callable[[], Hub], endpoint: TokenEndpoint) -> None:
    """HUB 1, 2: no token in plain in any row; a ciphertext of another tenant's is not decrypted but replaced."""
    one, other = (Connected.to(new_hub(), endpoint, CLIENT_CREDENTIALS, SECRETS) for _ in range(2))
    one.current()
    other.current()
    for connected in (one, other):
        rows = connected.hub.casino.query("SELECT t::text AS row FROM oauth_tokens AS t")
        assert not any("acc3ss" in row.row for row in rows)
        assert b"acc3ss".hex() not in repr(rows)

    one.hub.casino.query(
        "UPDATE oauth_tokens SET ciphertext = (SELECT ciphertext FROM oauth_tokens WHERE connection_id = %s) "
        "WHERE connection_id = %s",
        [other.connection_id, one.connection_id],
    )
    assert one.current() == "acc3ss-canary-3"


def test_log_holds_no_token_and_no_secret(by_refresh: Connected, endpoint: TokenEndpoint) -> None:
    """HUB 1, 16."""
    endpoint.rule = rotating(set())
    by_refresh.current()
    by_refresh.renewed("acc3ss-canary-1")
    endpoint.rule = lambda fields, _: Answer(400, {"error": "invalid_grant", "error_description": repr(fields)})
    with pytest.raises(TokenRefused) as refusal:
        by_refresh.renewed("acc3ss-canary-2")

    told = repr(by_refresh.log) + repr(refusal.value) + repr(Grant("acc3ss-canary-9"))
    assert len(by_refresh.log) == 3
    assert "canary" not in told


def test_rotation_of_the_data_key_drops_cached_tokens_and_leaves_nothing_undecryptable(
    by_refresh: Connected, endpoint: TokenEndpoint
) -> None:
    """HUB 4."""
    endpoint.rule = rotating(set())
    by_refresh.current()
    by_refresh.hub.rotate_data_key()
    by_refresh.hub.rewrap()

    assert by_refresh.hub.key_versions() == {2: 3}
    assert by_refresh.row.ciphertext is None
    assert by_refresh.elsewhere().current() == "acc3ss-canary-2"
    assert by_refresh.row.key_version == 2
    assert by_refresh.hub.elsewhere().read()["refresh_token"] == "r3fresh-canary-2"


def test_tokens_of_a_destroyed_credential_are_deleted(by_client: Connected, endpoint: TokenEndpoint) -> None:
    by_client.current()
    by_client.hub.change(versions.destroy)

    assert by_client.hub.casino.value("SELECT count(*) FROM oauth_tokens") == 0


def test_tokens_of_an_expired_credential_are_deleted_with_its_secrets(
    by_client: Connected, endpoint: TokenEndpoint
) -> None:
    by_client.current()
    by_client.hub.use()
    by_client.hub.aged(hours=25)
    by_client.hub.change(versions.expire)
    by_client.hub.aged(days=31)
    by_client.hub.change(versions.expire)

    assert by_client.hub.casino.value("SELECT count(*) FROM oauth_tokens") == 0


def test_test_of_a_connection_gets_a_token_anew_and_keeps_it(by_client: Connected, endpoint: TokenEndpoint) -> None:
    """A cached token would not show that the secrets are still good."""
    assert [by_client.current(), by_client.current(anew=True), by_client.current()] == [
        "acc3ss-canary-1",
        "acc3ss-canary-2",
        "acc3ss-canary-2",
    ]
