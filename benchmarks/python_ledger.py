"""The ledger called from Python, one process per session, against the same SQL function under pgbench."""

import random
import uuid
from collections.abc import Callable

from psycopg.conninfo import conninfo_to_dict

from benchmarks.server import DEBIT, TENANT_ID, WALLETS, ledger_server
from benchmarks.table import Row, in_turn
from benchmarks.workers import rate
from causeway.casino.ledger import wallet
from causeway.casino.ledger.requests import Bet
from causeway.database.postgres import Database
from causeway.game_signing.authentication import GameProvider

_SECONDS = 2


def debits(url: str) -> Callable[[], None]:
    """Connect and return a function that takes one bet from a random player."""
    database = Database(**conninfo_to_dict(url))
    game_provider = GameProvider(TENANT_ID, "BENCH", bare_signature=True)

    def once() -> None:
        player = random.randint(1, WALLETS)
        bet = Bet(f"session-{player}", player, str(uuid.uuid4()), "round-1", 1000)
        if wallet.debit(database, game_provider, bet, "request").code != "OK":
            raise RuntimeError("a debit was declined")

    return once


def run() -> list[Row]:
    """Measure with 1, 2, 4 and 8 sessions; the processes share the cores with the server."""
    measured = {}
    with ledger_server() as server:
        for count in (1, 2, 4, 8):
            measured[count] = in_turn(
                lambda: rate(debits, server.url("casino"), count, _SECONDS),  # noqa: B023
                lambda: server.pgbench(DEBIT, count, _SECONDS),  # noqa: B023
                rounds=3,
            )
    best = max((count for count in measured if count > 1), key=lambda count: measured[count][2])
    return [
        Row(
            f"ledger from Python / pgbench, {count} connection{'s' * (count > 1)}{' (best count)' * (count > 1)}",
            f"{measured[count][0]:,.0f}/s, pgbench {measured[count][1]:,.0f}/s",
            measured[count][2],
            bound,
        )
        for count, bound in ((1, 0.7), (best, 0.5))
    ]
