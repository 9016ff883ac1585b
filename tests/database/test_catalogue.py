"""The catalogue in the database: loaded at each deployment, changed by super admins, read-only for all others."""

import json
import shutil
import subprocess
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from threading import Barrier
from typing import Any, get_args

import psycopg
import pytest
from psycopg import Connection, errors

from causeway import migrations
from causeway.audit_log.entries import DEPLOYMENT
from causeway.catalogue import files, providers, templates
from causeway.catalogue.document import TemplateDraft
from causeway.catalogue.files import read_folder
from causeway.catalogue.keys import Kind
from causeway.catalogue.providers import COLUMNS, Provider
from causeway.errors.catalogue import ConfigSchemaInvalid, ProviderNotFound
from causeway.errors.requests import InvalidRequest, NameTaken, VersionMismatch
from causeway.errors.service import Misconfigured
from causeway.errors.tree import CausewayError
from causeway.wire.models import known
from causeway.wire.pages import MOST_BYTES, Page
from tests.database.conftest import SCHEMA, Cluster
from tests.platforms.facts import facts

FOLDER = SCHEMA / "catalogue"
KEYS = [provider.key for provider in read_folder(FOLDER)]

Urls = dict[str, str]


@pytest.fixture
def urls(cluster: Cluster) -> Iterator[Urls]:
    """A migrated database for one test."""
    with cluster.clone() as urls:
        yield urls


@pytest.fixture
def owner(urls: Urls) -> Iterator[Connection[Any]]:
    """The owner's database connection."""
    with psycopg.connect(urls["owner"], autocommit=True) as database:
        yield database


@contextmanager
def hub(urls: Urls, role: str | None = "super_admin") -> Generator[Connection[Any]]:
    """A transaction of the hub's login with a role of the application."""
    with psycopg.connect(urls["hub"]) as database:
        if role is not None:
            database.execute("SELECT set_config('causeway.role', %s, true)", [role])
        yield database


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the catalogue's files, to change."""
    return Path(shutil.copytree(FOLDER, tmp_path / "catalogue"))


def rewrite(folder: Path, key: str, **changes: Any) -> None:
    """Change fields of a provider's file, or write a new file like Twilio's."""
    file = folder / f"{key}.json"
    document = json.loads((file if file.exists() else folder / "twilio.json").read_bytes())
    file.write_text(json.dumps(document | {"key": key} | changes))


def rows(database: Connection[Any]) -> list[Any]:
    """The whole table, including times."""
    return database.execute("SELECT * FROM integration_providers ORDER BY provider_key").fetchall()


CREATOR = "3c1d5e2f-super-admin"


def own_provider(**changes: Any) -> dict[str, Any]:
    """The columns of a provider that is in no file."""
    document = json.loads((FOLDER / "twilio.json").read_bytes())
    return TemplateDraft.of_file(document | {"key": "own", "display_name": "Own"} | changes).columns()


def added(database: Connection[Any], **changes: Any) -> Provider:
    """A super admin's provider that is in no file."""
    return providers.create(database, own_provider(**changes), CREATOR)


def changed(database: Connection[Any], key: str, wanted: dict[str, Any]) -> Provider:
    """The provider after a super admin's change. wanted: in the API's names."""
    before = providers.find(database, key)
    draft = templates.changed(before, templates.TemplateChange.parse(wanted))
    return providers.change(database, before, draft.columns())


def columns(provider: Provider) -> dict[str, Any]:
    """What its document says."""
    return {name: getattr(provider, name) for name in ("key", *COLUMNS)}


@dataclass(frozen=True)
class Listed:
    """A provider of a page, as large as the API's template."""

    provider: Provider

    def as_text(self) -> str:
        """The template's JSON."""
        return templates.Template.of(self.provider).as_text()


def page(database: Connection[Any], query: templates.TemplateQuery) -> Page[Provider]:
    """The page that a query asks for."""
    wanted = query.request(providers.PAGES.listing, DEPLOYMENT)
    found = providers.page(database, wanted, query.filters(), Listed)
    return Page([listed.provider for listed in found.items], found.next_cursor, found.prev_cursor)


def asked(**query: object) -> templates.TemplateQuery:
    """A query of the list, in the API's names."""
    return templates.TemplateQuery.parse({name: str(value) for name, value in query.items()})


def test_migration_loads_every_provider(urls: Urls) -> None:
    with hub(urls, role=None) as database:
        found = page(database, asked(limit=100)).items
    assert [provider.key for provider in found] == KEYS
    assert [columns(provider) for provider in found] == [document.columns() for document in read_folder(FOLDER)]
    assert {(one.is_active, one.version, one.changed_by_admin, one.created_by) for one in found} == {
        (True, 1, False, None)
    }


def test_loading_again_changes_nothing(owner: Connection[Any]) -> None:
    before = rows(owner)
    assert files.load(owner, FOLDER) == []
    assert rows(owner) == before


def test_changed_file_changes_only_its_provider(owner: Connection[Any], urls: Urls, folder: Path) -> None:
    rewrite(folder, "stripe", description="New words", api_version=None)
    rewrite(folder, "own")
    before = rows(owner)

    assert files.load(owner, folder) == ["own", "stripe"]

    with hub(urls) as database:
        stripe = providers.find(database, "stripe")
        assert (stripe.description, stripe.api_version, stripe.version) == ("New words", None, 2)
        assert providers.find(database, "own").version == 1
    assert [row for row in rows(owner) if row[0] not in ("own", "stripe")] == [r for r in before if r[0] != "stripe"]


def test_release_keeps_the_creation_time_and_moves_the_time_of_what_it_changes(
    owner: Connection[Any], urls: Urls, folder: Path
) -> None:
    def times() -> dict[str, tuple[datetime, datetime]]:
        with hub(urls) as database:
            found = page(database, asked(limit=100)).items
        return {provider.key: (provider.created_at, provider.updated_at) for provider in found}

    before = times()
    rewrite(folder, "stripe", webhook_url="/webhooks/stripe")
    assert files.load(owner, folder) == ["stripe"]

    after = times()
    assert after["stripe"][0] == before["stripe"][0]
    assert after["stripe"][1] > before["stripe"][1]
    assert after | {"stripe": before["stripe"]} == before


def test_provider_without_a_file_stays(owner: Connection[Any], folder: Path) -> None:
    (folder / "stripe.json").unlink()
    before = rows(owner)
    assert files.load(owner, folder) == []
    assert rows(owner) == before


def test_invalid_file_leaves_everything_as_it_was(owner: Connection[Any], folder: Path) -> None:
    rewrite(folder, "aramex", description="New words")
    rewrite(folder, "stripe", kind="magic")
    before = rows(owner)
    with pytest.raises(Misconfigured) as caught:
        files.load(owner, folder)
    assert "stripe.json: kind must be one of" in caught.value.cause
    assert rows(owner) == before


def test_migrate_loads_the_folders_catalogue_and_refuses_an_invalid_one(urls: Urls, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(SCHEMA, tmp_path / "schema"))
    rewrite(folder / "catalogue", "stripe", description="New words")
    assert migrations.migrate(urls["owner"], folder) == []
    with hub(urls) as database:
        assert providers.find(database, "stripe").description == "New words"

    (folder / "catalogue" / "stripe.json").write_text("{")
    with pytest.raises(Misconfigured, match="stripe"):
        migrations.migrate(urls["owner"], folder)


def test_admins_change_is_not_overwritten_by_later_files(owner: Connection[Any], urls: Urls, folder: Path) -> None:
    with hub(urls) as database:
        ours = changed(database, "stripe", {"description": "Ours"})
        assert (ours.description, ours.version) == ("Ours", 2)
        assert ours == providers.find(database, "stripe")
    rewrite(folder, "stripe", description="New words")

    assert files.load(owner, folder) == []

    with hub(urls) as database:
        assert providers.find(database, "stripe") == ours


def test_provider_added_by_an_admin_is_not_changed_by_later_files(
    owner: Connection[Any], urls: Urls, folder: Path
) -> None:
    with hub(urls) as database:
        own = added(database)
    rewrite(folder, "own", display_name="From a file")

    assert files.load(owner, folder) == []

    with hub(urls) as database:
        assert providers.find(database, "own") == own
    assert (columns(own), own.changed_by_admin, own.created_by) == (own_provider(), True, CREATOR)


def test_deactivated_provider_gets_new_texts_and_stays_inactive(
    owner: Connection[Any], urls: Urls, folder: Path
) -> None:
    with hub(urls) as database:
        inactive = providers.set_active(database, providers.find(database, "stripe"), active=False)
        assert (inactive.is_active, inactive.version) == (False, 2)
    rewrite(folder, "stripe", description="New words")

    assert files.load(owner, folder) == ["stripe"]

    with hub(urls) as database:
        found = providers.find(database, "stripe")
        assert found == replace(inactive, description="New words", version=3, updated_at=found.updated_at)
        assert found.updated_at > inactive.updated_at
        assert [provider.key for provider in page(database, asked(active="false")).items] == ["stripe"]
        assert providers.set_active(database, found, active=True).is_active
        assert page(database, asked(active="false")).items == []


def test_pages_have_every_provider_exactly_once(urls: Urls) -> None:
    with hub(urls) as database:
        keys, part = list[str](), page(database, asked(limit=5))
        while part.next_cursor is not None:
            assert len(part.items) == 5
            keys += [provider.key for provider in part.items]
            part = page(database, asked(limit=5, cursor=part.next_cursor))
        assert keys + [provider.key for provider in part.items] == KEYS
        payments = [key for key, its in sorted(facts().items()) if its.kind == "payment"]
        assert [p.key for p in page(database, asked(category="payment")).items] == payments
        first = page(database, asked(limit=1, category="payment"))
        second = page(database, asked(limit=1, category="payment", cursor=first.next_cursor))
        assert [p.key for p in [*first.items, *second.items]] == payments[:2]
        assert page(database, asked(category="payment", active="false")).items == []
        with pytest.raises(InvalidRequest, match=r"^category must be one of "):
            asked(category="magic")


def test_pages_of_large_providers_fit_into_answers(urls: Urls) -> None:
    """A hundred templates with long texts are more than Lambda answers."""
    keys, query = [f"large{number:02}" for number in range(60)], dict[str, object]()
    with hub(urls) as database:
        for key in keys:
            texts = {"description": '"' * 500, "setup_instructions": "\U0001f3b0" * 8000, "key": key}
            added(database, display_name=key, **texts)
        found, sizes = list[str](), list[int]()
        while True:
            part = page(database, asked(limit=100, **query))
            found += [provider.key for provider in part.items]
            sizes.append(len(json.dumps([templates.as_json(one) for one in part.items], ensure_ascii=False).encode()))
            if part.next_cursor is None:
                break
            query = {"cursor": part.next_cursor}
        database.rollback()

    assert found == sorted([*KEYS, *keys])
    assert len(sizes) == 2
    assert max(sizes) <= MOST_BYTES + 100


def test_unknown_provider_is_not_found(urls: Urls) -> None:
    with hub(urls) as database, pytest.raises(ProviderNotFound):
        providers.find(database, "nobody")


def test_key_that_is_taken_is_refused_and_changes_nothing(owner: Connection[Any], urls: Urls) -> None:
    before = rows(owner)
    with hub(urls) as database, pytest.raises(NameTaken, match="There is already a template with this id"):
        added(database, key="stripe")
    assert rows(owner) == before


@pytest.mark.parametrize(
    ("wanted", "error", "sentence"),
    [
        ({"id": "other"}, InvalidRequest, "id cannot be changed"),
        (
            {"category": "magic", "is_active": False},
            InvalidRequest,
            (
                f"category must be one of {', '.join(get_args(Kind))}; "
                f"is_active is not a known field: the fields are {', '.join(known(templates.TemplateChange))}"
            ),
        ),
        (
            {"configSchema": {"type": "object"}},
            ConfigSchemaInvalid,
            "configSchema.additionalProperties must be false: unknown fields are refused",
        ),
        (
            {"authentication": {"type": "bearer", "token": "{nobody}"}, "description": "Ours"},
            InvalidRequest,
            "authentication.token has {nobody}, which is not a field of configSchema",
        ),
    ],
)
def test_change_to_an_invalid_provider_is_refused(
    urls: Urls, wanted: dict[str, Any], error: type[CausewayError], sentence: str
) -> None:
    with hub(urls) as database, pytest.raises(error) as caught:
        changed(database, "stripe", wanted)
    assert caught.value.sentence == sentence


@pytest.mark.parametrize("gone", [True, False], ids=["field removed", "mark removed"])
def test_secret_field_stays_secret(urls: Urls, gone: bool) -> None:
    """HUB 1: connections have its value encrypted, and the next value would be stored unencrypted."""
    with hub(urls) as database:
        config_schema = providers.find(database, "stripe").config_schema
        if gone:
            del config_schema["properties"]["webhook_secret"]
        else:
            del config_schema["properties"]["webhook_secret"]["x-secret"]
        with pytest.raises(ConfigSchemaInvalid) as caught:
            changed(database, "stripe", {"configSchema": config_schema})
    assert caught.value.sentence == "configSchema.properties.webhook_secret.x-secret must stay true"


def test_change_made_from_an_old_version_is_refused(urls: Urls) -> None:
    with hub(urls) as database:
        before = providers.find(database, "stripe")
        changed(database, "stripe", {"description": "First"})
    with hub(urls) as database:
        with pytest.raises(VersionMismatch):
            providers.change(database, before, columns(before) | {"description": "Second"})
        with pytest.raises(VersionMismatch):
            providers.set_active(database, before, active=False)
        assert providers.find(database, "stripe").description == "First"


def test_of_concurrent_changes_of_one_version_one_succeeds(urls: Urls) -> None:
    together = Barrier(8)

    def attempt(number: int) -> str | None:
        with hub(urls) as database:
            before = providers.find(database, "stripe")
            together.wait()
            try:
                return providers.change(database, before, columns(before) | {"description": f"By {number}"}).description
            except VersionMismatch:
                return None

    with ThreadPoolExecutor(8) as pool:
        taken = [words for words in pool.map(attempt, range(8)) if words]

    with hub(urls) as database:
        assert taken == [providers.find(database, "stripe").description]


def test_of_two_concurrent_creations_of_one_key_one_succeeds(urls: Urls) -> None:
    together = Barrier(4)

    def attempt(number: int) -> str | None:
        with hub(urls) as database:
            together.wait()
            try:
                return added(database, description=f"By {number}").description
            except NameTaken:
                return None

    with ThreadPoolExecutor(4) as pool:
        taken = [words for words in pool.map(attempt, range(4)) if words]

    with hub(urls) as database:
        assert taken == [providers.find(database, "own").description]


@pytest.mark.parametrize("role", [None, "", "tenant_admin", "regulator", "staff", "service"])
def test_every_role_reads_the_catalogue_and_only_super_admins_write_it(
    owner: Connection[Any], urls: Urls, role: str | None
) -> None:
    """HUB 43"""
    before = rows(owner)
    with hub(urls, role) as database:
        assert len(page(database, asked(limit=100)).items) == len(KEYS)
        # The policy hides the row from the update, so it looks as if another call had changed it.
        with pytest.raises(VersionMismatch):
            changed(database, "stripe", {"description": "Theirs"})
        with pytest.raises(VersionMismatch):
            providers.set_active(database, providers.find(database, "stripe"), active=False)
        with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
            added(database)
        database.rollback()
    assert rows(owner) == before


def test_owner_is_bound_by_the_policies_too(owner: Connection[Any]) -> None:
    """HUB 42: row-level security is forced; the loader of the files sets the role super admin."""
    assert owner.execute("UPDATE integration_providers SET description = 'x'").rowcount == 0
    assert owner.execute("DELETE FROM integration_providers").rowcount == 0


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM integration_providers",
        "TRUNCATE integration_providers CASCADE",
        "UPDATE integration_providers SET provider_key = 'x'",
        "UPDATE integration_providers SET created_at = now()",
    ],
)
def test_hub_removes_and_renames_no_provider(urls: Urls, statement: str) -> None:
    with hub(urls) as database, pytest.raises(errors.InsufficientPrivilege, match="permission denied"):
        database.execute(statement.encode())


def test_role_does_not_leak_into_the_next_transaction(urls: Urls) -> None:
    """HUB 42"""
    with psycopg.connect(urls["owner"], autocommit=True) as database:
        files.load(database, FOLDER)
        assert database.execute("SELECT current_setting('causeway.role', true)").fetchone() in ((None,), ("",))


def test_layer_of_schema_migrate_contains_the_catalogue(tmp_path: Path) -> None:
    """Runs what `sam build` runs for the layer."""
    subprocess.run(["make", "-C", str(SCHEMA), "build-SchemaLayer", f"ARTIFACTS_DIR={tmp_path}"], check=True)
    assert [provider.key for provider in read_folder(tmp_path / "schema" / "catalogue")] == KEYS
    assert sorted(file.name for file in (tmp_path / "schema").glob("*.sql")) == sorted(
        file.name for file in SCHEMA.glob("*.sql")
    )


@pytest.mark.parametrize("icon", ["", "<path/>", 'M0 0" onload="x', "M0 0\n", "M" * 2001])
def test_icon_that_is_not_a_drawing_is_refused_by_the_database(owner: Connection[Any], icon: str) -> None:
    """Pages put it into an SVG path: the database allows no markup there, whatever code writes the row."""
    files.load(owner, FOLDER)
    owner.execute("SELECT set_config('causeway.role', 'super_admin', false)")
    with pytest.raises(errors.CheckViolation):
        owner.execute("UPDATE integration_providers SET icon = %s WHERE provider_key = 'twilio'", [icon])


@pytest.mark.parametrize(
    "url", ["", "http://hooks.example", "//evil.example", "webhooks", "https:///x", "https://h /", "/" + "a" * 500]
)
def test_webhook_url_that_is_no_address_is_refused_by_the_database(owner: Connection[Any], url: str) -> None:
    files.load(owner, FOLDER)
    owner.execute("SELECT set_config('causeway.role', 'super_admin', false)")
    with pytest.raises(errors.CheckViolation):
        owner.execute("UPDATE integration_providers SET webhook_url = %s WHERE provider_key = 'twilio'", [url])
