"""A config_schema, a configuration that fits it, and patterns that are hard to match."""

import copy
from typing import Any

CANARY = "CANARY-5f1d8c"
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "apiKey": {"type": "string", "minLength": 20, "maxLength": 30, "pattern": "^k_[a-z]+$", "x-secret": True},
        "region": {"enum": ["eu", "us"]},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535, "default": 443},
        "mail": {"type": "string", "format": "email"},
        "webhookSecret": {"type": "string", "x-secret": True},
        "owner": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "phone": {"type": "string"}},
            "required": ["name"],
            "additionalProperties": False,
        },
        "hosts": {"type": "array", "items": {"type": "string", "pattern": "^[a-z]+$"}, "minItems": 1, "maxItems": 2},
    },
    "required": ["apiKey", "region"],
    "additionalProperties": False,
}

KEY = "k_abcdefghijklmnopqrstuv"

VALID = {"apiKey": KEY, "region": "eu"}

# A backtracking engine practically never ends on each of these with a long text that fails to match at its end.
STALLING = (
    *("(a+)+$", "(?:x*a){2,}$", "^(([a-z])+.)+[A-Z]$", "(a|aa)+$", "^(?:.|.)*!$", r"^(\w|a)*!$", "(?:a?){30}a{30}!$"),
    *("a*a*a*a*!$", "^(a|[a-z])*!$"),
)

# Not supported by a linear-time engine, or no valid patterns.
LOOKING = ("(?=a)b", r"(a)\1", "(", "[z-a]", "a{1000000}", "(?!x)", "(?<=a)b", r"\Z", "(?P=a)")


def changed(**fields: Any) -> dict[str, Any]:
    """The schema above with these fields replaced."""
    return copy.deepcopy(SCHEMA) | {"properties": fields, "required": []}


# One of the largest accepted patterns: 256 KiB compiled.
LARGE = "(?:(?:[01]?){40}){40}[a-z]"
