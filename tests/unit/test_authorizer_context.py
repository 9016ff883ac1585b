"""The authorizer's context: a function reads exactly what the authorizer wrote."""

from uuid import UUID

import pytest

from causeway.errors.requests import RateLimitExceeded
from causeway.errors.service import Internal, Misconfigured, Unavailable
from causeway.errors.tenancy import Unauthorized
from causeway.errors.tree import CausewayError
from causeway.tenancy.authorizer_context import AuthorizerContext
from causeway.tenancy.identity import Caller

TENANT = UUID(int=1)
KEY = str(UUID(int=2))
CLAIMS = {"sub": "somebody", "cognito:groups": "[staff]", "custom:tenant_id": str(TENANT)}
CONTEXTS = [
    AuthorizerContext(CLAIMS),
    AuthorizerContext.of_machine(Caller("machine", KEY, "service", TENANT)),
    AuthorizerContext.of_machine(Caller("machine", KEY, "service", TENANT, "sms")),
    AuthorizerContext.of_error(Unauthorized("The token has expired: log in again")),
    AuthorizerContext.of_error(Unavailable(cause="the database is down")),
]


@pytest.mark.parametrize("context", CONTEXTS, ids=lambda context: repr(context)[:60])
def test_context_is_read_as_it_was_written_and_holds_text_only(context: AuthorizerContext) -> None:
    """API Gateway passes the context on unchanged."""
    written = context.as_context()

    assert all(isinstance(text, str) for text in [*written, *written.values()])
    assert AuthorizerContext.parse({"lambda": written}) == context


def test_claims_of_both_authorizers_give_the_same_caller() -> None:
    own = AuthorizerContext.parse({"jwt": {"claims": CLAIMS, "scopes": None}})

    assert own == AuthorizerContext.parse({"lambda": CLAIMS}) == AuthorizerContext(CLAIMS)
    assert (own.caller(None).subject, own.caller(None).role, own.caller(None).tenant) == ("somebody", "staff", TENANT)


def test_caller_of_a_key_is_the_machine_of_its_tenant_and_channel() -> None:
    for channel in (None, "sms"):
        machine = Caller("machine", KEY, "service", TENANT, channel)
        assert AuthorizerContext.of_machine(machine).caller(None) == machine


@pytest.mark.parametrize("ids", [{"keyId": "x"}, {"tenantId": ""}, {"tenantId": f"{{{TENANT}}}"}])
def test_key_without_the_ids_of_a_key_and_a_tenant_is_refused(ids: dict[str, str]) -> None:
    with pytest.raises(Unauthorized):
        AuthorizerContext.parse({"lambda": {"keyId": KEY, "tenantId": str(TENANT)} | ids})


@pytest.mark.parametrize(
    ("error", "code", "sentence"),
    [
        (Unauthorized("The token has expired: log in again"), "UNAUTHORIZED", "The token has expired: log in again"),
        (Misconfigured("no issuer", cause="no issuer"), "INTERNAL", Internal.__doc__),
    ],
)
def test_refusal_is_raised_again_and_a_fault_of_ours_keeps_its_sentence(
    error: CausewayError, code: str, sentence: str
) -> None:
    with pytest.raises(CausewayError) as raised:
        AuthorizerContext.parse({"lambda": AuthorizerContext.of_error(error).as_context()}).caller(None)

    assert (raised.value.code, raised.value.cause, raised.value.sentence) == (code, "", sentence)


def test_wait_of_a_refusal_reaches_the_route() -> None:
    """HUB 19."""
    context = AuthorizerContext.of_error(RateLimitExceeded(retry_after=17)).as_context()

    assert context["retryAfter"] == "17"
    with pytest.raises(RateLimitExceeded) as raised:
        AuthorizerContext.parse({"lambda": context}).caller(None)
    assert raised.value.retry_after == 17


@pytest.mark.parametrize("seconds", ["", "-1", "soon", "1.5"])
def test_wait_that_is_no_number_is_left_out(seconds: str) -> None:
    refused = {"refused": "RATE_LIMIT_EXCEEDED", "sentence": "Too many requests", "retryAfter": seconds}
    with pytest.raises(RateLimitExceeded) as raised:
        AuthorizerContext.parse({"lambda": refused}).caller(None)
    assert raised.value.retry_after is None


def test_player_is_the_caller_unless_a_group_gives_a_role() -> None:
    player = CLAIMS | {"custom:player_id": "7"}
    person_in_group = AuthorizerContext(player).player()
    without_group = {name: claim for name, claim in player.items() if name != "cognito:groups"}
    alone_id, alone = AuthorizerContext(without_group).player()

    assert person_in_group == (7, None)
    assert alone_id == 7
    assert alone is not None
    assert (alone.role, alone.tenant) == ("player", TENANT)
    assert AuthorizerContext(CLAIMS).player() == (None, None)
