"""The schema's migrations, numbered plain-SQL files that yoyo runs, each in a transaction; then the catalogue."""

import sys
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

from causeway import settings
from causeway.catalogue import files
from causeway.database.postgres import connection_settings
from causeway.errors.service import Internal
from causeway.errors.tree import CausewayError

# Seconds to wait for another run to end.
_LOCK_TIMEOUT = 60
# Beside yoyo's list of what was applied, which has names alone.
_MAKE_CHECKSUMS = "CREATE TABLE IF NOT EXISTS _yoyo_checksum (migration_id text PRIMARY KEY, sha256 text NOT NULL)"
_APPLIED = """
    SELECT m.migration_id, c.sha256 FROM _yoyo_migration AS m
    LEFT JOIN _yoyo_checksum AS c ON c.migration_id = m.migration_id
"""


class _Backend(PostgresqlPsycopgBackend):
    """Postgres whose every connection waits within bounds: yoyo runs each migration over one of its own."""

    def init_connection(self, connection: Any) -> None:
        super().init_connection(connection)
        # A migration that waits for a lock holds up every caller that queues behind it: better to fail and come again.
        connection.execute("SET lock_timeout = '10s'")
        connection.execute("SET statement_timeout = '4min'")

    def mark_one(self, migration: Migration, log: bool = True) -> None:
        """Note that a migration was applied, and which content it had; yoyo's transaction holds both."""
        super().mark_one(migration, log)
        self.connection.execute(
            "INSERT INTO _yoyo_checksum (migration_id, sha256) VALUES (%s, %s)", [migration.id, _checksum(migration)]
        )

    def refuse_changed(self, migrations: Iterable[Migration]) -> None:
        """Raise CausewayError where a migration is not what the database applied under its name.

        One that the database applied and that is not among the files is none of this release's: so it is after a
        deployment was rolled back.
        """
        self.ensure_internal_schema_updated()  # makes _yoyo_migration
        self.connection.execute(_MAKE_CHECKSUMS)
        applied = dict(self.connection.execute(_APPLIED).fetchall())
        changed = [one.id for one in migrations if one.id in applied and applied[one.id] != _checksum(one)]
        if changed:
            raise Internal(
                cause=f"Changed since this database applied them: {', '.join(changed)}. A released migration never "
                "changes: put its old text back and the change into a new file. A database that a checkout before "
                "the first release made cannot be brought up to date: make a new one"
            )


def _checksum(migration: Migration) -> str:
    return sha256(Path(migration.path).read_bytes()).hexdigest()


def migrate(url: str, folder: Path) -> list[str]:
    """Apply the migrations that the database lacks, in order, and return their names.

    Each runs in a transaction; one that fails leaves the database as it was before it, and ends the run. Then the
    catalogue of providers is brought to what the folder's catalogue/ says, where it has one.

    Args:
        url: the owner's postgresql:// URL.
        folder: where the numbered .sql files are.

    Raises:
        CausewayError: another run holds the lock, or a migration changed after this database had applied it (then
            nothing is applied); a driver's error is raised as it is.
        Misconfigured: a file of the catalogue is not valid; the migrations stay.
    """
    uri = parse_uri(url)
    # yoyo decodes the login, but not the database's name.
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
                _load_catalogue(url, folder / "catalogue")
        except LockTimeout as error:
            raise Internal(
                cause="Another migration has run for over a minute, or died holding yoyo's lock: "
                "make sure that none is running, then DELETE FROM yoyo_lock"
            ) from error
        return names
    finally:
        backend.connection.close()


def _load_catalogue(url: str, folder: Path) -> None:
    if folder.is_dir():
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute("SET lock_timeout = '10s'")
            files.load(connection, folder)


def url_from_settings() -> str:
    """Return the URL of the database that the function's settings name, with a password that is good now.

    Raises: as database.connection_settings.
    """
    given = {name: quote(str(value), safe="") for name, value in connection_settings().items()}
    login, place = "{user}:{password}".format(**given), "{host}:{port}/{dbname}".format(**given)
    tls = "&".join(f"{name}={given[name]}" for name in ("sslmode", "sslrootcert") if name in given)
    return f"postgresql://{login}@{place}?{tls}"


if __name__ == "__main__":
    try:
        applied = migrate(url_from_settings(), Path(settings.schema_folder()))
    except CausewayError as failure:
        sys.exit(str(failure))
    sys.stdout.write("".join(f"applied {name}\n" for name in applied) or "nothing to apply\n")
