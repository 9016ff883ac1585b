"""Wallets: a call is for one wallet, in its currency."""

from collections.abc import Callable

from tests.conformance.cases import case, cases_of
from tests.conformance.client import B, Casino, Fields, Player, Reply, encoded
from tests.conformance.expectations import accepted, expect, refused, replays, unmoved

# Each call about a player with a bet, and its operation.
_CALLS: dict[str, tuple[str, Callable[[Player, Fields], Fields]]] = {
    "getBalance": ("getBalance", lambda player, _: player.fields),
    "debit": ("debit", lambda player, _: player.bet(1000)),
    "credit": ("credit", lambda player, bet: player.win(500, bet)),
    "promo": ("credit", lambda player, _: player.gift(500)),
    "rollback": ("rollback", lambda player, bet: player.undo(bet)),
    "rollback of an unknown id": ("rollback", lambda player, _: player.undo(player.bet(1000))),
}


@cases_of(_CALLS)
def case_43_currency_that_is_not_the_wallets_is_refused(
    casino: Casino, call: tuple[str, Callable[[Player, Fields], Fields]]
) -> None:
    """WALLET 43: a sent currency that is not the wallet's -> WRONG_CURRENCY, 400, unmoved, never stored."""
    operation, make = call
    player = casino.player()
    fields = make(player, player.placed(1000))

    def send(currency: str) -> Reply:
        return casino.send(operation, encoded(fields | {"currency": currency}))

    with unmoved(player):
        for currency in ("USD", "JPY", "eur", "EURO"):
            refused(send(currency), 400, "WRONG_CURRENCY")
    reply = send("EUR")
    expect(reply.status == 200, f"the wallet's own currency was refused: {reply}")
    with unmoved(player):
        refused(send("USD"), 400, "WRONG_CURRENCY")


@case
def case_43_wallets_own_currency_makes_no_other_call(casino: Casino) -> None:
    """WALLET 43: with and without the wallet's currency it is the same call."""
    player = casino.player()
    bet = player.bet(1000)
    first = accepted(casino.debit(bet), bet, B - 1000)
    with unmoved(player):
        replays(casino.debit(bet | {"currency": "EUR"}), first)


@case
def case_43_session_is_of_the_wallet_it_was_launched_for(casino: Casino) -> None:
    """WALLET 43: a player may have several wallets, one per currency; no session for a wallet that does not exist."""
    euro = casino.player()
    yen = casino.second_wallet(euro, 500, "JPY")
    expect((euro.balance(), yen.balance()) == (B, 500), "the sessions are not of their own wallets")
    bet = yen.bet(100)
    with unmoved(euro):
        reply = accepted(casino.debit(bet | {"currency": "JPY"}), bet, 400)
    expect(reply.json["currency"] == "JPY", f"another currency: {reply}")
    refused(casino.launch(euro.user_id, currency="USD"), 400, "WRONG_CURRENCY")


@cases_of({name: call for name, call in _CALLS.items() if name != "getBalance"})
def case_43_id_of_one_wallet_sent_for_another_is_a_conflict(
    casino: Casino, call: tuple[str, Callable[[Player, Fields], Fields]]
) -> None:
    """WALLET 43: the wallet is part of what makes a request the same -> 409 DUPLICATE_TRANSACTION, unmoved."""
    operation, make = call
    euro = casino.player()
    yen = casino.second_wallet(euro, 5000, "JPY")
    fields = make(euro, euro.placed(1000))
    first = casino.send(operation, encoded(fields))
    expect(first.status == 200, f"refused: {first}")
    with unmoved(euro), unmoved(yen):
        refused(casino.send(operation, encoded(fields | yen.fields)), 409, "DUPLICATE_TRANSACTION", balance=5000)
        replays(casino.send(operation, encoded(fields)), first)
