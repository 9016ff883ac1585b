"""A new, migrated database for one command: no demo data, and nothing of it is left afterwards."""

from collections.abc import Generator
from contextlib import contextmanager

from causeway import migrations
from local import ROOT
from local.services.database import create
from local.services.postgres import Postgres
from local.temporary_folders import temporary_folder

# No data outlives the command, so no write waits for the disk.
_SETTINGS = {"fsync": "off"}


@contextmanager
def opened() -> Generator[str]:
    """Yield the owner's URL of a new database, with all migrations applied, on a server of its own.

    Raises:
        StartError: the server does not start.
    """
    with temporary_folder("causeway-database") as folder, Postgres(folder, settings=_SETTINGS) as server:
        database = create(server.url())
        migrations.migrate(database.urls["owner"], ROOT / "schema")
        yield database.urls["owner"]
