"""The wallet's rules in plain Python, as a reference for the ledger: no database, no hashes, no concurrency."""

from dataclasses import dataclass, field, replace
from typing import Literal

Kind = Literal["bet", "win", "promo", "jackpot", "rollback"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """The differences between game providers, as in casino_game_providers."""

    unknown_rollback: str = "accept"
    late_bet: str = "refuse"
    id_scope: str = "provider"
    rollback_until: str = "round_paid"
    duplicate: str = "replay"


@dataclass(frozen=True, slots=True)
class Operation:
    """A money call; amount in minor units."""

    kind: Kind
    player: int
    id: str
    round_id: str | None
    amount: int = 0
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected result of a call; balance is the player's balance after it, as in the answer."""

    code: str
    balance: int
    stored: bool = True
    replayed: bool = False
    tombstone: bool = False


@dataclass(slots=True)
class Player:
    """A player's wallet, and whether bets are allowed."""

    balance: int
    cap: int = 10**15
    blocked: bool = False
    session_closed: bool = False


@dataclass(slots=True)
class _Known:
    operation: Operation
    expected: Expected
    # The state of a bet: open, settled, declined or rolled back; a tombstone is 'rolled back'.
    state: str = ""
    is_tombstone: bool = False


@dataclass
class Model:
    """All wallets at one game provider."""

    dialect: Dialect
    players: dict[int, Player]
    known: dict[tuple[int, str], _Known] = field(default_factory=dict)
    # (player, round) of each payout.
    paid_rounds: set[tuple[int, str | None]] = field(default_factory=set)

    def apply(self, operation: Operation) -> Expected:
        """Apply a call as the wallet should, and return its expected result."""
        player = self.players[operation.player]
        known = self._find(operation.player, operation.id)
        if known is not None:
            return self._seen(known, operation, player)
        if operation.kind == "bet":
            code, change = self._judge_bet(operation, player), -operation.amount
        elif operation.kind == "rollback":
            code, change = self._judge_rollback(operation)
        else:
            code, change = self._judge_credit(operation, player), operation.amount
        original = None if operation.reference is None else self._find(operation.player, operation.reference)
        unseen = operation.kind == "rollback" and original is None
        if code == "TRANSACTION_NOT_FOUND" and not unseen:
            return Expected(code, player.balance, stored=False)
        if code == "OK":
            player.balance += change
        expected = Expected(code, player.balance, tombstone=unseen and code == "OK")
        entry = _Known(operation, expected, "open" if code == "OK" else "declined")
        self.known[self._key(operation.player, operation.id)] = entry
        if unseen and operation.reference is not None:
            tombstone = _Known(operation, expected, "rolled back", is_tombstone=True)
            self.known[self._key(operation.player, operation.reference)] = tombstone
        elif code == "OK":
            self._settle(operation, original)
        return expected

    def states(self, player: int) -> dict[str, str]:
        """The state of each bet and tombstone of a player."""
        return {
            id: known.state
            for (_, id), known in self.known.items()
            if known.operation.player == player and (known.is_tombstone or known.operation.kind == "bet")
        }

    def _key(self, player: int, id: str) -> tuple[int, str]:
        return (player if self.dialect.id_scope == "player" else 0, id)

    def _find(self, player: int, id: str) -> _Known | None:
        return self.known.get(self._key(player, id))

    def _seen(self, known: _Known, operation: Operation, player: Player) -> Expected:
        own = known.operation.player == operation.player
        if known.is_tombstone and own and operation.kind != "rollback":
            swallowed = operation.kind == "bet" and self.dialect.late_bet == "swallow"
            return Expected("OK" if swallowed else "TRANSACTION_ROLLED_BACK", player.balance, stored=False)
        if known.is_tombstone or known.operation != operation:
            return Expected("DUPLICATE_TRANSACTION", player.balance, stored=False)
        if self.dialect.duplicate == "refuse" and known.expected.code == "OK":
            return Expected("TRANSACTION_ALREADY_PROCESSED", player.balance, stored=False)
        return replace(known.expected, replayed=True)

    def _judge_bet(self, operation: Operation, player: Player) -> str:
        if player.session_closed:
            return "SESSION_CLOSED"
        if player.blocked:
            return "PLAYER_BLOCKED"
        return "INSUFFICIENT_FUNDS" if operation.amount > player.balance else "OK"

    def _judge_credit(self, operation: Operation, player: Player) -> str:
        if operation.reference is not None:
            bet = self._find(operation.player, operation.reference)
            if bet is None or bet.operation.player != operation.player:
                return "TRANSACTION_NOT_FOUND"
            if bet.state == "rolled back":
                return "TRANSACTION_ROLLED_BACK"
            if bet.operation.kind != "bet" or bet.state == "declined" or bet.operation.round_id != operation.round_id:
                return "INVALID_REFERENCE"
        over = operation.amount > 0 and player.balance + operation.amount > player.cap
        return "BALANCE_LIMIT_EXCEEDED" if over else "OK"

    def _judge_rollback(self, operation: Operation) -> tuple[str, int]:
        original = self._find(operation.player, operation.reference or "")
        refuses = self.dialect.unknown_rollback == "refuse"
        if original is None:
            return ("TRANSACTION_NOT_FOUND" if refuses else "OK"), 0
        if original.operation.player != operation.player or (original.is_tombstone and refuses):
            return "TRANSACTION_NOT_FOUND", 0
        if not original.is_tombstone and original.operation.kind != "bet":
            return "NOT_REVERSIBLE", 0
        if original.state == "rolled back":
            return "ALREADY_ROLLED_BACK", 0
        if original.state == "declined":
            return "OK", 0
        round_paid = (operation.player, original.operation.round_id) in self.paid_rounds
        if original.state == "settled" or (round_paid and self.dialect.rollback_until == "round_paid"):
            return "ROUND_HAS_PAYOUT", 0
        return "OK", original.operation.amount

    def _settle(self, operation: Operation, original: _Known | None) -> None:
        if operation.kind in ("win", "jackpot"):
            self.paid_rounds.add((operation.player, operation.round_id))
            if original is not None:
                original.state = "settled"
        elif operation.kind == "rollback" and original is not None:
            original.state = "rolled back"
