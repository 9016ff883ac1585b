"""A tenant's connection to a provider, without its secrets: whether it can be used, and what it shows."""

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from causeway.catalogue import terms
from causeway.errors.connections import ConnectionNotFound, IntegrationNotActive, TemplateMoved
from causeway.errors.platforms import AuthorizationRequired
from causeway.errors.tree import CausewayError
from causeway.errors.vault import CredentialMissing, CredentialUnreadable
from causeway.rate_limits import limits
from causeway.rate_limits.limits import Limits
from causeway.rate_limits.subjects import Subject
from causeway.wire import path_ids
from causeway.wire.field_readers import is_storable, parse_uuid

Environment = Literal["production", "sandbox"]
Status = Literal["pending", "active", "error", "disconnected"]
Health = Literal["healthy", "degraded", "down"]

# An external id. API Gateway cuts a path at an encoded question mark, so that a?b would be taken for a.
EXTERNAL_ID = re.compile(r"[^?\x00-\x1f\x7f]{1,255}")
EXTERNAL_ID_RULE = "must have 1 to 255 characters, without question marks and control characters"
# In a path it stands before an external id.
EXTERNAL = "ext:"


@dataclass(frozen=True, slots=True)
class ExternalReference:
    """The connection to which its tenant gave this id, and which is not deleted."""

    external_id: str


# What names a connection of a tenant: our id, or the tenant's own.
ConnectionReference = UUID | ExternalReference


def parse_reference(text: str) -> ConnectionReference:
    """Read which connection is meant: its id, or ext: and its external id.

    Raises:
        ConnectionNotFound: no connection can have such an id.
    """
    if not text.startswith(EXTERNAL):
        return parse_uuid(text, ConnectionNotFound)
    external_id = text.removeprefix(EXTERNAL)
    if not EXTERNAL_ID.fullmatch(external_id) or not is_storable(external_id):
        raise ConnectionNotFound
    return ExternalReference(external_id)


def parse_reference_in_body(text: str) -> ConnectionReference:
    """Read which connection the field connection_id of a body means, in any form that a path can hold.

    Raises:
        InvalidRequest: the text is not b64: and the base64url form of an id.
        ConnectionNotFound: no connection can have such an id.
    """
    return parse_reference(path_ids.in_body("connection_id", text))


# Errors of a stored credential, by code; rotate to repair.
_CREDENTIAL_ERRORS = {error.code: error for error in (CredentialUnreadable, CredentialMissing)}
# Error codes of check_usable.
UNUSABLE = (IntegrationNotActive.code, TemplateMoved.code, *_CREDENTIAL_ERRORS)


@dataclass(frozen=True, slots=True)
class Check:
    """What the last check of a connection's settings observed, and the failures and successes in a row until then."""

    health: Health
    code: str
    checked_at: datetime
    failures: int
    successes: int

    @classmethod
    def of_json(cls, values: list[Any]) -> Self:
        """Return it from the values of its fields, in this order, as Postgres writes them in JSON."""
        health, code, checked_at, failures, successes = values
        return cls(health, code, datetime.fromisoformat(checked_at), failures, successes)


@dataclass(frozen=True, slots=True)
class Circuit:
    """A circuit breaker that is not closed.

    Attributes:
        openings: in a row.
        seconds: until a call may try the platform; negative: since then.
        changed_at: when the state changed last.
    """

    state: Literal["open", "half_open"]
    openings: int
    seconds: float
    changed_at: datetime

    @classmethod
    def of_json(cls, values: list[Any]) -> Self:
        """Return it from the values of its fields, in this order, as Postgres writes them in JSON."""
        state, openings, seconds, changed_at = values
        return cls(state, openings, seconds, datetime.fromisoformat(changed_at))


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """A connection; its secrets are in causeway.vault.credentials.

    Attributes:
        kind: the provider's.
        version: counts changes by people: the ETag.
        external_id: the tenant's own id of it, unique among the connections that are not deleted.
        metadata: what the tenant stores with it; it is shown.
        rate_limits: limits by window that the tenant's admin set; template_rate_limits: the template's.
        terms: the digest of the template's terms that the tenant agreed to (terms.digest).
        error_code: of the error that error_message describes; None: no error.
        status_changes: how often the status was set. A test that began before the last change must not undo it.
        changed_template: what terms.digest takes of the template as it is now; None: no super admin changed
            the template.
        last_check: None: these settings were not checked yet.
        circuit: None: the circuit breaker is closed.
    """

    connection_id: UUID
    provider_key: str
    kind: str
    name: str
    description: str
    environment: Environment
    config: dict[str, Any]
    status: Status
    error_message: str | None
    last_sync_at: datetime | None
    version: int
    created_by: str
    created_at: datetime
    updated_at: datetime
    terms: bytes
    error_code: str | None = None
    status_changes: int = 0
    changed_template: list[Any] | None = None
    last_check: Check | None = None
    external_id: str | None = None
    metadata: dict[str, Any] = field(default_factory=dict)
    rate_limits: dict[str, int] = field(default_factory=dict)
    template_rate_limits: dict[str, int] = field(default_factory=dict)
    circuit: Circuit | None = None

    @property
    def limits(self) -> Limits:
        """The limits of its requests to the platform."""
        return limits.of_connection(self.template_rate_limits, self.rate_limits)

    @property
    def limited(self) -> Subject:
        """The connection as a subject of the limiter."""
        return Subject("connection", str(self.connection_id), self.limits)

    @property
    def template_changed(self) -> bool:
        """Whether the template's terms are no longer those that the connection's admin agreed to.

        This is the only check of whether secrets may be sent where the template says.
        """
        return self.changed_template is not None and terms.digest(*self.changed_template) != self.terms

    @property
    def _template_error(self) -> TemplateMoved:
        """The error of a changed template, which says so if the connection's environment is gone."""
        base_url, _, health_call, *_ = self.changed_template or [None, {}, {}]
        if base_url or health_call.get("configured_url"):
            return TemplateMoved()
        return TemplateMoved(
            f"The template no longer has the environment {self.environment}, which this connection was made for",
            action="Look at the template's base URLs; send PATCH with an environment that has one, and with a config "
            "that gives every secret again.",
        )

    def check_template(self) -> None:
        """Raise TemplateMoved if secrets may not be sent where the template says."""
        if self.template_changed:
            raise self._template_error

    @property
    def use_error(self) -> CausewayError | None:
        """The error that every use raises before the platform is called; None: the connection can be used."""
        if self.status == "disconnected":
            return IntegrationNotActive("The connection is disabled")
        if self.template_changed:
            return self._template_error
        if self.error_code in _CREDENTIAL_ERRORS:
            return _CREDENTIAL_ERRORS[self.error_code]()
        if self.status == "active":
            return None
        action = AuthorizationRequired.action if self.error_code == AuthorizationRequired.code else ""
        return IntegrationNotActive(self.error_message or "The connection has not been tested yet", action=action)

    def check_usable(self) -> None:
        """Raise use_error, if there is one.

        Raises:
            IntegrationNotActive, TemplateMoved, CredentialUnreadable, CredentialMissing.
        """
        if self.use_error is not None:
            raise self.use_error

    @property
    def shown_status(self) -> Status:
        """The status; error instead of active if a use would fail."""
        return "error" if self.status == "active" and self.template_changed else self.status

    @property
    def shown_error(self) -> str | None:
        """The error and the next action; None if there is no error."""
        if self.template_changed and self.status != "disconnected":
            return f"{self._template_error.sentence}. {self._template_error.action}"
        return self.error_message

    def error_behind(self, health: Health) -> CausewayError | None:
        """Return the error to show in place of a check with this health; None: show the check.

        A connection that cannot be used is not shown as healthy. A check that found its fault has the better reason.
        """
        error = self.use_error
        return None if isinstance(error, IntegrationNotActive) and health != "healthy" else error
