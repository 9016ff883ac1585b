"""A new, migrated database for one command: no demo data, and nothing of it is left afterwards."""

import tempfile
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from causeway import migrations
from local import ROOT
from local.services.database import create
from local.services.postgres import Postgres

# No data outlives the command, so no write waits for the disk.
_SETTINGS = {"fsync": "off"}


@contextmanager
def opened(admin_url: str | None) -> Generator[str]:
    """Yield the owner's URL of a new database, with all migrations applied.

    Args:
        admin_url: of a superuser of a running server, where the database is dropped at the end and the roles causeway_*
            stay; None starts a server of its own.

    Raises:
        StartError: the server does not start, or cannot be used.
    """
    with ExitStack() as undo:
        if admin_url is None:
            folder = Path(undo.enter_context(tempfile.TemporaryDirectory(prefix="causeway-database-")))
            admin_url = undo.enter_context(Postgres(folder, settings=_SETTINGS)).url()
        database = create(admin_url)
        undo.callback(database.drop)
        migrations.migrate(database.urls["owner"], ROOT / "schema")
        yield database.urls["owner"]
