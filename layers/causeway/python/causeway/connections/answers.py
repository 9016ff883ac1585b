"""Answers about connections, as callers see them: without secrets, and what would happen if they were used now."""

from math import ceil
from typing import TYPE_CHECKING, Any, Literal, Self

from pydantic import Field

from causeway.connections.connection import EXTERNAL, ConnectionRow, Environment, Health, Status
from causeway.rate_limits.limits import RESERVE, Limits, most
from causeway.wire import example_ids, path_ids
from causeway.wire.field_types import Id, JsonObject, Time, Version
from causeway.wire.models import Answer

if TYPE_CHECKING:
    # Functions that call no platform load this module.
    from causeway.platforms.calls import AccountTest


class LastCheck(Answer):
    """The last check of a connection: a test, or a call that changed its health."""

    status: Health = Field(description="healthy only if the connection can be used now.")
    code: str = Field(examples=["CONNECTED"])
    checked_at: Time


class Connection(Answer):
    """A connection without its secrets."""

    connection_id: Id = Field(alias="id")
    provider_key: str = Field(alias="templateId", examples=["gohighlevel"])
    kind: str = Field(examples=["crm"])
    name: str = Field(examples=["Front desk"])
    description: str = Field(examples=["Bookings of the front desk"])
    environment: Environment
    external_id: str | None = Field(description="The tenant's own id of it.", examples=[example_ids.EXTERNAL_ID])
    external_id_in_path: str | None = Field(
        description="What a path may have in place of the id: ext: and the external id, or b64: and the base64url of "
        "both.",
        examples=[f"ext:{example_ids.EXTERNAL_ID}"],
    )
    metadata: JsonObject = Field(
        description="What the tenant stores with it; no secrets.", examples=[{"floor": 2, "team": "bookings"}]
    )
    status: Status = Field(examples=["active"])
    is_active: bool = Field(description="Whether it can be used now.", examples=[True])
    error_message: str | None = Field(description="The error and the next action.", examples=[None])
    last_check: LastCheck | None = Field(description="Null before the first check.")
    last_sync_at: Time | None = Field(examples=[None])
    created_by: str = Field(description="A person's subject or a key's id.", examples=[example_ids.SUBJECT])
    created_at: Time
    updated_at: Time
    version: Version
    config: JsonObject = Field(
        {},
        description="The settings, without the secrets; shown only to roles with connections.read.",
        examples=[{"locationId": example_ids.LOCATION_ID}],
    )
    rollback_until: Time | None = Field(
        None,
        description="The last rotation can be rolled back until then; only in the answer to GET, and only where there "
        "is a rotation to roll back.",
    )


# The fields that are answered as they are stored.
_STORED = (
    *("connection_id", "provider_key", "kind", "name", "description", "environment", "external_id", "metadata"),
    *("last_sync_at", "created_by", "created_at", "updated_at", "version"),
)


def shown(connection: ConnectionRow, *, with_config: bool) -> Connection:
    """Return a connection as it is answered. with_config: staff do not see the settings."""
    answer = Connection(
        **{name: getattr(connection, name) for name in _STORED},
        external_id_in_path=connection.external_id and path_ids.encode(connection.external_id, EXTERNAL),
        status=connection.shown_status,
        is_active=connection.use_error is None,
        error_message=connection.shown_error,
        last_check=_last_check(connection),
    )
    return answer.model_copy(update={"config": connection.config}) if with_config else answer


def _last_check(connection: ConnectionRow) -> LastCheck | None:
    check = connection.last_check
    if check is None:
        return None
    status, code = check.health, check.code
    error = connection.error_behind(status)
    if error is not None:
        status, code = "down", error.code
    return LastCheck(status=status, code=code, checked_at=check.checked_at)


def audited(connection: ConnectionRow) -> dict[str, Any]:
    """Return a connection as the audit log's entries show it.

    It is without the last check: that is an observation, not a change by a person.
    """
    settings = shown(connection, with_config=True).as_json()
    del settings["lastCheck"]
    return settings


class WindowLimits(Answer):
    """The most requests in each window; null: no limit."""

    minute: int | None = Field(examples=[60])
    hour: int | None = Field(examples=[2000])
    day: int | None = Field(examples=[None])
    month: int | None = Field(examples=[None])


class ConnectionLimits(Answer):
    """The limits of a connection's requests to its platform."""

    connection_id: Id = Field(alias="id")
    limits: WindowLimits = Field(description="What counts: the admin's limit where there is one, or the template's.")
    own: WindowLimits = Field(description="The admin's.")
    template: WindowLimits = Field(description="The template's.")
    most: WindowLimits = Field(description="The largest that an admin may set.")
    reserve_percent: int = Field(
        description="The share of each window that only payments and messages may use.", examples=[RESERVE]
    )
    version: Version


def limits(connection: ConnectionRow) -> ConnectionLimits:
    """Return the limits of a connection as they are answered."""
    return ConnectionLimits(
        connection_id=connection.connection_id,
        limits=WindowLimits.of_row(connection.limits),
        own=WindowLimits.of_row(Limits(**connection.rate_limits)),
        template=WindowLimits.of_row(Limits(**connection.template_rate_limits)),
        most=WindowLimits.of_row(most(connection.template_rate_limits)),
        reserve_percent=RESERVE,
        version=connection.version,
    )


class AccountDetails(Answer):
    """The account at the platform, as the platform names it; null: the platform does not tell it, or it is a replay."""

    account_name: str | None = Field(examples=["Causeway sandbox"])
    account_id: str | None = Field(examples=["5DP4iH6HLkQsiKESj6rh"])
    location_id: str | None = Field(examples=[example_ids.LOCATION_ID])


class _Outcome(Answer):
    """The outcome of calls: its code, a sentence, and what to do next."""

    code: str = Field(examples=["CONNECTED"])
    message: str = Field(examples=["The platform accepts these credentials."])
    next_action: str = Field(examples=["Nothing to do; the connection is active."])


class ConnectionTest(_Outcome):
    """The result of a test."""

    success: bool = Field(examples=[True])
    tested: list[str] = Field(
        description="Secret fields that the platform accepted in this test.", examples=[["apiKey"]]
    )
    untested: list[str] = Field(description="Secret fields that the test call does not use.", examples=[[]])
    response_ms: int = Field(ge=0, description="Of all its calls together, in milliseconds.", examples=[120])
    details: AccountDetails

    def unnamed(self) -> Self:
        """Return the result without the account, whose name may be a person's."""
        return self.model_copy(update={"details": AccountDetails(account_name=None, account_id=None, location_id=None)})


def test_result(result: "AccountTest") -> ConnectionTest:
    """Return the result of a test as it is answered."""
    verdict = result.verdict
    return ConnectionTest(
        success=verdict.success,
        code=verdict.code,
        message=verdict.message,
        next_action=verdict.next_action,
        tested=list(verdict.tested),
        untested=list(verdict.untested),
        response_ms=result.response_ms,
        details=AccountDetails.model_validate(result.details),
    )


def audited_test(result: "AccountTest") -> dict[str, Any]:
    """Return the result of a test as the audit log's entries show it.

    It is without the account: an account's name may be a person's, and the log cannot erase it.
    """
    outcome = test_result(result).as_json()
    del outcome["details"]
    return outcome


class ConnectionCheck(_Outcome):
    """What tests and calls have shown of a connection."""

    status: Health
    response_ms: int | None = Field(ge=0, description="Null: not measured.", examples=[120])
    checked_at: Time
    changed_at: Time


class ConnectionChecks(Answer):
    """The checks of a connection by what is checked; null before the first."""

    connection: ConnectionCheck | None


class CircuitBreaker(Answer):
    """A circuit breaker: open while the platform failed often and is not called, half_open while one call tries it."""

    state: Literal["closed", "open", "half_open"] = Field(examples=["closed"])
    openings: int = Field(ge=0, description="How often it opened in a row.", examples=[0])
    retry_after: int | None = Field(ge=0, description="Seconds until a call may try the platform.", examples=[None])
    changed_at: Time | None = Field(description="Null while it is closed.", examples=[None])


class ConnectionHealth(Answer):
    """The health of a connection: healthy only if it can be used now."""

    connection_id: Id = Field(alias="id")
    name: str = Field(examples=["Front desk"])
    type: str = Field(description="The template's id.", examples=["gohighlevel"])
    status: Status = Field(examples=["active"])
    is_active: bool = Field(examples=[True])
    last_sync: Time | None = Field(examples=[None])
    error_message: str | None = Field(examples=[None])
    circuit_breaker: CircuitBreaker
    checks: ConnectionChecks


def health(connection: ConnectionRow, observed: Any) -> ConnectionHealth:
    """Return a connection's health as it is answered.

    Args:
        connection: as it is.
        observed: its row of health.observed; None: nothing was observed.
    """
    return ConnectionHealth(
        connection_id=connection.connection_id,
        name=connection.name,
        type=connection.provider_key,
        status=connection.shown_status,
        is_active=connection.use_error is None,
        last_sync=connection.last_sync_at,
        error_message=connection.shown_error,
        circuit_breaker=_circuit_breaker(connection),
        checks=ConnectionChecks(connection=None if observed is None else _check(connection, observed)),
    )


def _circuit_breaker(connection: ConnectionRow) -> CircuitBreaker:
    circuit = connection.circuit
    if circuit is None:
        return CircuitBreaker(state="closed", openings=0, retry_after=None, changed_at=None)
    left = max(ceil(circuit.seconds), 0)
    return CircuitBreaker(
        state=circuit.state, openings=circuit.openings, retry_after=left, changed_at=circuit.changed_at
    )


def _check(connection: ConnectionRow, observed: Any) -> ConnectionCheck:
    check = ConnectionCheck.of_row(observed)
    error = connection.error_behind(check.status)
    if error is None:
        return check
    now = {"status": "down", "code": error.code, "message": error.sentence, "next_action": error.action}
    return check.model_copy(update=now)
