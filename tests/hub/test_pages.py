"""The pages of every list route: forth and back, each row once, null at both ends, and only the list's own cursors."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from causeway.audit_log import listing as audit
from causeway.catalogue import providers
from causeway.connections import call_log_listing as calls
from causeway.connections import listing as connections
from causeway.syncs import listing as syncs
from causeway.tenancy import api_keys, memberships, tenants
from causeway.wire import base64url
from causeway.wire.pages import Listing, filter_digest
from local.services.demo_data import TENANTS
from tests.hub.client import ADMIN, DEPLOYMENT_ADMIN, OURS, ROOT, THEIRS, Caller, Hub
from tests.hub.objects import added, new_tenant

Rows = Callable[..., list[Any]]
# Rows of a page at most: an answer holds so many of every list, however large they are.
LIMIT = 20
# Stands in a path for the id of a connection, which the test makes.
CONNECTION = "{connection_id}"


@dataclass(frozen=True)
class List:
    """A list route: the field of its rows and their id, a function that adds a row, and a caller who may read it.

    Attributes:
        filter: a parameter whose value every row has, and another value; "" if the list has no filter.
    """

    path: str
    field: str
    id: str
    listing: Listing
    add: Callable[["World"], object]
    caller: Caller = ADMIN
    filter: tuple[str, str] = ("", "")


@dataclass(frozen=True)
class Page:
    """A page as a caller sees it: the ids of its rows, and its cursors."""

    ids: list[str]
    next: str | None
    prev: str | None


class World:
    """The hub, its rows, and one connection."""

    def __init__(self, hub: Hub, rows: Rows) -> None:
        self.hub, self.rows = hub, rows
        self.connection_id = hub.created().json["id"]

    def page(self, listed: List, query: str) -> Page:
        path = listed.path.replace(CONNECTION, self.connection_id)
        reply = self.hub.call("GET", f"{path}?{query}", listed.caller)
        assert reply.status == 200, reply
        ids = [str(row[listed.id]) for row in reply.json[listed.field]]
        return Page(ids, reply.json["nextCursor"], reply.json["prevCursor"])

    def refusal(self, listed: List, query: str) -> None:
        """A query whose cursor is refused, for the same reason whatever is wrong with it."""
        path = listed.path.replace(CONNECTION, self.connection_id)
        reply = self.hub.call("GET", f"{path}?{query}", listed.caller)
        assert (reply.status, reply.code) == (400, "INVALID_REQUEST"), query
        assert "cursor is not one that was answered here" in reply.json["error"]

    def filled(self, listed: List) -> str:
        """Add rows until there are enough for several pages; returns the cursor after the first row."""
        for _ in range(3):
            listed.add(self)
        first = self.page(listed, "limit=1")
        assert first.prev is None
        assert first.next is not None
        return first.next


def add_run(world: World) -> None:
    world.rows(
        """
        INSERT INTO sync_runs (tenant_id, connection_id, status, requested_by, ended_at)
        VALUES (%s, %s, 'succeeded', 'test', now())
        """,
        [TENANTS[OURS], world.connection_id],
    )


def add_person(world: World) -> None:
    world.rows(
        """
        WITH person AS (INSERT INTO users (subject) VALUES (%(subject)s) RETURNING subject)
        INSERT INTO memberships (tenant_id, subject, role) SELECT %(tenant)s, subject, 'staff' FROM person
        """,
        {"subject": f"person {token_hex(8)}", "tenant": TENANTS[OURS]},
    )


LISTS = (
    List(
        "/integrations",
        "integrations",
        "id",
        connections.PAGES.listing,
        lambda world: world.hub.created(),
        filter=("provider=softswiss", "provider=stripe"),
    ),
    List(
        "/integrations/templates",
        "templates",
        "id",
        providers.PAGES.listing,
        lambda world: added(world.hub),
        filter=("active=true", "active=false"),
    ),
    List(
        f"/integrations/{CONNECTION}/logs",
        "logs",
        "id",
        calls.PAGES.listing,
        lambda world: world.hub.call("POST", f"/integrations/{world.connection_id}/test"),
        filter=("statusClass=none", "statusClass=2xx"),
    ),
    List(f"/integrations/{CONNECTION}/syncs", "syncs", "runId", syncs.PAGES.listing, add_run),
    List("/tenants", "tenants", "id", tenants.PAGES.listing, lambda world: new_tenant(world.hub), DEPLOYMENT_ADMIN),
    List("/memberships", "memberships", "subject", memberships.PAGES.listing, add_person),
    List("/api-keys", "apiKeys", "id", api_keys.PAGES.listing, lambda world: world.hub.new_key()),
    List(
        "/audit",
        "entries",
        "entry",
        audit.PAGES.listing,
        lambda world: world.hub.call("GET", "/audit?limit=1"),
        filter=("object_kind=audit_log", "object_kind=template"),
    ),
)


@pytest.fixture(scope="module")
def world(hub: Hub, rows: Rows) -> World:
    return World(hub, rows)


def documented() -> dict[str, Any]:
    return json.loads((ROOT / "functions" / "console" / "openapi.json").read_text(encoding="utf-8"))


def limit_of(listed: List) -> dict[str, Any]:
    """The schema of a list's limit."""
    [limit] = [
        one["schema"] for one in documented()["paths"][listed.path]["get"]["parameters"] if one["name"] == "limit"
    ]
    return limit


def test_hub_md_says_the_bounds_of_every_list() -> None:
    """docs/hub.md, Lists: the usual bounds, then those of each list that has others."""

    def bounds(listed: List) -> str:
        limit = limit_of(listed)
        return f"{limit['minimum']} to {limit['maximum']}, default {limit['default']}"

    usual = bounds(LISTS[0])
    others = sorted((one.path, bounds(one)) for one in LISTS if bounds(one) != usual)
    told = "; ".join([usual, *(f"`GET {path}`: {differing}" for path, differing in others)])
    document = " ".join((ROOT / "docs" / "hub.md").read_text().split())
    assert f"`limit` sets the rows of a page ({told})." in document


every_list = pytest.mark.parametrize("listed", LISTS, ids=[one.path for one in LISTS])


def test_table_has_every_route_with_pages() -> None:
    document = documented()
    schemas = document["components"]["schemas"]
    paged = set()
    for path, methods in document["paths"].items():
        answer = methods.get("get", {}).get("responses", {}).get("200", {}).get("content", {})
        name = answer.get("application/json", {}).get("schema", {}).get("$ref", "").rpartition("/")[2]
        if "nextCursor" in schemas.get(name, {}).get("properties", {}):
            paged.add(path)
    assert paged == {one.path for one in LISTS}


@every_list
def test_pages_have_every_row_once_while_rows_are_added(world: World, listed: List) -> None:
    cursor: str | None = world.filled(listed)
    there, after = [], cursor
    while after is not None:
        page = world.page(listed, f"limit={limit_of(listed)['maximum']}&cursor={after}")
        there, after = there + page.ids, page.next
    walked, limit = [], min(max(1, len(there) // 3), LIMIT)
    while cursor is not None:
        listed.add(world)
        page = world.page(listed, f"limit={limit}&cursor={cursor}")
        walked, cursor = walked + page.ids, page.next
        assert len(page.ids) == limit or cursor is None

    assert len(walked) == len(set(walked))
    # In a list ordered by name, new rows may be between the others.
    assert [one for one in walked if one in set(there)] == there


@every_list
def test_pages_back_are_the_pages_forth(world: World, listed: List) -> None:
    world.filled(listed)
    pages = [world.page(listed, "limit=2")]
    # The audit log has thousands of entries, and every read adds one.
    while (after := pages[-1].next) is not None and len(pages) < 5:
        pages.append(world.page(listed, f"limit=2&cursor={after}"))
    assert len(pages) > 1
    back = [pages[-1]]
    while (before := back[0].prev) is not None and len(back) < len(pages):
        back.insert(0, world.page(listed, f"limit=2&cursor={before}"))

    assert [page.ids for page in back] == [page.ids for page in pages]
    assert back[1:] == pages[1:]
    # The audit log's first page has the entries of these reads in front of it.
    assert (back[0].prev is None) == (listed.path != "/audit")


@every_list
def test_pages_back_have_every_row_once_while_rows_are_added(world: World, listed: List) -> None:
    cursor, there = world.filled(listed), list[str]()
    for _ in range(5):
        page = world.page(listed, f"limit=2&cursor={cursor}")
        there += page.ids
        if page.next is None:
            break
        cursor = page.next
    walked, before = list[str](), page.prev
    while before is not None and not set(there[:1]) & set(walked):
        listed.add(world)
        found = world.page(listed, f"limit=2&cursor={before}")
        walked, before = found.ids + walked, found.prev
    walked += page.ids

    assert len(walked) == len(set(walked))
    assert [one for one in walked if one in set(there)] == there


@every_list
def test_next_cursor_is_null_after_a_full_last_page(world: World, listed: List) -> None:
    cursor = world.filled(listed)
    last, after = Page([], None, None), cursor
    while after is not None:
        cursor = after
        last = world.page(listed, f"limit={limit_of(listed)['maximum']}&cursor={cursor}")
        after = last.next
    full = world.page(listed, f"limit={len(last.ids)}&cursor={cursor}")

    assert (full.ids, full.next) == (last.ids, None)


@every_list
def test_limit_out_of_bounds_is_refused(world: World, listed: List) -> None:
    most, path = limit_of(listed)["maximum"], listed.path.replace(CONNECTION, world.connection_id)
    for limit in ("0", "-1", str(most + 1), "1.0", "1e1", "", "x", "%201", "%D9%A3", "9" * 5000):
        reply = world.hub.call("GET", f"{path}?limit={limit}", listed.caller)
        assert (reply.status, reply.code) == (400, "INVALID_REQUEST"), limit
        assert reply.json["error"] == f"limit must be a number from 1 to {most}"
    assert len(world.page(listed, f"limit={most}").ids) <= most


def changed(cursor: str, **fields: Any) -> str:
    """A cursor with changed contents, in a cursor's spelling."""
    written = json.loads(base64url.decode(cursor)) | fields
    return base64url.encode(json.dumps(written, separators=(",", ":"), ensure_ascii=False).encode())


@every_list
def test_forged_or_foreign_cursor_is_refused(world: World, listed: List) -> None:
    cursor = world.filled(listed)
    width = len(listed.listing.key)
    # One with a sort key of the same types, if there is one.
    others = [one for one in LISTS if one is not listed]
    another = min(others, key=lambda one: one.listing.key != listed.listing.key)
    wrong = [
        # A cursor of another list, tenant or connection.
        world.filled(another),
        changed(cursor, list=another.listing.name),
        changed(cursor, scope=TENANTS[THEIRS]),
        # A cursor of another filter, or with another direction or place.
        *(changed(cursor, filter=value) for value in (None, 1, "x", filter_digest({"kind": "x"}))),
        *(changed(cursor, before=value) for value in (None, [], [1] * width)),
        *(changed(cursor, place=value) for value in (None, -1, True, "0", 1.0, 10**30)),
        *("", "x", "\0", f"{cursor}=", cursor[:-1], cursor.swapcase(), "A" * 8000),
        *(changed(cursor, after=[value] * width) for value in (None, True, 1.5, 10**30, -1, "", "a\0b", [], {})),
        *(changed(cursor, after=value) for value in (None, "x", ["x"] * (width + 1))),
    ]
    for one in wrong:
        world.refusal(listed, f"cursor={quote(one, safe='')}")


@pytest.mark.parametrize("listed", [one for one in LISTS if one.filter[0]], ids=lambda one: one.path)
def test_cursor_of_another_filter_is_refused(world: World, listed: List) -> None:
    whole, (one, other) = world.filled(listed), listed.filter
    first = world.page(listed, f"limit=1&{one}")
    assert first.next is not None
    second = world.page(listed, f"limit=1&{one}&cursor={first.next}")
    assert second.ids != first.ids

    for cursor, filtered in ((whole, one), (first.next, ""), (first.next, other), (second.prev, "")):
        world.refusal(listed, f"limit=1&cursor={cursor}&{filtered}")
    # The limit may change.
    assert world.page(listed, f"limit=2&{one}&cursor={first.next}").ids[0] == second.ids[0]


FIRST = {int: 0, str: "\x01", datetime: datetime.min.replace(tzinfo=UTC), UUID: UUID(int=0)}
LAST = {int: 2**63 - 1, str: "\uffff" * 255, datetime: datetime.max.replace(tzinfo=UTC), UUID: UUID(int=2**128 - 1)}


@every_list
@pytest.mark.parametrize("ends", [FIRST, LAST], ids=["first", "last"])
def test_cursor_beyond_all_rows_is_no_error(world: World, listed: List, ends: dict[type, Any]) -> None:
    scope = json.loads(base64url.decode(world.filled(listed)))["scope"]
    cursor = listed.listing.cursor(scope, tuple(ends[kind] for kind in listed.listing.key))
    found = world.page(listed, f"limit=1&cursor={cursor}")

    newest_first = listed.listing.key != (str,)
    assert bool(found.ids) == (newest_first == (ends is LAST))
    # From either side of all rows, the way back leads to them.
    assert found.prev is not None
    back = world.page(listed, f"limit=1&cursor={found.prev}")
    # A read of the audit log is its newest entry.
    newest = found.ids and listed.path == "/audit"
    assert bool(back.ids) == (not found.ids or bool(newest))
    assert (back.prev is None, back.next is None) == (bool(found.ids), not found.ids)


def test_cursor_of_a_deleted_row_continues_after_it(world: World) -> None:
    connections, _, _, syncs, *_ = LISTS
    for listed, delete in (
        (connections, lambda id_: world.hub.call("DELETE", f"/integrations/{id_}")),
        (syncs, lambda id_: world.rows("DELETE FROM sync_runs WHERE run_id = %s", [id_])),
    ):
        cursor = world.filled(listed)
        [first] = world.page(listed, "limit=1").ids
        following = world.page(listed, f"limit=2&cursor={cursor}")
        delete(first)

        assert world.page(listed, f"limit=2&cursor={cursor}") == following
        # Nothing is left in front of it: the way back ends, and leads forth again.
        empty = world.page(listed, f"limit=2&cursor={following.prev}")
        assert (empty.ids, empty.prev) == ([], None)
        assert world.page(listed, f"limit=2&cursor={empty.next}").ids == following.ids
