"""Requests about connections, parsed and checked."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import Field

from causeway.catalogue.keys import KEY, Kind
from causeway.connections.connection import (
    EXTERNAL_ID,
    EXTERNAL_ID_RULE,
    ConnectionReference,
    Environment,
    Status,
    parse_reference,
)
from causeway.connections.metadata import Metadata
from causeway.rate_limits.limits import MOST
from causeway.wire import example_ids
from causeway.wire.field_types import JsonObject, Name, Omittable, Text
from causeway.wire.models import Change, Request
from causeway.wire.page_models import PageQuery

_ExternalId = Annotated[str, Text(pattern=EXTERNAL_ID.pattern, rule=EXTERNAL_ID_RULE)]


class ConnectionDraft(Request):
    """A new connection."""

    template_id: Annotated[str, Text(64)] = Field(examples=["gohighlevel"])
    name: Annotated[str, Name(100)] = Field(examples=["Front desk"])
    description: Annotated[str, Text(1000, least=0)] = ""
    environment: Environment = "production"
    external_id: _ExternalId | None = Field(
        None,
        description="Your own id of the connection: it stands in paths after ext:, and no other connection has it.",
        examples=[example_ids.EXTERNAL_ID],
    )
    metadata: Metadata = Field({}, examples=[{"floor": 2, "team": "bookings"}])
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
    external_id: _ExternalId | None = Field(None, description="null removes it.")
    metadata: Omittable[Metadata] = Field(
        None, description="Replaces the metadata as a whole.", examples=[{"floor": 3, "team": "bookings"}]
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


_Limit = Annotated[int, Field(ge=1, le=MOST)]


class LimitsDraft(Request):
    """The limits that an admin sets; a window that is left out or null has the template's limit."""

    minute: _Limit | None = Field(None, examples=[60])
    hour: _Limit | None = Field(None, examples=[2000])
    day: _Limit | None = Field(None, examples=[None])
    month: _Limit | None = Field(None, examples=[None])


def parse_connection_id(path: Mapping[str, str]) -> ConnectionReference:
    """Read from a request's path which connection is meant: its id, or ext: and its external id.

    Raises:
        ConnectionNotFound: no connection can have such an id.
    """
    return parse_reference(path["connection_id"])


class ConnectionQuery(PageQuery):
    """The connections that are listed."""

    filtered_by = ("kind", "status", "provider", "external_id")

    kind: Omittable[Kind] = Field(None, examples=["crm"])
    status: Omittable[Status] = None
    provider: Omittable[Annotated[str, Text(pattern=KEY.pattern)]] = Field(
        None, description="A template's id.", examples=["gohighlevel"]
    )
    external_id: Omittable[_ExternalId] = Field(None, examples=[example_ids.EXTERNAL_ID])
