"""A platform whose files are added in its four places works, and no line elsewhere names it: tests/toy_platform."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg
import pytest

from causeway.catalogue import files
from causeway.connections import changes, testing, use
from causeway.connections.requests import ConnectionDraft
from causeway.errors.connections import NotSupported
from causeway.errors.platforms import ProviderRejected, RateLimited
from causeway.platforms.kinds.calendars import Calendars
from causeway.platforms.kinds.messages import Message, Sender
from causeway.tenancy.context import RequestContext
from causeway.wire.preconditions import ANY
from local import ROOT
from local.stack import Stack
from tests.findings import none_of
from tests.hub.client import Hub
from tests.toy_platform.toy import CHECKOUT, KEY, Toy, added
from tests.unit.platform_files import missing

Inside = Callable[..., RequestContext]


@pytest.fixture
def toy(stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """The toy platform, in the stack's catalogue as a deployment puts it there."""
    with added(tmp_path, monkeypatch) as toy:
        with psycopg.connect(stack.database_urls["owner"], autocommit=True) as database:
            assert files.load(database, toy.catalogue(tmp_path)) == [KEY]
        yield toy


def connected(context: RequestContext, toy: Toy, **changed: str) -> Any:
    """A new connection with the demo credentials and these changes."""
    config = toy.credentials | changed
    wanted = {"templateId": KEY, "name": f"Pigeons {toy.sandbox.port} {sorted(changed)}", "config": config}
    return changes.create(context, ConnectionDraft.parse(wanted))


def test_new_platform_is_connected_tested_and_used(inside: Inside, hub: Hub, toy: Toy) -> None:
    context = inside()
    shown = hub.call("GET", f"/integrations/templates/{KEY}").json
    made = connected(context, toy)
    connection_id = UUID(str(made.connection_id))

    assert (shown["displayName"], shown["category"]) == ("Pigeon Post", "messaging")
    assert made.status == "active"
    result, _ = testing.test_and_save(context, connection_id, ANY)
    assert result.verdict.tested == ("loft_key",)
    with use.open_platform(context, connection_id, Sender) as (platform, account):
        assert platform.send_message(account, Message("north", "Coo")) == "flight-1"
        with pytest.raises(ProviderRejected):
            platform.send_message(account, Message("nowhere", "Coo"))
    calls = hub.call("GET", f"/integrations/{connection_id}/logs").json["logs"]
    assert [(call["method"], call["status"]) for call in calls] == [
        *(("POST", 400), ("POST", 201), ("GET", 200), ("GET", 200)),
    ]
    assert toy.credentials["loft_key"] not in str(calls)


def test_errors_of_a_new_platform_are_read(inside: Inside, toy: Toy) -> None:
    """Its status is 400 for every error, which alone would mean PROVIDER_REJECTED."""
    made = connected(inside(), toy, loft_key="wrong")

    assert (made.status, made.error_code) == ("error", "INVALID_CREDENTIALS")


def test_error_that_a_new_platform_states_in_a_200_is_seen_in_the_connections_health(
    inside: Inside, hub: Hub, toy: Toy
) -> None:
    context = inside()
    connection_id = UUID(str(connected(context, toy).connection_id))
    path = f"/integrations/{connection_id}"

    with use.open_platform(context, connection_id, Sender) as (platform, account):
        for _ in range(2):
            platform.send_message(account, Message("north", "Coo"))
    before = hub.call("GET", f"{path}/health").json["checks"]["connection"]["status"]
    with use.open_platform(context, connection_id, Sender) as (platform, account):
        for _ in range(2):
            with pytest.raises(RateLimited):
                platform.send_message(account, Message("north", "Coo"))
    after = hub.call("GET", f"{path}/health").json["checks"]["connection"]["status"]

    assert (before, after) == ("healthy", "degraded")
    assert hub.call("GET", f"{path}/logs?limit=1").json["logs"][0]["status"] == 200


def test_work_that_a_new_platform_cannot_do_is_refused(inside: Inside, toy: Toy) -> None:
    context = inside()
    connection_id = UUID(str(connected(context, toy).connection_id))

    with pytest.raises(NotSupported), use.open_platform(context, connection_id, Calendars):
        pytest.fail("opened")


def test_new_platform_has_its_files_and_no_other_names_it() -> None:
    folders = [ROOT / folder for folder in ("functions", "layers/causeway/python", "local", "schema", "tools")]
    files_of_product = [file for folder in folders for file in folder.rglob("*.*") if "__pycache__" not in file.parts]

    none_of(missing(CHECKOUT), "is missing")
    none_of((file for file in files_of_product if KEY.encode() in file.read_bytes()), f"names {KEY}")
