"""Rollback: a bet comes back once, completely, and never after its round was paid."""

from collections.abc import Callable

from tests.conformance.cases import case, cases_of
from tests.conformance.client import B, Casino, Fields, Player, Reply, new_id, together
from tests.conformance.expectations import accepted, expect, moves, refused, replays, unmoved

# Races of WALLET 22, and how many of them run at the same time.
RACES = 500
SIDE_BY_SIDE = 4


@case
def case_19_bet_is_rolled_back_once(casino: Casino) -> None:
    """WALLET 19: debit, rollback -> B; same rollback -> identical; a new rollback id -> 400 ALREADY_ROLLED_BACK."""
    player = casino.player()
    bet = player.placed(1000)
    undo = player.undo(bet)
    with moves(player, 1000):
        first = accepted(casino.rollback(undo), undo, B)
        replays(casino.rollback(undo), first)
    with unmoved(player):
        again = player.undo(bet)
        declined = refused(casino.rollback(again), 400, "ALREADY_ROLLED_BACK", balance=B)
        replays(casino.rollback(again), declined)


@case
def case_19_ten_rollbacks_of_one_bet_in_parallel_refund_once(casino: Casino) -> None:
    """WALLET 19: rollbacks of one bet under different ids, all at once -> one refund, the rest refused."""
    player = casino.player()
    bet = player.placed(1000)
    undos = [player.undo(bet) for _ in range(10)]
    with moves(player, 1000):
        replies = together(*[lambda undo=undo: casino.rollback(undo) for undo in undos])
    expect(sorted(reply.status for reply in replies) == [200] + [400] * 9, str(list(map(str, replies))))
    for reply in replies:
        if reply.status != 200:
            refused(reply, 400, "ALREADY_ROLLED_BACK")


@case
def case_20_rollback_of_an_unknown_id_leaves_a_tombstone(casino: Casino) -> None:
    """WALLET 20: Unknown original -> 200 with tombstone true, unmoved; again -> identical."""
    player = casino.player()
    undo = player.undo(player.bet(1000))
    with unmoved(player):
        first = accepted(casino.rollback(undo), undo, B, tombstone=True)
        replays(casino.rollback(undo), first)


@case
def case_21_late_bet_is_refused_for_ever(casino: Casino) -> None:
    """WALLET 21: The late debit -> 409 TRANSACTION_ROLLED_BACK, unmoved; again -> the same; its credit -> refused."""
    player = casino.player()
    bet = player.bet(1000)
    undo = player.undo(bet)
    first = accepted(casino.rollback(undo), undo, B, tombstone=True)
    with unmoved(player):
        for _ in range(2):
            refused(casino.debit(bet), 409, "TRANSACTION_ROLLED_BACK", balance=B)
        refused(casino.debit(bet | {"amount": 5}), 409)
        refused(casino.credit(player.win(2000, bet)))
        refused(casino.credit(player.gift(2000) | {"transactionId": bet["transactionId"]}), 409)
        replays(casino.rollback(undo), first)
        refused(casino.debit(bet), 409, "TRANSACTION_ROLLED_BACK", balance=B)


@case
def case_22_bet_and_its_rollback_fired_together_leave_the_balance(casino: Casino) -> None:
    """WALLET 22: debit and rollback together, 500 races -> B, each pair {applied, reversed} or {tombstone, refused}."""
    players = [casino.player() for _ in range(SIDE_BY_SIDE)]
    for race in range(RACES // SIDE_BY_SIDE):
        pairs = [(bet := player.bet(1000), player.undo(bet)) for player in players]
        calls = [
            call
            for bet, undo in pairs
            for call in (lambda bet=bet: casino.debit(bet), lambda undo=undo: casino.rollback(undo))
        ]
        # The call that is sent first has a small lead, so the order alternates.
        replies = together(*calls) if race % 2 else together(*calls[::-1])[::-1]
        for debit, rollback in zip(replies[::2], replies[1::2], strict=True):
            _judge_race(debit, rollback)
    for player in players:
        expect(player.balance() == B, f"the balance is {player.balance()}, not {B}")


def _judge_race(debit: Reply, rollback: Reply) -> None:
    expect(rollback.status == 200, f"the rollback was refused: {rollback} beside {debit}")
    if rollback.json.get("tombstone"):
        refused(debit, 409, "TRANSACTION_ROLLED_BACK")
    else:
        expect(debit.status == 200, f"a refused bet was reversed: {debit} beside {rollback}")


@cases_of({"win": 2000, "loss settled with 0": 0})
def case_23_bet_of_a_paid_round_cannot_be_rolled_back(casino: Casino, prize: int) -> None:
    """WALLET 23: Rollback after the round has a credit -> 400 "Cannot rollback: round already has a payout"."""
    player = casino.player()
    round_id = new_id()
    paid, other = player.placed(1000, round_id), player.placed(1000, round_id)
    casino.credit(player.win(prize, paid))
    with unmoved(player):
        for bet in (paid, other):
            undo = player.undo(bet)
            reply = refused(casino.rollback(undo), 400, balance=B - 2000 + prize)
            sentence = "Cannot rollback: round already has a payout"
            expect(reply.json["error"] == sentence, f"another sentence: {reply}")
            replays(casino.rollback(undo), reply)


@case
def case_23_credit_and_rollback_raced_exactly_one_wins(casino: Casino) -> None:
    """WALLET 23: Credit and rollback raced -> exactly one wins."""
    player = casino.player()
    balance = B
    for race in range(40):
        bet = player.placed(1000)
        win, undo = player.win(2500, bet), player.undo(bet)
        calls = [lambda win=win: casino.credit(win), lambda undo=undo: casino.rollback(undo)]
        replies = together(*calls) if race % 2 else together(*calls[::-1])[::-1]
        credited, reversed_ = (reply.status == 200 for reply in replies)
        expect(credited != reversed_, f"not exactly one won: {list(map(str, replies))}")
        refused(replies[1] if credited else replies[0])
        balance += 1500 if credited else 0
        expect(player.balance() == balance, f"the balance is {player.balance()}, not {balance}")


@case
def case_24_credit_after_rollback_is_refused(casino: Casino) -> None:
    """WALLET 24: Credit after rollback -> refused, unmoved."""
    player = casino.player()
    bet = player.placed(1000)
    casino.rollback(player.undo(bet))
    win = player.win(2500, bet)
    with unmoved(player):
        first = refused(casino.credit(win), balance=B)
        replays(casino.credit(win), first)
        refused(casino.credit(player.win(0, bet)))


@cases_of(
    {
        "win": lambda player: player.win(500, player.placed(1000)),
        "promo": lambda player: player.gift(500),
        "jackpot": lambda player: player.gift(500, "jackpot"),
        "win of 0": lambda player: player.win(0, player.placed(1000)),
    }
)
def case_25_rollback_of_a_credit_is_refused(casino: Casino, make: Callable[[Player], Fields]) -> None:
    """WALLET 25: Rollback of a win or a promo -> 400 NOT_REVERSIBLE, unmoved."""
    player = casino.player()
    credit = make(player)
    expect(casino.credit(credit).status == 200, "the credit was not taken")
    undo = player.undo(credit)
    with unmoved(player):
        first = refused(casino.rollback(undo), 400, "NOT_REVERSIBLE")
        replays(casino.rollback(undo), first)


@case
def case_25_rollback_of_a_rollback_is_refused(casino: Casino) -> None:
    """WALLET 25: Rollback of a rollback -> 400 NOT_REVERSIBLE, unmoved."""
    player = casino.player()
    undo = player.undo(player.placed(1000))
    tombstone = player.undo(player.bet(1000))
    accepted(casino.rollback(undo), undo, B)
    accepted(casino.rollback(tombstone), tombstone, B, tombstone=True)
    with unmoved(player):
        refused(casino.rollback(player.undo(undo)), 400, "NOT_REVERSIBLE")
        refused(casino.rollback(player.undo(tombstone)), 400, "NOT_REVERSIBLE")


def _without_round(undo: Fields) -> Fields:
    return {name: value for name, value in undo.items() if name != "roundId"}


@cases_of(
    {
        "no amount": lambda undo: undo,
        "less": lambda undo: undo | {"amount": 1},
        "more": lambda undo: undo | {"amount": 999_999},
        "negative": lambda undo: undo | {"amount": -1000},
        "a text": lambda undo: undo | {"amount": "1000"},
        "another round": lambda undo: undo | {"roundId": new_id()},
        "no round": _without_round,
    }
)
def case_26_stored_amount_is_refunded(casino: Casino, change: Callable[[Fields], Fields]) -> None:
    """WALLET 26: Wrong or absent amount or round on a rollback -> the stored amount is refunded."""
    player = casino.player()
    undo = change(player.undo(player.placed(1234)))
    with moves(player, 1234):
        accepted(casino.rollback(undo), undo, B)


@case
def case_27_rollback_of_another_players_bet_is_refused_and_bars_nothing(casino: Casino) -> None:
    """WALLET 27: Rollback of another player's bet -> refused without saying it exists; no tombstone."""
    owner, other = casino.player(), casino.player()
    bet = owner.placed(1000)
    undo = other.fields | {
        "transactionId": new_id(),
        "roundId": bet["roundId"],
        "originalTransactionId": bet["transactionId"],
    }
    with unmoved(owner), unmoved(other):
        reply = refused(casino.rollback(undo))
        expect(reply.status != 409, f"a conflict says that the bet exists: {reply}")
        for secret in (bet["transactionId"], str(owner.user_id), "already", "another"):
            expect(secret not in reply.json["error"], f"the error tells of the bet: {reply}")
        refused(casino.rollback(undo | {"userId": owner.user_id}))
        refused(casino.rollback(undo | {"sessionToken": owner.session_token}))
    # The bet is unchanged: its own player's win and rollback work.
    own = owner.undo(bet)
    with moves(owner, 1000):
        accepted(casino.rollback(own), own, B)
    second = owner.placed(1000)
    casino.rollback(undo | {"transactionId": new_id(), "originalTransactionId": second["transactionId"]})
    win = owner.win(300, second)
    with moves(owner, 300):
        accepted(casino.credit(win), win, B - 700)


@case
def case_27_win_for_another_players_bet_is_refused(casino: Casino) -> None:
    """WALLET 27: A credit that names another player's bet -> refused without saying it exists, unmoved."""
    owner, other = casino.player(), casino.player()
    bet = owner.placed(1000)
    with unmoved(owner), unmoved(other):
        refused(casino.credit(other.win(2000, bet)))


@case
def case_28_rollback_of_a_declined_bet_refunds_nothing(casino: Casino) -> None:
    """WALLET 28: Rollback of a declined bet -> OK, unmoved, never a refund."""
    player = casino.player()
    bet = player.bet(B + 1)
    undo = player.undo(bet)
    with unmoved(player):
        declined = refused(casino.debit(bet), code="INSUFFICIENT_FUNDS")
        first = casino.rollback(undo)
        expect(first.status == 200 and first.json.get("balance") == str(B), f"not OK: {first}")
        replays(casino.rollback(undo), first)
    casino.credit(player.gift(50_000))
    with unmoved(player):
        replays(casino.debit(bet), declined)
        replays(casino.rollback(undo), first)


@case
def case_29_one_bet_of_a_round_rolled_back_the_other_settles(casino: Casino) -> None:
    """WALLET 29: One of two bets of a round rolled back -> the round goes on, the other settles."""
    player = casino.player()
    round_id = new_id()
    one, two = player.placed(1000, round_id), player.placed(500, round_id)
    undo = player.undo(one)
    accepted(casino.rollback(undo), undo, 9500)
    with unmoved(player):
        refused(casino.credit(player.win(2000, one)))
    win = player.win(800, two)
    with moves(player, 800):
        accepted(casino.credit(win), win, 10300)
    three = player.bet(100, round_id=round_id)
    with moves(player, -100):
        accepted(casino.debit(three), three, 10200)
