"""Operation: concurrent callers cause no errors."""

from tests.conformance.cases import case
from tests.conformance.client import B, Casino, Fields, Reply, encoded, together
from tests.conformance.expectations import accepted, expect, moves

CALLERS = 32
CALLS_EACH = 10


@case
def case_41_hot_wallet_under_32_callers_makes_no_errors(casino: Casino) -> None:
    """WALLET 41: One hot wallet under 32 concurrent callers: no errors; other wallets unaffected."""
    hot, cold = casino.player(1_000_000), casino.player()
    answers: list[tuple[Fields, Reply]] = []

    def play_hot() -> Reply:
        reply = casino.send("getBalance", encoded(hot.fields))
        for _ in range(CALLS_EACH):
            bet = hot.bet(7)
            reply = casino.debit(bet)
            answers.append((bet, reply))
        return reply

    def play_cold() -> Reply:
        reply = casino.send("getBalance", encoded(cold.fields))
        for number in range(1, CALLS_EACH + 1):
            bet = cold.bet(100)
            reply = accepted(casino.debit(bet), bet, B - 100 * number)
        return reply

    with moves(hot, -7 * CALLERS * CALLS_EACH), moves(cold, -100 * CALLS_EACH):
        together(play_cold, *[play_hot] * CALLERS)
    for bet, reply in answers:
        accepted(reply, bet, int(reply.json.get("balance", -1)))
    balances = {reply.json["balance"] for _, reply in answers}
    expect(len(balances) == CALLERS * CALLS_EACH, "two answers name the same balance")


@case
def case_41_bets_wins_and_rollbacks_of_one_player_at_once_are_exact(casino: Casino) -> None:
    """WALLET 41: One hot wallet under 32 concurrent callers who bet, win and roll back: no errors, exact."""
    player = casino.player(100_000)

    def play(number: int) -> Reply:
        bet = player.bet(100)
        expect(casino.debit(bet).status == 200, "a bet was refused")
        reply = casino.credit(player.win(60, bet)) if number % 2 else casino.rollback(player.undo(bet))
        expect(reply.status == 200, f"a win or rollback was refused: {reply}")
        return reply

    with moves(player, -40 * (CALLERS // 2)):
        together(*[lambda number=number: play(number) for number in range(CALLERS)])
