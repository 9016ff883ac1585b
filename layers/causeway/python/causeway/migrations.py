"""The migrations of the schema: numbered SQL files, each applied by yoyo in a transaction; then reference data."""

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

import psycopg
from yoyo import read_migrations
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import parse_uri
from yoyo.exceptions import LockTimeout
from yoyo.migrations import Migration, default_migration_table

from causeway.catalogue import files
from causeway.database.postgres import connection_settings
from causeway.errors.service import Internal

# Seconds to wait for another run that holds the lock.
_LOCK_TIMEOUT = 60
# yoyo stores only the names of applied migrations: store their checksums beside them.
_CREATE_CHECKSUMS = "CREATE TABLE IF NOT EXISTS _yoyo_checksum (migration_id text PRIMARY KEY, sha256 text NOT NULL)"
_APPLIED = """
    SELECT m.migration_id, c.sha256 FROM _yoyo_migration AS m
    LEFT JOIN _yoyo_checksum AS c ON c.migration_id = m.migration_id
"""

# Not true in a test with migrations of its own.
_KNOWS_TIME_ZONES = "SELECT to_regprocedure('add_time_zones()') IS NOT NULL"


class _Backend(PostgresqlPsycopgBackend):
    """yoyo's Postgres backend with time limits on every connection: it opens one for each migration."""

    def init_connection(self, connection: Any) -> None:
        super().init_connection(connection)
        # Every caller queues behind a migration that waits for a lock: fail, and let the deployment run it again.
        connection.execute("SET lock_timeout = '10s'")
        connection.execute("SET statement_timeout = '4min'")

    def mark_one(self, migration: Migration, log: bool = True) -> None:
        """Store that a migration was applied, and its checksum, in the transaction that applied it."""
        super().mark_one(migration, log)
        self.connection.execute(
            "INSERT INTO _yoyo_checksum (migration_id, sha256) VALUES (%s, %s)", [migration.id, _checksum(migration)]
        )

    def refuse_changed(self, migrations: Iterable[Migration]) -> None:
        """Raise Internal if a file differs from what the database applied under its name.

        An applied migration without a file is accepted: a rolled back deployment may have left one of a later release.
        """
        self.ensure_internal_schema_updated()  # creates _yoyo_migration
        self.connection.execute(_CREATE_CHECKSUMS)
        applied = dict(self.connection.execute(_APPLIED).fetchall())
        changed = [m.id for m in migrations if m.id in applied and applied[m.id] != _checksum(m)]
        if changed:
            raise Internal(
                cause=f"Changed since this database applied them: {', '.join(changed)}. A released migration never "
                "changes: restore its text and put the change into a new file. A database that a checkout before the "
                "first release created cannot be updated: create a new one"
            )


def _checksum(migration: Migration) -> str:
    return sha256(Path(migration.path).read_bytes()).hexdigest()


def migrate(url: str, folder: Path) -> list[str]:
    """Apply the missing migrations in order and return their names.

    Then add the time zones that the server has learnt since the last run, and load the catalogue of providers.

    Each migration runs in a transaction. A migration that fails is rolled back and ends the run; those before it stay.

    Args:
        url: postgresql:// URL of the owner.
        folder: of the numbered .sql files; its folder catalogue/, where there is one, holds the catalogue.

    Raises:
        Internal: another run holds the lock, or a file changed after this database had applied it; nothing is applied.
        Misconfigured: a file of the catalogue is not valid; the migrations stay.
        psycopg.Error: a migration failed.
    """
    uri = parse_uri(url)
    # yoyo decodes the login's percent-encoding, but not that of the database's name.
    backend = _Backend(uri._replace(database=unquote(uri.database)), default_migration_table)
    backend.init_database()
    try:
        migrations = read_migrations(str(folder))
        try:
            with backend.lock(timeout=_LOCK_TIMEOUT):
                backend.refuse_changed(migrations)
                pending = backend.to_apply(migrations)
                names = [migration.id for migration in pending]
                backend.apply_migrations(pending)
                _load_reference_data(url, folder / "catalogue")
        except LockTimeout as error:
            raise Internal(
                cause="Another migration has run for over a minute, or died while it held yoyo's lock: "
                "check that none is running, then DELETE FROM yoyo_lock"
            ) from error
        return names
    finally:
        backend.connection.close()


def _load_reference_data(url: str, catalogue: Path) -> None:
    with psycopg.connect(url, autocommit=True) as database:
        database.execute("SET lock_timeout = '10s'")
        if database.execute(_KNOWS_TIME_ZONES).fetchone() == (True,):
            database.execute("SELECT add_time_zones()")
        if catalogue.is_dir():
            files.load(database, catalogue)


def url_from_settings() -> str:
    """Return the URL of the database that the settings name, with a password that is valid now.

    Raises:
        Misconfigured, Unavailable: as database.postgres.connection_settings.
    """
    given = {name: quote(str(value), safe="") for name, value in connection_settings().items()}
    login, place = "{user}:{password}".format(**given), "{host}:{port}/{dbname}".format(**given)
    tls = "&".join(f"{name}={given[name]}" for name in ("sslmode", "sslrootcert") if name in given)
    return f"postgresql://{login}@{place}?{tls}"
