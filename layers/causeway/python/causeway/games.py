"""The casino's side of a game: who may launch one for a player, sessions, and launching them at the game provider."""

import re
from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

import psycopg
from aws_lambda_powertools import Logger

from causeway import audit_log, signed_calls
from causeway.context import RequestContext
from causeway.database import Database
from causeway.deadlines import Deadline
from causeway.errors import (
    CausewayError,
    Forbidden,
    GameNotFound,
    GameProviderFailed,
    InvalidRequest,
    PlayerNotFound,
    WrongCurrency,
)
from causeway.permissions import Permission
from causeway.strict_json import id_field, integer_field, required_text, shown_name

logger = Logger(child=True)

_PERMISSION: Permission = "games.launch"
# Seconds until a game provider must have launched, and with the round that is played in it. The function's own limit is
# 29: after these come two transactions at most, one to activate the session and one to close it.
LAUNCH = 22.0
# An amount of minor units, as game providers tell the limits of bets.
_AMOUNT = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """POST /casino/launchGame and /casino/simulateRound."""

    player_id: int
    game_id: int
    # Of the wallet that is played with; None: the player's first.
    currency: str | None = None

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest, which names the field."""
        currency = id_field(body, "currency", required=False)
        return cls(integer_field(body, "userId"), integer_field(body, "gameId"), currency)


@dataclass(frozen=True, slots=True)
class GameSession:
    """A game session that its provider knows; minimum and maximum bet in minor units."""

    session_token: str
    casino_session_id: int
    provider_session_id: str
    player_id: int
    game_code: str
    currency: str
    casino_code: str
    min_bet: str
    max_bet: str
    provider_code: str
    provider_url: str


@dataclass(frozen=True, slots=True)
class Launcher:
    """Who wants to launch a game.

    Attributes:
        database: of the casino's login.
        tenant_id: the casino.
        context: of the caller; None where nobody is known, which only the local stage allows.
        player_id: the player that the caller is; None for people and machines of the tenant.
    """

    database: Database
    tenant_id: str
    context: RequestContext | None
    player_id: int | None = None

    def acting_for(self, player_id: int) -> RequestContext | None:
        """Return the context in which the caller acts for a player, None where it is the player himself."""
        return None if self.player_id == player_id else self.context


def _note_refusal(launcher: Launcher, context: RequestContext, player_id: int) -> None:
    entry = context.entry(
        audit_log.Action.ACCESS_REFUSED,
        object_kind="permission",
        object_id=_PERMISSION,
        outcome="refused",
        after={"userId": player_id},
    )
    audit_log.record_apart(launcher.database, launcher.tenant_id, entry, launch=True)


def launch(launcher: Launcher, request: LaunchRequest) -> GameSession:
    """Open a session for a player and launch the game at its provider.

    The session is committed before the provider is called, so that the provider's first callback finds it. It becomes
    active when the provider has answered; whatever else happens, it is closed. Should that fail too, or the process
    die, it has expired a minute after it was opened.

    Raises:
        Forbidden: the caller may not launch for this player.
        PlayerNotFound: the player is unknown, blocked, or has no wallet.
        WrongCurrency: the player has no wallet in the currency that the request names.
        GameNotFound: the game is unknown or inactive.
        GameProviderFailed: the provider refused or gave no usable answer.
        Unavailable: the database or the secrets did not answer.
    """
    return _launch(launcher, request, Deadline(LAUNCH))


def _launch(launcher: Launcher, request: LaunchRequest, deadline: Deadline) -> GameSession:
    token = str(uuid4())
    context = launcher.acting_for(request.player_id)
    try:
        if context is not None:
            context.caller.demand(_PERMISSION)
        opened = _open_session(launcher, request, token, context)
    except Forbidden:
        if context is not None:
            _note_refusal(launcher, context, request.player_id)
        raise
    try:
        answer = _launched(opened, request, token, deadline)
        _activate(launcher, opened.session_id, answer.provider_session_id)
    except BaseException:
        _close(launcher, opened.session_id)
        raise
    return GameSession(
        session_token=token,
        casino_session_id=opened.session_id,
        provider_session_id=answer.provider_session_id,
        player_id=request.player_id,
        game_code=opened.game_code,
        currency=opened.currency,
        casino_code=opened.casino_code,
        min_bet=answer.min_bet,
        max_bet=answer.max_bet,
        provider_code=opened.provider_code,
        provider_url=opened.provider_url,
    )


@dataclass(frozen=True, slots=True)
class _Opened:
    """A session that waits for its provider."""

    session_id: int
    game_code: str
    currency: str
    casino_code: str
    provider_code: str
    provider_url: str


@dataclass(frozen=True, slots=True)
class _LaunchAnswer:
    """What a game provider answers to a launch; the limits of bets in minor units, as text."""

    provider_session_id: str
    min_bet: str
    max_bet: str

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the answer; raises InvalidRequest, which names the field."""
        least, most = (_amount(body, name) for name in ("minBet", "maxBet"))
        if int(least) > int(most):
            raise InvalidRequest("minBet is more than maxBet")
        return cls(required_text(body, "providerSessionId"), least, most)


def _amount(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value) or int(value) >= 2**63:
        raise InvalidRequest(f"{name} must be a text of digits, in minor units")
    return value


def _launched(opened: _Opened, request: LaunchRequest, token: str, deadline: Deadline) -> _LaunchAnswer:
    call = {
        "sessionToken": token,
        "casinoSessionId": opened.session_id,
        "userId": request.player_id,
        "gameId": opened.game_code,
        "currency": opened.currency,
        "casinoCode": opened.casino_code,
    }
    code = opened.provider_code
    status, body = signed_calls.post(opened.provider_url, "/provider/launch", call, "provider", code, deadline)
    if status != 200:
        raise GameProviderFailed(cause=f"{code} refused to launch: {status} {shown_name(str(body.get('code')))}")
    try:
        answer = _LaunchAnswer.parse(body)
    except InvalidRequest as error:
        raise GameProviderFailed(cause=f"{code}'s answer to the launch: {error.sentence}") from error
    for name in ("gameId", "currency"):
        if body.get(name, call[name]) != call[name]:
            raise GameProviderFailed(cause=f"{code} launched another {name} than it was asked to")
    return answer


def _open_session(launcher: Launcher, request: LaunchRequest, token: str, acting: RequestContext | None) -> _Opened:
    """Insert the session, with an entry in the audit log where somebody acts for the player."""
    with launcher.database.transaction(launcher.tenant_id) as transaction:
        if acting is not None:
            _refuse_suspended(transaction, acting)
        game, wallet = _game(transaction, launcher.tenant_id, request), _wallet(transaction, launcher, request)
        session: Any = transaction.execute(
            """
            INSERT INTO casino_sessions (tenant_id, session_token, player_id, wallet_id, game_id, game_provider_id)
            VALUES (%s, %s, %s, %s, %s, %s)
            RETURNING session_id
            """,
            [
                launcher.tenant_id,
                token,
                request.player_id,
                wallet.wallet_id,
                request.game_id,
                game.game_provider_id,
            ],
        ).fetchone()
        if acting is not None:
            entry = acting.entry(
                audit_log.Action.SESSION_OPENED,
                object_kind="player",
                object_id=str(request.player_id),
                after={"sessionId": session.session_id, "gameId": request.game_id},
            )
            audit_log.record(transaction, entry, launch=True)
    return _Opened(session.session_id, game.code, wallet.currency, game.casino_code, game.provider_code, game.api_url)


def _refuse_suspended(transaction: psycopg.Connection[Any], context: RequestContext) -> None:
    if context.caller.kind != "person":
        return
    suspended: Any = transaction.execute("SELECT membership_suspended_v1(%s)", [context.caller.subject]).fetchone()
    if suspended[0]:
        raise Forbidden("Your membership is suspended", cause="the membership is suspended")


def _game(transaction: psycopg.Connection[Any], tenant_id: str, request: LaunchRequest) -> Any:
    game = transaction.execute(
        """
        SELECT g.code, p.game_provider_id, p.code AS provider_code, p.api_url, t.code AS casino_code
        FROM casino_games AS g
        INNER JOIN casino_game_providers AS p USING (tenant_id, game_provider_id)
        INNER JOIN tenants AS t USING (tenant_id)
        WHERE g.tenant_id = %s AND g.game_id = %s AND g.status = 'active' AND p.status = 'active'
        """,
        [tenant_id, request.game_id],
    ).fetchone()
    if game is None:
        raise GameNotFound
    return game


def _wallet(transaction: psycopg.Connection[Any], launcher: Launcher, request: LaunchRequest) -> Any:
    wallet = transaction.execute(
        """
        SELECT w.wallet_id, w.currency
        FROM casino_players AS p
        INNER JOIN casino_wallets AS w USING (tenant_id, player_id)
        WHERE p.tenant_id = %s AND p.player_id = %s AND p.status = 'active'
        ORDER BY w.currency IS NOT DISTINCT FROM %s DESC, w.wallet_id
        LIMIT 1
        """,
        [launcher.tenant_id, request.player_id, request.currency],
    ).fetchone()
    if wallet is None:
        raise PlayerNotFound
    if request.currency not in (None, wallet.currency):
        raise WrongCurrency("The player has no wallet in this currency")
    return wallet


def _activate(launcher: Launcher, session_id: int, provider_session_id: str) -> None:
    """Let a launching session live for a day; raises GameProviderFailed where it is launching no more."""
    with launcher.database.transaction(launcher.tenant_id) as transaction:
        activated = transaction.execute(
            """
            UPDATE casino_sessions
            SET status = 'active', provider_session_id = %s, expires_at = now() + interval '24 hours'
            WHERE tenant_id = %s AND session_id = %s AND status = 'launching' AND expires_at > now()
            """,
            [provider_session_id, launcher.tenant_id, session_id],
        ).rowcount
    if not activated:
        raise GameProviderFailed(
            cause=f"session {session_id} was closed, or had expired, before its launch was answered"
        )


def _close(launcher: Launcher, session_id: int) -> None:
    """Close a session whose launch failed; where that fails too, its expiry does it."""
    try:
        with launcher.database.transaction(launcher.tenant_id) as transaction:
            transaction.execute(
                "UPDATE casino_sessions SET status = 'closed' WHERE tenant_id = %s AND session_id = %s",
                [launcher.tenant_id, session_id],
            )
    except CausewayError as error:
        logger.warning("A session could not be closed", extra={"session": session_id, "reason": error.cause})


def simulate_round(launcher: Launcher, request: LaunchRequest) -> dict[str, Any]:
    """Launch a game and have its provider play the scripted round; returns the provider's report of the steps.

    Raises: as launch.
    """
    deadline = Deadline(LAUNCH)
    session = _launch(launcher, request, deadline)
    status, report = signed_calls.post(
        session.provider_url,
        "/provider/simulate",
        {
            "sessionToken": session.session_token,
            "providerSessionId": session.provider_session_id,
            "userId": session.player_id,
            "gameId": session.game_code,
            "currency": session.currency,
            "casinoCode": session.casino_code,
        },
        "provider",
        session.provider_code,
        deadline,
    )
    if status != 200:
        raise GameProviderFailed(
            cause=f"{session.provider_code} did not play: {status} {shown_name(str(report.get('code')))}"
        )
    return report
