"""Status says whether a connection may be used, health is what is observed: HUB 46, 49 and 53."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import psycopg
import pytest

from causeway.connections import answers, changes, testing
from causeway.connections.requests import ConnectionChange, ConnectionDraft, NewSecrets
from causeway.connections.use import open_connection
from causeway.database.postgres import Database
from causeway.errors.connections import IntegrationNotActive
from causeway.errors.platforms import InvalidCredentials, ProviderError, ProviderForbidden, RateLimited
from causeway.errors.tree import CausewayError
from causeway.jobs.invocations import Invocation, TimeBudget
from causeway.jobs.messages import RowMessage
from causeway.platforms.kinds.sync import Result
from causeway.platforms.open_account import OpenAccount
from causeway.syncs import running, runs
from causeway.tenancy.context import RequestContext
from causeway.wire.preconditions import ANY
from local.stack import Stack
from tests.database.parallel import at_once
from tests.hub.client import DEPLOYMENT_ADMIN, STAFF, Hub, config, draft, machine
from tests.hub.conftest import Platform
from tests.hub.objects import calendars

Rows = Callable[..., list[Any]]
Inside = Callable[..., RequestContext]


@pytest.fixture
def context(inside: Inside) -> RequestContext:
    return inside()


@pytest.fixture
def connection_id(context: RequestContext, platform: Platform) -> UUID:
    """A connection that works."""
    platform.keys = {"good-key", "new-key"}
    wanted = ConnectionDraft.parse(draft(config=config(base_url=platform.url, api_key="good-key")))
    made = changes.create(context, wanted)
    assert made.status == "active"
    return made.connection_id


def call(account: OpenAccount) -> int:
    """Make a call as SOFTSWISS's engine would, which also signs with the key."""
    return account.call("GET", "/players", headers={"x-api-key": account.account.secrets["api_key"]}).status


def use(context: RequestContext, connection_id: UUID) -> int:
    with open_connection(context, connection_id) as account:
        return call(account)


def seen(hub: Hub, connection_id: UUID) -> tuple[str, bool, str]:
    """Status, whether it can be used, and health, as staff sees them; the connection, its health and the list agree."""
    health = hub.call("GET", f"/integrations/{connection_id}/health", STAFF).json
    shown = hub.call("GET", f"/integrations/{connection_id}", STAFF).json
    check = health["checks"]["connection"]
    assert shown["lastCheck"] == {name: check[name] for name in ("status", "code", "checkedAt")}
    assert shown["isActive"] or check["status"] != "healthy"
    newest = hub.call("GET", "/integrations?limit=100", STAFF).json["integrations"]
    assert next(one for one in newest if one["id"] == shown["id"]).items() <= shown.items()
    assert (shown["status"], shown["isActive"], shown["errorMessage"]) == (
        health["status"],
        health["isActive"],
        health["errorMessage"],
    )
    return shown["status"], shown["isActive"], health["checks"]["connection"]["status"]


# ---- A passing fault ----


@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_fault_of_a_test_keeps_the_connection_active(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID, status: int
) -> None:
    """HUB 49: even if it fails again and again; the next call and the next sync work."""
    platform.status = status
    for _ in range(4):
        assert testing.test_and_save(context, connection_id, ANY)[0].verdict.success is False
    now = seen(hub, connection_id)
    platform.status = None

    assert now == ("active", True, "degraded" if status == 429 else "down")
    assert use(context, connection_id) == 200
    assert hub.synced(f"/integrations/{connection_id}")["reason"] == "NO_ENGINE"


def test_machines_test_keeps_the_connection_active(hub: Hub, rows: Rows) -> None:
    """HUB 49: an API key may test at any time. The address is not called, which is no refusal."""
    path = hub.connection()
    identity = path.rsplit("/", 1)[-1]
    rows(
        "UPDATE integration_connections SET status = 'active', error_code = NULL, "
        "error_message = NULL WHERE connection_id = %s",
        [identity],
    )
    caller = machine(hub.new_key()["apiKey"])
    tested = at_once([lambda: hub.call("POST", f"{path}/test", caller)] * 8)

    assert {(reply.status, reply.json["code"]) for reply in tested} == {(200, "BLOCKED_ADDRESS")}
    assert seen(hub, UUID(identity)) == ("active", True, "down")


def test_passing_fault_of_a_call_changes_only_health_which_does_not_flap(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID
) -> None:
    """HUB 46, 49"""
    health = []
    for status in (500, None, 500, None, 500, 500, 500, None, None, None, 500):
        platform.status = status
        if status is None:
            assert use(context, connection_id) == 200
        else:
            with pytest.raises(ProviderError):
                use(context, connection_id)
        health.append(seen(hub, connection_id))

    healthy, degraded, down = (("active", True, word) for word in ("healthy", "degraded", "down"))
    assert health == [*[healthy] * 2, *[degraded] * 4, down, degraded, degraded, healthy, healthy]


def test_rate_limited_or_forbidden_call_does_not_refuse_the_credentials(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID
) -> None:
    """HUB 49: 403 to one call is about that call; otherwise a caller could disable the connection with a bad call."""
    for status, error in ((429, RateLimited), (403, ProviderForbidden)):
        platform.status = status
        with pytest.raises(error):
            use(context, connection_id)

    assert seen(hub, connection_id) == ("active", True, "healthy")


def test_callers_of_a_failing_platform_do_not_wait_and_keep_their_logs(
    context: RequestContext, platform: Platform, connection_id: UUID, rows: Rows, stack: Stack
) -> None:
    """HUB 16: a transaction that locks the connection's row stops no call; only a refusal waits for it."""

    def kept() -> int:
        [count] = rows(
            "SELECT count(*) FROM integration_api_logs WHERE connection_id = %s AND attempt = 1", [connection_id]
        )
        return int(count[0])

    platform.status, before = 500, kept()
    with psycopg.connect(stack.database_urls["superuser"]) as other:
        statement = "SELECT FROM integration_connections WHERE connection_id = %s FOR NO KEY UPDATE"
        other.execute(statement, [connection_id])
        for _ in range(3):
            with pytest.raises(ProviderError):
                use(context, connection_id)
        failed = kept() - before
        platform.status, platform.keys = None, set()
        with pytest.raises(InvalidCredentials):
            use(context, connection_id)

        assert (failed, kept() - before) == (3, 4)
        assert (
            rows("SELECT status FROM integration_health WHERE connection_id = %s", [connection_id])[0][0] == "healthy"
        )


def test_call_without_news_does_not_write_the_connection(
    context: RequestContext, platform: Platform, connection_id: UUID, rows: Rows
) -> None:
    def version() -> tuple[str, str]:
        [one] = rows(
            "SELECT c.xmin::text AS connection, h.xmin::text AS health FROM integration_connections AS c "
            "INNER JOIN integration_health AS h USING (tenant_id, connection_id) WHERE connection_id = %s",
            [connection_id],
        )
        return one.connection, one.health

    use(context, connection_id)
    well = version()
    use(context, connection_id)
    assert version() == well
    platform.status = 500
    seen = []
    for _ in range(5):
        with pytest.raises(ProviderError):
            use(context, connection_id)
        seen.append(version())

    assert well != seen[2] == seen[4]


@pytest.mark.parametrize("known", [True, False], ids=["refused already", "active"])
def test_success_that_started_before_a_refusal_does_not_undo_it(
    context: RequestContext, platform: Platform, connection_id: UUID, *, known: bool
) -> None:
    """HUB 49: the key is revoked while a test waits for its answer, and another test is refused meanwhile."""
    if known:
        platform.status = 401
        testing.test_and_save(context, connection_id, ANY)
        platform.status = None
    elsewhere = replace(context, database=Database())
    verdicts = []

    def meanwhile() -> None:
        platform.meanwhile = lambda: None
        platform.keys = set()
        verdicts.append(testing.test_and_save(elsewhere, connection_id, ANY)[0].verdict.code)
        platform.keys = {"good-key"}

    platform.meanwhile = meanwhile
    older, now = testing.test_and_save(context, connection_id, ANY)
    elsewhere.database.close()

    assert verdicts == ["INVALID_CREDENTIALS"]
    assert older.verdict.success
    assert now.status == "error"
    # A test that starts after the refusal is newer.
    assert testing.test_and_save(context, connection_id, ANY)[1].status == "active"


def test_connection_that_never_worked_stays_pending_until_a_test_succeeds(
    hub: Hub, context: RequestContext, platform: Platform
) -> None:
    """HUB 49: its credentials were never seen to work, so it is not used; it is not called wrong either."""
    platform.keys, platform.status = {"good-key"}, 503
    wanted = ConnectionDraft.parse(draft(config=config(base_url=platform.url, api_key="good-key")))
    made = changes.create(context, wanted)
    connection_id = made.connection_id

    assert seen(hub, connection_id) == ("pending", False, "degraded")
    assert "error of its own" in (made.error_message or "")
    with pytest.raises(IntegrationNotActive, match="error of its own"):
        use(context, connection_id)
    platform.status = None
    assert testing.test_and_save(context, connection_id, ANY)[1].status == "active"
    assert seen(hub, connection_id) == ("active", True, "healthy")


# ---- Refused credentials ----


def test_refused_credentials_make_the_connection_an_error_anywhere(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID
) -> None:
    """HUB 49: in ordinary use too; the next call and sync are refused with the reason, and a test makes it active."""
    platform.keys.clear()
    with pytest.raises(InvalidCredentials):
        use(context, connection_id)

    assert seen(hub, connection_id) == ("error", False, "down")
    calls = platform.calls
    with pytest.raises(IntegrationNotActive, match="does not accept these credentials"):
        use(context, connection_id)
    refused = hub.call("POST", f"/integrations/{connection_id}/sync")
    assert (refused.status, refused.code) == (409, "INTEGRATION_NOT_ACTIVE")
    assert platform.calls == calls

    platform.keys, platform.status = {"good-key"}, 500
    assert testing.test_and_save(context, connection_id, ANY)[1].status == "error"
    assert "does not accept" in hub.call("GET", f"/integrations/{connection_id}").json["errorMessage"]
    platform.status = None
    assert testing.test_and_save(context, connection_id, ANY)[1].status == "active"
    assert seen(hub, connection_id) == ("active", True, "healthy")


@pytest.mark.parametrize("change", ["rename", "rotate", "disable"])
def test_outdated_answer_changes_nothing(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID, rows: Rows, change: str
) -> None:
    """HUB 49: the refusal was of a version or a credential that the connection no longer has."""
    with open_connection(context, connection_id) as account:
        if change == "rotate":
            changes.rotate(context, connection_id, NewSecrets(config={"api_key": "new-key"}), ANY)
        elif change == "disable":
            changes.disable(context, connection_id, ANY)
        else:
            changes.change(context, connection_id, ANY, ConnectionChange(description="renamed"))
        platform.keys.clear()
        with pytest.raises(InvalidCredentials):
            call(account)

    expected = ("disconnected", False, "down") if change == "disable" else ("active", True, "healthy")
    assert seen(hub, connection_id) == expected
    assert rows("SELECT status FROM integration_health WHERE connection_id = %s", [connection_id])[0][0] == "healthy"


def test_disabled_connection_is_not_shown_as_healthy(hub: Hub, context: RequestContext, connection_id: UUID) -> None:
    """HUB 53: the check was good, but no use would work; enabling tests it again."""
    path = f"/integrations/{connection_id}"
    disabled = hub.call("POST", f"{path}/disable").json
    check = hub.call("GET", f"{path}/health").json["checks"]["connection"]

    assert (disabled["lastCheck"]["status"], disabled["lastCheck"]["code"]) == ("down", "INTEGRATION_NOT_ACTIVE")
    assert check["message"] == "The connection is disabled"
    assert seen(hub, connection_id) == ("disconnected", False, "down")
    changes.enable(context, connection_id, ANY)
    assert seen(hub, connection_id) == ("active", True, "healthy")


def test_connection_shows_its_creator_environment_and_the_check_of_its_creation(hub: Hub) -> None:
    """HUB 53: the answer to a change shows the check that the change made, as a later GET does."""
    made = hub.call("POST", "/integrations", body=calendars()).json
    key = hub.new_key()
    shown = hub.call("GET", f"/integrations/{made['id']}", machine(key["apiKey"])).json

    assert (made["environment"], made["createdBy"]) == ("production", key["createdBy"])
    assert made["lastCheck"] | {"checkedAt": ""} == {"status": "healthy", "code": "CONNECTED", "checkedAt": ""}
    assert shown.items() <= made.items()


def test_answer_to_a_change_shows_the_check_of_the_new_credentials(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID
) -> None:
    platform.status = 500
    testing.test_and_save(context, connection_id, ANY)
    before = hub.call("GET", f"/integrations/{connection_id}").json["lastCheck"]
    platform.status = None
    rotated = changes.rotate(context, connection_id, NewSecrets(config={"api_key": "new-key"}), ANY)

    assert before["code"] == "PROVIDER_ERROR"
    assert answers.shown(rotated, with_config=False).as_json()["lastCheck"]["code"] == "CONNECTED"
    assert seen(hub, connection_id) == ("active", True, "healthy")


def test_success_of_a_call_does_not_undo_a_later_refusal(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID
) -> None:
    """HUB 49"""
    with open_connection(context, connection_id) as account:
        platform.keys.clear()
        testing.test_and_save(context, connection_id, ANY)
        platform.keys = {"good-key"}
        assert call(account) == 200

    assert seen(hub, connection_id) == ("error", False, "down")


# ---- What cannot work is not shown as working ----


def listed(hub: Hub, status: str, connection_id: UUID) -> bool:
    """Whether the list of a status has the connection."""
    found = hub.call("GET", f"/integrations?status={status}&limit=100&provider=softswiss").json["integrations"]
    return str(connection_id) in {one["id"] for one in found}


@pytest.fixture
def moved(hub: Hub, rows: Rows) -> Iterator[Callable[[], None]]:
    """Has a super admin change where the template sends secrets; it is restored afterwards."""
    [before] = rows(
        "SELECT health_call::text AS call, changed_by_admin AS changed FROM integration_providers "
        "WHERE provider_key = 'softswiss'"
    )

    def move() -> None:
        shown = hub.call("GET", "/integrations/templates/softswiss", DEPLOYMENT_ADMIN)
        changed = {"healthCall": shown.json["healthCall"] | {"headers": {"X-To": "elsewhere"}}}
        reply = hub.call("PATCH", "/integrations/templates/softswiss", DEPLOYMENT_ADMIN, changed, if_match=shown.etag)
        assert reply.status == 200, reply

    yield move
    rows(
        "UPDATE integration_providers SET health_call = %s::jsonb, changed_by_admin = %s "
        "WHERE provider_key = 'softswiss'",
        [before.call, before.changed],
    )


def test_connection_with_a_moved_template_is_not_shown_as_working_or_synced(
    hub: Hub, connection_id: UUID, moved: Callable[[], None]
) -> None:
    """HUB 53"""
    assert (listed(hub, "active", connection_id), listed(hub, "error", connection_id)) == (True, False)
    moved()

    assert seen(hub, connection_id) == ("error", False, "down")
    assert (listed(hub, "active", connection_id), listed(hub, "error", connection_id)) == (False, True)
    check = hub.call("GET", f"/integrations/{connection_id}/health").json["checks"]["connection"]
    assert (check["code"], "secret" in check["nextAction"]) == ("TEMPLATE_MOVED", True)
    refused = hub.call("POST", f"/integrations/{connection_id}/sync")
    assert (refused.status, refused.code) == (409, "TEMPLATE_MOVED")


def test_run_queued_before_the_template_moved_is_not_processed(
    context: RequestContext, connection_id: UUID, moved: Callable[[], None], rows: Rows
) -> None:
    """HUB 53: the run waits in the queue while the template moves."""
    with context.transaction() as transaction:
        run, _ = runs.request(transaction, connection_id, uuid4(), "someone")
    moved()
    message = RowMessage(context.tenant, run.run_id)
    invocation = Invocation(context.database, "job", TimeBudget(lambda: 60_000))

    assert running.run(invocation, message) == Result("failed", "TEMPLATE_MOVED")


def test_page_of_a_status_is_full_although_some_templates_moved(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID, moved: Callable[[], None]
) -> None:
    moved()
    platform.status = 200
    for _ in range(3):
        wanted = draft(config=config(base_url=platform.url, api_key="good-key"))
        assert changes.create(context, ConnectionDraft.parse(wanted)).status == "active"

    def page(cursor: str) -> dict[str, Any]:
        return hub.call("GET", f"/integrations?status=error&provider=softswiss&limit=2{cursor}").json

    pages = [page("")]
    while (after := pages[-1]["nextCursor"]) is not None:
        pages.append(page(f"&cursor={after}"))
    back = [pages[-1]]
    while (before := back[0]["prevCursor"]) is not None:
        back.insert(0, page(f"&cursor={before}"))

    assert [len(one["integrations"]) for one in pages[:-1]] == [2] * (len(pages) - 1)
    found = [one["id"] for shown in pages for one in shown["integrations"]]
    assert found[0] == str(connection_id)
    assert len(found) == len(set(found))
    assert back == pages


@pytest.mark.parametrize("fault", ["CREDENTIAL_UNREADABLE", "CREDENTIAL_MISSING"])
def test_connection_with_an_unreadable_credential_is_not_shown_as_working_or_synced(
    hub: Hub, context: RequestContext, platform: Platform, connection_id: UUID, rows: Rows, fault: str
) -> None:
    """HUB 53: from the first use that finds it, until the credential is given again; GET decrypts nothing."""
    if fault == "CREDENTIAL_UNREADABLE":
        spoiled = "SET ciphertext = overlay(ciphertext PLACING '\\x00000000'::bytea FROM 30)"
        rows(f"UPDATE api_credentials {spoiled} WHERE connection_id = %s", [connection_id])
    else:
        rows("UPDATE api_credential_versions SET status = 'retired' WHERE connection_id = %s", [connection_id])
    with pytest.raises(CausewayError) as raised:
        use(context, connection_id)
    assert raised.value.code == fault

    assert seen(hub, connection_id) == ("error", False, "down")
    check = hub.call("GET", f"/integrations/{connection_id}/health").json["checks"]["connection"]
    refused = hub.call("POST", f"/integrations/{connection_id}/sync")
    assert (check["code"], refused.status, refused.code) == (fault, 409, fault)

    given = {"api_key": "new-key", "api_secret": "another"}
    assert changes.change(context, connection_id, ANY, ConnectionChange(config=given)).status == "active"
    assert seen(hub, connection_id) == ("active", True, "healthy")
