"""The part `oauth` of a template's document: how a person authorizes a connection (RFC 6749, 4.1)."""

from typing import Annotated, Literal

from pydantic import Field

from causeway.catalogue import document_rules
from causeway.catalogue.rate_limits import RateLimits
from causeway.wire.field_types import Omittable, Text, checked_by
from causeway.wire.models import Request

_Url = Annotated[str, Text(pattern="https://[!-~]{1,500}"), checked_by(document_rules.url_fault)]
_FieldName = Annotated[str, Text(pattern="[A-Za-z][A-Za-z0-9_]{0,63}")]
_Parameter = Annotated[str, Text(64, pattern="[0-9A-Za-z_-]+")]
_Value = Annotated[str, Text(500, least=0, pattern="[ -~]*")]
_Scope = Annotated[str, Text(pattern="[!-+.-~]{1,200}")]
_ErrorCode = Annotated[str, Text(pattern="[0-9A-Za-z_.-]{1,64}")]


class OAuth(Request):
    """The authorization code flow of a platform. In the URLs, {name} stands for the connection's setting of that name.

    The names that end in Field are fields of the configSchema. A connection is made without the fields that its
    authorization fills, and without those of the OAuth app where the deployment has an app of its own.
    """

    authorize_url: _Url = Field(
        description="Where the person consents.", examples=["https://platform.example/oauth/authorize"]
    )
    authorize_parameters: dict[_Parameter, _Value] = Field(
        default_factory=dict, max_length=10, description="Further parameters of that page.", examples=[{}]
    )
    token_url: Omittable[_Url] = Field(
        None,
        description="Where the code is exchanged for tokens. An authentication of the type oauth2_refresh_token "
        "describes this endpoint: then it must be absent.",
        examples=["https://platform.example/oauth/token"],
    )
    exchange_url: Omittable[_Url] = Field(None, description="Where a short-lived token is exchanged for a long-lived.")
    account_url: Omittable[_Url] = Field(None, description="Where the platform tells the account of a token.")
    pkce: Literal["off", "S256", "S256_hex"] = Field(
        "off", description="Whether the call proves who began (RFC 7636); S256_hex: the challenge is in hexadecimal."
    )
    scopes: list[_Scope] = Field(max_length=30, description="What is asked for.", examples=[["contacts.read"]])
    scope_separator: Literal[" ", ","] = " "
    state_returned: bool = Field(
        True,
        description="Whether the platform returns `state`; otherwise each authorization has a redirect path.",
    )
    decodes_code: bool = Field(False, description="Whether the code is percent-encoded once more than a query is.")
    declined: list[_ErrorCode] = Field(
        default_factory=lambda: ["access_denied"],
        min_length=1,
        max_length=5,
        description="The errors that mean that the person declined.",
    )
    client_id_field: _FieldName = Field(description="The app's id.", examples=["client_id"])
    client_secret_field: _FieldName = Field(description="The app's secret.", examples=["client_secret"])
    access_token_field: Omittable[_FieldName] = Field(None, description="Secret that is the access token.")
    refresh_token_field: Omittable[_FieldName] = Field(None, description="Secret that is the refresh token.")
    rate_limits: Omittable[RateLimits] = Field(
        None,
        description="What the deployment's own app may call in each window, for all its connections together. Absent: "
        "the platform has no limit of an app.",
    )
    setting_fields: list[_FieldName] = Field(
        default_factory=list, max_length=5, description="Settings that the platform tells.", examples=[[]]
    )
