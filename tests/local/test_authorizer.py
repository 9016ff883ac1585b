"""The JWT authorizer by itself: the tokens it accepts, its answers to the others, and when it fetches keys."""

import asyncio
import json
from base64 import urlsafe_b64encode
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import RSAKey

from local.errors import Refused, TemplateError
from local.gateway.authorizers import Authorizers, declarations
from local.gateway.jwt_authorizer import REFETCH_SECONDS, Accepted, Declaration, JwtAuthorizer, SigningKeys, claim_text
from local.template.resources import Route

NOW = 1_718_700_000.5
ISSUER = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_pool"
DECLARATION = Declaration(ISSUER, ("client", "second"), "authorization")
KEY = RSAKey.generate_key(2048, {"kid": "one"})
OTHER_KEY = RSAKey.generate_key(2048, {"kid": "two"})
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "client",
    "iat": int(NOW),
    "exp": int(NOW) + 1,
    "sub": "6c1f",
    "token_use": "id",
}


class Issuer:
    """An issuer whose keys change; counts the fetches."""

    def __init__(self, *keys: Any) -> None:
        self.keys = list(keys)
        self.asked = 0

    def fetch(self) -> dict[str, Any]:
        """The present key set."""
        self.asked += 1
        return {"keys": [key.as_dict(private=False) for key in self.keys]}


def signed(claims: dict[str, Any], key: Any = KEY, **header: Any) -> str:
    return jws.serialize_compact(
        {"alg": "RS256", "kid": key.kid, **header},
        json.dumps(claims),
        key,
        registry=jws.JWSRegistry(algorithms=["RS256", "RS512"], strict_check_header=False),
    )


def check(value: str | None, scopes: tuple[str, ...] = (), keys: SigningKeys | None = None) -> Accepted:
    keys = SigningKeys(Issuer(KEY).fetch) if keys is None else keys
    return asyncio.run(JwtAuthorizer(DECLARATION, keys).check(value, scopes, now=NOW))


def changed(**changes: Any) -> dict[str, Any]:
    """The claims with changes; None removes a claim."""
    return {name: value for name, value in (CLAIMS | changes).items() if value is not None}


@pytest.mark.parametrize("scheme", ["", "Bearer ", "bearer ", "BEARER ", "Bearer   ", " Bearer "])
def test_token_passes_alone_or_after_bearer_in_any_case(scheme: str) -> None:
    assert check(f"{scheme}{signed(CLAIMS)}").claims["sub"] == "6c1f"


@pytest.mark.parametrize(
    "claims",
    [
        changed(aud=["stranger", "second"]),
        changed(aud=None, client_id="client"),
        changed(aud="second", client_id="stranger"),
        changed(iat=None),
        changed(nbf=int(NOW)),
        changed(exp=NOW + 0.5),
        changed(token_use="access"),
    ],
)
def test_token_with_the_required_claims_passes(claims: dict[str, Any]) -> None:
    assert check(signed(claims)).scopes is None


def test_another_of_the_three_algorithms_passes_and_unknown_header_parameters_are_ignored() -> None:
    assert check(signed(CLAIMS, alg="RS512", typ="JWT", own="x")).claims["aud"] == "client"


@pytest.mark.parametrize(
    ("claims", "description"),
    [
        (changed(aud="stranger"), "the token does not have a valid audience"),
        (changed(aud=None), "the token does not have a valid audience"),
        (changed(aud=[]), "the token does not have a valid audience"),
        (changed(aud=[["client"]]), "the token does not have a valid audience"),
        (changed(aud="stranger", client_id="client"), "the token does not have a valid audience"),
        (changed(iss=f"{ISSUER}/"), "the token does not have a valid issuer"),
        (changed(iss=None), "the token does not have a valid issuer"),
        (changed(iss=[ISSUER]), "the token does not have a valid issuer"),
        (changed(exp=int(NOW)), "the token has expired"),
        (changed(exp=None), "the token has expired"),
        (changed(exp=str(int(NOW) + 9)), "the token has expired"),
        (changed(exp=True), "the token has expired"),
        (changed(exp=float("nan")), "the token has expired"),
        (changed(nbf=int(NOW) + 1), "the token is not valid yet"),
        (changed(nbf="soon"), "the token is not valid yet"),
        (changed(nbf=True), "the token is not valid yet"),
        (changed(iat=int(NOW) + 1), "the token was issued in the future"),
        ([], "the token cannot be decoded"),
        ("text", "the token cannot be decoded"),
    ],
)
def test_well_signed_token_with_wrong_claims_is_unauthorized(claims: Any, description: str) -> None:
    with pytest.raises(Refused) as refused:
        check(signed(claims))

    assert (refused.value.status, refused.value.message) == (401, "Unauthorized")
    assert refused.value.challenge == f'Bearer scope="" error="invalid_token" error_description="{description}"'


def encoded(text: str) -> str:
    return urlsafe_b64encode(text.encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "value",
    [
        "token",
        "a.b",
        "a.b.c.d",
        "..",
        "Basic dXNlcjpwYXNz",
        "Bearer Bearer x.y.z",
        f"{signed(CLAIMS)},{signed(CLAIMS)}",
        encoded("[" * 7_000) + ".e30.x",
        encoded("null") + ".e30.x",
        encoded("[]") + ".e30.x",
        encoded('{"alg": ["RS256"]}') + ".e30.x",
        "\u00e4.\u00f6.\u00fc",
    ],
)
def test_malformed_token_is_unauthorized(value: str) -> None:
    with pytest.raises(Refused, match="invalid_token") as refused:
        check(value)

    assert refused.value.status == 401


@pytest.mark.parametrize("value", [None, "", " ", "Bearer", "Bearer "])
def test_no_token_is_unauthorized_without_a_reason(value: str | None) -> None:
    with pytest.raises(Refused) as refused:
        check(value)

    assert (refused.value.status, refused.value.challenge) == (401, "Bearer")


@pytest.mark.parametrize("algorithm", ["none", "NONE", "HS256", "PS256", "ES256", "EdDSA", "", 1, None, ["RS256"]])
def test_unsupported_algorithm_is_unauthorized(algorithm: Any) -> None:
    _, payload, signature = signed(CLAIMS).split(".")

    with pytest.raises(Refused, match="the token's signing algorithm is not supported"):
        check(f"{encoded(json.dumps({'alg': algorithm, 'kid': 'one'}))}.{payload}.{signature}")


def test_signature_of_another_key_under_a_known_id_is_unauthorized() -> None:
    with pytest.raises(Refused, match="signature is invalid"):
        check(signed(CLAIMS, RSAKey.generate_key(2048), kid="one"))


@pytest.mark.parametrize("payload", [json.dumps(CLAIMS), "no JSON"])
def test_payload_with_the_signature_of_another_payload_is_unauthorized(payload: str) -> None:
    head, _, signature = signed(changed(exp=1)).split(".")

    with pytest.raises(Refused, match="signature is invalid"):
        check(f"{head}.{encoded(payload)}.{signature}")


@pytest.mark.parametrize("header", [{"jwk": OTHER_KEY.as_dict(private=False)}, {"jku": "https://keys.invalid/jwks"}])
def test_key_inside_the_token_is_not_used(header: dict[str, Any]) -> None:
    with pytest.raises(Refused, match="kid names no key"):
        check(signed(CLAIMS, OTHER_KEY, **header))


@pytest.mark.parametrize("kid", [1, "", "../one", "ONE", ["one"], {}, None])
def test_key_id_must_be_one_of_the_issuers(kid: Any) -> None:
    header = encoded(json.dumps({"alg": "RS256", "kid": kid}))
    _, payload, signature = signed(CLAIMS).split(".")

    with pytest.raises(Refused, match="kid names no key"):
        check(f"{header}.{payload}.{signature}")


@pytest.mark.parametrize(
    ("held", "scopes"),
    [
        ({"scope": "read write"}, ["read", "write"]),
        ({"scp": ["write"]}, ["write"]),
        ({"scope": ["read", "write"]}, ["read", "write"]),
    ],
)
def test_one_of_the_routes_scopes_is_enough(held: dict[str, Any], scopes: list[str]) -> None:
    assert check(signed(CLAIMS | held), ("write", "admin")).scopes == scopes


@pytest.mark.parametrize("held", [{}, {"scope": ""}, {"scope": "writes"}, {"scope": 1}, {"scope": "", "scp": "write"}])
def test_token_without_the_routes_scopes_is_forbidden(held: dict[str, Any]) -> None:
    with pytest.raises(Refused) as refused:
        check(signed(CLAIMS | held), ("write", "admin"))

    assert (refused.value.status, refused.value.message) == (403, "Forbidden")
    assert refused.value.challenge.startswith('Bearer scope="write admin" error="insufficient_scope" ')


def test_bad_token_for_a_route_with_scopes_is_unauthorized_not_forbidden() -> None:
    with pytest.raises(Refused, match=r'^Bearer scope="write" error="invalid_token" ') as refused:
        check(signed(changed(exp=1)), ("write",))

    assert refused.value.status == 401


def test_keys_are_fetched_once_for_many_tokens() -> None:
    issuer = Issuer(KEY)
    keys = SigningKeys(issuer.fetch)

    async def many() -> None:
        authorizer = JwtAuthorizer(DECLARATION, keys)
        await asyncio.gather(*(authorizer.check(signed(CLAIMS), now=NOW) for _ in range(5)))

    asyncio.run(many())
    assert issuer.asked == 1


def test_new_key_is_fetched_at_its_first_token() -> None:
    issuer = Issuer(KEY)
    keys = SigningKeys(issuer.fetch)
    check(signed(CLAIMS), keys=keys)
    issuer.keys.append(OTHER_KEY)

    assert check(signed(CLAIMS, OTHER_KEY), keys=keys).claims["sub"] == "6c1f"
    assert check(signed(CLAIMS), keys=keys).claims["sub"] == "6c1f"
    assert issuer.asked == 2


def test_removed_key_is_dropped_at_the_next_fetch() -> None:
    issuer = Issuer(KEY)
    keys = SigningKeys(issuer.fetch, clock=lambda: 0.0)
    check(signed(CLAIMS), keys=keys)
    issuer.keys = [OTHER_KEY]
    check(signed(CLAIMS, OTHER_KEY), keys=keys)

    with pytest.raises(Refused, match="kid names no key"):
        check(signed(CLAIMS), keys=keys)


def test_bad_tokens_cause_a_fetch_once_in_a_while_and_not_each_time() -> None:
    issuer, clock = Issuer(KEY), [0.0]
    keys = SigningKeys(issuer.fetch, clock=lambda: clock[0])
    asked = []
    for moment in (0.0, 1.0, REFETCH_SECONDS - 1, REFETCH_SECONDS, REFETCH_SECONDS + 1):
        clock[0] = moment
        for number in range(3):
            with pytest.raises(Refused, match="kid names no key"):
                check(signed(CLAIMS, OTHER_KEY, kid=f"unknown-{number}"), keys=keys)
        asked.append(issuer.asked)

    assert asked == [2, 2, 2, 3, 3]


def test_token_is_refused_while_the_issuer_does_not_answer_and_the_fetch_is_retried() -> None:
    issuer = Issuer(KEY)
    down = [True]

    def fetch() -> dict[str, Any]:
        if down[0]:
            raise ConnectionRefusedError
        return issuer.fetch()

    keys = SigningKeys(fetch)
    with pytest.raises(Refused, match="keys cannot be read"):
        check(signed(CLAIMS), keys=keys)
    down[0] = False

    assert check(signed(CLAIMS), keys=keys).claims["sub"] == "6c1f"


@pytest.mark.parametrize(
    ("claim", "text"),
    [
        ("a b", "a b"),
        (1718722804, "1718722804"),
        (True, "true"),
        (False, "false"),
        (["tenant_admin"], "[tenant_admin]"),
        (["admin", "poweruser"], "[admin poweruser]"),
        ([], "[]"),
        ([1, True], "[1 true]"),
        ({"a": [1]}, '{"a":[1]}'),
    ],
)
def test_claim_becomes_a_text(claim: Any, text: str) -> None:
    assert claim_text(claim) == text


def test_claims_are_those_of_a_recorded_event() -> None:
    """Recorded on AWS with Cognito: github.com/aws-powertools/powertools-lambda-typescript/issues/2624."""
    claims = {
        "aud": "client",
        "auth_time": 1718636404,
        "cognito:groups": ["admin", "staff"],
        "cognito:username": "aamorosi",
        "email_verified": True,
        "exp": 1718722804,
        "iat": 1718636404,
        "iss": ISSUER,
        "nickname": None,
        "token_use": "id",
    }

    assert check(signed(claims)).claims == {
        "aud": "client",
        "auth_time": "1718636404",
        "cognito:groups": "[admin staff]",
        "cognito:username": "aamorosi",
        "email_verified": "true",
        "exp": "1718722804",
        "iat": "1718636404",
        "iss": ISSUER,
        "token_use": "id",
    }


def _template(folder: Path, authorizer: str, auth: str = "{Authorizer: Tokens}") -> Path:
    path = folder / "template.yaml"
    path.write_text(
        f"""
Parameters: {{Issuer: {{Type: String}}}}
Resources:
  Api:
    Type: AWS::Serverless::HttpApi
    Properties: {{Auth: {{Authorizers: {{Tokens: {authorizer}}}}}}}
  OneFunction:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Call: {{Type: HttpApi, Properties: {{ApiId: !Ref Api, Method: get, Path: /a, Auth: {auth}}}}}
        Nightly: {{Type: Schedule, Properties: {{Schedule: rate(1 day)}}}}
"""
    )
    return path


@pytest.mark.parametrize(
    ("own", "auth", "scopes"),
    [
        ("", "{Authorizer: Tokens}", {}),
        ("AuthorizationScopes: [a], ", "{Authorizer: Tokens}", {"GET /a": ("a",)}),
        ("AuthorizationScopes: [a], ", "{Authorizer: Tokens, AuthorizationScopes: [b]}", {"GET /a": ("b",)}),
    ],
)
def test_issuer_audience_and_scopes_are_read_from_the_template(
    tmp_path: Path, own: str, auth: str, scopes: dict[str, tuple[str, ...]]
) -> None:
    source = "IdentitySource: $request.header.X-Token, "
    template = _template(
        tmp_path, f"{{{own}{source}JwtConfiguration: {{issuer: !Ref Issuer, audience: [x, y]}}}}", auth
    )

    assert declarations(template, {"Issuer": ISSUER}) == (
        {"Tokens": Declaration(ISSUER, ("x", "y"), "x-token")},
        scopes,
    )


@pytest.mark.parametrize(
    ("authorizer", "sentence"),
    [
        ("{}", "Api.Auth.Authorizers.Tokens.JwtConfiguration: .* issuer and audience"),
        ("{JwtConfiguration: {issuer: x, audience: []}}", "issuer and audience"),
        ("{JwtConfiguration: {issuer: !Ref Pool, audience: [x]}}", "Tokens.JwtConfiguration.issuer: .* Pool"),
        ("{IdentitySource: $request.querystring.t, JwtConfiguration: {issuer: x, audience: [x]}}", "from a header"),
    ],
)
def test_unsupported_authorizer_is_named(tmp_path: Path, authorizer: str, sentence: str) -> None:
    with pytest.raises(TemplateError, match=sentence):
        declarations(_template(tmp_path, authorizer), {"Issuer": ISSUER})


def test_route_with_an_authorizer_that_is_not_declared_is_named(tmp_path: Path) -> None:
    async def nothing(function: str, event: bytes) -> bytes:
        return b""

    template = _template(tmp_path, "{JwtConfiguration: {issuer: x, audience: [x]}}")

    with pytest.raises(TemplateError, match="GET /a: there is no authorizer Tokns"):
        Authorizers(template, {}, [Route("GET", "/a", "Tokns")], lambda _: {}, nothing)
