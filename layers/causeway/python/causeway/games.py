"""The casino's side of a game: sessions, and launching them at the game provider."""

from dataclasses import dataclass
from typing import Any, Self
from uuid import uuid4

from causeway import settings, signed_calls
from causeway.database import Database
from causeway.errors import GameNotFound, GameProviderFailed, PlayerNotFound, TokenRequired, Unavailable
from causeway.strict_json import integer_field


@dataclass(frozen=True, slots=True)
class LaunchRequest:
    """POST /casino/launchGame and /casino/simulateRound."""

    player_id: int
    game_id: int

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest, which names the field."""
        return cls(integer_field(body, "userId"), integer_field(body, "gameId"))


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


def tenant_of(claims: dict[str, str], player_id: int) -> str:
    """Return the tenant whose player a token may launch games for.

    Args:
        claims: the token's, as API Gateway's authorizer passes them; empty where the call carries no token, which
            only the local stage allows.
        player_id: the player the game is for.

    Raises:
        TokenRequired: no token.
        PlayerNotFound: the token is another player's.
    """
    if not claims:
        if settings.stage() != "local" or not settings.default_tenant_id():
            raise TokenRequired
        return settings.default_tenant_id()
    if claims.get("custom:player_id", str(player_id)) != str(player_id):
        raise PlayerNotFound
    if "custom:tenant_id" not in claims:
        raise TokenRequired
    return claims["custom:tenant_id"]


def launch(database: Database, tenant_id: str, request: LaunchRequest) -> GameSession:
    """Open a session for a player and launch the game at its provider.

    The session is committed before the provider is called, so that the provider's first callback finds it, and
    becomes active when the provider has answered; where it does not, the session is closed.

    Raises:
        PlayerNotFound: the player is unknown, blocked, or has no wallet.
        GameNotFound: the game is unknown or inactive.
        GameProviderFailed: the provider refused or gave no usable answer.
        Unavailable: the database did not answer.
    """
    token = str(uuid4())
    game, session_id, currency = _open_session(database, tenant_id, request, token)
    call = {
        "sessionToken": token,
        "casinoSessionId": session_id,
        "userId": request.player_id,
        "gameId": game.code,
        "currency": currency,
        "casinoCode": game.casino_code,
    }
    try:
        status, answer = signed_calls.post(game.api_url, "/provider/launch", call, "provider", game.provider_code)
        provider_session_id = answer.get("providerSessionId")
        if status != 200 or not isinstance(provider_session_id, str):
            raise GameProviderFailed(cause=f"{game.provider_code} refused to launch: {status} {answer.get('code')}")  # noqa: TRY301
    except (GameProviderFailed, Unavailable):
        _set_session(database, tenant_id, session_id, "closed", None)
        raise
    _set_session(database, tenant_id, session_id, "active", provider_session_id)
    return GameSession(
        session_token=token,
        casino_session_id=session_id,
        provider_session_id=provider_session_id,
        player_id=request.player_id,
        game_code=game.code,
        currency=currency,
        casino_code=game.casino_code,
        min_bet=str(answer.get("minBet", "0")),
        max_bet=str(answer.get("maxBet", "0")),
        provider_code=game.provider_code,
        provider_url=game.api_url,
    )


def _open_session(database: Database, tenant_id: str, request: LaunchRequest, token: str) -> tuple[Any, int, str]:
    """Insert the session; returns the game's row, the session's id and the wallet's currency."""
    with database.transaction(tenant_id) as connection:
        game = connection.execute(
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
        wallet = connection.execute(
            """
            SELECT w.wallet_id, w.currency
            FROM casino_players AS p
            INNER JOIN casino_wallets AS w USING (tenant_id, player_id)
            WHERE p.tenant_id = %s AND p.player_id = %s AND p.status = 'active'
            ORDER BY w.wallet_id
            LIMIT 1
            """,
            [tenant_id, request.player_id],
        ).fetchone()
        if wallet is None:
            raise PlayerNotFound
        session: Any = connection.execute(
            """
            INSERT INTO casino_sessions (tenant_id, session_token, player_id, wallet_id, game_id, game_provider_id)
            VALUES (%s, %s, %s, %s, %s, %s)
            RETURNING session_id
            """,
            [tenant_id, token, request.player_id, wallet.wallet_id, request.game_id, game.game_provider_id],
        ).fetchone()
    return game, session.session_id, wallet.currency


def _set_session(
    database: Database, tenant_id: str, session_id: int, status: str, provider_session_id: str | None
) -> None:
    with database.transaction(tenant_id) as connection:
        connection.execute(
            """
            UPDATE casino_sessions SET status = %s, provider_session_id = %s
            WHERE tenant_id = %s AND session_id = %s
            """,
            [status, provider_session_id, tenant_id, session_id],
        )


def simulate_round(database: Database, tenant_id: str, request: LaunchRequest) -> dict[str, Any]:
    """Launch a game and have its provider play the scripted round; returns the provider's report of the steps.

    Raises: as launch.
    """
    session = launch(database, tenant_id, request)
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
    )
    if status != 200:
        raise GameProviderFailed(cause=f"{session.provider_code} did not play: {status} {report.get('code')}")
    return report
