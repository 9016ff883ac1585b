"""The demo game provider: opens sessions for a casino's players and plays a scripted round.

It learns balances from the casino's answers only, and uses no table of the casino.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID, uuid4

from causeway.database.postgres import Database, Transaction
from causeway.errors.casino import GameNotFound, SessionNotFound
from causeway.errors.game_signing import CasinoNotFound
from causeway.errors.requests import InvalidRequest
from causeway.game_signing import signed_calls
from causeway.outbound.deadlines import Deadline
from causeway.wire.field_readers import id_field, integer_field, parse_uuid

# Seconds for a scripted round. The function's limit is 29: authentication comes before, a transaction after.
ROUND_SECONDS = 20.0
# Minor units: the scripted round bets twice and wins once.
_BET = 1000
_WIN = 2000

# Sends a signed call to the casino: takes path and fields, returns status and answer.
_Call = Callable[[str, dict[str, Any]], tuple[int, dict[str, Any]]]


@dataclass(frozen=True, slots=True)
class Launch:
    """POST /provider/launch."""

    session_token: str
    casino_session_id: int
    user_id: int
    game_code: str
    currency: str
    casino_code: str

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest, which names the field."""
        return cls(
            id_field(body, "sessionToken"),
            integer_field(body, "casinoSessionId"),
            integer_field(body, "userId"),
            id_field(body, "gameId"),
            id_field(body, "currency"),
            id_field(body, "casinoCode"),
        )


@dataclass(frozen=True, slots=True)
class Simulation:
    """POST /provider/simulate."""

    session_token: str
    provider_session_id: UUID
    user_id: int
    casino_code: str

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest, which names the field."""
        return cls(
            id_field(body, "sessionToken"),
            parse_uuid(id_field(body, "providerSessionId"), SessionNotFound),
            integer_field(body, "userId"),
            id_field(body, "casinoCode"),
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One call of the scripted round.

    Attributes:
        amount: minor units that the call should move.
        status: of the answer.
        answered: the answer is as the script expects.
        expected_balance: minor units after the call, as the script expects.
        balance: minor units after the call, as the casino answers.
    """

    step: int
    action: str
    amount: int
    status: int
    answered: bool
    expected_balance: str
    balance: str


def is_game_provider(database: Database, code: str) -> bool:
    """Return whether the demo game provider has that code at a casino; raises Unavailable."""
    return bool(database.one("SELECT provider_code_known_v1(%s) AS known", [code]).known)


def launch(database: Database, tenant_id: UUID, request: Launch) -> dict[str, Any]:
    """Open a session for a casino's player, or find it again, and return the answer for the casino.

    Raises:
        CasinoNotFound, GameNotFound: this provider does not have the casino or the game.
        InvalidRequest: the currency is unknown, or another session has the token.
        Unavailable: the database did not answer.
    """
    with database.transaction(tenant_id) as transaction:
        game = _game(transaction, tenant_id, request)
        session = _opened(transaction, tenant_id, request)
    return {
        "providerSessionId": str(session.provider_session_id),
        "gameId": request.game_code,
        "currency": request.currency,
        "minBet": str(game.min_bet),
        "maxBet": str(game.max_bet),
        "playerId": session.provider_player_id,
    }


def simulate(database: Database, tenant_id: UUID, request: Simulation) -> dict[str, Any]:
    """Play the scripted round against the casino's wallet and report each step.

    Raises:
        SessionNotFound: the casino's player has no such session.
        GameProviderFailed: the casino gave no usable answer.
        Unavailable: the database did not answer.
    """
    deadline = Deadline(ROUND_SECONDS)
    with database.transaction(tenant_id) as transaction:
        session = _session(transaction, tenant_id, request)
        opened: Any = transaction.execute(
            "INSERT INTO provider_rounds (tenant_id, provider_session_id) VALUES (%s, %s) RETURNING round_id",
            [tenant_id, session.provider_session_id],
        ).fetchone()
    player = {"sessionToken": request.session_token, "userId": request.user_id}
    code = session.provider_code

    def call(path: str, fields: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return signed_calls.post(session.api_url, path, player | fields, "casino", tenant_id, code, deadline)

    steps = list(_script(call, str(opened.round_id)))
    with database.transaction(tenant_id) as transaction:
        transaction.execute(
            "UPDATE provider_rounds SET status = 'settled' WHERE tenant_id = %s AND round_id = %s",
            [tenant_id, opened.round_id],
        )
    return _report(opened.round_id, steps)


def _game(transaction: Transaction, tenant_id: UUID, request: Launch) -> Any:
    """Return the bet limits of the game; raises CasinoNotFound, GameNotFound, InvalidRequest."""
    if not transaction.execute(
        "SELECT FROM provider_casinos WHERE tenant_id = %s AND casino_code = %s", [tenant_id, request.casino_code]
    ).rowcount:
        raise CasinoNotFound
    game = transaction.execute(
        "SELECT min_bet, max_bet FROM provider_games WHERE tenant_id = %s AND code = %s",
        [tenant_id, request.game_code],
    ).fetchone()
    if game is None:
        raise GameNotFound
    if not transaction.execute("SELECT FROM currencies WHERE code = %s", [request.currency]).rowcount:
        raise InvalidRequest("currency must be an ISO 4217 code")
    return game


def _opened(transaction: Transaction, tenant_id: UUID, request: Launch) -> Any:
    """Return the session of a launch; the first launch creates it, and its player."""
    fields = {
        "tenant": tenant_id,
        "casino": request.casino_code,
        "user": request.user_id,
        "game": request.game_code,
        "token": request.session_token,
        "casino_session": request.casino_session_id,
        "currency": request.currency,
    }
    _make_session(transaction, fields)
    session = transaction.execute(
        """
        SELECT s.provider_session_id, s.provider_player_id
        FROM provider_sessions AS s
        INNER JOIN provider_players AS p USING (tenant_id, provider_player_id)
        WHERE s.tenant_id = %(tenant)s AND s.session_token = %(token)s AND s.game_code = %(game)s
            AND s.currency = %(currency)s AND p.casino_code = %(casino)s AND p.user_id = %(user)s
        """,
        fields,
    ).fetchone()
    if session is None:
        raise InvalidRequest("sessionToken was used to launch for another player, game or currency")
    return session


def _make_session(transaction: Transaction, fields: dict[str, Any]) -> None:
    """Create the session of a launch, and its player, unless they exist."""
    transaction.execute(
        """
        INSERT INTO provider_players (tenant_id, casino_code, user_id) VALUES (%(tenant)s, %(casino)s, %(user)s)
        ON CONFLICT (tenant_id, casino_code, user_id) DO NOTHING
        """,
        fields,
    )
    transaction.execute(
        """
        INSERT INTO provider_sessions (
            tenant_id, provider_player_id, game_code, session_token, casino_session_id, currency
        )
        SELECT p.tenant_id, p.provider_player_id, %(game)s, %(token)s, %(casino_session)s, %(currency)s
        FROM provider_players AS p
        WHERE p.tenant_id = %(tenant)s AND p.casino_code = %(casino)s AND p.user_id = %(user)s
        ON CONFLICT (tenant_id, session_token) DO NOTHING
        """,
        fields,
    )


def _session(transaction: Transaction, tenant_id: UUID, request: Simulation) -> Any:
    """Return the session and its casino's address; raises SessionNotFound."""
    session = transaction.execute(
        """
        SELECT s.provider_session_id, c.api_url, c.provider_code
        FROM provider_sessions AS s
        INNER JOIN provider_players AS p USING (tenant_id, provider_player_id)
        INNER JOIN provider_casinos AS c USING (tenant_id, casino_code)
        WHERE s.tenant_id = %s AND s.session_token = %s AND s.provider_session_id = %s
            AND p.casino_code = %s AND p.user_id = %s
        """,
        [tenant_id, request.session_token, request.provider_session_id, request.casino_code, request.user_id],
    ).fetchone()
    if session is None:
        raise SessionNotFound
    return session


def _report(round_id: UUID, steps: list[Step]) -> dict[str, Any]:
    return {
        "success": all(step.answered and step.balance == step.expected_balance for step in steps),
        "roundId": str(round_id),
        "steps": [
            {
                "step": step.step,
                "action": step.action,
                "amount": step.amount,
                "status": step.status,
                "expectedBalance": step.expected_balance,
                "balance": step.balance,
            }
            for step in steps
        ],
        "finalBalance": steps[-1].balance,
    }


def _script(call: _Call, round_id: str) -> Iterator[Step]:
    """Play the nine steps of the round; ask for the balance after each."""
    bet_1, bet_2, undo_2, win, undo_unknown, undo_1 = (str(uuid4()) for _ in range(6))
    debit_1 = {"transactionId": bet_1, "roundId": round_id, "amount": _BET}
    debit_2 = {"transactionId": bet_2, "roundId": round_id, "amount": _BET}
    credit = {"transactionId": win, "roundId": round_id, "amount": _WIN, "relatedTransactionId": bet_1}
    # Action, path, fields, minor units that it should move, and fields that the answer must have.
    plan: list[tuple[str, str, dict[str, Any], int, dict[str, Any]]] = [
        ("Balance check", "getBalance", {}, 0, {}),
        ("Bet 1 (debit)", "debit", debit_1, -_BET, {"status": "ok"}),
        ("Bet 2 (debit)", "debit", debit_2, -_BET, {"status": "ok"}),
        ("Rollback bet 2", "rollback", _undo(undo_2, round_id, bet_2), _BET, {"status": "ok"}),
        ("Payout (credit)", "credit", credit, _WIN, {"status": "ok"}),
        ("Final balance check", "getBalance", {}, 0, {}),
        ("Idempotency retry (bet 1)", "debit", debit_1, 0, {"status": "ok"}),
        (
            "Tombstone rollback",
            "rollback",
            _undo(undo_unknown, round_id, str(uuid4())),
            0,
            {"tombstone": True},
        ),
        ("Rejected rollback", "rollback", _undo(undo_1, round_id, bet_1), 0, {"code": "ROUND_HAS_PAYOUT"}),
    ]
    expected = int(call("/casino/getBalance", {})[1].get("balance", 0))
    for number, (action, path, fields, amount, holds) in enumerate(plan, start=1):
        status, answer = call(f"/casino/{path}", fields)
        expected += amount
        balance = call("/casino/getBalance", {})[1].get("balance", "")
        answered = holds.items() <= answer.items() and (status == 200) == ("code" not in holds)
        yield Step(number, action, amount, status, answered, str(expected), balance)


def _undo(transaction_id: str, round_id: str, original_id: str) -> dict[str, Any]:
    return {"transactionId": transaction_id, "roundId": round_id, "originalTransactionId": original_id}
