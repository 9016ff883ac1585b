"""The time of one debit through HTTP, gateway, Lambda runtime and Postgres, and the database's part of it."""

import json
import time
import uuid
from http.client import HTTPConnection
from statistics import quantiles
from urllib.parse import urlsplit

from psycopg.conninfo import conninfo_to_dict

from benchmarks.table import Row
from causeway.casino.ledger import wallet
from causeway.casino.ledger.requests import Bet
from causeway.database.postgres import Database
from causeway.game_signing.authentication import GameProvider
from causeway.game_signing.signatures import sign_bare
from local.services.demo_data import CASINO_SECRET, GAME_PROVIDER_CODE, SAMPLE_SESSION_TOKEN, TENANT_ID
from local.stack import Stack
from local.temporary_folders import temporary_folder

_CALLS = 1000
# The player of the sample session.
_PLAYER = 2


class DebitClient:
    """Sends signed debits of one minor unit over one HTTP connection."""

    def __init__(self, base_url: str) -> None:
        url = urlsplit(base_url)
        self._connection = HTTPConnection(url.hostname or "", url.port)

    def debit(self) -> None:
        """Send a bet; raises RuntimeError unless it is accepted."""
        body = json.dumps(
            {
                "sessionToken": SAMPLE_SESSION_TOKEN,
                "userId": _PLAYER,
                "transactionId": str(uuid.uuid4()),
                "roundId": "bench",
                "amount": 1,
            }
        ).encode()
        headers = {"content-type": "application/json", "x-casino-signature": sign_bare(CASINO_SECRET, body)}
        self._connection.request("POST", "/casino/debit", body, headers)
        response = self._connection.getresponse()
        answer = response.read()
        if response.status != 200:
            raise RuntimeError(f"a debit was answered {response.status}: {answer.decode()}")


def run() -> list[Row]:
    """Measure calls through the stack, then the same debits directly from Python to its database."""
    with (
        temporary_folder("causeway-bench") as folder,
        Stack(state_folder=folder) as stack,
    ):
        client = DebitClient(stack.base_url)
        database = Database(**conninfo_to_dict(stack.database_urls["casino"]))
        game_provider = GameProvider(uuid.UUID(TENANT_ID), GAME_PROVIDER_CODE, bare_signature=True)

        def straight() -> None:
            bet = Bet(SAMPLE_SESSION_TOKEN, _PLAYER, str(uuid.uuid4()), "bench", 1)
            wallet.debit(database, game_provider, bet, "request")

        through, alone = [], []
        for call, times in ((client.debit, through), (straight, alone)):
            for _ in range(50):
                call()
            for _ in range(_CALLS):
                started = time.perf_counter()
                call()
                times.append((time.perf_counter() - started) * 1000)
    cuts, alone_cuts = quantiles(through, n=100), quantiles(alone, n=100)
    return [
        Row(
            "one debit through gateway and runtime",
            f"p50 {cuts[49]:.2f} ms, p99 {cuts[98]:.2f} ms",
        ),
        Row(
            "of it the database (the same call from Python), p50",
            f"{alone_cuts[49]:.2f} ms",
            alone_cuts[49] / cuts[49],
        ),
    ]
