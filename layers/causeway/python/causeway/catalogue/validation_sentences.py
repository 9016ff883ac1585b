"""What a JSON Schema's validator found, in sentences that name the field and repeat no value."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from causeway.catalogue import patterns
from causeway.wire.strict_json import shown_name

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

# Fields named in one sentence.
_MOST_NAMES = 20


def joined(path: str, steps: list[str | int]) -> str:
    """Return the path of what steps lead to from a path."""
    return path + "".join(f"[{step}]" if isinstance(step, int) else f".{shown_name(step)}" for step in steps)


_ASKED = {
    "type": "must be of type {}",
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "format": "must be a valid {}",
    "enum": "must be one of {}",
    "const": "must be {}",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
}


def of(error: "ValidationError", name: str, schema: dict[str, Any]) -> Iterator[str]:
    """Say what is wrong, a sentence each.

    Args:
        error: the validator's.
        name: what the whole value is called.
        schema: the value's.
    """
    path = joined(name, list(error.instance_path))
    kind = error.kind
    # The keyword's limit in the schema; for a few keywords, the part of the value that broke it.
    details = kind.as_dict()
    if kind.name == "required":
        yield f"{joined(path, [details['property']])} is missing"
    elif kind.name == "additionalProperties":
        # Those of the schema itself; which of its parts an inner object is of is not known here.
        known = [] if error.instance_path else list(schema.get("properties", {}))
        there = f": the fields are {', '.join(known)}" if 0 < len(known) <= _MOST_NAMES else ""
        yield from (f"{joined(path, [unknown])} is not a known field{there}" for unknown in details["unexpected"])
    elif kind.name in ("anyOf", "oneOf") and all(details.get("context", [])):
        ways = [next(of(branch[0], name, schema)) for branch in details["context"]]
        yield " or ".join(dict.fromkeys(ways))
    elif kind.name == "pattern":
        yield f"{path} {_form(str(details['pattern']), str(error.instance), _description(schema, error.instance_path))}"
    elif kind.name in _ASKED and len(details) == 1:
        (asked,) = details.values()
        asked = ", ".join(map(str, asked)) if isinstance(asked, list) else asked
        yield f"{path} {_ASKED[kind.name].format(asked)}"
    else:
        yield f"{path} does not fit what the schema says under {kind.name}"


def _form(pattern: str, text: str, description: str) -> str:
    """Return how a text misses its pattern, without quoting it."""
    if not text:
        return "must not be empty"
    if patterns.matches(pattern, "".join(text.split())):
        return "must have no space or line break in it"
    if patterns.matches(pattern, "".join(one for one in text if one.isascii())):
        return "must have ASCII characters alone"
    return f"must match {pattern}" + (f" ({description})" if description else "")


def _description(schema: dict[str, Any], steps: list[str | int]) -> str:
    """Return what the schema says a field of the configuration is, "" where it says nothing."""
    if len(steps) != 1:
        return ""
    return str(schema.get("properties", {}).get(steps[0], {}).get("description", "")).rstrip(".")
