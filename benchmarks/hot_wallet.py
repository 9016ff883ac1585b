"""One wallet for all bets: 32 callers should reach at least the rate of 8."""

import re

from benchmarks.server import DEBIT, ledger_server
from benchmarks.table import Row, in_turn

_SECONDS = 3


def run() -> list[Row]:
    """Measure the same wallet with 32 and with 8 callers."""
    script = re.sub(r"random\(1, \d+\)", "1", DEBIT)
    with ledger_server() as server:
        many, few, ratio = in_turn(
            lambda: server.pgbench(script, 32, _SECONDS), lambda: server.pgbench(script, 8, _SECONDS)
        )
    return [Row("one hot wallet, 32 callers / 8 callers", f"{many:,.0f}/s, 8 callers {few:,.0f}/s", ratio, 1.0)]
