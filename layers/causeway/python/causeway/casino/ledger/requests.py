"""The request bodies that game providers send to the wallet, parsed strictly, and the hash of a request.

currency is optional in every body. A currency other than the wallet's is refused.
"""

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self
from uuid import UUID

from causeway.errors.casino import InvalidAmount
from causeway.errors.requests import InvalidRequest
from causeway.wire.field_readers import LARGEST_INTEGER, id_field, integer_field, optional_id_field

_KINDS = ("win", "promo", "jackpot")


def _amount(body: dict[str, Any]) -> int:
    value = body.get("amount")
    if type(value) is not int or not 0 <= value <= LARGEST_INTEGER:
        raise InvalidAmount
    return value


def _related(body: dict[str, Any], kind: str) -> str | None:
    """Return the id of the bet that a credit belongs to, which a win must name."""
    name = "relatedTransactionId"
    return id_field(body, name) if kind == "win" else optional_id_field(body, name)


def _ids(body: dict[str, Any]) -> tuple[str, int, str]:
    """Return session token, player id and transaction id."""
    return id_field(body, "sessionToken"), integer_field(body, "userId"), id_field(body, "transactionId")


def _currency(body: dict[str, Any]) -> str | None:
    return optional_id_field(body, "currency")


@dataclass(frozen=True, slots=True)
class BalanceQuery:
    """POST /casino/getBalance."""

    session_token: str
    player_id: int
    currency: str | None = None

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest, which names the field."""
        return cls(id_field(body, "sessionToken"), integer_field(body, "userId"), _currency(body))


@dataclass(frozen=True, slots=True)
class Bet:
    """POST /casino/debit; amount in minor units."""

    session_token: str
    player_id: int
    transaction_id: str
    round_id: str
    amount: int
    currency: str | None = None

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest or InvalidAmount, which name the field."""
        return cls(*_ids(body), id_field(body, "roundId"), _amount(body), _currency(body))


@dataclass(frozen=True, slots=True)
class Credit:
    """POST /casino/credit; amount in minor units. A win must name its bet; a promo or jackpot may."""

    session_token: str
    player_id: int
    transaction_id: str
    round_id: str
    amount: int
    bet_id: str | None
    kind: str
    currency: str | None = None

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest or InvalidAmount, which name the field."""
        kind = body.get("kind", "win")
        if kind not in _KINDS:
            raise InvalidRequest("kind must be win, promo or jackpot")
        return cls(
            *_ids(body),
            id_field(body, "roundId"),
            _amount(body),
            _related(body, kind),
            kind,
            _currency(body),
        )


@dataclass(frozen=True, slots=True)
class Rollback:
    """POST /casino/rollback. The stored bet's amount is given back; an amount in the body is ignored."""

    session_token: str
    player_id: int
    transaction_id: str
    round_id: str | None
    original_id: str
    currency: str | None = None

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest, which names the field."""
        return cls(
            *_ids(body),
            optional_id_field(body, "roundId"),
            id_field(body, "originalTransactionId"),
            _currency(body),
        )


def request_hash(
    tenant_id: UUID,
    kind: str,
    player_id: int,
    transaction_id: str,
    round_id: str | None,
    amount: int,
    reference_id: str | None,
) -> bytes:
    """Return the SHA-256 of a transaction's business fields. A ledger row stores it; the verifier computes it again.

    Args:
        tenant_id: the tenant.
        kind: the ledger row's type.
        player_id: the player.
        transaction_id: the row's id as the game provider sent it.
        round_id: the game round; None: not sent.
        amount: minor units as sent.
        reference_id: the transaction that it refers to; None: not sent.
    """
    fields = [str(tenant_id), kind, player_id, transaction_id, round_id, amount, reference_id]
    return sha256(json.dumps(fields).encode()).digest()
