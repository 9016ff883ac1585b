"""The catalogue's files, which each deployment loads into the database."""

from json import JSONDecodeError
from pathlib import Path
from typing import Any, LiteralString

from psycopg import Connection

from causeway.catalogue import secret_fields
from causeway.catalogue.document import TemplateDraft
from causeway.catalogue.providers import COLUMNS, INSERT, as_row
from causeway.errors.catalogue import ConfigSchemaInvalid
from causeway.errors.service import Misconfigured
from causeway.errors.tree import CausewayError
from causeway.wire.strict_json import parse_object

_OLD: LiteralString = ", ".join([f"p.{name}" for name in COLUMNS])
_NEW: LiteralString = ", ".join([f"excluded.{name}" for name in COLUMNS])
_ASSIGNMENTS: LiteralString = ", ".join([f"{name} = excluded.{name}" for name in COLUMNS])


def read_folder(folder: Path) -> list[TemplateDraft]:
    """Return the documents of the folder's files, in the order of their keys.

    Raises:
        Misconfigured: a file is not valid JSON, not a document, or not named after its key; the cause names the file,
            and the line and column of what is not JSON.
    """
    documents = []
    for file in sorted(folder.glob("[!_]*.json")):
        try:
            document = TemplateDraft.of_file(parse_object(file.read_bytes()))
        except CausewayError as error:
            # It has the line and the column.
            malformed = error.__cause__ if isinstance(error.__cause__, JSONDecodeError) else None
            wrong = f"not valid JSON: {malformed}" if malformed else error.sentence
            raise Misconfigured(cause=f"{file}: {wrong}") from error
        if document.key != file.stem:
            raise Misconfigured(cause=f"{file}: it holds the provider {document.key}")
        documents.append(document)
    return documents


def load(database: Connection[Any], folder: Path) -> list[str]:
    """Load the folder's files into the catalogue, in one transaction, and return the keys of changed providers.

    A provider that a super admin changed stays as it is, and no provider is activated or deactivated. A second load
    changes nothing. A provider without a file stays: connections may refer to it.

    Args:
        database: a connection of the owner, without an open transaction.
        folder: the schema folder's catalogue/.

    Raises:
        Misconfigured: as read_folder, or a file changes which fields are secret; nothing was written.
    """
    documents = read_folder(folder)
    with database.transaction():
        database.execute("SELECT set_config('causeway.role', 'super_admin', true)")
        for document in documents:
            _check_secret_fields(database, document)
        return [document.key for document in documents if _write(database, document)]


def _write(database: Connection[Any], document: TemplateDraft) -> bool:
    """Write a provider, unless it is unchanged or a super admin's; return whether it was written."""
    written = database.execute(
        f"""
        {INSERT}
        ON CONFLICT (provider_key) DO UPDATE SET {_ASSIGNMENTS}, version = p.version + 1, updated_at = now()
        WHERE NOT p.changed_by_admin AND ({_OLD}) IS DISTINCT FROM ({_NEW})
        """,
        as_row(document.columns(), None),
    )
    return written.rowcount > 0


def _check_secret_fields(database: Connection[Any], document: TemplateDraft) -> None:
    row = database.execute(
        "SELECT config_schema FROM integration_providers WHERE provider_key = %s AND NOT changed_by_admin",
        [document.key],
    ).fetchone()
    try:
        secret_fields.check_unchanged(row[0] if row else {}, document.config_schema)
    except ConfigSchemaInvalid as error:
        raise Misconfigured(cause=f"{document.key}: {error.sentence}") from error
