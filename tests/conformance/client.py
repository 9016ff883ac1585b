"""A game provider's side of the wallet: signs calls, keeps connections open, creates players for the cases."""

import hmac
import json
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from queue import Empty, LifoQueue
from threading import Barrier
from typing import Any, Self
from urllib.parse import urlsplit
from uuid import uuid4

# A player's balance before each case, in minor units.
B = 10_000
# Seconds to wait for any answer.
TIMEOUT = 40

Fields = dict[str, Any]
Headers = Mapping[str, str | bytes]


def sign(secret: str, message: bytes) -> str:
    """The bare signature of a body: its HMAC-SHA256 in hexadecimal."""
    return hmac.new(secret.encode(), message, sha256).hexdigest()


def sign_timed(secret: str, body: bytes, *, path: str, method: str = "POST", moment: float | None = None) -> str:
    """The timed signature of a call: t=<Unix seconds>,v1=<hex digits> over t.METHOD.path.body."""
    seconds = int(time.time() if moment is None else moment)
    return f"t={seconds},v1={sign(secret, f'{seconds}.{method}.{path}.'.encode() + body)}"


def encoded(fields: Mapping[str, Any]) -> bytes:
    """A call's body as compact UTF-8."""
    return json.dumps(fields, separators=(",", ":"), ensure_ascii=False).encode()


@dataclass(frozen=True)
class Reply:
    """An answer; its headers by lower-case name."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The decoded body; empty if it is not a JSON object."""
        try:
            value = json.loads(self.body)
        except ValueError:
            return {}
        return value if isinstance(value, dict) else {}

    @property
    def code(self) -> str:
        """The error's code, '' if there is none."""
        return str(self.json.get("code", ""))

    @property
    def replayed(self) -> bool:
        """Whether the answer is marked as a replay."""
        return self.headers.get("idempotent-replay") == "true"

    def __str__(self) -> str:
        return f"{self.status} {self.body[:300]!r}"


class Connections:
    """Connections to one server that stay open between requests; one request at a time each."""

    def __init__(self, base_url: str) -> None:
        url = urlsplit(base_url)
        self._kind = HTTPSConnection if url.scheme == "https" else HTTPConnection
        self._place = url.netloc
        self._idle: LifoQueue[HTTPConnection] = LifoQueue()

    def post(self, path: str, body: bytes, headers: Headers) -> Reply:
        """Send a body; if a kept connection turns out to be closed, send it again on a new one."""
        with suppress(Empty):
            connection = self._idle.get_nowait()
            with suppress(HTTPException, ConnectionError):
                return self._exchange(connection, path, body, headers)
        return self._exchange(self._kind(self._place, timeout=TIMEOUT), path, body, headers)

    def close(self) -> None:
        """Close all of them."""
        while not self._idle.empty():
            self._idle.get_nowait().close()

    def _exchange(self, connection: HTTPConnection, path: str, body: bytes, headers: Headers) -> Reply:
        try:
            connection.putrequest("POST", path, skip_accept_encoding=True)
            for name, value in headers.items():
                connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            response = connection.getresponse()
            answer = response.read()
        except BaseException:
            connection.close()
            raise
        self._idle.put(connection)
        return Reply(response.status, {name.lower(): value for name, value in response.getheaders()}, answer)


class Casino:
    """A casino that is judged, as one of its game providers sees it.

    base_url: its address. secret: signs the calls to /casino/*. game_id: a game of the provider. players_url: creates
    test players. code: for x-provider-code; '' omits the header. timed: sign in the timed form unless a call has its
    own signature.
    """

    def __init__(
        self,
        base_url: str,
        secret: str,
        *,
        game_id: int = 1,
        players_url: str | None = None,
        code: str = "",
        timed: bool = False,
    ) -> None:
        self.secret = secret
        self.game_id = game_id
        self._prefix = urlsplit(base_url).path.rstrip("/")
        self._code = code
        self._timed = timed
        self._connections = Connections(base_url)
        players = urlsplit(players_url or f"{base_url.rstrip('/')}/_local/players")
        self._players_path = players.path
        self._players = Connections(players.geturl())

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connections.close()
        self._players.close()

    def path(self, operation: str) -> str:
        """The path of an operation, for example debit."""
        return f"{self._prefix}/casino/{operation}"

    def send(
        self,
        operation: str,
        body: bytes,
        *,
        signature: str | bytes | None = "",
        content_type: str | None = "application/json",
        headers: Headers | None = None,
    ) -> Reply:
        """Send bytes to an operation. signature: '' makes the right one, None omits the header."""
        sent: dict[str, str | bytes] = {} if content_type is None else {"Content-Type": content_type}
        if signature == "":
            path = self.path(operation)
            signature = sign_timed(self.secret, body, path=path) if self._timed else sign(self.secret, body)
        if signature is not None:
            sent["X-Casino-Signature"] = signature
        if self._code:
            sent["X-Provider-Code"] = self._code
        return self._connections.post(self.path(operation), body, sent | dict(headers or {}))

    def send_to(self, path: str, body: bytes, signature: str) -> Reply:
        """Send bytes to a path unchanged."""
        headers = {"Content-Type": "application/json", "X-Casino-Signature": signature}
        return self._connections.post(path, body, headers | ({"X-Provider-Code": self._code} if self._code else {}))

    def debit(self, fields: Fields) -> Reply:
        return self.send("debit", encoded(fields))

    def credit(self, fields: Fields) -> Reply:
        return self.send("credit", encoded(fields))

    def rollback(self, fields: Fields) -> Reply:
        return self.send("rollback", encoded(fields))

    def launch(self, user_id: object, game_id: object = None, currency: str | None = None) -> Reply:
        """Launch a game as the player's own device does: without a signature."""
        fields = {"userId": user_id, "gameId": self.game_id if game_id is None else game_id}
        if currency is not None:
            fields["currency"] = currency
        return self.send("launchGame", encoded(fields), signature=None)

    def player(self, balance: int = B, currency: str = "EUR") -> "Player":
        """A new player with a balance in minor units and a game session."""
        return self.session(self._wallet({"balance": str(balance), "currency": currency}))

    def second_wallet(self, player: "Player", balance: int, currency: str) -> "Player":
        """The same player in a game session of an additional wallet."""
        self._wallet({"balance": str(balance), "currency": currency, "userId": player.user_id})
        return self.session(player.user_id, currency)

    def _wallet(self, fields: Fields) -> int:
        reply = self._players.post(self._players_path, encoded(fields), {"Content-Type": "application/json"})
        if reply.status != 200:
            raise AssertionError(f"POST {self._players_path} made no player: {reply}")
        return reply.json["userId"]

    def session(self, user_id: int, currency: str | None = None) -> "Player":
        """A player in a new game session, of the wallet in that currency if one is given."""
        reply = self.launch(user_id, currency=currency)
        if reply.status != 200:
            raise AssertionError(f"no game could be launched for player {user_id}: {reply}")
        return Player(self, user_id, reply.json["sessionToken"])


@dataclass(frozen=True)
class Player:
    """A player in a game session, and the bodies of calls about the player; ids that are not given are new."""

    casino: Casino
    user_id: int
    session_token: str

    @property
    def fields(self) -> Fields:
        """The fields that every call has: player and session."""
        return {"sessionToken": self.session_token, "userId": self.user_id}

    def balance(self) -> int:
        """The casino's answer to getBalance, in minor units."""
        reply = self.casino.send("getBalance", encoded(self.fields))
        if reply.status != 200 or not isinstance(reply.json.get("balance"), str):
            raise AssertionError(f"getBalance gave no balance: {reply}")
        return int(reply.json["balance"])

    def bet(self, amount: int, transaction_id: str = "", round_id: str = "") -> Fields:
        """The body of a debit."""
        return self.fields | {
            "transactionId": transaction_id or new_id(),
            "roundId": round_id or new_id(),
            "amount": amount,
        }

    def win(self, amount: int, bet: Fields, transaction_id: str = "") -> Fields:
        """The body of a credit that pays for a bet."""
        return self.fields | {
            "transactionId": transaction_id or new_id(),
            "roundId": bet["roundId"],
            "amount": amount,
            "relatedTransactionId": bet["transactionId"],
        }

    def gift(self, amount: int, kind: str = "promo") -> Fields:
        """The body of a credit without a bet; kind: promo or jackpot."""
        return self.bet(amount) | {"kind": kind}

    def undo(self, transaction: Fields, transaction_id: str = "") -> Fields:
        """The body of a rollback of a transaction."""
        return self.fields | {
            "transactionId": transaction_id or new_id(),
            "roundId": transaction["roundId"],
            "originalTransactionId": transaction["transactionId"],
        }

    def placed(self, amount: int, round_id: str = "") -> Fields:
        """A bet that the casino has accepted."""
        bet = self.bet(amount, round_id=round_id)
        reply = self.casino.debit(bet)
        if reply.status != 200:
            raise AssertionError(f"a bet of {amount} was not taken: {reply}")
        return bet


def new_id() -> str:
    """An id that was never used before."""
    return str(uuid4())


def together(*calls: Callable[[], Reply]) -> list[Reply]:
    """Make all calls at the same time, each on its own connection; returns their answers in the same order."""
    barrier = Barrier(len(calls))

    def make(call: Callable[[], Reply]) -> Reply:
        barrier.wait(TIMEOUT)
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(make, calls))
