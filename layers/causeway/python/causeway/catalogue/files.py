"""The catalogue's files, which each deployment brings into the database."""

from pathlib import Path
from typing import Any

from psycopg import Connection

from causeway.catalogue.providers import Provider, as_row, keep_marks, read_shape
from causeway.errors.catalogue import ConfigSchemaInvalid
from causeway.errors.service import Misconfigured
from causeway.errors.tree import CausewayError
from causeway.wire.strict_json import parse_object


def read_folder(folder: Path) -> list[Provider]:
    """Return the providers of the folder's files, in the order of their keys.

    Raises:
        Misconfigured: a file is not valid JSON, not a provider, or not named after its key; the cause names it.
    """
    shape = read_shape(folder)
    providers = []
    for file in sorted(folder.glob("[!_]*.json")):
        try:
            provider = Provider.parse(parse_object(file.read_bytes()), shape)
        except CausewayError as error:
            raise Misconfigured(cause=f"{file}: {error.sentence}") from error
        if provider.key != file.stem:
            raise Misconfigured(cause=f"{file}: it holds the provider {provider.key}")
        providers.append(provider)
    return providers


def load(connection: Connection[Any], folder: Path) -> list[str]:
    """Bring the catalogue to what the folder's files say, in one transaction, and return the keys of what changed.

    A provider that a super admin changed is left alone, and none is activated or deactivated. Nothing changes the
    second time. A provider whose file is gone stays: connections may name it.

    Args:
        connection: the owner's, with no transaction open.
        folder: the schema folder's catalogue/.

    Raises:
        Misconfigured: as read_folder; nothing was written.
    """
    providers = read_folder(folder)
    with connection.transaction():
        connection.execute("SELECT set_config('causeway.role', 'super_admin', true)")
        for provider in providers:
            _check_marks(connection, provider)
        return [provider.key for provider in providers if _write(connection, provider)]


def _write(connection: Connection[Any], provider: Provider) -> bool:
    """Write a provider, but where it is as it was or a super admin's; return whether it was written."""
    written = connection.execute(
        """
        INSERT INTO integration_providers AS p (
            provider_key, kind, display_name, description, icon, config_schema, setup_instructions,
            documentation_url, base_urls, api_version, webhook_support, rate_limits, authentication, health_call
        ) VALUES (
            %(key)s, %(kind)s, %(display_name)s, %(description)s, %(icon)s, %(config_schema)s, %(setup_instructions)s,
            %(documentation_url)s, %(base_urls)s, %(api_version)s, %(webhook_support)s, %(rate_limits)s,
            %(authentication)s, %(health_call)s
        )
        ON CONFLICT (provider_key) DO UPDATE SET
            kind = excluded.kind, display_name = excluded.display_name, description = excluded.description,
            icon = excluded.icon, config_schema = excluded.config_schema,
            setup_instructions = excluded.setup_instructions,
            documentation_url = excluded.documentation_url, base_urls = excluded.base_urls,
            api_version = excluded.api_version, webhook_support = excluded.webhook_support,
            rate_limits = excluded.rate_limits, authentication = excluded.authentication,
            health_call = excluded.health_call,
            version = p.version + 1, updated_at = now()
        WHERE NOT p.changed_by_admin AND (
            p.kind, p.display_name, p.description, p.icon, p.config_schema, p.setup_instructions,
            p.documentation_url, p.base_urls, p.api_version, p.webhook_support, p.rate_limits, p.authentication,
            p.health_call
        ) IS DISTINCT FROM (
            excluded.kind, excluded.display_name, excluded.description, excluded.icon, excluded.config_schema,
            excluded.setup_instructions, excluded.documentation_url, excluded.base_urls,
            excluded.api_version, excluded.webhook_support, excluded.rate_limits,
            excluded.authentication, excluded.health_call
        )
        """,
        as_row(provider),
    )
    return written.rowcount > 0


def _check_marks(connection: Connection[Any], provider: Provider) -> None:
    row = connection.execute(
        "SELECT config_schema FROM integration_providers WHERE provider_key = %s AND NOT changed_by_admin",
        [provider.key],
    ).fetchone()
    try:
        keep_marks(row[0] if row else {}, provider.config_schema)
    except ConfigSchemaInvalid as error:
        raise Misconfigured(cause=f"{provider.key}: {error.sentence}") from error
