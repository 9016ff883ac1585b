"""The scripted round from end to end, and the responses of a launch that fails."""

import json
from base64 import b64encode
from typing import Any

import psycopg
import pytest

from local import ROOT
from local.services import demo_data
from local.services.services import GAME_PROVIDERS
from local.stack import Stack
from tests.conformance.client import Casino, Connections, encoded, sign
from tests.conformance.expectations import accepted, refused
from tests.end_to_end.conftest import SECOND_SECRETS
from tests.end_to_end.sample_events import COUNTED, MISSING, OTHERS, SAMPLES, STRANGE

pytestmark = pytest.mark.usefixtures("audited")

STARTING_BALANCE = 1_000_000
# The scripted round: each step, the minor units that it moves, the balance after it, and its status.
STEPS = [
    ("Balance check", 0, "1000000", 200),
    ("Bet 1 (debit)", -1000, "999000", 200),
    ("Bet 2 (debit)", -1000, "998000", 200),
    ("Rollback bet 2", 1000, "999000", 200),
    ("Payout (credit)", 2000, "1001000", 200),
    ("Final balance check", 0, "1001000", 200),
    ("Idempotency retry (bet 1)", 0, "1001000", 200),
    ("Tombstone rollback", 0, "1001000", 200),
    ("Rejected rollback", 0, "1001000", 400),
]


def simulate(casino: Casino, user_id: int) -> Any:
    body = encoded({"userId": user_id, "gameId": casino.game_id})
    reply = casino.send("simulateRound", body, signature=None)
    assert reply.status == 200, reply
    return reply.json


def test_each_of_the_nine_steps_of_a_simulated_round_has_its_balance(casino: Casino) -> None:
    player = casino.player(STARTING_BALANCE, "USD")
    report = simulate(casino, player.user_id)
    told = [(step["action"], step["amount"], step["balance"], step["status"]) for step in report["steps"]]
    assert told == STEPS
    assert [step["expectedBalance"] for step in report["steps"]] == [balance for _, _, balance, _ in STEPS]
    assert report["success"] is True
    assert report["finalBalance"] == "1001000"
    assert player.balance() == 1_001_000


def test_simulation_can_be_run_again(casino: Casino) -> None:
    player = casino.player(STARTING_BALANCE, "USD")
    rounds = [simulate(casino, player.user_id) for _ in range(2)]
    assert [report["success"] for report in rounds] == [True, True]
    assert rounds[0]["roundId"] != rounds[1]["roundId"]
    assert player.balance() == 1_002_000


def test_simulation_of_a_player_without_money_reports_the_steps_that_failed(casino: Casino) -> None:
    player = casino.player(0, "USD")
    report = simulate(casino, player.user_id)
    assert report["success"] is False
    assert player.balance() == 0


def test_launch_opens_a_session_that_both_sides_know(casino: Casino, superuser: psycopg.Connection) -> None:
    player = casino.player(currency="JPY")
    launched = casino.launch(player.user_id)
    assert launched.status == 200
    answer = launched.json
    assert answer.keys() == {
        "sessionToken", "casinoSessionId", "providerSessionId", "gameId", "currency", "minBet", "maxBet",
    }  # fmt: skip
    told = {name: answer[name] for name in ("gameId", "currency", "minBet", "maxBet")}
    assert told == {"gameId": "SLOTS_001", "currency": "JPY", "minBet": "1000", "maxBet": "100000"}
    row = superuser.execute(
        """
        SELECT c.status, c.provider_session_id, p.casino_session_id
        FROM casino_sessions AS c
        INNER JOIN provider_sessions AS p ON p.provider_session_id::text = c.provider_session_id
        WHERE c.session_token = %s
        """,
        [answer["sessionToken"]],
    ).fetchone()
    assert row == ("active", answer["providerSessionId"], answer["casinoSessionId"])


def test_launch_for_an_unknown_player_or_game_is_refused(casino: Casino) -> None:
    """WALLET 34: Unknown player or game -> a typed error."""
    player = casino.player()
    refused(casino.launch(10**15), 404, "PLAYER_NOT_FOUND")
    refused(casino.launch(player.user_id, 10**15), 404, "GAME_NOT_FOUND")


def test_launch_for_a_blocked_player_is_refused(casino: Casino, superuser: psycopg.Connection) -> None:
    player = casino.player()
    superuser.execute("UPDATE casino_players SET status = 'blocked' WHERE player_id = %s", [player.user_id])
    refused(casino.launch(player.user_id))
    body = encoded({"userId": player.user_id, "gameId": casino.game_id})
    refused(casino.send("simulateRound", body, signature=None))


def test_launch_at_a_provider_that_does_not_answer_closes_the_session(
    casino: Casino, superuser: psycopg.Connection, secrets_manager: Any
) -> None:
    """WALLET 46: a launch that fails leaves no session that takes bets."""
    player = casino.player()
    secret = {"tenant_id": demo_data.TENANT_ID, **SECOND_SECRETS}
    secrets_manager.create_secret(Name=f"{GAME_PROVIDERS}/SILENT", SecretString=json.dumps(secret))
    row = superuser.execute(
        """
        WITH provider AS (
            INSERT INTO casino_game_providers (tenant_id, code, display_name, api_url)
            VALUES (%s, 'SILENT', 'Silent Games', 'http://127.0.0.1:9')
            RETURNING tenant_id, game_provider_id
        )
        INSERT INTO casino_games (tenant_id, game_provider_id, code, display_name)
        SELECT tenant_id, game_provider_id, 'SLOTS_001', 'Silent Slots' FROM provider
        RETURNING game_id
        """,
        [demo_data.TENANT_ID],
    ).fetchone()
    assert row is not None
    reply = casino.launch(player.user_id, row[0])
    assert (reply.status, reply.code) == (502, "GAME_PROVIDER_FAILED")
    assert b"127.0.0.1" not in reply.body
    open_sessions = superuser.execute("SELECT FROM casino_sessions WHERE game_id = %s AND status <> 'closed'", [row[0]])
    assert open_sessions.rowcount == 0


def test_provider_refuses_calls_that_the_casino_did_not_sign(stack: Stack) -> None:
    """WALLET 35: x-provider-signature is verified in the same way as x-casino-signature."""
    fields = {"sessionToken": "x", "casinoSessionId": 1, "userId": 1, "gameId": "SLOTS_001"}
    body = encoded(fields | {"currency": "USD", "casinoCode": "JAQPOT"})
    provider = Connections(stack.base_url)
    for path in ("/provider/launch", "/provider/simulate"):
        for signature in ("", "0" * 64, sign(stack.info["casino_secret"], body)):
            headers = {"Content-Type": "application/json", "X-Provider-Signature": signature}
            refused(provider.post(path, body, headers), 401, "SIGNATURE_INVALID")
    provider.close()


def sample(name: str) -> Any:
    return json.loads((ROOT / "events" / f"{name}.json").read_text())


@pytest.mark.parametrize("name", SAMPLES)
def test_sample_event_is_answered(stack: Stack, name: str) -> None:
    for _ in range(2):
        answer = stack.invoke(name, sample(name))
        assert answer["statusCode"] == 200, answer
        assert isinstance(json.loads(answer["body"]), dict)


@pytest.mark.parametrize("name", MISSING)
def test_sample_event_of_an_unknown_connection_is_answered_404(stack: Stack, name: str) -> None:
    answer = stack.invoke(name, sample(name))
    assert (answer["statusCode"], json.loads(answer["body"])["code"]) == (404, "CONNECTION_NOT_FOUND")


@pytest.mark.parametrize("name", STRANGE)
def test_sample_event_of_a_strange_redirect_is_answered_with_a_page(stack: Stack, name: str) -> None:
    answer = stack.invoke(name, sample(name))
    assert (answer["statusCode"], answer["headers"]["content-type"]) == (400, "text/html; charset=utf-8")


@pytest.mark.parametrize("name", OTHERS)
def test_sample_event_without_a_route_finds_nothing_to_do(stack: Stack, name: str) -> None:
    assert stack.invoke(name, sample(name)) == OTHERS[name]


@pytest.mark.parametrize("name", COUNTED)
def test_sample_event_of_a_schedule_returns_its_counts(stack: Stack, name: str) -> None:
    assert set(stack.invoke(name, sample(name))) == COUNTED[name]


def test_signature_of_a_base64_body_is_verified_over_the_decoded_bytes(stack: Stack, casino: Casino) -> None:
    """WALLET 35: verified over the raw bytes received, also if API Gateway sends the body in base64."""
    player = casino.player()
    bet = player.bet(1000)
    body = encoded(bet)
    event = sample("wallet-debit")
    event["headers"]["x-casino-signature"] = sign(casino.secret, body)
    event |= {"body": b64encode(body).decode(), "isBase64Encoded": True}
    answer = stack.invoke("wallet-debit", event)
    assert answer["statusCode"] == 200, answer
    event["body"] += "!"
    assert stack.invoke("wallet-debit", event)["statusCode"] in (400, 401)
    del event["body"]
    assert stack.invoke("wallet-debit", event)["statusCode"] == 401
    win = player.win(5, bet)
    accepted(casino.credit(win), win, 9005)
