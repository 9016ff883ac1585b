"""Launching games: the permission to launch for a player, and the launch at the game provider."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Self
from uuid import UUID, uuid4

from pydantic import Field

from causeway.audit_log import entries
from causeway.casino import game_sessions
from causeway.casino.game_sessions import LaunchRequest, OpenedSession
from causeway.errors.game_signing import GameProviderFailed
from causeway.errors.requests import InvalidRequest
from causeway.errors.tenancy import Forbidden, TenantNotFound
from causeway.game_signing import signed_calls
from causeway.outbound.deadlines import Deadline
from causeway.tenancy.context import RequestContext
from causeway.tenancy.launcher import Launcher
from causeway.tenancy.permissions import Permission
from causeway.wire import example_ids
from causeway.wire.field_readers import LARGEST_INTEGER, id_field
from causeway.wire.field_types import ExternalId, NumericId
from causeway.wire.models import Answer
from causeway.wire.strict_json import shown_name

_PERMISSION: Permission = "games.launch"
# Seconds for a launch, and for a launch with its round in simulateRound. The function's limit is 29: at most two
# transactions follow, one to activate the session and one to prolong or close it.
LAUNCH_SECONDS = 22.0
# Minor units, in the form in which game providers send the limits of bets.
_AMOUNT = re.compile(r"0|[1-9][0-9]{0,18}")


# Minor units.
_Limit = Annotated[str, Field(pattern=r"^[0-9]+$", description="Of a bet, in minor units.")]


class GameSession(Answer):
    """A game session that its provider knows."""

    session_token: ExternalId = Field(examples=["5f0a2b6c-7d8e-4f90-8a1b-2c3d4e5f6a7b"])
    casino_session_id: NumericId = Field(examples=[2])
    provider_session_id: ExternalId = Field(examples=[example_ids.PROVIDER_SESSION_ID])
    game_code: str = Field(alias="gameId", examples=["SLOTS_001"])
    currency: str = Field(examples=["USD"])
    min_bet: _Limit = Field(examples=["1000"])
    max_bet: _Limit = Field(examples=["100000"])


def admit(launcher: Launcher, tenant_asked: str | None) -> None:
    """Refuse a caller without the permission to launch, or for another tenant, before the body is read.

    Args:
        launcher: the caller.
        tenant_asked: X-Tenant-Id.

    Raises:
        Forbidden: the caller is not a player, and has no permission to launch for players.
        TenantNotFound: X-Tenant-Id names another tenant.
    """
    context = launcher.context
    if context is None:
        if tenant_asked is not None and tenant_asked.lower() != str(launcher.tenant_id):
            raise TenantNotFound
        return
    try:
        if launcher.player_id is None:
            context.caller.require(_PERMISSION)
        context.caller.require_tenant(tenant_asked)
    except Forbidden:
        _record_refusal(launcher, context, None)
        raise
    except TenantNotFound:
        _record_refusal(launcher, context, {"refused": TenantNotFound.code})
        raise


def _record_refusal(launcher: Launcher, context: RequestContext, after: dict[str, Any] | None) -> None:
    entry = context.entry(
        entries.Action.ACCESS_REFUSED,
        object_kind="permission",
        object_id=_PERMISSION,
        outcome="refused",
        after=after,
    )
    with entries.logged_if_unavailable(entry):
        entries.record_in_own_transaction(launcher.database, launcher.tenant_id, entry, launch=True)


def launch(launcher: Launcher, request: LaunchRequest) -> GameSession:
    """Open a session for a player and launch the game at its provider.

    Commit the session before the call, so that the provider's first callback finds it. Activate it when the provider
    has answered; after any failure close it. If this fails too, or the process dies, the session expires a minute after
    it was opened. Prolong only a session that is known to be active.

    Raises:
        Forbidden: the caller may not launch for this player.
        PlayerNotFound: the player is unknown, blocked, or has no wallet.
        WrongCurrency: the player has no wallet in the currency that the request names.
        GameNotFound: the game is unknown or inactive.
        GameProviderFailed: the provider refused or gave no usable answer.
        Unavailable: the database or the secrets did not answer.
    """
    session, _ = _launch(launcher, request, Deadline(LAUNCH_SECONDS))
    game_sessions.prolong(launcher, session.casino_session_id)
    return session


def _launch(launcher: Launcher, request: LaunchRequest, deadline: Deadline) -> tuple[GameSession, OpenedSession]:
    token = str(uuid4())
    context = launcher.acting_for(request.player_id)
    try:
        if context is not None:
            context.caller.require(_PERMISSION)
        opened = game_sessions.open_for(launcher, request, token, context)
    except Forbidden:
        if context is not None:
            _record_refusal(launcher, context, {"userId": request.player_id})
        raise
    try:
        answer = _launched(launcher.tenant_id, opened, request, token, deadline)
        game_sessions.activate(launcher, opened.session_id, answer.provider_session_id)
    except BaseException:
        game_sessions.close(launcher, opened.session_id)
        raise
    session = GameSession(
        session_token=token,
        casino_session_id=opened.session_id,
        provider_session_id=answer.provider_session_id,
        game_code=opened.game_code,
        currency=opened.currency,
        min_bet=answer.min_bet,
        max_bet=answer.max_bet,
    )
    return session, opened


@dataclass(frozen=True, slots=True)
class _LaunchAnswer:
    """A game provider's answer to a launch; the limits of bets in minor units, as text."""

    provider_session_id: str
    min_bet: str
    max_bet: str

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the answer; raises InvalidRequest, which names the field."""
        least, most = (_amount(body, name) for name in ("minBet", "maxBet"))
        if int(least) > int(most):
            raise InvalidRequest("minBet is more than maxBet")
        return cls(id_field(body, "providerSessionId"), least, most)


def _amount(body: dict[str, Any], name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not _AMOUNT.fullmatch(value) or int(value) > LARGEST_INTEGER:
        raise InvalidRequest(f"{name} must be a text of digits, in minor units")
    return value


def _launched(
    tenant_id: UUID, opened: OpenedSession, request: LaunchRequest, token: str, deadline: Deadline
) -> _LaunchAnswer:
    call = {
        "sessionToken": token,
        "casinoSessionId": opened.session_id,
        "userId": request.player_id,
        "gameId": opened.game_code,
        "currency": opened.currency,
        "casinoCode": opened.casino_code,
    }
    code = opened.provider_code
    url = opened.provider_url
    status, body = signed_calls.post(url, "/provider/launch", call, "provider", tenant_id, code, deadline)
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


def simulate_round(launcher: Launcher, request: LaunchRequest) -> dict[str, Any]:
    """Launch a game, let its provider play the scripted round, and return the provider's report of the steps.

    The session is for this round only: it is closed afterwards and never prolonged.

    Raises:
        GameProviderFailed: the provider refused to play, or gave no usable answer.
        CausewayError: from launch.
    """
    deadline = Deadline(LAUNCH_SECONDS)
    session, opened = _launch(launcher, request, deadline)
    call = {
        "sessionToken": session.session_token,
        "providerSessionId": session.provider_session_id,
        "userId": request.player_id,
        "gameId": session.game_code,
        "currency": session.currency,
        "casinoCode": opened.casino_code,
    }
    url, tenant_id, code = opened.provider_url, launcher.tenant_id, opened.provider_code
    try:
        status, report = signed_calls.post(url, "/provider/simulate", call, "provider", tenant_id, code, deadline)
    finally:
        game_sessions.close(launcher, session.casino_session_id)
    if status != 200:
        raise GameProviderFailed(cause=f"{code} did not play: {status} {shown_name(str(report.get('code')))}")
    return report
