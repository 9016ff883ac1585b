"""Launches: who may launch for a player, and what a failed launch leaves; WALLET 46, 47."""

import json
import socket
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

import psycopg
import pytest

from causeway import settings
from causeway.aws import secrets
from causeway.casino import game_sessions, games
from causeway.casino.game_sessions import LaunchRequest
from causeway.casino.games import GameSession
from causeway.errors.casino import WrongCurrency
from causeway.errors.game_signing import GameProviderFailed
from causeway.errors.service import Misconfigured, Unavailable
from causeway.errors.tenancy import Forbidden
from causeway.errors.tree import CausewayError
from causeway.tenancy.context import RequestContext
from causeway.tenancy.identity import Caller
from causeway.tenancy.launcher import Launcher
from tests.database.cutting_proxy import CuttingProxy
from tests.database.world import B, Casino, Seat
from tests.unit.secrets_server import SecretsServer
from tests.unit.wire_server import Act, WireServer, ok, say

ANSWER = {
    "providerSessionId": "788b3ad9-daf4-40ad-84df-fafcaa277285",
    "gameId": "SLOTS",
    "currency": "EUR",
    "minBet": "1000",
    "maxBet": "100000",
    "playerId": 1,
}


def answered(body: bytes, status: str = "200 OK") -> Act:
    """Return an act that answers with this body and closes the connection."""
    return say(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n".encode() + body)


def launched(**changes: Any) -> bytes:
    """The answer to a launch; None leaves a field out."""
    return json.dumps({name: value for name, value in (ANSWER | changes).items() if value is not None}).encode()


def wanted(player_id: int, game_id: int, **more: Any) -> LaunchRequest:
    return LaunchRequest.parse({"userId": player_id, "gameId": game_id} | more)


@dataclass
class Lobby:
    """A player's seat at a game provider that the test acts as, and the casino's function that launches there."""

    seat: Seat
    game_id: int
    secrets: SecretsServer
    act: Act

    def answer(self, connection: socket.socket, server: WireServer) -> None:
        """Act as the game provider."""
        self.act(connection, server)

    @property
    def name(self) -> str:
        return f"games/{self.seat.game_provider.code}"

    def launcher(self, caller: Caller | None = None, player_id: int | None = None) -> Launcher:
        database, tenant_id = self.seat.casino.database(), self.seat.casino.tenant_id
        context = None if caller is None else RequestContext(caller, "203.0.113.7", "request-1", database)
        return Launcher(database, tenant_id, context, player_id)

    def launch(self, caller: Caller | None = None, player_id: int | None = None) -> GameSession:
        return games.launch(self.launcher(caller, player_id), wanted(self.seat.player_id, self.game_id))

    def sessions(self) -> list[Any]:
        """Status and remaining seconds of the launched sessions."""
        return self.seat.casino.query(
            """
            SELECT session_token, status, extract(epoch FROM expires_at - created_at)::int AS seconds
            FROM casino_sessions WHERE player_id = %s AND session_token <> %s ORDER BY session_id
            """,
            [self.seat.player_id, self.seat.token],
        )

    def audit(self) -> list[Any]:
        """The tenant's audit log entries about this player's launches, oldest first."""
        return self.seat.casino.query(
            """
            SELECT actor_kind, actor, actor_role, action, outcome, object_id, after, source_ip FROM audit_log
            WHERE tenant_id = %s AND (object_id = %s OR after ->> 'userId' = %s) ORDER BY entry
            """,
            [self.seat.casino.tenant_id, *[str(self.seat.player_id)] * 2],
        )


@contextmanager
def no_new_connections(casino: Casino) -> Generator[None]:
    """The casino's login can open no new database connection; existing ones continue."""
    casino.query("ALTER ROLE causeway_casino CONNECTION LIMIT 0")
    try:
        yield
    finally:
        casino.query("ALTER ROLE causeway_casino CONNECTION LIMIT -1")


@pytest.fixture
def lobby(shared_casino: Casino, monkeypatch: pytest.MonkeyPatch) -> Iterator[Lobby]:
    seat = shared_casino.seat()
    game_id = shared_casino.value(
        "SELECT g.game_id FROM casino_games AS g INNER JOIN casino_game_providers AS p USING (game_provider_id) "
        "WHERE p.code = %s",
        [seat.game_provider.code],
    )
    extension = SecretsServer()
    lobby = Lobby(seat, game_id, extension, answered(launched()))
    with extension, WireServer(lobby.answer) as provider:
        shared_casino.query(
            "UPDATE casino_game_providers SET api_url = %s WHERE code = %s", [provider.url, seat.game_provider.code]
        )
        secret = {
            "tenant_id": str(shared_casino.tenant_id),
            "casino_secrets": ["c" * 16],
            "provider_secrets": ["p" * 16],
        }
        extension.secrets[lobby.name] = secret
        for name, value in (
            ("SECRETS_EXTENSION_URL", extension.url),
            ("AWS_SESSION_TOKEN", "session-token"),
            ("GAME_PROVIDER_SECRETS", "games"),
        ):
            monkeypatch.setenv(name, value)
        _forget()
        yield lobby
    _forget()


def _forget() -> None:
    secrets.current.cache_clear()
    for setting in vars(settings).values():
        if hasattr(setting, "cache_clear"):
            setting.cache_clear()


# ---- What a launch leaves behind ----


def test_launched_session_is_active_for_a_day(lobby: Lobby) -> None:
    session = lobby.launch()

    assert (session.provider_session_id, session.min_bet, session.max_bet) == (
        ANSWER["providerSessionId"],
        "1000",
        "100000",
    )
    assert [(row.session_token, row.status) for row in lobby.sessions()] == [(session.session_token, "active")]
    assert 86_400 <= lobby.sessions()[0].seconds < 86_500
    assert replace(lobby.seat, token=session.session_token).debit("bet", 1).code == "OK"


BAD_ANSWERS: dict[str, Act] = {
    "300 characters": answered(launched(providerSessionId="x" * 300)),
    "no characters": answered(launched(providerSessionId="")),
    "NUL": answered(launched(providerSessionId="a\0b")),
    "lone surrogate": answered(launched().replace(b"788b", b"\\ud800")),
    "a number": answered(launched(providerSessionId=7)),
    "a fraction": answered(launched().replace(b'"788b3ad9-daf4-40ad-84df-fafcaa277285"', b"7.5")),
    "no id": answered(launched(providerSessionId=None)),
    "nested": answered(b'{"providerSessionId": ' + b"[" * 100_000),
    "nested and closed": answered(b'{"x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    "twice": answered(launched()[:-1] + b', "providerSessionId": "other"}'),
    "not UTF-8": answered(b'{"providerSessionId": "\xff"}'),
    "no JSON": answered(b"<html>"),
    "no object": answered(b"[]"),
    "empty": answered(b""),
    "NaN": answered(launched()[:-1] + b', "x": NaN}'),
    "too large": answered(launched(x="y" * 70_000)),
    "refused": answered(b'{"code": "CASINO_NOT_FOUND"}', "404 Not Found"),
    "failed": answered(launched(), "500 Internal Server Error"),
    "moved": answered(launched(), "302 Found"),
    "no minBet": answered(launched(minBet=None)),
    "minBet a number": answered(launched(minBet=1000)),
    "minBet negative": answered(launched(minBet="-1")),
    "maxBet beyond 64 bits": answered(launched(maxBet=str(2**63))),
    "maxBet of 5000 digits": answered(launched(maxBet="9" * 5000)),
    "minBet above maxBet": answered(launched(minBet="2", maxBet="1")),
    "another game": answered(launched(gameId="OTHER")),
    "another currency": answered(launched(currency="JPY")),
    "no HTTP": say(b"SSH-2.0-OpenSSH\r\n"),
    "cut off": say(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"),
    "no gzip": say(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"),
    "closed": lambda connection, _: connection.close(),
}


@pytest.mark.parametrize("bad", BAD_ANSWERS)
def test_launch_with_a_bad_answer_is_502_and_leaves_no_session_that_takes_bets(lobby: Lobby, bad: str) -> None:
    """WALLET 46"""
    lobby.act = BAD_ANSWERS[bad]

    with pytest.raises(GameProviderFailed) as raised:
        lobby.launch()

    assert raised.value.status == 502
    [session] = lobby.sessions()
    assert session.status == "closed"
    assert replace(lobby.seat, token=session.session_token).debit(f"bet {bad}", 1).code == "SESSION_CLOSED"


@pytest.mark.parametrize("digits", [("0", "0"), ("1", str(2**63 - 1))])
def test_bet_limits_are_whole_minor_units(lobby: Lobby, digits: tuple[str, str]) -> None:
    lobby.act = answered(launched(minBet=digits[0], maxBet=digits[1]))
    session = lobby.launch()

    assert (session.min_bet, session.max_bet) == digits


def test_launch_without_its_secret_closes_the_session(lobby: Lobby) -> None:
    """WALLET 46"""
    lobby.secrets.fixed = (400, b"")
    with pytest.raises(Unavailable):
        lobby.launch()
    lobby.secrets.fixed = None
    lobby.secrets.secrets[lobby.name] |= {"provider_secrets": []}
    with pytest.raises(Misconfigured, match="provider_secrets of game provider"):
        lobby.launch()

    assert [session.status for session in lobby.sessions()] == ["closed", "closed"]


def test_launch_is_not_signed_with_another_tenants_secret(lobby: Lobby) -> None:
    """It is not sent either: the secret would authenticate calls of the other tenant at this tenant's address."""
    lobby.secrets.secrets[lobby.name] |= {"tenant_id": str(uuid4())}
    lobby.act = unasked
    with pytest.raises(Misconfigured, match="is not tenant"):
        lobby.launch()

    assert [session.status for session in lobby.sessions()] == ["closed"]


def unasked(connection: socket.socket, server: WireServer) -> None:
    pytest.fail("the game provider was called")


def test_providers_first_callback_finds_the_session_before_its_launch_is_answered(lobby: Lobby) -> None:
    """A game provider may ask for the balance, and bet, before it answers."""
    called: list[str] = []

    def call_back(connection: socket.socket, server: WireServer) -> None:
        token = json.loads(server.requests[-1].partition(b"\r\n\r\n")[2])["sessionToken"]
        playing = replace(lobby.seat.elsewhere(), token=token)
        called.extend((playing.asked_balance().code, playing.debit("early bet", 100).code))
        ok(launched(), "Connection: close")(connection, server)

    lobby.act = call_back
    lobby.launch()

    assert called == ["OK", "OK"]
    assert lobby.seat.balance == B - 100


def test_session_of_an_unfinished_launch_takes_no_bets_after_a_minute(lobby: Lobby) -> None:
    """WALLET 46: before the session could be closed, the process was killed or the database was unreachable."""
    terminate = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'causeway_casino'"

    with ExitStack() as outage:

        def begin(connection: socket.socket, _: WireServer) -> None:
            outage.enter_context(no_new_connections(lobby.seat.casino))
            lobby.seat.casino.query(terminate)
            connection.close()

        lobby.act = begin
        with pytest.raises(GameProviderFailed):
            lobby.launch()

    [session] = lobby.sessions()
    assert (session.status, session.seconds) == ("launching", 60)
    lobby.seat.casino.query(
        "UPDATE casino_sessions SET expires_at = now() WHERE session_token = %s", [session.session_token]
    )
    assert replace(lobby.seat, token=session.session_token).debit("late", 1).code == "SESSION_EXPIRED"


@pytest.mark.parametrize("reachable", [True, False], ids=["database reachable", "database away from then on"])
@pytest.mark.parametrize("step", ["activate", "prolong"])
def test_launch_with_a_lost_commit_answer_leaves_a_session_for_a_day_only_if_it_succeeds(
    lobby: Lobby, step: str, reachable: bool
) -> None:
    """WALLET 46: the database commits, its answer is lost; the session may have to be closed without the database."""
    with CuttingProxy(lobby.seat.casino.urls["casino"]) as proxy, ExitStack() as outage:

        def answer(connection: socket.socket, server: WireServer) -> None:
            proxy.lose_answer(first=0 if step == "activate" else 1)
            if not reachable:
                outage.enter_context(no_new_connections(lobby.seat.casino))
            answered(launched())(connection, server)

        lobby.act = answer
        launcher = replace(lobby.launcher(), database=lobby.seat.casino.database_at(proxy.url))
        request = wanted(lobby.seat.player_id, lobby.game_id)
        if step == "activate":
            with pytest.raises(Unavailable):
                games.launch(launcher, request)
        else:
            games.launch(launcher, request)
        launcher.database.close()

    assert proxy.lost == 1
    [session] = lobby.sessions()
    if step == "activate":
        assert (session.status, session.seconds) == ("active" if not reachable else "closed", 60)
    else:
        assert session.status == "active"
        assert session.seconds >= 86_400


def test_launch_that_cannot_be_extended_succeeds_for_its_minute(lobby: Lobby) -> None:
    """Whether the last commit happened is unknown: after an error the session might live for a day."""
    casino = lobby.seat.casino
    casino.query("REVOKE UPDATE (expires_at) ON casino_sessions FROM causeway_casino")
    try:
        session = lobby.launch()
    finally:
        casino.query("GRANT UPDATE (expires_at) ON casino_sessions TO causeway_casino")

    [row] = lobby.sessions()
    assert (row.session_token, row.status, row.seconds) == (session.session_token, "active", 60)


@pytest.mark.parametrize("played", ["200 OK", "500 Internal Server Error"])
def test_session_of_a_simulated_round_is_closed_after_it(lobby: Lobby, played: str) -> None:
    """WALLET 46"""
    answers = iter([answered(launched()), answered(b"{}", played)])

    def answer(connection: socket.socket, server: WireServer) -> None:
        next(answers)(connection, server)

    lobby.act = answer
    request = wanted(lobby.seat.player_id, lobby.game_id)
    if played == "200 OK":
        assert games.simulate_round(lobby.launcher(), request) == {}
    else:
        with pytest.raises(GameProviderFailed):
            games.simulate_round(lobby.launcher(), request)

    [session] = lobby.sessions()
    assert (session.status, session.seconds) == ("closed", 60)


def test_session_closed_during_its_launch_stays_closed(lobby: Lobby) -> None:
    def close(connection: socket.socket, server: WireServer) -> None:
        lobby.seat.casino.query(
            "UPDATE casino_sessions SET status = 'closed' WHERE player_id = %s", [lobby.seat.player_id]
        )
        ok(launched(), "Connection: close")(connection, server)

    lobby.act = close
    with pytest.raises(GameProviderFailed):
        lobby.launch()

    assert [session.status for session in lobby.sessions()] == ["closed"]


def test_session_that_expires_during_its_launch_stays_expired(lobby: Lobby) -> None:
    """WALLET 46: a provider that answers late does not get a session for a day."""

    def expire(connection: socket.socket, server: WireServer) -> None:
        lobby.seat.casino.query(
            "UPDATE casino_sessions SET expires_at = now() WHERE player_id = %s AND status = 'launching'",
            [lobby.seat.player_id],
        )
        ok(launched(), "Connection: close")(connection, server)

    lobby.act = expire
    with pytest.raises(GameProviderFailed):
        lobby.launch()

    [session] = lobby.sessions()
    assert session.status == "closed"
    assert session.seconds < 60


def test_session_closed_after_its_launch_is_not_extended(lobby: Lobby) -> None:
    launcher = lobby.launcher()
    opened = game_sessions.open_for(launcher, wanted(lobby.seat.player_id, lobby.game_id), "token", None)
    game_sessions.activate(launcher, opened.session_id, "session of the provider")
    game_sessions.close(launcher, opened.session_id)
    game_sessions.prolong(launcher, opened.session_id)

    [session] = lobby.sessions()
    assert (session.status, session.seconds) == ("closed", 60)


REFUSED = {
    "blocked player": ("UPDATE casino_players SET status = 'blocked' WHERE player_id = %(player)s", "PLAYER_NOT_FOUND"),
    "inactive game": ("UPDATE casino_games SET status = 'inactive' WHERE game_id = %(game)s", "GAME_NOT_FOUND"),
    "inactive provider": (
        "UPDATE casino_game_providers SET status = 'inactive' WHERE code = %(provider)s",
        "GAME_NOT_FOUND",
    ),
}


@pytest.mark.parametrize("change", REFUSED)
def test_nothing_is_launched_for_what_is_switched_off(lobby: Lobby, change: str) -> None:
    statement, code = REFUSED[change]
    ids = {"player": lobby.seat.player_id, "game": lobby.game_id, "provider": lobby.seat.game_provider.code}
    lobby.seat.casino.query(statement, ids)

    with pytest.raises(CausewayError) as raised:
        lobby.launch()
    assert (raised.value.code, lobby.sessions()) == (code, [])


def test_nothing_is_launched_in_a_currency_without_a_wallet(lobby: Lobby) -> None:
    """WALLET 43: the player does not play with another wallet than the one asked for."""
    request = wanted(lobby.seat.player_id, lobby.game_id, currency="JPY")
    with pytest.raises(WrongCurrency):
        games.launch(lobby.launcher(), request)
    assert lobby.sessions() == []


# ---- Who may launch ----


def caller(lobby: Lobby, role: Any, **more: Any) -> Caller:
    kind = "machine" if role == "service" else "person"
    return Caller(kind, f"subject-{uuid4()}", role, lobby.seat.casino.tenant_id, **more)


@pytest.mark.parametrize("role", ["super_admin", "tenant_admin"])
def test_person_with_the_permission_launches_for_any_player_and_that_is_audited(lobby: Lobby, role: str) -> None:
    """WALLET 47"""
    launching = caller(lobby, role)
    session = lobby.launch(launching)

    [entry] = lobby.audit()
    assert (entry.actor_kind, entry.actor, entry.actor_role) == (launching.kind, launching.subject, role)
    assert (entry.action, entry.outcome, entry.source_ip) == ("session.opened", "done", "203.0.113.7")
    assert entry.object_id == str(lobby.seat.player_id)
    assert entry.after == {"sessionId": session.casino_session_id, "gameId": lobby.game_id}


def test_launches_by_a_key_do_not_queue_behind_the_audit_log(lobby: Lobby) -> None:
    """WALLET 47: a key launches for any player while the head of the tenant's audit chain is locked."""
    casino = lobby.seat.casino
    lobby.launch(caller(lobby, "tenant_admin"))
    with psycopg.connect(casino.urls["superuser"]) as other:
        other.execute("SELECT FROM audit_log_heads WHERE tenant_id = %s FOR UPDATE", [casino.tenant_id])
        lobby.launch(caller(lobby, "service"))

    assert [session.status for session in lobby.sessions()] == ["active", "active"]
    assert [entry.actor_kind for entry in lobby.audit()] == ["person"]


@pytest.mark.parametrize("role", ["tenant_admin", "service", "player"])
def test_session_records_its_opener_address_and_request(lobby: Lobby, role: str) -> None:
    """WALLET 47: this is the record of a launch by a key."""
    launching = caller(lobby, role)
    session = lobby.launch(launching, lobby.seat.player_id if role == "player" else None)

    [row] = lobby.seat.casino.query(
        "SELECT opener_kind, opener, source_ip, request_id FROM casino_sessions WHERE session_token = %s",
        [session.session_token],
    )
    assert tuple(row) == (launching.kind, launching.subject, "203.0.113.7", "request-1")


@pytest.mark.parametrize("role", ["regulator", "staff", "player"])
def test_caller_without_the_permission_is_refused_and_audited(lobby: Lobby, role: str) -> None:
    """WALLET 47"""
    launching = caller(lobby, role)
    with pytest.raises(Forbidden):
        lobby.launch(launching, lobby.seat.player_id + 1 if role == "player" else None)

    assert lobby.sessions() == []
    [entry] = lobby.audit()
    assert (entry.actor, entry.action, entry.outcome) == (launching.subject, "access.refused", "refused")


def test_repeated_refused_launches_of_a_player_are_one_entry(lobby: Lobby) -> None:
    """HUB 44: every player has a token, and all entries of a tenant wait for one row."""
    launching = caller(lobby, "player")
    for _ in range(5):
        with pytest.raises(Forbidden):
            lobby.launch(launching, lobby.seat.player_id + 1)

    written = lobby.seat.casino.query("SELECT action, after FROM audit_log WHERE actor = %s", [launching.subject])
    assert [tuple(entry) for entry in written] == [("access.refused", {"userId": lobby.seat.player_id})]


def test_players_own_launch_is_not_audited(lobby: Lobby) -> None:
    """WALLET 47: a player acts for nobody else."""
    lobby.launch(caller(lobby, "player"), lobby.seat.player_id)

    assert [session.status for session in lobby.sessions()] == ["active"]
    assert lobby.audit() == []


def test_channel_key_cannot_launch(lobby: Lobby) -> None:
    with pytest.raises(Forbidden):
        lobby.launch(caller(lobby, "service", channel="sms"))

    assert lobby.sessions() == []
    assert [entry.outcome for entry in lobby.audit()] == ["refused"]


def test_suspended_admin_cannot_launch_and_is_audited(lobby: Lobby) -> None:
    """WALLET 47, HUB 43: the token is valid, but the membership is suspended."""
    launching, free = caller(lobby, "tenant_admin"), caller(lobby, "tenant_admin")
    for person, status in ((launching, "suspended"), (free, "active")):
        lobby.seat.casino.query("INSERT INTO users (subject) VALUES (%s)", [person.subject])
        lobby.seat.casino.query(
            "INSERT INTO memberships (tenant_id, subject, role, status) VALUES (%s, %s, 'tenant_admin', %s)",
            [person.tenant_id, person.subject, status],
        )

    with pytest.raises(Forbidden, match="suspended"):
        lobby.launch(launching)
    assert lobby.sessions() == []
    lobby.launch(free)

    assert [(entry.actor, entry.action) for entry in lobby.audit()] == [
        (launching.subject, "access.refused"),
        (free.subject, "session.opened"),
    ]


def test_refused_launch_leaves_no_entry_of_a_session(lobby: Lobby) -> None:
    """Session and entry are committed or rolled back together."""
    with pytest.raises(CausewayError) as raised:
        games.launch(lobby.launcher(caller(lobby, "tenant_admin")), wanted(lobby.seat.player_id, 2**40))

    assert raised.value.code == "GAME_NOT_FOUND"
    assert lobby.audit() == []


def test_casinos_login_cannot_read_memberships(shared_casino: Casino) -> None:
    """It gets yes or no about one person of its transaction's tenant."""
    with psycopg.connect(shared_casino.urls["casino"], autocommit=True) as database:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            database.execute("SELECT FROM memberships")
        assert database.execute("SELECT membership_suspended_v1('anybody')").fetchone() == (False,)


def test_codes_of_game_providers_are_known_in_the_whole_deployment(seat: Seat) -> None:
    """The check comes before a caller's tenant is known, without a tenant, by the casino's and the provider's login."""
    code, known = seat.game_provider.code, "SELECT game_provider_known_v1(%s)"
    with psycopg.connect(seat.casino.urls["casino"], autocommit=True) as database:
        found = [database.execute(known, [asked]).fetchone() for asked in (code, code.lower(), "MADE_UP", "")]
    assert found == [(True,), (False,), (False,), (False,)]

    seat.casino.query(
        "INSERT INTO provider_casinos VALUES (%s, 'ANY', 'http://127.0.0.1', 'OWN_CODE')", [seat.casino.tenant_id]
    )
    known = "SELECT provider_code_known_v1(%s)"
    with psycopg.connect(seat.casino.urls["provider"], autocommit=True) as database:
        assert [database.execute(known, [asked]).fetchone() for asked in ("OWN_CODE", code)] == [(True,), (False,)]


@pytest.mark.parametrize("code", ["s3cr3t-" * 1000, "sk_live_abc", ["x" * 5000], "a\nb", 7])
def test_providers_error_code_is_logged_only_if_it_looks_like_a_code(lobby: Lobby, code: Any) -> None:
    """HUB 16: only text in the form of a code is logged."""
    lobby.act = answered(json.dumps({"code": code}).encode(), "403 Forbidden")
    with pytest.raises(GameProviderFailed) as raised:
        lobby.launch()

    assert raised.value.cause.endswith("refused to launch: 403 <unnamed>")
