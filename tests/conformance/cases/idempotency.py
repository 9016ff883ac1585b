"""Idempotency: an id moves money once, whatever is sent with it, however often and at the same time."""

import json
from collections.abc import Callable

from tests.conformance.cases import case, cases_of
from tests.conformance.client import B, Casino, Fields, Player, encoded, new_id, together
from tests.conformance.expectations import accepted, all_replay, expect, moves, refused, replays, unmoved


@case
def case_09_same_call_twice_gets_the_same_bytes_and_moves_money_once(casino: Casino) -> None:
    """WALLET 9: Same debit twice -> byte-identical body and status, one movement; so after later play."""
    player = casino.player()
    bet = player.bet(1000)
    win = player.win(2500, bet)
    lost = player.bet(400)
    undo = player.undo(lost)
    sent = [(casino.debit, bet), (casino.credit, win), (casino.debit, lost), (casino.rollback, undo)]
    firsts = []
    with moves(player, 1500):
        for send, fields in sent:
            firsts.append(send(fields))
            replays(send(fields), firsts[-1])
    player.placed(77)
    with unmoved(player):
        for (send, fields), first in zip(sent, firsts, strict=True):
            accepted(first, fields, int(first.json["balance"]))
            replays(send(fields), first)


@case
def case_09_replay_through_another_session_of_the_player_is_identical(casino: Casino) -> None:
    """WALLET 9: Same debit twice -> one movement, also after the player has launched the game again."""
    player = casino.player()
    bet = player.bet(1000)
    with moves(player, -1000):
        first = casino.debit(bet)
        replays(casino.debit(bet | {"sessionToken": casino.session(player.user_id).session_token}), first)


Change = Callable[[Player, Player, Fields], Fields]
_CHANGED_BETS: dict[str, Change] = {
    "amount": lambda _player, _other, bet: bet | {"amount": 1001},
    "amount zero": lambda _player, _other, bet: bet | {"amount": 0},
    "player": lambda _player, other, bet: bet | {"userId": other.user_id},
    "round": lambda _player, _other, bet: bet | {"roundId": new_id()},
    "round in another case": lambda _player, _other, bet: bet | {"roundId": "ROUND"},
    "session's player": lambda _player, other, bet: bet | {"sessionToken": other.session_token},
    "player and session": lambda _player, other, bet: bet | other.fields,
}


@cases_of(_CHANGED_BETS)
def case_10_same_id_with_other_fields_is_a_conflict(casino: Casino, change: Change) -> None:
    """WALLET 10: Same id, other amount, player, round or session's player -> 409 DUPLICATE_TRANSACTION, unmoved."""
    player, other = casino.player(), casino.player()
    bet = player.bet(1000, round_id=f"round-{new_id()}")
    first = accepted(casino.debit(bet), bet, 9000)
    with unmoved(player), unmoved(other):
        changed = change(player, other, bet)
        for _ in range(2):
            refused(casino.debit(changed), 409, "DUPLICATE_TRANSACTION")
        replays(casino.debit(bet), first)


@case
def case_10_conflict_tells_the_balance_of_the_known_player(casino: Casino) -> None:
    """WALLET 10: Same id, other amount -> 409 DUPLICATE_TRANSACTION with the balance, because the player is known."""
    player = casino.player()
    bet = player.placed(1000)
    with unmoved(player):
        refused(casino.debit(bet | {"amount": 5}), 409, "DUPLICATE_TRANSACTION", balance=9000)


@case
def case_10_conflict_with_another_players_id_does_not_tell_his_balance(casino: Casino) -> None:
    """WALLET 10: Same id, other player -> 409 DUPLICATE_TRANSACTION, which reveals nothing about the first player."""
    player, other = casino.player(7654), casino.player()
    bet = player.placed(1000)
    with unmoved(player), unmoved(other):
        reply = refused(casino.debit(bet | other.fields), 409, "DUPLICATE_TRANSACTION")
        expect(b"6654" not in reply.body, f"another player's balance is told: {reply}")


@case
def case_10_same_id_with_another_type_or_reference_is_a_conflict(casino: Casino) -> None:
    """WALLET 10: Same id, other type or reference -> 409 DUPLICATE_TRANSACTION, unmoved."""
    player = casino.player()
    round_id = new_id()
    bet, other_bet, third = (player.placed(1000, round_id) for _ in range(3))
    undo = player.undo(third)
    accepted(casino.rollback(undo), undo, 8000)
    win = player.win(500, bet)
    accepted(casino.credit(win), win, 8500)
    with unmoved(player):
        named = win | {"relatedTransactionId": other_bet["transactionId"]}
        refused(casino.credit(named), 409, "DUPLICATE_TRANSACTION")
        refused(casino.credit(win | {"kind": "jackpot"}), 409, "DUPLICATE_TRANSACTION")
        refused(casino.debit(player.bet(500, win["transactionId"], round_id)), 409, "DUPLICATE_TRANSACTION")
        named = undo | {"originalTransactionId": other_bet["transactionId"]}
        refused(casino.rollback(named), 409, "DUPLICATE_TRANSACTION")
        refused(casino.debit(player.bet(0, undo["transactionId"], round_id)), 409, "DUPLICATE_TRANSACTION")


@case
def case_12_rollback_under_its_bets_own_id_is_a_conflict(casino: Casino) -> None:
    """WALLET 12: A bet's id reused as its own rollback's id -> 409, unmoved; also where the bet was never seen."""
    player = casino.player()
    bet, unseen = player.placed(1000), player.bet(1000)
    with unmoved(player):
        refused(casino.rollback(player.undo(bet, bet["transactionId"])), 409, "DUPLICATE_TRANSACTION")
        refused(casino.rollback(player.undo(unseen, unseen["transactionId"])), 409, "DUPLICATE_TRANSACTION")
    with moves(player, -1000):
        accepted(casino.debit(unseen), unseen, 8000)
    undo = player.undo(bet)
    accepted(casino.rollback(undo), undo, 9000)


Encoding = Callable[[Fields], bytes]
_ENCODINGS: dict[str, Encoding] = {
    "keys reversed": lambda bet: encoded(dict(reversed(bet.items()))),
    "white space": lambda bet: b"\r\n\t " + json.dumps(bet, indent=4).encode() + b" \n",
    "escaped letters": lambda bet: encoded(bet).replace(b'"roundId":"r', b'"\\u0072oundId":"\\u0072'),
    "an extra field": lambda bet: encoded(bet | {"gameId": "SLOTS_001"}),
}


@cases_of(_ENCODINGS)
def case_11_another_spelling_of_the_same_call_is_a_replay(casino: Casino, encode: Encoding) -> None:
    """WALLET 11: Key order and white space differ -> still a replay."""
    player = casino.player()
    bet = player.bet(1000, round_id=f"r-{new_id()}")
    with moves(player, -1000):
        first = accepted(casino.debit(bet), bet, 9000)
        replays(casino.send("debit", encode(bet)), first)


@cases_of({text: text.encode() for text in ("1000.0", "1e3", "1E3", "10e2", "1000.00", "0.1e4")})
def case_11_amount_with_fraction_or_exponent_is_refused_and_not_kept(casino: Casino, amount: bytes) -> None:
    """WALLET 11: `1000.0` or `1e3` -> 400, never cached."""
    player = casino.player()
    bet = player.bet(1000)
    body = encoded(bet).replace(b'"amount":1000', b'"amount":' + amount)
    with unmoved(player):
        refused(casino.send("debit", body), 400)
    with moves(player, -1000):
        first = accepted(casino.debit(bet), bet, 9000)
    with unmoved(player):
        refused(casino.send("debit", body), 400)
        replays(casino.debit(bet), first)


@case
def case_12_bets_id_as_the_wins_or_the_rollbacks_id_is_a_conflict(casino: Casino) -> None:
    """WALLET 12: A bet's id reused as win's or rollback's id -> 409, unmoved."""
    player = casino.player()
    bet, other = player.placed(1000), player.placed(500)
    with unmoved(player):
        refused(casino.credit(player.win(2000, bet, bet["transactionId"])), 409, "DUPLICATE_TRANSACTION")
        refused(casino.credit(player.win(1000, other, bet["transactionId"])), 409, "DUPLICATE_TRANSACTION")
        refused(casino.rollback(player.undo(other, bet["transactionId"])), 409, "DUPLICATE_TRANSACTION")
        unknown = player.undo(player.bet(1), bet["transactionId"])
        refused(casino.rollback(unknown), 409, "DUPLICATE_TRANSACTION")
    with moves(player, 1500):
        for undo in (player.undo(bet), player.undo(other)):
            expect(casino.rollback(undo).status == 200, "a bet cannot be rolled back after the conflicts")


@case
def case_12_rollback_that_names_itself_is_refused(casino: Casino) -> None:
    """WALLET 12: A bet's id reused as the id of its own rollback -> 409 (or 400), unmoved."""
    player = casino.player()
    bet = player.placed(1000)
    with unmoved(player):
        reply = refused(casino.rollback(player.undo(bet, bet["transactionId"])))
        expect(reply.status in (400, 409), f"neither 400 nor 409: {reply}")
        unknown = player.bet(1)
        refused(casino.rollback(player.undo(unknown, unknown["transactionId"])))


@case
def case_14_declined_bet_stays_declined_after_a_deposit(casino: Casino) -> None:
    """WALLET 14: Declined debit, then deposit, then the same id -> the same decline."""
    player = casino.player()
    bet = player.bet(B + 1000)
    with unmoved(player):
        first = refused(casino.debit(bet), code="INSUFFICIENT_FUNDS", balance=B)
        replays(casino.debit(bet), first)
    accepted(casino.credit(gift := player.gift(5000)), gift, 15000)
    with unmoved(player):
        replays(casino.debit(bet), first)
        refused(casino.debit(bet | {"amount": 1}), 409, "DUPLICATE_TRANSACTION")


@case
def case_15_fifty_identical_bets_in_parallel_move_money_once(casino: Casino) -> None:
    """WALLET 15: 50 identical debits in parallel -> one movement, 50 identical successes."""
    player = casino.player()
    bet = player.bet(1000)
    with moves(player, -1000):
        replies = together(*[lambda: casino.debit(bet)] * 50)
    all_replay(replies)
    accepted(replies[0], bet, 9000)


@case
def case_16_fifty_bets_in_parallel_never_overdraw(casino: Casino) -> None:
    """WALLET 16: 50 different debits of 1000 in parallel on B -> exactly 10 OK, 40 declined, balance 0."""
    player = casino.player()
    bets = [player.bet(1000) for _ in range(50)]
    with moves(player, -B):
        replies = together(*[lambda bet=bet: casino.debit(bet) for bet in bets])
    taken = [reply for reply in replies if reply.status == 200]
    expect(len(taken) == 10, f"{len(taken)} were taken, not 10")
    balances = sorted(int(reply.json["balance"]) for reply in taken)
    expect(balances == list(range(0, B, 1000)), f"the answers' balances are {balances}")
    for reply in replies:
        if reply.status != 200:
            refused(reply, code="INSUFFICIENT_FUNDS", balance=0)


@case
def case_17_one_id_with_twenty_amounts_in_parallel_is_applied_once(casino: Casino) -> None:
    """WALLET 17: 20 in parallel, same id, different amounts -> exactly one applied, the rest 409."""
    player = casino.player()
    transaction_id, round_id = new_id(), new_id()
    bets = [player.bet(10 * number, transaction_id, round_id) for number in range(1, 21)]
    replies = together(*[lambda bet=bet: casino.debit(bet) for bet in bets])
    applied = [(bet, reply) for bet, reply in zip(bets, replies, strict=True) if reply.status == 200]
    expect(len(applied) == 1, f"{len(applied)} were applied: {list(map(str, replies))}")
    bet, first = applied[0]
    accepted(first, bet, B - bet["amount"])
    expect(player.balance() == B - bet["amount"], f"the balance is {player.balance()} after {bet}")
    for reply in replies:
        if reply is not first:
            refused(reply, 409, "DUPLICATE_TRANSACTION")


@case
def case_17_one_id_for_two_players_in_parallel_is_applied_once(casino: Casino) -> None:
    """WALLET 17: 20 in parallel, same id, for different players -> exactly one applied, the rest 409."""
    players = [casino.player() for _ in range(10)]
    transaction_id, round_id = new_id(), new_id()
    bets = [player.bet(1000, transaction_id, round_id) for player in players]
    replies = together(*[lambda bet=bet: casino.debit(bet) for bet in bets for _ in range(2)])
    fitting = [reply for reply in replies if reply.status == 200]
    all_replay(fitting)
    expect(len(fitting) == 2, f"{len(fitting)} of one player's two calls were answered 200")
    for reply in replies:
        if reply.status != 200:
            refused(reply, 409, "DUPLICATE_TRANSACTION")
    balances = sorted(player.balance() for player in players)
    expect(balances == [9000] + [B] * 9, f"the balances are {balances}")
