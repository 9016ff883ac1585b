"""Happy path and rounds: money moves exactly by the amounts bet and won."""

from tests.conformance.cases import case, cases_of
from tests.conformance.client import B, Casino, encoded, new_id, together
from tests.conformance.expectations import accepted, expect, moves, refused, replays, unmoved


@case
def case_01_balance_asked_20_times_in_parallel_is_identical(casino: Casino) -> None:
    """WALLET 1: getBalance, 20 in parallel: identical, no writes."""
    player = casino.player()
    body = encoded(player.fields)
    with unmoved(player):
        replies = together(*[lambda: casino.send("getBalance", body)] * 20)
    expect({reply.status for reply in replies} == {200}, f"not all answered: {list(map(str, replies))}")
    expect(len({reply.body for reply in replies}) == 1, "the answers differ")
    answer = replies[0].json
    expected = {"userId": player.user_id, "balance": str(B), "currency": "EUR"}
    expect(expected.items() <= answer.items(), f"not {expected}: {answer}")


@case
def case_02_bet_and_its_win_move_the_balance(casino: Casino) -> None:
    """WALLET 2: debit 1000 -> 9000; credit 2500 for it -> 11500."""
    player = casino.player()
    bet = player.bet(1000)
    with moves(player, -1000):
        accepted(casino.debit(bet), bet, 9000)
    win = player.win(2500, bet)
    with moves(player, 2500):
        accepted(casino.credit(win), win, 11500)


@case
def case_03_whole_balance_can_be_bet_and_not_one_unit_more(casino: Casino) -> None:
    """WALLET 3: debit of the whole balance -> 0; then debit 1 -> INSUFFICIENT_FUNDS with balance 0."""
    player = casino.player()
    with unmoved(player):
        refused(casino.debit(player.bet(B + 1)), code="INSUFFICIENT_FUNDS", balance=B)
    bet = player.bet(B)
    with moves(player, -B):
        accepted(casino.debit(bet), bet, 0)
    with unmoved(player):
        refused(casino.debit(player.bet(1)), code="INSUFFICIENT_FUNDS", balance=0)


@case
def case_04_zero_amounts_are_accepted_and_their_ids_kept(casino: Casino) -> None:
    """WALLET 4: credit 0 -> OK, unmoved. Debit 0 -> accepted, unmoved, id kept."""
    player = casino.player()
    bet = player.placed(1000)
    with unmoved(player):
        loss = player.win(0, bet)
        first = accepted(casino.credit(loss), loss, 9000)
        replays(casino.credit(loss), first)
        free = player.bet(0)
        first = accepted(casino.debit(free), free, 9000)
        replays(casino.debit(free), first)
        refused(casino.debit(free | {"amount": 1000}), 409, "DUPLICATE_TRANSACTION")
    broke = casino.player(0)
    free = broke.bet(0)
    with unmoved(broke):
        accepted(casino.debit(free), free, 0)


@case
def case_05_hundred_and_one_bets_and_wins_in_one_round_are_exact(casino: Casino) -> None:
    """WALLET 5: 101 debit/credit pairs in one round -> exact."""
    player = casino.player()
    round_id, balance = new_id(), B
    for number in range(101):
        stake, prize = 7 + number, (number * 13) % 97
        bet = player.bet(stake, round_id=round_id)
        balance -= stake
        accepted(casino.debit(bet), bet, balance)
        win = player.win(prize, bet)
        balance += prize
        accepted(casino.credit(win), win, balance)
    expect(player.balance() == balance, f"the balance is {player.balance()}, not {balance}")


@case
def case_06_two_rounds_in_two_sessions_interleaved_are_exact(casino: Casino) -> None:
    """WALLET 6: Two rounds and two sessions of one player interleaved -> exact."""
    one = casino.player()
    two = casino.session(one.user_id)
    first, second = one.bet(1000), two.bet(300)
    accepted(casino.debit(first), first, 9000)
    accepted(casino.debit(second), second, 8700)
    again = one.bet(200, round_id=second["roundId"])
    accepted(casino.debit(again), again, 8500)
    win = two.win(700, second)
    accepted(casino.credit(win), win, 9200)
    undo = one.undo(first)
    accepted(casino.rollback(undo), undo, 10200)
    other = two.bet(50, round_id=first["roundId"])
    accepted(casino.debit(other), other, 10150)
    # A win reaches the player through any of the player's sessions.
    win = one.win(25, other)
    accepted(casino.credit(win), win, 10175)
    expect((one.balance(), two.balance()) == (10175, 10175), "the two sessions see different balances")


@cases_of({"promo": "promo", "jackpot": "jackpot"})
def case_07_win_without_a_bet_is_credited_once(casino: Casino, kind: str) -> None:
    """WALLET 7: Promo or jackpot win without a bet -> credited once; sent twice -> once."""
    player = casino.player()
    gift = player.gift(2500, kind)
    with moves(player, 2500):
        first = accepted(casino.credit(gift), gift, 12500)
        replays(casino.credit(gift), first)


@case
def case_08_amount_beyond_32_bits_is_exact(casino: Casino) -> None:
    """WALLET 8: Payout 6372709234 minor units, then debit of it -> exact."""
    player = casino.player()
    win = player.win(6372709234, player.placed(1000))
    with moves(player, 6372709234):
        accepted(casino.credit(win), win, 6372718234)
    bet = player.bet(6372709234)
    with moves(player, -6372709234):
        accepted(casino.debit(bet), bet, 9000)
