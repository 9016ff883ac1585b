"""Requests about connections, parsed and checked."""

from collections.abc import Mapping
from typing import Annotated
from uuid import UUID

from pydantic import Field

from causeway.catalogue.keys import KEY, Kind
from causeway.connections.connection import Environment, Status
from causeway.errors.connections import ConnectionNotFound
from causeway.wire import example_ids
from causeway.wire.field_readers import parse_uuid
from causeway.wire.field_types import JsonObject, Name, Omittable, Text
from causeway.wire.models import Change, Request
from causeway.wire.page_models import PageQuery


class ConnectionDraft(Request):
    """A new connection."""

    template_id: Annotated[str, Text(64)] = Field(examples=["gohighlevel"])
    name: Annotated[str, Name(100)] = Field(examples=["Front desk"])
    description: Annotated[str, Text(1000, least=0)] = ""
    environment: Environment = "production"
    config: JsonObject = Field(
        description="Settings and secrets: the fields that the template's configSchema asks for.",
        examples=[{"apiKey": "pit-sandbox-gohighlevel", "locationId": example_ids.LOCATION_ID}],
    )


class ConnectionChange(Change):
    """A change of a connection; what is left out stays as it is."""

    name: Omittable[Annotated[str, Name(100)]] = None
    description: Omittable[Annotated[str, Text(1000, least=0)]] = Field(None, examples=["Bookings of the front desk"])
    environment: Omittable[Environment] = Field(
        None, description="A change of the environment requires all secrets again."
    )
    config: Omittable[JsonObject] = Field(
        None, description="Fields to set; null removes a field, fields that are not sent stay."
    )

    @property
    def reconfigures(self) -> bool:
        """Whether it changes settings, secrets or the environment, so that a test must come first."""
        return self.config is not None or self.environment is not None


class NewSecrets(Request):
    """The secrets that replace those in use."""

    config: JsonObject = Field(
        description="Secret fields of the template's configSchema.",
        examples=[{"apiKey": "pit-sandbox-gohighlevel-rotated"}],
    )


def parse_connection_id(path: Mapping[str, str]) -> UUID:
    """Read a connection's id from a request's path; raises ConnectionNotFound if it is not a UUID."""
    return parse_uuid(path["connection_id"], ConnectionNotFound)


class ConnectionQuery(PageQuery):
    """The connections that are listed."""

    filtered_by = ("kind", "status", "provider")

    kind: Omittable[Kind] = Field(None, examples=["crm"])
    status: Omittable[Status] = None
    provider: Omittable[Annotated[str, Text(pattern=KEY.pattern)]] = Field(
        None, description="A template's id.", examples=["gohighlevel"]
    )
