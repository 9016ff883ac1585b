"""The errors of a JSON Schema validator as problems, which name the field and never repeat a value."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from causeway.catalogue import patterns
from causeway.errors.tree import Problem
from causeway.wire.problem_words import EMPTY, counted, of_type, unknown_field
from causeway.wire.strict_json import shown_name

if TYPE_CHECKING:
    from jsonschema_rs import ValidationError

# Names of fields, positions in lists.
Steps = tuple[str | int, ...]


def joined(path: str, steps: Sequence[str | int]) -> str:
    """Return a path with further steps: names of fields, positions in lists."""
    return path + "".join(f"[{step}]" if isinstance(step, int) else f".{shown_name(step)}" for step in steps)


_EXPECTATIONS = {
    "minLength": "must have at least {}",
    "maxLength": "must have at most {}",
    "format": "must be a valid {}",
    "enum": "must be one of {}",
    "const": "must be {}",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "exclusiveMinimum": "must be more than {}",
    "exclusiveMaximum": "must be less than {}",
    "minItems": "must have at least {}",
    "maxItems": "must have at most {}",
}
# What the limits of lengths count.
_COUNTED = {"minLength": "character", "maxLength": "character", "minItems": "item", "maxItems": "item"}


def problems(error: "ValidationError", name: str, schema: dict[str, Any]) -> Iterator[Problem]:
    """Yield the problems that an error tells.

    Args:
        error: the validator's.
        name: of the whole value.
        schema: of the whole value.
    """
    path = joined(name, list(error.instance_path))
    kind = error.kind
    # The keyword's limit in the schema; for a few keywords, the faulty part of the value.
    details = kind.as_dict()
    if kind.name == "required":
        yield Problem(joined(path, [details["property"]]), "is missing")
    elif kind.name == "additionalProperties":
        # List the fields of the whole value only: the schema of an inner object is not known here.
        known = None if error.instance_path else list(schema.get("properties", {})) or None
        for unknown in details["unexpected"]:
            yield Problem(joined(path, [unknown]), unknown_field(known))
            known = None
    elif kind.name in ("anyOf", "oneOf") and all(details.get("context", [])):
        first, *others = dict.fromkeys(next(problems(branch[0], name, schema)) for branch in details["context"])
        yield Problem(first.path, " or ".join([first.rule, *(other.sentence for other in others)]))
    elif kind.name == "type":
        # The engine sorts the names, so that null comes first.
        yield Problem(path, of_type(*sorted(details["types"], key=lambda one: one == "null")))
    elif kind.name == "minLength" and details["limit"] == 1:
        yield Problem(path, EMPTY)
    elif kind.name == "pattern":
        description = _description(schema, error.instance_path)
        yield Problem(path, _form(str(details["pattern"]), str(error.instance), description))
    elif kind.name in _EXPECTATIONS and len(details) == 1:
        (asked,) = details.values()
        if kind.name in _COUNTED:
            asked = counted(asked, _COUNTED[kind.name])
        asked = ", ".join(map(str, asked)) if isinstance(asked, list) else asked
        yield Problem(path, _EXPECTATIONS[kind.name].format(asked))
    else:
        yield Problem(path, f"does not fit what the schema says under {kind.name}")


def _form(pattern: str, text: str, description: str) -> str:
    """Return why a text does not match its pattern, without quoting the text."""
    if not text:
        return EMPTY
    if patterns.matches(pattern, "".join(text.split())):
        return "must have no space or line break in it"
    if patterns.matches(pattern, "".join(one for one in text if one.isascii())):
        return "must have only ASCII characters"
    return f"must match {pattern}" + (f" ({description})" if description else "")


def _description(schema: dict[str, Any], steps: list[str | int]) -> str:
    """Return the description of a configuration's field in the schema; "" if it has no description."""
    if len(steps) != 1:
        return ""
    return str(schema.get("properties", {}).get(steps[0], {}).get("description", "")).rstrip(".")
