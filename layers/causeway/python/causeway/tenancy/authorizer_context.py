"""The context from an authorizer to a route's function: a token's claims, an API key, or the error of a refusal."""

from dataclasses import dataclass, field
from typing import Any, Self
from uuid import UUID

from causeway.errors import table
from causeway.errors.tenancy import Unauthorized
from causeway.errors.tree import CausewayError
from causeway.tenancy.claims import person_of, player_id_of, player_of
from causeway.tenancy.identity import Caller, of_machine
from causeway.wire.field_readers import parse_uuid


@dataclass(frozen=True, slots=True)
class AuthorizerContext:
    """The caller, as functions/identity/authorizer.py or API Gateway's own authorizer authenticated it.

    Attributes:
        claims: the claims of a token.
        key_id: the id of an API key; tenant_id and channel are the key's.
        refused: the code of the error that refuses the call.
        sentence: what the error tells the caller; empty: the sentence of the error's class.
        retry_after: seconds to wait before a retry, where the error has them.
    """

    claims: dict[str, str] = field(default_factory=dict)
    key_id: UUID | None = None
    tenant_id: UUID | None = None
    channel: str | None = None
    refused: str | None = None
    sentence: str = ""
    retry_after: int | None = None

    @classmethod
    def of_machine(cls, machine: Caller) -> Self:
        """Return the context of a call with a valid API key."""
        return cls(key_id=UUID(machine.subject), tenant_id=machine.tenant, channel=machine.channel)

    @classmethod
    def of_error(cls, error: CausewayError) -> Self:
        """Return the context of a call that the route must refuse; a 5xx error's sentence is not passed on."""
        if error.status >= 500:
            return cls(refused=error.code)
        return cls(refused=error.code, sentence=error.sentence, retry_after=error.retry_after)

    @classmethod
    def parse(cls, authorizer: dict[str, Any]) -> Self:
        """Read requestContext.authorizer of an event; an empty one is the context of an unauthenticated call.

        Args:
            authorizer: {"jwt": {"claims": ...}} of API Gateway's own authorizer, {"lambda": ...} of ours.

        Raises:
            Unauthorized: keyId or tenantId is not an id.
        """
        match authorizer:
            case {"lambda": {"refused": str(code), **rest}}:
                seconds = str(rest.get("retryAfter", ""))
                return cls(
                    refused=code,
                    sentence=str(rest.get("sentence", "")),
                    retry_after=int(seconds) if seconds.isdecimal() else None,
                )
            case {"lambda": {"keyId": str(key_id), "tenantId": str(tenant_id), **rest}}:
                return cls(key_id=_id(key_id), tenant_id=_id(tenant_id), channel=rest.get("channel"))
            case {"jwt": {"claims": dict(claims)}} | {"lambda": dict(claims)}:
                return cls(claims=claims)
        return cls()

    def as_context(self) -> dict[str, str]:
        """Return the context of an authorizer's answer; its values are texts, as API Gateway passes them on."""
        if self.refused is not None:
            sentence = {"sentence": self.sentence} if self.sentence else {}
            wait = {} if self.retry_after is None else {"retryAfter": str(self.retry_after)}
            return {"refused": self.refused} | sentence | wait
        if self.key_id is not None and self.tenant_id is not None:
            channel = {} if self.channel is None else {"channel": self.channel}
            return {"keyId": str(self.key_id), "tenantId": str(self.tenant_id)} | channel
        return self.claims

    def caller(self, tenant_asked: str | None) -> Caller:
        """Return the person or the machine that calls.

        Args:
            tenant_asked: X-Tenant-Id.

        Raises:
            Unauthorized: the call is not authenticated, or its claims are not valid.
            CausewayError: the authorizer's error; Unavailable where the authorizer could not check the caller.
        """
        if self.refused is not None:
            error = table.of_code(self.refused, Unauthorized)(self.sentence)
            if self.retry_after is not None:
                error.retry_after = self.retry_after
            raise error
        if self.key_id is not None and self.tenant_id is not None:
            return of_machine(self.tenant_id, self.key_id, self.channel)
        return person_of(self.claims, tenant_asked)

    def player(self) -> tuple[int | None, Caller | None]:
        """Return the token's player id and the player as caller.

        The id is None if the token has none. The caller is None for a person in a group: the group's role decides,
        and may allow launches for other players.

        Raises:
            Unauthorized: the claims of a player are not valid.
            TenantNotFound: the claims' tenant is not an id.
        """
        player_id = player_id_of(self.claims)
        alone = player_id is not None and "cognito:groups" not in self.claims
        return player_id, player_of(self.claims) if alone else None


def _id(text: str) -> UUID:
    return parse_uuid(text, Unauthorized)
