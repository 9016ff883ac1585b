"""Two game providers at one casino: each has its own secret, ids and rules."""

import psycopg
import pytest

from local.stack import Stack
from tests.conformance.client import B, Casino, Player, encoded, new_id, sign, sign_timed
from tests.conformance.expectations import accepted, moves, refused, replays, unmoved

pytestmark = pytest.mark.usefixtures("audited")

OPERATIONS = ("getBalance", "debit", "credit", "rollback")


def bodies(player: Player) -> dict[str, bytes]:
    fields = (player.fields, player.bet(100), player.gift(100), player.undo(player.bet(1)))
    return dict(zip(OPERATIONS, map(encoded, fields), strict=True))


def test_same_id_from_another_provider_is_independent(casino: Casino, second: Casino) -> None:
    """WALLET 13: Same id from another game provider -> independent."""
    here = casino.player()
    there = second.session(here.user_id)
    bet = here.bet(1000)
    same = there.bet(300, bet["transactionId"], bet["roundId"])
    with moves(here, -1300):
        first = accepted(casino.debit(bet), bet, 9000)
        accepted(second.debit(same), same, 8700)
        replays(casino.debit(bet), first)
    undo, other = here.undo(bet), there.undo(same)
    other["transactionId"] = undo["transactionId"]
    with moves(here, 1300):
        accepted(casino.rollback(undo), undo, 9700)
        accepted(second.rollback(other), other, B)


def test_payout_of_another_providers_round_does_not_prevent_the_rollback(casino: Casino, second: Casino) -> None:
    """WALLET 13: Same round id from another game provider -> independent."""
    here = casino.player()
    there = second.session(here.user_id)
    bet = here.placed(1000)
    same = there.bet(1000, bet["transactionId"], bet["roundId"])
    assert second.debit(same).status == 200
    assert second.credit(there.win(5, same)).status == 200
    undo = here.undo(bet)
    accepted(casino.rollback(undo), undo, 9005)


def test_another_providers_bet_cannot_be_rolled_back(casino: Casino, second: Casino) -> None:
    """WALLET 27: Rollback of another provider's bet -> no money moves, and the owner can still use the id."""
    here = casino.player()
    there = second.session(here.user_id)
    bet = here.placed(1000)
    with unmoved(here):
        # The other provider may not use the owner's session.
        refused(second.rollback(here.undo(bet)), 404, "SESSION_NOT_FOUND")
        # In its own session the id is unknown: the response is the same as for any unknown id.
        known = second.rollback(there.fields | here_undo(bet["transactionId"]))
        unknown = second.rollback(there.fields | here_undo(new_id()))
        assert (known.status, known.json.keys()) == (unknown.status, unknown.json.keys())
        refused(second.credit(there.win(5000, bet)))
    late = here.bet(500)
    second.rollback(there.fields | here_undo(late["transactionId"]))
    accepted(casino.debit(late), late, 8500)
    for fields, balance in ((here.undo(bet), 9500), (here.undo(late), B)):
        accepted(casino.rollback(fields), fields, balance)


def here_undo(transaction_id: str) -> dict[str, str]:
    return {"transactionId": new_id(), "roundId": new_id(), "originalTransactionId": transaction_id}


def test_another_providers_valid_signature_is_refused(casino: Casino, second: Casino) -> None:
    """WALLET 37: another provider's valid signature -> 401."""
    here = casino.player()
    there = second.session(here.user_id)
    for player in (here, there):
        with unmoved(here):
            for operation, body in bodies(player).items():
                path = casino.path(operation)
                for secret, code in ((second.secret, "DEMO"), (casino.secret, "SECOND"), (second.secret, "")):
                    headers = {"X-Provider-Code": code} if code else {}
                    for signature in (sign(secret, body), sign_timed(secret, body, path=path)):
                        reply = casino.send(operation, body, signature=signature, headers=headers)
                        refused(reply, 401, "SIGNATURE_INVALID")


def test_provider_may_not_use_another_providers_session(casino: Casino, second: Casino) -> None:
    """WALLET 34: foreign session -> a typed error, no money moves: a signature opens only its provider's sessions."""
    here = casino.player()
    with unmoved(here):
        for operation, body in bodies(here).items():
            refused(second.send(operation, body), 404, "SESSION_NOT_FOUND")


def test_secret_of_the_other_direction_is_refused(stack: Stack, casino: Casino) -> None:
    """WALLET 35: calls to the casino and to the provider are signed with different secrets."""
    player = casino.player()
    with unmoved(player):
        for operation, body in bodies(player).items():
            refused(casino.send(operation, body, signature=sign(stack.info["provider_secret"], body)), 401)


def test_bare_signature_is_refused_if_the_providers_row_forbids_it(second: Casino) -> None:
    """WALLET 36: A game provider's row says whether the bare form is allowed."""
    player = second.player()
    with unmoved(player):
        for operation, body in bodies(player).items():
            bare = sign(second.secret, body)
            refused(second.send(operation, body, signature=bare), 401, "SIGNATURE_INVALID")
    for operation, body in bodies(player).items():
        reply = second.send(operation, body)
        assert reply.status == 200
        assert reply.headers["x-casino-response-signature"] == sign(second.secret, reply.body)


def test_inactive_provider_settles_but_takes_no_new_bets(second: Casino, superuser: psycopg.Connection) -> None:
    """A provider that is deactivated can still settle its open bets."""
    player = second.player()
    bet = player.bet(1000)
    assert second.debit(bet).status == 200
    change = "UPDATE casino_game_providers SET status = %s WHERE code = 'SECOND'"
    superuser.execute(change, ["inactive"])
    try:
        refused(second.debit(player.bet(1)), 403, "GAME_PROVIDER_INACTIVE")
        assert second.debit(bet).replayed
        assert second.rollback(player.undo(bet)).status == 200
        refused(second.launch(player.user_id), 404, "GAME_NOT_FOUND")
    finally:
        superuser.execute(change, ["active"])
    assert player.balance() == B


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ("UPDATE casino_players SET status = 'blocked' WHERE player_id = %s", "PLAYER_BLOCKED"),
        ("UPDATE casino_sessions SET status = 'closed' WHERE player_id = %s", "SESSION_CLOSED"),
        ("UPDATE casino_sessions SET expires_at = now() WHERE player_id = %s", "SESSION_EXPIRED"),
    ],
)
def test_wins_and_rollbacks_reach_a_player_who_may_not_bet(
    casino: Casino, superuser: psycopg.Connection, change: str, code: str
) -> None:
    """WALLET 34 (rules): wins and rollbacks are accepted on ended sessions and for blocked players; bets are not."""
    player = casino.player()
    one, two, three = player.placed(1000), player.placed(1000), player.bet(1000)
    superuser.execute(change.encode(), [player.user_id])
    with unmoved(player):
        first = refused(casino.debit(three), 403, code, balance=8000)
        replays(casino.debit(three), first)
    win, undo = player.win(300, one), player.undo(two)
    accepted(casino.credit(win), win, 8300)
    accepted(casino.rollback(undo), undo, 9300)
