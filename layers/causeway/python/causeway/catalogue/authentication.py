"""The ways in which a template says that every call to its platform is authenticated, told apart by `type`."""

from typing import Annotated, Literal

from pydantic import Field

from causeway.catalogue import document_rules
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


class BearerAuthentication(Request):
    """A token in the header Authorization."""

    type: Literal["bearer"]
    token: _OneLine = Field(examples=["{api_key}"])


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


class ClientCredentials(Request):
    """Request a token with the client's own credentials, then send it as a bearer token."""

    type: Literal["oauth2_client_credentials"]
    token_path: Annotated[str, Text(2000, least=0), checked_by(document_rules.path_fault)] = Field(
        description="Appended to the base URL.", examples=["/oauth/token"]
    )
    client_id: Filled = Field(examples=["{client_id}"])
    client_secret: Filled = Field(examples=["{client_secret}"])
    client_auth: Literal["basic", "body"] = Field(description="Where the client's credentials stand.")
    scope: Omittable[Filled] = Field(None, examples=["read"])


class RefreshToken(Request):
    """Request a token with a refresh token, then send it as a bearer token."""

    type: Literal["oauth2_refresh_token"]
    token_url: Annotated[str, Text(pattern="https://[!-~]{1,500}"), checked_by(document_rules.url_fault)] = Field(
        examples=["https://oauth.example/token"]
    )
    client_id: Filled = Field(examples=["{client_id}"])
    client_secret: Filled = Field(examples=["{client_secret}"])
    refresh_token: Filled = Field(examples=["{refresh_token}"])


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
