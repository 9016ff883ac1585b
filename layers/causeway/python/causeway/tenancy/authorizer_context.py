"""What a route's authorizer hands to its function: a token's claims, an API key, or the error that refuses the call."""

from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from causeway.errors.tenancy import Unauthorized
from causeway.errors.tree import BY_CODE, CausewayError
from causeway.tenancy.claims import person_of, player_id_of, player_of
from causeway.tenancy.identity import Caller, of_machine
from causeway.wire.fields import parse_uuid


@dataclass(frozen=True, slots=True)
class AuthorizerContext:
    """Who calls, as functions/identity/authorizer.py or API Gateway's own authorizer found out.

    Attributes:
        claims: of a token.
        key_id: of an API key; tenant_id and channel are the key's.
        refused: the code of the error that refuses the call.
        sentence: what the error tells the caller; empty: the sentence of the error's class.
    """

    claims: dict[str, str] = field(default_factory=dict)
    key_id: UUID | None = None
    tenant_id: UUID | None = None
    channel: str | None = None
    refused: str | None = None
    sentence: str = ""

    @classmethod
    def of_machine(cls, machine: Caller) -> Self:
        """Return the context of a call with a valid API key."""
        return cls(key_id=UUID(machine.subject), tenant_id=machine.tenant, channel=machine.channel)

    @classmethod
    def of_error(cls, error: CausewayError) -> Self:
        """Return the context of a call that the route refuses; a fault of ours keeps its sentence to itself."""
        return cls(refused=error.code, sentence=error.sentence if error.status < 500 else "")

    @classmethod
    def parse(cls, authorizer: dict[str, Any]) -> Self:
        """Read requestContext.authorizer of an event; an event without it names nobody.

        Args:
            authorizer: {"jwt": {"claims": ...}} of API Gateway's own authorizer, {"lambda": ...} of ours.

        Raises:
            Unauthorized: keyId or tenantId is not an id.
        """
        match authorizer:
            case {"lambda": {"refused": str(code), **rest}}:
                return cls(refused=code, sentence=str(rest.get("sentence", "")))
            case {"lambda": {"keyId": str(key_id), "tenantId": str(tenant_id), **rest}}:
                return cls(key_id=_id(key_id), tenant_id=_id(tenant_id), channel=rest.get("channel"))
            case {"jwt": {"claims": dict(claims)}} | {"lambda": dict(claims)}:
                return cls(claims=claims)
        return cls()

    def as_context(self) -> dict[str, str]:
        """Return the texts that an authorizer's answer has as its context."""
        if self.refused is not None:
            return {"refused": self.refused} | ({"sentence": self.sentence} if self.sentence else {})
        if self.key_id is not None and self.tenant_id is not None:
            channel = {} if self.channel is None else {"channel": self.channel}
            return {"keyId": str(self.key_id), "tenantId": str(self.tenant_id)} | channel
        return self.claims

    def caller(self, tenant_asked: str | None) -> Caller:
        """Return the person or the machine that calls.

        Args:
            tenant_asked: X-Tenant-Id.

        Raises:
            Unauthorized: the context names nobody, or claims that let nobody in.
            CausewayError: the error that the authorizer names; Unavailable where it could not find out.
        """
        if self.refused is not None:
            raise BY_CODE.get(self.refused, Unauthorized)(self.sentence)
        if self.key_id is not None and self.tenant_id is not None:
            return of_machine(self.tenant_id, self.key_id, self.channel)
        return person_of(self.claims, tenant_asked)

    def player(self) -> tuple[int | None, Caller | None]:
        """Return the player that a token is of, and the player as the caller: None for a person in a group.

        A player is in no group. A person in a group may launch games by the group's role, for others too.

        Raises:
            Unauthorized: the claims of a player let nobody in.
            TenantNotFound: the claims' tenant is no id.
        """
        player_id = player_id_of(self.claims)
        alone = player_id is not None and "cognito:groups" not in self.claims
        return player_id, player_of(self.claims) if alone else None


def _id(text: str) -> UUID:
    return parse_uuid(text, Unauthorized)
