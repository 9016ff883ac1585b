"""The document of a template: what a file of the catalogue and a super admin say about a platform.

It is written in two spellings: display_name in a file and in the database, displayName in the API.
"""

from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.alias_generators import to_camel

from causeway.catalogue import config_schema, document_rules, patterns, validation
from causeway.catalogue.authentication import Authentication, Filled, HeaderName
from causeway.catalogue.keys import KEY, Kind
from causeway.catalogue.oauth import OAuth
from causeway.catalogue.rate_limits import RateLimits
from causeway.errors.requests import InvalidRequest
from causeway.outbound.redaction import is_secret_name
from causeway.wire import model_problems
from causeway.wire.field_types import JsonObject, Name, Omittable, Text, checked_by, checked_by_parts
from causeway.wire.models import Request

Key = Annotated[str, Text(pattern=KEY.pattern)]
_BaseUrl = Annotated[
    str,
    Text(pattern="https?://[0-9A-Za-z{][0-9A-Za-z._{}:/-]{0,300}"),
    checked_by(document_rules.url_fault),
    Field(examples=["https://api.example"]),
]


# An object that Postgres can store as it is.
_Json = Annotated[JsonObject, checked_by_parts(validation.unstorable)]


class BaseUrls(Request):
    """The base URL by environment. Null: no such environment, or each customer has another URL."""

    production: _BaseUrl | None
    sandbox: _BaseUrl | None


class CallBody(Request):
    """The body of the test call."""

    type: Literal["json", "form"]
    content: _Json = Field(examples=[{"limit": 1}])


class RefusedWhen(Request):
    """For a platform that refuses with an expected status: the JSON value at this pointer matches the pattern.

    The value is matched as text: true, false, a number's digits.
    """

    pointer: Annotated[str, Text(pattern="/[!-~]{1,200}")] = Field(examples=["/error/code"])
    pattern: Annotated[str, Text(patterns.MOST_CHARACTERS, least=0), checked_by(patterns.fault)] = Field(
        examples=["^auth"]
    )


def _shows_secret(path: str) -> str | None:
    return "must not lead to a secret: it is shown" if any(map(is_secret_name, path.split("."))) else None


_AnswerPath = Annotated[
    str,
    Text(pattern="[0-9A-Za-z_-]{1,64}([.][0-9A-Za-z_-]{1,64}){0,7}"),
    checked_by(_shows_secret),
]


class HealthCall(Request):
    """The cheapest call that proves the credentials. It changes nothing at the platform."""

    method: Literal["GET", "POST"]
    path: Annotated[str, Text(pattern="[/{][!-~]{0,500}"), checked_by(document_rules.path_fault)] = Field(
        description="Appended to the base URL.", examples=["/me"]
    )
    query: dict[Filled, Filled] = Field(default_factory=dict, max_length=20)
    headers: dict[HeaderName, Annotated[str, Text(500, least=0, pattern="[ -~]*")]] = Field(
        default_factory=dict, max_length=20, json_schema_extra={"additionalProperties": False}
    )
    body: Omittable[CallBody] = None
    expect: list[Annotated[int, Field(ge=100, le=599)]] = Field(
        min_length=1,
        max_length=10,
        description="The statuses that mean that the credentials are good.",
        examples=[[200]],
    )
    refused_when: Omittable[RefusedWhen] = None
    details: Omittable[
        Annotated[dict[Literal["accountName", "accountId", "locationId"], _AnswerPath], Field(min_length=1)]
    ] = Field(
        None,
        description="Where the answer tells the account: dotted paths of names. Texts and integers are shown to people "
        "who test a connection, so no path may lead to a secret.",
        examples=[{"accountName": "location.name"}],
    )
    configured_url: bool = Field(False, description="Call the connection's own base_url instead of the base URLs.")
    gets_token: bool = Field(
        False,
        description="This is the call for the access token, made as the authentication says; no further call is made.",
    )


class SharedFields(BaseModel):
    """The fields of a document that are requested and answered alike."""

    model_config = ConfigDict(defer_build=True)

    key: Key = Field(alias="id", examples=["my_platform"])
    kind: Kind = Field(alias="category", examples=["crm"])
    display_name: Annotated[str, Name(100)] = Field(examples=["My platform"])
    description: Annotated[str, Text(500)] = Field(examples=["Contacts and calendars."])
    icon: Annotated[str, Text(2000, pattern="[MmLlHhVvCcSsQqTtAaZz0-9 .,-]+")] | None = Field(
        None,
        description="The data of one SVG path in a view box of 24 by 24; draw it as a line of width 1.5, without a "
        "fill. Null or absent: no icon. Our own drawing, never a vendor's logo.",
        examples=["M4 4H20V20H4Z"],
    )
    config_schema: _Json = Field(
        description="JSON Schema (2020-12) of a connection's configuration. x-secret: true marks a field that is "
        "encrypted.",
        examples=[
            {
                "type": "object",
                "properties": {
                    "api_key": {"type": "string", "pattern": "^[!-~]+$", "maxLength": 256, "x-secret": True}
                },
                "required": ["api_key"],
                "additionalProperties": False,
            }
        ],
    )
    setup_instructions: Annotated[str, Text(8000, least=0)] = Field(
        description="Markdown.", examples=["1. Create an API key.\n"]
    )
    documentation_url: Annotated[str, Text(pattern="https://[!-~]{1,500}")] | None = Field(
        examples=["https://docs.example/"]
    )
    api_version: Annotated[str, Text(50)] | None = Field(examples=["v1"])
    webhook_support: bool = Field(examples=[True])
    webhook_url: (
        Annotated[str, Text(500, pattern="(?:https://|/)[0-9A-Za-z][!-~]*"), checked_by(document_rules.webhook_fault)]
        | None
    ) = Field(
        None,
        description="The address that the platform is told to send its events to: an https URL, or a path of this "
        "deployment. Null or absent: no default.",
        examples=["/webhooks/my_platform"],
    )


class DocumentFields(SharedFields):
    """The fields of a document."""

    base_urls: BaseUrls = Field(examples=[{"production": "https://api.example", "sandbox": None}])
    rate_limits: RateLimits = Field(examples=[{"minute": 600, "hour": 20_000, "day": 200_000, "month": 5_000_000}])
    authentication: Authentication = Field(examples=[{"type": "bearer", "token": "{api_key}"}])
    health_call: HealthCall = Field(examples=[{"method": "GET", "path": "/me", "expect": [200]}])
    oauth: OAuth | None = Field(None, description="Null or absent: no person authorizes a connection.", examples=[None])


class TemplateDraft(DocumentFields, Request):
    """A platform that tenants can connect to.

    In the base URLs, the authentication and the test call, {name} stands for the connection's field of that name, or
    for its default.
    """

    @classmethod
    def of_file(cls, fields: dict[str, Any]) -> Self:
        """Return the document of a file of the catalogue, checked.

        Args:
            fields: of the file; $comment is not a part of the document.

        Raises:
            InvalidRequest, ConfigSchemaInvalid: the sentence names paths in the file's spelling.
        """
        fields = {name: value for name, value in fields.items() if name != "$comment"}
        try:
            draft = cls.model_validate(fields, by_alias=False, by_name=True)
        except ValidationError as invalid:
            # Not raised from it: its errors have the values.
            raise InvalidRequest.of_problems(model_problems.of(invalid, cls, list(cls.model_fields))) from None
        draft.check(by_alias=False)
        return draft

    def check(self, *, by_alias: bool = True) -> None:
        """Check what no field shows by itself: the config_schema, references to its fields, addresses.

        Args:
            by_alias: the sentence has the API's names; False: those of a file.

        Raises:
            ConfigSchemaInvalid: config_schema.check refuses the config_schema.
            InvalidRequest: document_rules has problems.
        """
        spell = to_camel if by_alias else str
        config_schema.check(self.config_schema, spell("config_schema"))
        document = self.model_dump(by_alias=by_alias, exclude_unset=True)
        wrong = list(document_rules.problems(document, spell))
        if wrong:
            raise InvalidRequest.of_problems(wrong)

    def columns(self) -> dict[str, Any]:
        """Return the values of the columns in integration_providers, by field; the JSON as it was sent."""
        sent = self.model_dump(exclude_unset=True)
        return {name: sent.get(name) for name in type(self).model_fields}
