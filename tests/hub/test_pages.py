"""The pages of every list route: each row once, null at the end, and only the list's own cursors."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from secrets import token_hex
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest

from causeway.audit_log import records
from causeway.catalogue import providers
from causeway.connections import call_log, requests
from causeway.syncs import runs
from causeway.tenancy import api_keys, memberships, tenants
from causeway.wire import base64url
from causeway.wire.pages import Listing
from local.services.demo_data import TENANTS
from tests.hub.client import ADMIN, DEPLOYMENT_ADMIN, OURS, ROOT, THEIRS, Caller, Hub
from tests.hub.objects import added, new_tenant

Rows = Callable[..., list[Any]]
# Rows of a page at most: an answer holds so many of every list, however large they are.
LIMIT = 20
# A placeholder for a connection's path.
CONNECTION = "{connection_id}"


@dataclass(frozen=True)
class List:
    """A list route: the field of its rows and their id, a caller who may read it, and a function that adds a row."""

    path: str
    field: str
    id: str
    listing: Listing
    add: Callable[["World"], object]
    caller: Caller = ADMIN


class World:
    """The hub, its rows, and one connection."""

    def __init__(self, hub: Hub, rows: Rows) -> None:
        self.hub, self.rows = hub, rows
        self.connection_id = hub.created().json["id"]

    def page(self, listed: List, query: str) -> tuple[list[str], str | None]:
        """The ids of a page's rows, and the next page's cursor."""
        path = listed.path.replace(CONNECTION, self.connection_id)
        reply = self.hub.call("GET", f"{path}?{query}", listed.caller)
        assert reply.status == 200, reply
        return [str(row[listed.id]) for row in reply.json[listed.field]], reply.json["nextCursor"]

    def filled(self, listed: List) -> str:
        """Add rows until there are enough for several pages; returns the cursor after the first row."""
        for _ in range(3):
            listed.add(self)
        _, cursor = self.page(listed, "limit=1")
        assert cursor is not None
        return cursor


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
    List("/integrations", "integrations", "id", requests.LISTING, lambda world: world.hub.created()),
    List("/integrations/templates", "templates", "id", providers.LISTING, lambda world: added(world.hub)),
    List(
        f"/integrations/{CONNECTION}/logs",
        "logs",
        "id",
        call_log.LISTING,
        lambda world: world.hub.call("POST", f"/integrations/{world.connection_id}/test"),
    ),
    List(f"/integrations/{CONNECTION}/syncs", "syncs", "runId", runs.LISTING, add_run),
    List("/tenants", "tenants", "id", tenants.LISTING, lambda world: new_tenant(world.hub), DEPLOYMENT_ADMIN),
    List("/memberships", "memberships", "subject", memberships.LISTING, add_person),
    List("/api-keys", "apiKeys", "id", api_keys.LISTING, lambda world: world.hub.new_key()),
    List("/audit", "entries", "entry", records.LISTING, lambda world: world.hub.call("GET", "/audit?limit=1")),
)


@pytest.fixture(scope="module")
def world(hub: Hub, rows: Rows) -> World:
    return World(hub, rows)


def test_document_says_the_bounds_of_every_list() -> None:
    """docs/hub.md, Lists: the usual bounds, then those of each list that has others."""

    def bounds(listing: Listing) -> str:
        return f"1 to {listing.most_rows}, default {listing.rows}"

    usual = bounds(Listing("", ()))
    others = sorted((one.path, bounds(one.listing)) for one in LISTS if bounds(one.listing) != usual)
    told = "; ".join([usual, *(f"`GET {path}`: {differing}" for path, differing in others)])
    document = " ".join((ROOT / "docs" / "hub.md").read_text().split())
    assert f"`limit` sets the rows of a page ({told})." in document


every_list = pytest.mark.parametrize("listed", LISTS, ids=[one.path for one in LISTS])


def test_table_has_every_route_with_pages() -> None:
    document = json.loads((ROOT / "functions" / "console" / "openapi.json").read_text(encoding="utf-8"))
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
        found, after = world.page(listed, f"limit={listed.listing.most_rows}&cursor={after}")
        there += found
    walked, limit = [], min(max(1, len(there) // 3), LIMIT)
    while cursor is not None:
        listed.add(world)
        found, cursor = world.page(listed, f"limit={limit}&cursor={cursor}")
        assert len(found) == limit or cursor is None
        walked += found

    assert len(walked) == len(set(walked))
    # In a list ordered by name, new rows may be between the others.
    assert [one for one in walked if one in set(there)] == there


@every_list
def test_next_cursor_is_null_after_a_full_last_page(world: World, listed: List) -> None:
    cursor, left = world.filled(listed), list[str]()
    after: str | None = cursor
    while after is not None:
        cursor = after
        left, after = world.page(listed, f"limit={listed.listing.most_rows}&cursor={cursor}")
    found, end = world.page(listed, f"limit={len(left)}&cursor={cursor}")

    assert (found, end) == (left, None)


def changed(cursor: str, **fields: Any) -> str:
    """A cursor with changed contents, in a cursor's spelling."""
    written = json.loads(base64url.decode(cursor)) | fields
    return base64url.encode(json.dumps(written, separators=(",", ":"), ensure_ascii=False).encode())


@every_list
def test_forged_or_foreign_cursor_is_refused(world: World, listed: List) -> None:
    cursor = world.filled(listed)
    width = len(listed.listing.key)
    another = next(one for one in LISTS if one is not listed and one.listing.key == listed.listing.key)
    wrong = [
        # A cursor of another list, tenant or connection.
        world.filled(another),
        changed(cursor, list=another.listing.name),
        changed(cursor, scope=TENANTS[THEIRS]),
        *("", "x", "\0", f"{cursor}=", cursor[:-1], cursor.swapcase(), "A" * 8000),
        *(changed(cursor, after=[value] * width) for value in (None, True, 1.5, 10**30, -1, "", "a\0b", [], {})),
        *(changed(cursor, after=value) for value in (None, "x", [], ["x"] * (width + 1))),
    ]
    path = listed.path.replace(CONNECTION, world.connection_id)
    for one in wrong:
        reply = world.hub.call("GET", f"{path}?cursor={quote(one, safe='')}", listed.caller)
        assert (reply.status, reply.code) == (400, "INVALID_REQUEST"), one
        assert "cursor is not one that was answered here" in reply.json["error"]


FIRST = {int: 0, str: "\x01", datetime: datetime.min.replace(tzinfo=UTC), UUID: UUID(int=0)}
LAST = {int: 2**63 - 1, str: "\uffff" * 255, datetime: datetime.max.replace(tzinfo=UTC), UUID: UUID(int=2**128 - 1)}


@every_list
@pytest.mark.parametrize("ends", [FIRST, LAST], ids=["first", "last"])
def test_cursor_beyond_all_rows_is_no_error(world: World, listed: List, ends: dict[type, Any]) -> None:
    scope = json.loads(base64url.decode(world.filled(listed)))["scope"]
    cursor = listed.listing.cursor(scope, tuple(ends[kind] for kind in listed.listing.key))
    found, _ = world.page(listed, f"limit=1&cursor={cursor}")

    newest_first = listed.listing.key != (str,)
    assert bool(found) == (newest_first == (ends is LAST))


def test_cursor_of_a_deleted_row_continues_after_it(world: World) -> None:
    connections, _, _, syncs, *_ = LISTS
    for listed, delete in (
        (connections, lambda id_: world.hub.call("DELETE", f"/integrations/{id_}")),
        (syncs, lambda id_: world.rows("DELETE FROM sync_runs WHERE run_id = %s", [id_])),
    ):
        cursor = world.filled(listed)
        [first], _ = world.page(listed, "limit=1")
        following = world.page(listed, f"limit=2&cursor={cursor}")
        delete(first)

        assert world.page(listed, f"limit=2&cursor={cursor}") == following
