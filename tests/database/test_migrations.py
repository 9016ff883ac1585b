"""Migrations: applied once, in order, each completely or not at all."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql

from causeway import migrations
from causeway.errors.service import Misconfigured
from causeway.errors.tree import CausewayError
from local.services.database import OWNER, create
from local.template.intrinsics import parse

SCHEMA = Path(__file__).parents[2] / "schema"
FILES = sorted(path.stem for path in SCHEMA.glob("*.sql"))


@pytest.fixture
def empty(admin_url: str) -> Iterator[str]:
    """The owner's URL of an empty database."""
    made = create(admin_url)
    yield made.urls["owner"]
    made.drop()


def _rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as database:
        return database.execute(statement.encode()).fetchall()


def _tables(url: str) -> set[str]:
    return {name for (name,) in _rows(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}


def _catalogue(url: str) -> list[tuple[Any, ...]]:
    """Everything that a migration may change, in a form that can be compared."""
    return _rows(
        url,
        """
        SELECT 'table', c.oid::regclass::text, c.relacl::text, c.relfilenode::text FROM pg_class AS c
        WHERE c.relnamespace = 'public'::regnamespace
        UNION ALL SELECT 'function', p.oid::regprocedure::text, p.proacl::text, md5(pg_get_functiondef(p.oid))
        FROM pg_proc AS p WHERE p.pronamespace = 'public'::regnamespace
        UNION ALL SELECT 'policy', polname, polroles::text, pg_get_expr(polqual, polrelid) FROM pg_policy
        UNION ALL SELECT 'constraint', conname, NULL, pg_get_constraintdef(oid) FROM pg_constraint
        UNION ALL SELECT 'role', setrole::regrole::text, NULL, setconfig::text FROM pg_db_role_setting
        ORDER BY 1, 2, 3, 4
        """,
    )


def test_each_number_has_one_file() -> None:
    """Two branches that take the same number would be applied in the order of their names."""
    assert [name.partition("_")[0] for name in FILES] == [f"{number:04}" for number in range(1, len(FILES) + 1)]


def test_every_migration_is_applied_in_order_and_a_second_run_changes_nothing(empty: str) -> None:
    assert migrations.migrate(empty, SCHEMA) == FILES
    before, runs = _catalogue(empty), _rows(empty, "SELECT count(*) FROM _yoyo_migration")

    assert migrations.migrate(empty, SCHEMA) == []
    assert (_catalogue(empty), _rows(empty, "SELECT count(*) FROM _yoyo_migration")) == (before, runs)


def test_two_databases_of_one_server_get_the_same_schema(empty: str, admin_url: str) -> None:
    """Roles belong to the server: they exist already for the second database."""
    other = create(admin_url)
    try:
        assert migrations.migrate(empty, SCHEMA) == migrations.migrate(other.urls["owner"], SCHEMA) == FILES
        assert _tables(empty) == _tables(other.urls["owner"])
    finally:
        other.drop()


def test_failed_migration_changes_nothing_and_can_be_corrected(empty: str, tmp_path: Path) -> None:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (n int);")
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE second (n int); INSERT INTO first VALUES (1);")
    third = tmp_path / "0003_third.sql"
    third.write_text(
        """
        CREATE TABLE third (n int);
        INSERT INTO first VALUES (2);
        DROP TABLE second;
        SELECT 1 / 0;
        CREATE TABLE late (n int);
        """
    )
    (tmp_path / "0004_fourth.sql").write_text("CREATE TABLE fourth (n int);")

    with pytest.raises(psycopg.errors.DivisionByZero):
        migrations.migrate(empty, tmp_path)

    assert {"first", "second"} <= _tables(empty)
    assert not {"third", "late", "fourth"} & _tables(empty)
    assert _rows(empty, "SELECT n FROM first") == [(1,)]

    third.write_text("CREATE TABLE third (n int);")
    assert migrations.migrate(empty, tmp_path) == ["0003_third", "0004_fourth"]


def test_failure_in_our_own_migrations_leaves_an_empty_database(empty: str, tmp_path: Path) -> None:
    texts = [(SCHEMA / f"{name}.sql").read_text() for name in FILES]
    (tmp_path / "0001_all.sql").write_text("\n".join([*texts, "SELECT nonsense;"]))
    before = _tables(empty)

    with pytest.raises(psycopg.errors.UndefinedColumn):
        migrations.migrate(empty, tmp_path)

    assert {name for name in _tables(empty) if "yoyo" not in name} == before


def test_time_zones_that_the_server_has_learnt_are_added(empty: str) -> None:
    """HUB 61: the server was updated, and no migration is missing."""
    migrations.migrate(empty, SCHEMA)
    with psycopg.connect(empty, autocommit=True) as database:
        database.execute("DELETE FROM time_zones WHERE name = 'America/Argentina/Buenos_Aires'")
        before = _rows(empty, "SELECT name FROM time_zones")

    assert migrations.migrate(empty, SCHEMA) == []

    assert set(_rows(empty, "SELECT name FROM time_zones")) == {*before, ("America/Argentina/Buenos_Aires",)}


def test_server_that_does_not_know_a_country_s_time_zone_is_refused(empty: str) -> None:
    """HUB 61: its time zone data are older than the list of countries."""
    with psycopg.connect(empty) as database:
        # Found before the one in pg_catalog.
        database.execute("CREATE SCHEMA old")
        database.execute("SET LOCAL search_path = old, pg_catalog")
        known = "SELECT * FROM pg_catalog.pg_timezone_names WHERE name NOT IN ('Europe/Kyiv', 'Asia/Dubai')"
        database.execute(sql.SQL("CREATE VIEW pg_timezone_names AS {}").format(sql.SQL(known)))

        roles, tenants = ((SCHEMA / f"{name}.sql").read_bytes() for name in FILES[:2])
        database.execute(roles)
        with pytest.raises(psycopg.errors.FeatureNotSupported) as raised:
            database.execute(tenants)

    assert raised.value.diag.message_primary == (
        "This Postgres server does not know the time zones of some countries (Asia/Dubai, Europe/Kyiv): its time zone "
        "data is too old. Update the server, or the tzdata of its system where it uses that, and migrate again"
    )


def test_migration_changed_after_it_was_applied_is_refused(empty: str, tmp_path: Path) -> None:
    """If it were skipped, the database would lack the change for ever, and no call would tell why it fails."""
    first, original = tmp_path / "0001_first.sql", "CREATE TABLE first (n int);"
    first.write_text(original)
    migrations.migrate(empty, tmp_path)
    first.write_text("CREATE TABLE first (n bigint);")
    (tmp_path / "0002_second.sql").write_text("CREATE TABLE second (n int);")

    with pytest.raises(CausewayError, match="Changed since this database applied them: 0001_first"):
        migrations.migrate(empty, tmp_path)
    assert "second" not in _tables(empty)

    first.write_text(original)
    assert migrations.migrate(empty, tmp_path) == ["0002_second"]


def test_database_without_checksums_is_refused(empty: str, tmp_path: Path) -> None:
    """It was made before checksums were stored, so its applied migrations are unknown."""
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (n int);")
    migrations.migrate(empty, tmp_path)
    with psycopg.connect(empty, autocommit=True) as database:
        database.execute("DROP TABLE _yoyo_checksum")

    with pytest.raises(CausewayError, match="0001_first"):
        migrations.migrate(empty, tmp_path)


def test_earlier_release_keeps_a_later_migration(empty: str, tmp_path: Path) -> None:
    """A rolled back deployment runs the release before, which does not have the newest file."""
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (n int);")
    newest = tmp_path / "0002_second.sql"
    newest.write_text("CREATE TABLE second (n int);")
    migrations.migrate(empty, tmp_path)
    newest.unlink()

    assert migrations.migrate(empty, tmp_path) == []
    assert "second" in _tables(empty)


def test_migration_gives_up_waiting_for_a_lock(empty: str, tmp_path: Path) -> None:
    """Callers queue behind a waiting migration, so it gives up early."""
    (tmp_path / "0001_limits.sql").write_text(
        "CREATE TABLE limits AS SELECT current_setting('lock_timeout') AS l, current_setting('statement_timeout') AS s;"
    )

    migrations.migrate(empty, tmp_path)

    assert _rows(empty, "SELECT l, s FROM limits") == [("10s", "4min")]


def test_missing_setting_of_the_database_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("DATABASE_HOST", raising=False)

    with pytest.raises(Misconfigured) as raised:
        migrations.url_from_settings()
    assert str(raised.value).startswith("The setting DATABASE_HOST is missing: ")


def test_proxy_of_the_template_may_log_in_as_each_login_by_token(admin_url: str, empty: str) -> None:
    """Also for people's logins, which no function of the template uses. The owner has a secret instead."""
    template = parse((SCHEMA.parent / "stacks" / "foundation.yaml").read_text())
    (policy,) = template["Resources"]["DatabaseProxyRole"]["Properties"]["Policies"]
    (proxy,) = [one for one in policy["PolicyDocument"]["Statement"] if one["Action"] == "rds-db:connect"]
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute("CREATE ROLE rds_iam NOLOGIN")  # Aurora has it
        admin.execute(sql.SQL("GRANT rds_iam TO {} WITH ADMIN OPTION").format(sql.Identifier(OWNER)))
        try:
            migrations.migrate(empty, SCHEMA)
            logins = _rows(
                empty,
                """
                SELECT rolname, pg_has_role(oid, 'rds_iam', 'MEMBER') FROM pg_roles
                WHERE rolcanlogin AND starts_with(rolname, 'causeway_')
                """,
            )
        finally:
            admin.execute("DROP OWNED BY rds_iam")
            admin.execute("DROP ROLE rds_iam")

    assert all(by_token for _, by_token in logins)
    assert {one["Fn::Sub"].rsplit("/", 1)[1] for one in proxy["Resource"]} == {login for login, _ in logins} - {OWNER}
