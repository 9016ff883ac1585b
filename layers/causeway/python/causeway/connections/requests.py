"""Requests about connections, parsed and checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from causeway.errors.connections import ConnectionNotFound
from causeway.errors.requests import InvalidRequest
from causeway.wire.fields import choice_field, known_fields, object_field, parse_uuid, text_field
from causeway.wire.names import name_field
from causeway.wire.pages import Listing, PageRequest

STATUSES = ("pending", "active", "error", "disconnected")
ENVIRONMENTS = ("production", "sandbox")


@dataclass(frozen=True, slots=True)
class ConnectionDraft:
    """POST /integrations: a new connection. config has settings and secrets, as the template's config_schema says."""

    template_id: str
    name: str
    description: str
    environment: str
    config: dict[str, Any]

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest, which names the field."""
        known_fields(body, {"templateId", "name", "description", "environment", "config"})
        return cls(
            text_field(body, "templateId", 64),
            name_field(body, "name", 100),
            text_field(body, "description", 1000, ""),
            str(choice_field(body, "environment", ENVIRONMENTS, "production")),
            object_field(body, "config"),
        )


@dataclass(frozen=True, slots=True)
class Change:
    """PATCH /integrations/{id}. An attribute that is None stays as it is.

    Attributes:
        config: fields to set; null removes a field; other fields stay as they are.
    """

    name: str | None
    description: str | None
    config: dict[str, Any] | None
    environment: str | None = None

    @property
    def reconfigures(self) -> bool:
        """Whether it changes settings, secrets or the environment, so that a test must come first."""
        return self.config is not None or self.environment is not None

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest, which names the field."""
        known_fields(body, {"name", "description", "environment", "config"})
        if not body:
            raise InvalidRequest("Nothing to change: send name, description, environment or config")
        return cls(
            name_field(body, "name", 100) if "name" in body else None,
            text_field(body, "description", 1000, "") if "description" in body else None,
            object_field(body, "config") if "config" in body else None,
            choice_field(body, "environment", ENVIRONMENTS),
        )


@dataclass(frozen=True, slots=True)
class NewSecrets:
    """POST /integrations/{id}/credentials/rotate: the secrets that replace those in use."""

    config: dict[str, Any]

    @classmethod
    def parse(cls, body: dict[str, Any]) -> Self:
        """Read the body; raises InvalidRequest, which names the field."""
        known_fields(body, {"config"})
        return cls(object_field(body, "config"))


def parse_connection_id(path: Mapping[str, str]) -> UUID:
    """Read a connection's id from a request's path; raises ConnectionNotFound if it is not a UUID."""
    return parse_uuid(path["connection_id"], ConnectionNotFound)


# Newest first.
LISTING = Listing("connections", (datetime, UUID))


@dataclass(frozen=True, slots=True)
class ConnectionFilter:
    """The query of GET /integrations: the filter, of which None selects all, and the page."""

    page: PageRequest
    kind: str | None = None
    status: str | None = None
    provider: str | None = None

    @classmethod
    def parse(cls, query: dict[str, str], tenant_id: UUID) -> Self:
        """Read the query of a caller of this tenant; raises InvalidRequest, which names the parameter."""
        return cls(
            LISTING.request(query, tenant_id, "kind", "status", "provider"),
            text_field(query, "kind", 64) if "kind" in query else None,
            choice_field(query, "status", STATUSES),
            text_field(query, "provider", 64) if "provider" in query else None,
        )
