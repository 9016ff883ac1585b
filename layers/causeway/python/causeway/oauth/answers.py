"""Answers about authorizations and OAuth apps."""

from pydantic import Field

from causeway.connections.answers import Connection, ConnectionTest
from causeway.wire import example_ids
from causeway.wire.field_types import Time, Version
from causeway.wire.models import Answer


class Authorization(Answer):
    """An authorization that was begun."""

    url: str | None = Field(
        description="Where the person consents. Null in a replay, because the URL is good for one use: begin again.",
        examples=["https://platform.example/oauth/authorize?response_type=code"],
    )
    expires_at: Time = Field(description="Until then it must be completed.")


class AuthorizedConnection(Answer):
    """A connection whose authorization was completed."""

    connection: Connection
    test: ConnectionTest
    scopes_granted: list[str] | None = Field(
        description="Null: the platform does not say.", examples=[["contacts.readonly"]]
    )
    scopes_missing: list[str] = Field(
        description="What was asked for and not granted; the connection works without it.", examples=[[]]
    )


class OAuthApp(Answer):
    """The deployment's own OAuth app at a platform, without its secret."""

    provider_key: str = Field(alias="templateId", examples=["gohighlevel"])
    client_id: str = Field(examples=["causeway.apps.platform.example"])
    updated_by: str = Field(description="The super admin's subject.", examples=[example_ids.SUBJECT])
    updated_at: Time
    version: Version
