"""Game sessions: a launch opens one for a player, activates it when it succeeds, and closes it when it fails."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from aws_lambda_powertools import Logger
from pydantic import Field

from causeway.audit_log import entries
from causeway.database.postgres import Transaction
from causeway.errors.casino import GameNotFound, PlayerNotFound, WrongCurrency
from causeway.errors.game_signing import GameProviderFailed
from causeway.errors.tenancy import Suspended
from causeway.errors.tree import CausewayError
from causeway.tenancy.context import RequestContext
from causeway.tenancy.launcher import Launcher
from causeway.wire.field_types import ExternalId, NumericId
from causeway.wire.models import Request

logger = Logger(child=True)


class LaunchRequest(Request):
    """POST /casino/launchGame and /casino/simulateRound.

    Attributes:
        player_id: as its game providers know the player.
        game_id: ours.
        currency: None: the player's first wallet.
    """

    player_id: NumericId = Field(alias="userId", examples=[1])
    game_id: NumericId = Field(examples=[1])
    currency: ExternalId | None = Field(
        None,
        description="Of the wallet to play with; if it is missing, the player's first wallet.",
        examples=["USD"],
    )


@dataclass(frozen=True, slots=True)
class OpenedSession:
    """A new session, before its provider has answered the launch."""

    session_id: int
    game_code: str
    currency: str
    casino_code: str
    provider_code: str
    provider_url: str


def open_for(launcher: Launcher, request: LaunchRequest, token: str, acting: RequestContext | None) -> OpenedSession:
    """Insert a launching session, with an entry in the audit log if a person acts for the player.

    The session's row stores its opener. A launch by an API key has no entry: it is ordinary traffic, and every entry
    waits for the tenant's entry before it.

    Args:
        launcher: the caller.
        request: names player and game.
        token: a new session token.
        acting: the context of a caller who is not the player.

    Raises:
        Suspended: the membership of the person who acts for the player is suspended.
        GameNotFound: the game is unknown or inactive.
        PlayerNotFound: the player is unknown, blocked, or has no wallet.
        WrongCurrency: the player has no wallet in the currency that the request names.
        Unavailable: the database did not answer.
    """
    with launcher.database.transaction(launcher.tenant_id) as transaction:
        if acting is not None:
            _refuse_suspended(transaction, acting)
        game, wallet = _game(transaction, launcher.tenant_id, request), _wallet(transaction, launcher, request)
        session_id = _insert(transaction, launcher, request, token, (wallet.wallet_id, game.game_provider_id))
        if acting is not None and acting.caller.kind == "person":
            entry = acting.entry(
                entries.Action.SESSION_OPENED,
                object_kind="player",
                object_id=str(request.player_id),
                after={"sessionId": session_id, "gameId": request.game_id},
            )
            entries.record(transaction, entry, launch=True)
    return OpenedSession(session_id, game.code, wallet.currency, game.casino_code, game.provider_code, game.api_url)


def _insert(
    transaction: Transaction,
    launcher: Launcher,
    request: LaunchRequest,
    token: str,
    ids: tuple[int, int],
) -> int:
    """Insert the row and return its id. ids: of its wallet and of its game provider."""
    context = launcher.context
    opener = (
        (None, None, None, None)
        if context is None
        else (context.caller.kind, context.caller.subject, context.source_ip, context.request_id)
    )
    session: Any = transaction.execute(
        """
        INSERT INTO casino_sessions (
            tenant_id, session_token, player_id, game_id, wallet_id, game_provider_id,
            opener_kind, opener, source_ip, request_id
        ) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
        RETURNING session_id
        """,
        [launcher.tenant_id, token, request.player_id, request.game_id, *ids, *opener],
    ).fetchone()
    return session.session_id


def _refuse_suspended(transaction: Transaction, context: RequestContext) -> None:
    if context.caller.kind != "person":
        return
    [row] = transaction.execute("SELECT membership_suspended_v1(%s) AS suspended", [context.caller.subject]).fetchall()
    if row.suspended:
        raise Suspended


def _game(transaction: Transaction, tenant_id: UUID, request: LaunchRequest) -> Any:
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


def _wallet(transaction: Transaction, launcher: Launcher, request: LaunchRequest) -> Any:
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


def activate(launcher: Launcher, session_id: int, provider_session_id: str) -> None:
    """Make a launching session active; raises GameProviderFailed if it is not launching any more.

    If the commit's answer is lost, the launch fails although the session may be active; it expires after a minute.
    """
    with launcher.database.transaction(launcher.tenant_id) as transaction:
        activated = transaction.execute(
            """
            UPDATE casino_sessions
            SET status = 'active', provider_session_id = %s
            WHERE tenant_id = %s AND session_id = %s AND status = 'launching' AND expires_at > now()
            """,
            [provider_session_id, launcher.tenant_id, session_id],
        ).rowcount
    if not activated:
        raise GameProviderFailed(
            cause=f"session {session_id} was closed, or had expired, before its launch was answered"
        )


def prolong(launcher: Launcher, session_id: int) -> None:
    """Let an active session expire after a day instead of a minute; log a failure and raise nothing.

    Call only after a successful launch: a failed one must not leave a session of 24 hours.
    """
    try:
        with launcher.database.transaction(launcher.tenant_id) as transaction:
            transaction.execute(
                """
                UPDATE casino_sessions SET expires_at = now() + interval '24 hours'
                WHERE tenant_id = %s AND session_id = %s AND status = 'active'
                """,
                [launcher.tenant_id, session_id],
            )
    except CausewayError as error:
        logger.warning("A session could not be prolonged", extra={"session": session_id, "reason": error.cause})


def close(launcher: Launcher, session_id: int) -> None:
    """Close a session, so that it takes no bets; if this fails, the session expires a minute after it was opened."""
    try:
        with launcher.database.transaction(launcher.tenant_id) as transaction:
            transaction.execute(
                "UPDATE casino_sessions SET status = 'closed' WHERE tenant_id = %s AND session_id = %s",
                [launcher.tenant_id, session_id],
            )
    except CausewayError as error:
        logger.warning("A session could not be closed", extra={"session": session_id, "reason": error.cause})
