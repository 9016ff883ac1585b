"""GET /audit: the tenant's own chain in pages and as CSV; reading it and refused attempts are entries too."""

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from secrets import token_hex
from typing import Any
from urllib.parse import quote
from uuid import UUID

import psycopg
import pytest

from causeway.audit_log import entries, listing
from causeway.tenancy.context import RequestContext
from local.services.demo_data import TENANTS
from local.stack import Stack
from tests.hub.client import (
    ADMIN,
    DEPLOYMENT_ADMIN,
    NOBODY,
    OURS,
    REGULATOR,
    STAFF,
    SUPER_ADMIN,
    THEIR_ADMIN,
    THEIRS,
    Hub,
    claims_of,
    draft,
    machine,
)

Rows = Callable[..., list[Any]]


def entries_of(hub: Hub, query: str = "", caller: Any = ADMIN) -> list[dict[str, Any]]:
    reply = hub.call("GET", f"/audit?limit=1000{query}", caller)
    assert reply.status == 200, reply
    return reply.json["entries"]


def test_reading_the_log_is_audited(hub: Hub) -> None:
    """HUB 44"""
    # A person's very first call has an entry of its own.
    hub.call("GET", "/integrations", REGULATOR)
    first = hub.call("GET", "/audit?limit=1&outcome=done", REGULATOR)
    second = hub.call("GET", "/audit?limit=1&format=csv", REGULATOR)
    newest = entries_of(hub)[:2]

    assert (first.status, second.status) == (200, 200)
    assert [entry["action"] for entry in newest] == ["audit.exported", "audit.read"]
    assert {entry["actorRole"] for entry in newest} == {"regulator"}
    assert newest[1]["after"] == {"limit": "1", "outcome": "done"}


@pytest.mark.usefixtures("refusals_are_due")
@pytest.mark.parametrize(("caller", "path"), [(STAFF, "/audit"), (STAFF, "/api-keys"), (REGULATOR, "/api-keys")])
def test_refused_attempt_is_audited(hub: Hub, caller: Any, path: str) -> None:
    """HUB 44"""
    reply = hub.call("GET", path, caller)
    newest = entries_of(hub, "&action=access.refused")[0]

    assert reply.status == 403
    assert (newest["outcome"], newest["actorRole"], newest["requestId"]) == (
        "refused",
        caller.role,
        reply.json["requestId"],
    )


@pytest.mark.usefixtures("refusals_are_due")
def test_attempt_on_another_tenant_is_in_the_callers_own_log(hub: Hub) -> None:
    """HUB 44: without the header's value, which may contain anything."""
    foreign = TENANTS[THEIRS]
    replies = [hub.call("GET", "/integrations", STAFF, x_tenant_id=foreign.upper())]
    replies.append(hub.call("POST", "/casino/launchGame", ADMIN, {"userId": 1, "gameId": 1}, x_tenant_id=foreign))
    replies.append(hub.call("GET", "/integrations", machine(hub.new_key()["apiKey"]), x_tenant_id="a secret"))
    own = {entry["requestId"]: entry for entry in entries_of(hub, "&action=access.refused")}
    told = [own[reply.json["requestId"]] for reply in replies]

    assert [(reply.status, reply.code) for reply in replies] == [(404, "TENANT_NOT_FOUND")] * 3
    assert [(entry["actorRole"], entry["outcome"]) for entry in told] == [
        ("staff", "refused"),
        ("tenant_admin", "refused"),
        ("service", "refused"),
    ]
    assert [entry["after"] for entry in told] == [
        {"route": "GET /integrations", "refused": "TENANT_NOT_FOUND"},
        {"refused": "TENANT_NOT_FOUND"},
        {"route": "GET /integrations", "refused": "TENANT_NOT_FOUND"},
    ]
    assert not own.keys() & {entry["requestId"] for entry in entries_of(hub, "", THEIR_ADMIN)}


@pytest.mark.usefixtures("refusals_are_due")
def test_attempt_of_a_super_admin_without_a_tenant_is_in_the_deployments_log(hub: Hub, rows: Rows) -> None:
    """HUB 44"""
    reply = hub.call("POST", "/integrations", DEPLOYMENT_ADMIN, draft())
    told = rows(
        "SELECT tenant_id AS tenant, action, outcome FROM audit_log WHERE request_id = %s",
        [reply.json["requestId"]],
    )

    assert reply.status == 403
    assert [tuple(entry) for entry in told] == [(entries.DEPLOYMENT, "access.refused", "refused")]


@pytest.mark.usefixtures("refusals_are_due")
def test_refusal_is_answered_although_the_log_is_locked(hub: Hub, stack: Stack) -> None:
    """HUB 44: the function's own log then has the attempt."""
    with psycopg.connect(stack.database_urls["superuser"]) as other:
        other.execute("SELECT FROM audit_log_heads WHERE tenant_id = %s FOR UPDATE", [TENANTS[OURS]])
        read = hub.call("GET", "/audit", STAFF)
        launched = hub.call("POST", "/casino/launchGame", REGULATOR, {"userId": 1, "gameId": 1})

    assert [(reply.status, reply.code) for reply in (read, launched)] == [(403, "FORBIDDEN")] * 2
    assert not {read.json["requestId"], launched.json["requestId"]} & {entry["requestId"] for entry in entries_of(hub)}


def test_other_tenants_see_no_entries(hub: Hub) -> None:
    """HUB 43: neither in pages nor in the export."""
    path = hub.connection()
    identity = path.rsplit("/", 1)[-1]
    asked = f"&object_id={identity}"
    theirs = hub.call("GET", f"/audit?format=csv{asked}", THEIR_ADMIN)
    everything = hub.call("GET", "/audit?format=csv", THEIR_ADMIN).body.decode()
    listed = list(csv.DictReader(io.StringIO(everything)))

    assert entries_of(hub, asked) != []
    assert entries_of(hub, asked, THEIR_ADMIN) == []
    assert len(theirs.body.decode().splitlines()) == 1
    assert {row["tenant_id"] for row in listed} == {TENANTS[THEIRS]}
    # The attempts of the other tenants' callers are in their own logs only.
    assert {row["action"] for row in listed if identity in row.values()} == set()


def test_super_admin_reads_the_log_of_the_named_tenant(hub: Hub) -> None:
    """HUB 43"""
    path = hub.connection()
    assert hub.audited(path, SUPER_ADMIN)[0]["action"] == "connection.created"


def test_pages_have_every_entry_once_although_reading_adds_entries(hub: Hub) -> None:
    for _ in range(28):
        hub.call("GET", "/audit?limit=1")
    top = entries_of(hub)[0]["entry"]
    found, query = [], f"limit=7&cursor={listing.PAGES.listing.cursor(UUID(TENANTS[OURS]), (top + 1,))}"
    for _ in range(4):
        page = hub.call("GET", f"/audit?{query}").json
        found += [entry["entry"] for entry in page["entries"]]
        query = f"limit=7&cursor={page['nextCursor']}"

    assert found == list(range(top, top - 28, -1))


def test_log_is_filtered(hub: Hub, rows: Rows) -> None:
    path = hub.connection()
    identity = path.rsplit("/", 1)[-1]
    start = datetime.now(UTC)
    hub.call("POST", f"{path}/disable")
    object_id = f"&object_id={identity}"

    assert [one["action"] for one in entries_of(hub, object_id + "&action=connection.disabled")] == [
        "connection.disabled"
    ]
    assert [one["action"] for one in entries_of(hub, object_id + "&outcome=failed")] == ["connection.tested"]
    assert [one["action"] for one in entries_of(hub, object_id + f"&since={quote(start.isoformat())}")] == [
        "connection.disabled"
    ]
    until = quote((start - timedelta(hours=1)).isoformat())
    assert entries_of(hub, object_id + f"&until={until}") == []
    assert entries_of(hub, object_id + "&object_kind=api_key") == []
    assert entries_of(hub, object_id + "&actor=nobody") == []


def test_csv_export_has_no_formulas(hub: Hub) -> None:
    """A spreadsheet would execute a cell with this beginning."""
    path = hub.connection(description='@SUM(1),"2"\r\n3')
    identity = path.rsplit("/", 1)[-1]
    reply = hub.call("GET", f"/audit?format=csv&object_id={identity}")
    listed = list(csv.DictReader(io.StringIO(reply.body.decode(), newline="")))

    assert reply.headers["content-type"] == "text/csv; charset=utf-8"
    assert reply.headers["content-disposition"] == 'attachment; filename="audit.csv"'
    assert [row["action"] for row in listed] == ["connection.tested", "credential.stored", "connection.created"]
    assert not [cell for row in listed for cell in row.values() if cell and cell[0] in "=+-@\t\r"]


def test_export_has_the_cursors_of_both_directions(hub: Hub) -> None:
    first = hub.call("GET", "/audit?format=csv&limit=2")
    second = hub.call("GET", f"/audit?format=csv&limit=2&cursor={first.headers['x-next-cursor']}")
    back = hub.call("GET", f"/audit?format=csv&limit=2&cursor={second.headers['x-prev-cursor']}")
    # A cursor does not depend on the format.
    listed = hub.call("GET", f"/audit?limit=2&cursor={second.headers['x-prev-cursor']}")
    numbers = [int(row["entry"]) for one in (first, second) for row in csv.DictReader(io.StringIO(one.body.decode()))]

    assert numbers == list(range(numbers[0], numbers[0] - 4, -1))
    assert "x-prev-cursor" not in first.headers
    assert back.body == first.body
    assert [one["entry"] for one in listed.json["entries"]] == numbers[:2]


def test_entry_names_its_tenant_in_the_csv_only(hub: Hub) -> None:
    """All entries of an answer are the caller's tenant's; a file may be laid beside another tenant's."""
    [shown] = hub.call("GET", "/audit?limit=1").json["entries"]
    [row] = csv.DictReader(io.StringIO(hub.call("GET", "/audit?limit=1&format=csv").body.decode()))

    assert set(shown) == {
        *("entry", "at", "actorKind", "actor", "actorRole", "action", "objectKind", "objectId", "outcome"),
        *("before", "after", "sourceIp", "requestId", "hash"),
    }
    assert shown["at"].endswith("Z")
    assert len(row) == len(shown) + 1
    assert row["tenant_id"] == TENANTS[OURS]


@pytest.mark.parametrize("form", ["json", "csv"])
def test_page_fits_into_an_answer_and_the_next_continues(
    hub: Hub, inside: Callable[..., RequestContext], form: str
) -> None:
    """A Lambda answer may have 6 MB."""
    context, kind = inside(ADMIN), f"big-{token_hex(6)}"
    entry = context.entry(entries.Action.CONNECTION_CHANGED, object_kind=kind, after={"text": '"' * 20_000})
    with context.transaction() as transaction:
        written = [entries.record(transaction, entry) for _ in range(100)]

    def page(cursor: str) -> tuple[list[int], str | None, str | None]:
        """The entries of a page, and its cursors forth and back."""
        reply = hub.call("GET", f"/audit?limit=1000&format={form}&object_kind={kind}{cursor and '&cursor=' + cursor}")
        assert (reply.status, len(reply.body) < 6_000_000) == (200, True), reply.body[:200]
        if form == "json":
            listed = [one["entry"] for one in reply.json["entries"]]
            return listed, reply.json["nextCursor"], reply.json["prevCursor"]
        listed = [int(row["entry"]) for row in csv.DictReader(io.StringIO(reply.body.decode()))]
        return listed, reply.headers.get("x-next-cursor"), reply.headers.get("x-prev-cursor")

    pages = [page("")]
    while (after := pages[-1][1]) is not None:
        pages.append(page(after))
    back = [pages[-1]]
    while (before := back[0][2]) is not None:
        back.insert(0, page(before))

    assert [one for listed, *_ in pages for one in listed] == written[::-1]
    assert len(pages) == 3
    assert back == pages


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=1001", "format=xml", "unknown=1", "since=yesterday", "since=2026-01-01"),
        *("until=2026-01-01T00:00:00", "cursor=x", "cursor=-5", "cursor=99999999999999999999"),
    ],
)
def test_malformed_query_is_refused(hub: Hub, query: str) -> None:
    reply = hub.call("GET", f"/audit?{query}")
    assert (reply.status, reply.code) == (400, "INVALID_REQUEST")


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00%2B23:59", "9999-12-31T23:59:59-23:59"])
def test_moment_without_a_datetime_in_utc_is_a_filter(hub: Hub, moment: str) -> None:
    for name in ("since", "until"):
        reply = hub.call("GET", f"/audit?{name}={moment}&limit=1")
        assert reply.status == 200
        everything = (name == "since") == moment.startswith("0001")
        assert bool(reply.json["entries"]) == everything


@pytest.mark.parametrize("value", ["%00", "x" * 3000, "%F0%9F%92%A5", "' OR true --".replace(" ", "%20")])
def test_filter_with_any_text_finds_nothing_without_an_error(hub: Hub, value: str) -> None:
    assert hub.call("GET", f"/audit?object_id={value}").status == 200


def test_super_admins_entries_are_in_the_log_of_the_tenant(hub: Hub) -> None:
    """HUB 44"""
    path = hub.connection()
    assert hub.call("POST", f"{path}/disable", SUPER_ADMIN).status == 200
    disabled = hub.audited(path)[-1]
    assert (disabled["action"], disabled["actorRole"]) == ("connection.disabled", "super_admin")


def test_caller_with_few_rights_cannot_fill_the_log(hub: Hub, someone: Callable[..., str], rows: Rows) -> None:
    """HUB 44: a role without the permission, a suspended member, a channel's key, the caller's own membership."""
    staff, suspended, admin = (someone(role) for role in ("staff", "regulator", "tenant_admin"))
    channel = hub.new_key(channel="sms")
    own = claims_of(admin)["sub"]
    for token in (staff, suspended, admin):
        assert hub.call("GET", "/integrations", NOBODY, authorization=f"Bearer {token}").status == 200
    rows("UPDATE memberships SET status = 'suspended' WHERE subject = %s", [claims_of(suspended)["sub"]])
    for _ in range(5):
        for token, path in ((staff, "/audit"), (suspended, "/integrations")):
            assert hub.call("GET", path, NOBODY, authorization=f"Bearer {token}").status == 403
        assert hub.call("GET", "/integrations", machine(channel["apiKey"])).status == 403
        reply = hub.call(
            "PATCH", f"/memberships/{own}", NOBODY, {"status": "suspended"}, authorization=f"Bearer {admin}"
        )
        assert reply.code == "OWN_MEMBERSHIP"

    for actor in (claims_of(staff)["sub"], claims_of(suspended)["sub"], channel["id"], own):
        assert len(entries_of(hub, f"&actor={actor}&outcome=refused")) == 1
