"""A template changed after its connections were made: it cannot judge stored secrets, or send them elsewhere."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import pytest

from causeway.connections import changes, testing
from causeway.connections.connection import ConnectionRow
from causeway.connections.requests import ConnectionChange, ConnectionDraft, NewSecrets
from causeway.errors.catalogue import ConfigSchemaInvalid
from causeway.errors.connections import TemplateMoved
from causeway.errors.tree import CausewayError
from causeway.errors.vault import NothingToRollBack
from causeway.tenancy.context import RequestContext
from causeway.wire.preconditions import ANY
from tests.hub.client import ADMIN, DEPLOYMENT_ADMIN, SUPER_ADMIN, Hub, config, draft, exactly
from tests.hub.conftest import Platform

Rows = Callable[..., list[Any]]
Inside = Callable[..., RequestContext]
_TEMPLATE = "/integrations/templates/softswiss"
_SECRETS = {"api_key": "sk-hidden", "api_secret": "zz-hidden"}


@pytest.fixture
def judged_by(hub: Hub, rows: Rows) -> Iterator[Callable[[str], None]]:
    """Has a super admin change the template: no secret is required or sent, and a secret field gets a pattern."""
    [before] = rows(
        "SELECT authentication::text AS authentication, health_call::text AS call, config_schema::text AS schema, "
        "changed_by_admin AS changed FROM integration_providers WHERE provider_key = 'softswiss'"
    )

    def change(pattern: str) -> None:
        shown = hub.call("GET", _TEMPLATE, DEPLOYMENT_ADMIN)
        schema, call = shown.json["configSchema"], shown.json["healthCall"]
        schema["required"] = ["casino_id", "environment"]
        schema["properties"]["api_key"]["pattern"] = pattern
        wanted = {
            "configSchema": schema,
            "authentication": {"type": "none"},
            "healthCall": call | {"headers": {}},
        }
        changed = hub.call("PATCH", _TEMPLATE, DEPLOYMENT_ADMIN, wanted, if_match=shown.etag)
        assert changed.status == 200, changed

    yield change
    rows(
        "UPDATE integration_providers SET authentication = %s::jsonb, health_call = %s::jsonb, "
        "config_schema = %s::jsonb, changed_by_admin = %s WHERE provider_key = 'softswiss'",
        [before.authentication, before.call, before.schema, before.changed],
    )


@pytest.fixture
def connection_id(inside: Inside, platform: Platform) -> UUID:
    """A working connection with two secrets; its platform also accepts calls without any."""
    platform.keys = {_SECRETS["api_key"], ""}
    wanted = draft(config=config(base_url=platform.url) | _SECRETS)
    return changes.create(inside(ADMIN), ConnectionDraft.parse(wanted)).connection_id


def statuses(rows: Rows, connection_id: UUID) -> list[str]:
    statement = "SELECT status FROM api_credential_versions WHERE connection_id = %s ORDER BY version"
    return [row.status for row in rows(statement, [connection_id])]


def reconfigured(rows: Rows, context: RequestContext, connection_id: UUID, wanted: dict[str, Any]) -> ConnectionRow:
    """Change the connection's current config."""
    [row] = rows("SELECT version FROM integration_connections WHERE connection_id = %s", [connection_id])
    return changes.change(context, connection_id, exactly(row.version), ConnectionChange(config=wanted))


@pytest.mark.parametrize("given", [{}, dict.fromkeys(_SECRETS)], ids=["nothing", "null for each secret"])
def test_admin_cannot_read_a_secret_character_by_character(
    inside: Inside, rows: Rows, judged_by: Callable[[str], None], connection_id: UUID, given: dict[str, Any]
) -> None:
    """HUB 1: by agreeing to a template that requires no secret and validates the stored one."""
    context = inside(ADMIN)
    told = []
    for first in "st":
        judged_by(f"^{first}")
        for _ in range(2):
            try:
                reconfigured(rows, context, connection_id, given)
                told.append("changed")
            except CausewayError as error:
                told.append(type(error).__name__)

    assert told[:2] == told[2:]


def test_secret_is_not_sent_in_a_way_the_admin_has_not_agreed_to(
    inside: Inside, hub: Hub, rows: Rows, platform: Platform, connection_id: UUID
) -> None:
    """HUB 1: only the authentication was changed; until every secret is given again, nothing is sent."""
    context = inside(ADMIN)
    [before] = rows(
        "SELECT authentication::text AS authentication, changed_by_admin AS changed FROM integration_providers "
        "WHERE provider_key = 'softswiss'"
    )
    shown = hub.call("GET", _TEMPLATE, DEPLOYMENT_ADMIN)
    wanted = {"authentication": {"type": "header", "name": "X-Collected", "value": "{api_secret}"}}
    changed = hub.call("PATCH", _TEMPLATE, DEPLOYMENT_ADMIN, wanted, if_match=shown.etag)
    assert changed.status == 200, changed
    calls = platform.calls
    try:
        for use in (testing.test_and_save, changes.enable):
            with pytest.raises(TemplateMoved):
                use(context, connection_id, ANY)
        with pytest.raises(ConfigSchemaInvalid, match=r"config\.api_secret is missing"):
            reconfigured(rows, context, connection_id, {"api_key": _SECRETS["api_key"]})
        assert platform.calls == calls
        assert reconfigured(rows, context, connection_id, dict(_SECRETS)).status == "active"
        assert platform.calls > calls
    finally:
        rows(
            "UPDATE integration_providers SET authentication = %s::jsonb, changed_by_admin = %s "
            "WHERE provider_key = 'softswiss'",
            [before.authentication, before.changed],
        )


def test_agreeing_to_a_template_without_secrets_leaves_none_active(
    inside: Inside, hub: Hub, rows: Rows, judged_by: Callable[[str], None], connection_id: UUID
) -> None:
    """HUB 1: the terms change together with the credential that was given for them, even an empty one."""
    context = inside(ADMIN)
    changes.rotate(context, connection_id, NewSecrets(config={"api_secret": "zz-other"}), ANY)
    judged_by("^t")
    agreed = reconfigured(rows, context, connection_id, dict.fromkeys(_SECRETS))

    assert agreed.status == "active"
    assert statuses(rows, connection_id) == ["retired", "retired", "active"]
    assert rows("SELECT field FROM api_credentials WHERE connection_id = %s AND version = 3", [connection_id]) == []
    assert testing.test_and_save(context, connection_id, ANY)[0].verdict.success
    with pytest.raises(NothingToRollBack):
        changes.roll_back(context, connection_id, ANY)
    [changed, retired] = hub.audited(f"/integrations/{connection_id}")[-3:-1]
    assert (changed["action"], retired["action"]) == ("connection.changed", "credential.retired")
    assert (changed["before"]["secrets"], changed["after"]["secrets"]) == ({}, {})


@pytest.mark.parametrize("given", [{}, {"api_key": "t-new"}], ids=["none", "one of two"])
def test_omitted_secret_is_not_lost_by_agreeing(
    inside: Inside, rows: Rows, judged_by: Callable[[str], None], connection_id: UUID, given: dict[str, Any]
) -> None:
    """A rotation does not agree either: every active secret must be given again, or removed by name."""
    context = inside(ADMIN)
    judged_by("^t")
    with pytest.raises(TemplateMoved):
        reconfigured(rows, context, connection_id, given)
    if given:
        with pytest.raises(TemplateMoved):
            changes.rotate(context, connection_id, NewSecrets(config=given), ANY)

    assert statuses(rows, connection_id) == ["active"]
    for use in (testing.test_and_save, changes.enable, changes.roll_back):
        with pytest.raises(TemplateMoved):
            use(context, connection_id, ANY)


def test_change_of_the_name_does_not_agree_to_a_template(
    inside: Inside, rows: Rows, judged_by: Callable[[str], None], connection_id: UUID
) -> None:
    context = inside(SUPER_ADMIN)
    judged_by("^t")
    [row] = rows("SELECT version FROM integration_connections WHERE connection_id = %s", [connection_id])
    changes.change(context, connection_id, exactly(row.version), ConnectionChange(description="described anew"))

    with pytest.raises(TemplateMoved):
        testing.test_and_save(context, connection_id, ANY)
