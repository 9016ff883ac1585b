"""Models of the calls between game provider and casino, for the API's document only.

The functions of these calls read and write their few fields by hand, because they load no pydantic. A property test
holds each model of a request against its reader (tests/unit/test_signed_calls.py).
"""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic.alias_generators import to_camel

from causeway.wire.field_readers import LARGEST_INTEGER
from causeway.wire.field_types import ExternalId, Id, NumericId, Omittable, Text, rule_broken
from tools.openapi import demo

# An amount in an answer.
Money = Annotated[str, Text(20, pattern="-?[0-9]+"), Field(description="Minor units.", examples=["999000"])]

SessionToken = Annotated[ExternalId, Field(examples=[demo.SESSION_TOKEN])]
UserId = Annotated[NumericId, Field(description="The casino's player.", examples=[demo.SESSION_PLAYER_ID])]
_BET_ID = "a9429bb3-9f71-4497-9fa4-f5f7592a46af"
TransactionId = Annotated[ExternalId, Field(examples=[_BET_ID])]
RoundId = Annotated[ExternalId, Field(examples=["971faf2a-1b1a-45da-82dd-fc1e202134e3"])]
Amount = Annotated[int, Field(ge=0, le=LARGEST_INTEGER, description="Minor units.", examples=[1000])]
Currency = Annotated[ExternalId, Field(description="Refused if it is not the wallet's currency.", examples=["USD"])]
GameCode = Annotated[ExternalId, Field(examples=["SLOTS_001"])]
CasinoCode = Annotated[ExternalId, Field(examples=[demo.TENANT_CODE])]
CasinoSessionId = Annotated[NumericId, Field(examples=[1])]
ProviderSessionId = Annotated[Id, Field(examples=[demo.PROVIDER_SESSION_ID])]
BetLimit = Annotated[Money, Field(description="Of a bet, in minor units.")]


class _Model(BaseModel):
    model_config = ConfigDict(strict=True, alias_generator=to_camel, hide_input_in_errors=True)


class _SignedRequest(_Model):
    """Fields that are not listed are ignored; the signature covers them too."""

    session_token: SessionToken
    user_id: UserId


class BalanceQuery(_SignedRequest):
    """Which player's balance is asked for."""

    currency: Currency | None = None


class Bet(BalanceQuery):
    """A bet."""

    transaction_id: TransactionId
    round_id: RoundId
    amount: Amount


class Credit(Bet):
    """A payout."""

    transaction_id: Annotated[ExternalId, Field(examples=["0d9a6c1e-70a5-4f0b-8b3c-1c2d3e4f5a6b"])]
    kind: Literal["win", "promo", "jackpot"] = "win"
    related_transaction_id: Annotated[TransactionId | None, Field(description="The bet; required for a win.")] = None

    @model_validator(mode="after")
    def _win_names_its_bet(self) -> Self:
        if self.kind == "win" and self.related_transaction_id is None:
            raise rule_broken("must have relatedTransactionId where kind is win")
        return self


class Rollback(BalanceQuery):
    """The bet that is given back, at the amount that was stored with it."""

    transaction_id: Annotated[ExternalId, Field(examples=["5b1e7f52-3c4d-4e5f-8a9b-0c1d2e3f4a5b"])]
    round_id: Annotated[ExternalId | None, Field(examples=[demo.ROUND_ID])] = None
    original_transaction_id: Annotated[
        ExternalId,
        Field(
            description="The bet. If no bet has this id, the answer has tombstone, and a later bet with the id is "
            "refused.",
            examples=[demo.BET_ID],
        ),
    ]


class ProviderLaunch(_SignedRequest):
    """The session of a player that the game provider opens."""

    casino_session_id: CasinoSessionId
    game_id: GameCode
    currency: Annotated[ExternalId, Field(examples=["USD"])]
    casino_code: CasinoCode


class Simulation(_SignedRequest):
    """The session in which the scripted round is played."""

    provider_session_id: ProviderSessionId
    casino_code: CasinoCode


class _SignedAnswer(_Model):
    model_config = ConfigDict(extra="forbid")


class Balance(_SignedAnswer):
    """A player's balance."""

    user_id: UserId
    balance: Money
    currency: Annotated[str, Field(examples=["USD"])]


class Moved(_SignedAnswer):
    """The answer to a bet, a credit or a rollback."""

    transaction_id: Annotated[str, Field(examples=[_BET_ID])]
    balance: Money
    currency: Annotated[str, Field(examples=["USD"])]
    status: Literal["ok"]
    tombstone: Annotated[
        Omittable[Literal[True]], Field(description="A rollback whose bet is unknown; it moved no money.")
    ] = None


class ProviderSession(_SignedAnswer):
    """A session at the game provider."""

    provider_session_id: ProviderSessionId
    game_id: GameCode
    currency: Annotated[str, Field(examples=["USD"])]
    min_bet: Annotated[BetLimit, Field(examples=["1000"])]
    max_bet: Annotated[BetLimit, Field(examples=["100000"])]
    player_id: Annotated[int, Field(description="The provider's own id of the player.", examples=[1])]


class RoundStep(_SignedAnswer):
    """A step of the scripted round."""

    step: Annotated[int, Field(ge=1, examples=[1])]
    action: Annotated[str, Field(examples=["Balance check"])]
    amount: Annotated[int, Field(description="Minor units that the step should move.", examples=[0])]
    status: Annotated[int, Field(description="Of the casino's answer.", examples=[200])]
    expected_balance: Money
    balance: Money


class RoundReport(_SignedAnswer):
    """The scripted round, step by step."""

    success: Annotated[bool, Field(description="Every step has the answer that the script expects.", examples=[True])]
    round_id: RoundId
    steps: list[RoundStep]
    final_balance: Money
