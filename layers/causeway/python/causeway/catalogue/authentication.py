"""The ways in which a template says that every call to its platform is authenticated, told apart by `type`."""

from typing import Annotated, Literal

from pydantic import Field

from causeway.catalogue import document_rules, patterns
from causeway.outbound.request_rules import header_fault
from causeway.wire.field_types import Omittable, Text, checked_by
from causeway.wire.models import Request

# A text in which {name} stands for the connection's field of that name.
Filled = Annotated[str, Text(2000, least=0)]
# The same in printable ASCII: no line break can end a header.
_OneLine = Annotated[str, Text(2000, least=0, pattern="[ -~]*")]
HeaderName = Annotated[str, Text(64, pattern="[0-9A-Za-z-]+"), checked_by(header_fault)]
_ParameterName = Annotated[str, Text(64, pattern="[0-9A-Za-z_-]+")]


class NoAuthentication(Request):
    """Calls are not authenticated."""

    type: Literal["none"]


class BasicAuthentication(Request):
    """HTTP Basic."""

    type: Literal["basic"]
    username: Filled = Field(examples=["{account_sid}"])
    password: Filled = Field(examples=["{auth_token}"])


class SelfRenewal(Request):
    """A GET that answers a new token for one that is still valid."""

    url: Annotated[str, Text(pattern="https://[!-~]{1,500}"), checked_by(document_rules.url_fault)] = Field(
        examples=["https://graph.example/refresh_access_token"]
    )
    grant: _ParameterName = Field(description="The parameter grant_type.", examples=["refresh_token"])


class BearerAuthentication(Request):
    """A token in the header Authorization."""

    type: Literal["bearer"]
    token: _OneLine = Field(examples=["{api_key}"])
    self_renewal: Omittable[SelfRenewal] = None


class HeaderAuthentication(Request):
    """A header of the call."""

    type: Literal["header"]
    name: Annotated[_ParameterName, checked_by(header_fault)] = Field(examples=["X-API-Key"])
    value: _OneLine = Field(examples=["{api_key}"])


class QueryAuthentication(Request):
    """A parameter of the query."""

    type: Literal["query"]
    name: _ParameterName = Field(examples=["api_key"])
    value: _OneLine = Field(examples=["{api_key}"])


class JsonBody(Request):
    """A JSON body in place of the form that RFC 6749 describes."""

    type: Annotated[str, Text(100, pattern="application/[0-9A-Za-z.+-]+")] = Field(
        description="Sent in Content-Type and Accept.", examples=["application/json"]
    )
    content: dict[_ParameterName, Filled] = Field(max_length=20, examples=[{"realmName": "{realm_name}"}])


class Pause(Request):
    """A refusal of a token endpoint that passes by itself."""

    status: Annotated[int, Field(ge=400, le=599, examples=[403])]
    pattern: Annotated[str, Text(patterns.MOST_CHARACTERS, least=0), checked_by(patterns.fault)] = Field(
        "", description="Matched against the answer's body. Absent: every body.", examples=["not active"]
    )
    meaning: Literal["throttled", "paused"] = Field(
        description="throttled: too many calls were made; paused: the account is closed for a while."
    )
    seconds: Annotated[int, Field(ge=1, le=86400, examples=[600])] = Field(
        description="How long the endpoint is left alone."
    )


_ClientAuth = Annotated[str, Text(pattern=r"basic|body|issued|\{[0-9A-Za-z_]{1,64}\}")]
_Parameters = Annotated[dict[_ParameterName, Filled], Field(max_length=20)]


class TokenEndpoint(Request):
    """What the calls to token endpoints have in common."""

    client_secret: Filled = Field(examples=["{client_secret}"])
    parameters: Omittable[_Parameters] = Field(
        None, description="Further parameters of the call. An empty one is left out.", examples=[{"audience": "api"}]
    )
    paused_when: Omittable[Annotated[list[Pause], Field(min_length=1, max_length=5)]] = None


class ClientCredentials(TokenEndpoint):
    """Request a token with the client's own credentials, then send it as a bearer token."""

    type: Literal["oauth2_client_credentials"]
    token_path: Annotated[str, Text(2000, least=0), checked_by(document_rules.path_fault)] = Field(
        description="Appended to the base URL.", examples=["/oauth/token"]
    )
    token_url: Omittable[Annotated[str, Text(pattern=r"\{[0-9A-Za-z_]{1,64}\}")]] = Field(
        None,
        description="The field with the address of the token call, in place of base URL and path; it may be empty.",
        examples=["{token_url}"],
    )
    client_id: Omittable[Filled] = Field(None, examples=["{client_id}"])
    client_auth: _ClientAuth = Field(
        description="Where the client's credentials stand. basic: in HTTP Basic; body: in the form; issued: the secret "
        "is the value of HTTP Basic as the platform issued it; {name}: as the connection's field says.",
        examples=["basic"],
    )
    scope: Omittable[Filled] = Field(None, examples=["read"])
    json_body: Omittable[JsonBody] = None


class RefreshToken(TokenEndpoint):
    """Request a token with a refresh token, then send it as a bearer token.

    A refresh token that the answer holds replaces the one before.
    """

    type: Literal["oauth2_refresh_token"]
    token_url: Annotated[str, Text(pattern="https://[!-~]{1,500}"), checked_by(document_rules.url_fault)] = Field(
        examples=["https://oauth.example/token"]
    )
    client_id: Filled = Field(examples=["{client_id}"])
    client_auth: Omittable[Literal["basic", "body"]] = Field(None, description="Absent: body.")
    client_id_parameter: Omittable[Annotated[str, Text(64, pattern="[a-z_]+")]] = Field(
        None, description="The name of the client's id in the form. Absent: client_id.", examples=["client_key"]
    )
    refresh_token: Filled = Field(examples=["{refresh_token}"])
    access_token: Omittable[Filled] = Field(
        None,
        description="The token that the connection has already. It is used until it ends, and for good if the "
        "connection has no refresh token or no client.",
        examples=["{access_token}"],
    )


class BodySignature(Request):
    """A header holds the HMAC of the raw body, which is empty for a GET."""

    type: Literal["hmac"]
    algorithm: Literal["sha256", "sha512"]
    secret: Filled = Field(examples=["{api_secret}"])
    header: HeaderName = Field(examples=["X-Signature"])
    encoding: Literal["hex", "base64"]


Authentication = Annotated[
    NoAuthentication
    | BasicAuthentication
    | BearerAuthentication
    | HeaderAuthentication
    | QueryAuthentication
    | ClientCredentials
    | RefreshToken
    | BodySignature,
    Field(discriminator="type", description="How each call to the platform is authenticated."),
]
