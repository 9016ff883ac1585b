"""The fields of a configuration that an authorization fills, by the part `oauth` of the catalogue's document."""

from collections.abc import Mapping
from typing import Any


def secrets_filled(oauth: Mapping[str, Any] | None) -> frozenset[str]:
    """Return the secret fields that an authorization fills; empty for a platform without OAuth."""
    named = ((oauth or {}).get(name) for name in ("access_token_field", "refresh_token_field"))
    return frozenset(name for name in named if name)


def fields_filled(oauth: Mapping[str, Any] | None) -> frozenset[str]:
    """Return all fields that a connection may lack until it is authorized: tokens, settings, and the app's fields."""
    if oauth is None:
        return frozenset()
    app = (oauth["client_id_field"], oauth["client_secret_field"])
    return secrets_filled(oauth) | frozenset((*app, *oauth.get("setting_fields", ())))


def schema_before(schema: dict[str, Any], oauth: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return a config_schema as it binds a connection that may wait for its authorization."""
    waits = fields_filled(oauth)
    if not waits:
        return schema
    return schema | {"required": [name for name in schema.get("required", []) if name not in waits]}
