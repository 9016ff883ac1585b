"""The fields of a configuration that its config_schema marks as secret (x-secret)."""

from typing import Any

from causeway.errors.catalogue import ConfigSchemaInvalid
from causeway.errors.tree import Problem


def names(schema: dict[str, Any]) -> frozenset[str]:
    """Return the names of the secret fields."""
    return frozenset(name for name, field in schema.get("properties", {}).items() if field.get("x-secret"))


def split(schema: dict[str, Any], config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a valid configuration's plain settings, and its secrets, both by field."""
    secret = names(schema)
    return (
        {name: value for name, value in config.items() if name not in secret},
        {name: value for name, value in config.items() if name in secret},
    )


def check_unchanged(before: dict[str, Any], after: dict[str, Any], name: str = "config_schema") -> None:
    """Check that a changed config_schema keeps every secret field secret, and every plain field plain.

    Connections store the values of secret fields apart, as the schema was when they were given.

    Args:
        before, after: the schemas.
        name: of the schema in the sentence, as its document spells it.

    Raises:
        ConfigSchemaInvalid: the sentence names the field.
    """
    was, becomes = names(before), names(after)
    bared = was - becomes
    if bared:
        wrong = Problem(f"{name}.properties.{min(bared)}.x-secret", "must stay true")
        raise ConfigSchemaInvalid.of_problems([wrong])
    marked = (becomes - was) & before.get("properties", {}).keys()
    if marked:
        wrong = Problem(f"{name}.properties.{min(marked)}.x-secret", "must be a new field's")
        raise ConfigSchemaInvalid.of_problems([wrong])
