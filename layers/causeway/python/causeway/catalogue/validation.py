"""A connection's configuration against its provider's config_schema, a JSON Schema (draft 2020-12).

No error repeats a value, which may be a secret: errors name the field, and what the schema requires.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Never

from causeway.catalogue import patterns, validation_cost, validation_problems
from causeway.catalogue.validation_problems import Steps, joined
from causeway.errors.catalogue import ConfigSchemaInvalid
from causeway.errors.tree import MOST_PROBLEMS, Problem
from causeway.wire.field_readers import is_storable
from causeway.wire.names import has_invisible
from causeway.wire.strict_json import NotAnInteger


def validate(schema: dict[str, Any], config: Any) -> None:
    """Check a connection's configuration against its provider's schema, which config_schema.check has accepted.

    Raises:
        ConfigSchemaInvalid: the configuration does not fit; the sentence names up to five fields by path.
    """
    if validation_cost.has_too_many_values(config):
        too_many = Problem("config", f"holds more than {validation_cost.MOST_VALUES} values")
        raise ConfigSchemaInvalid.of_problems([too_many])
    # Report pasted blanks first: the pattern's message would hide them.
    pasted = list(islice(_pasted(config), MOST_PROBLEMS))
    found = pasted or list(islice(problems(schema, config, "config"), MOST_PROBLEMS))
    if found:
        raise ConfigSchemaInvalid.of_problems(found)


def _pasted(config: Any) -> Iterator[Problem]:
    """Yield a problem for each text with leading or trailing blanks or invisible characters, as copying adds them."""
    texts = [(name, text) for name, text in config.items() if _is_text(text)] if isinstance(config, dict) else []
    for name, text in texts:
        path, kept = joined("config", [name]), text.strip()
        # A text of several lines, such as a private key, ends in a line break of its own.
        own = text.rstrip("\r\n") if "\n" in kept else text
        places = [place for place, ends in (("beginning", own.lstrip()), ("end", own.rstrip())) if ends != own]
        if places:
            yield Problem(path, f"has a space or line break at its {' and its '.join(places)}")
        elif any(has_invisible(one) and one not in "\t\r\n" for one in kept):
            yield Problem(path, "has an invisible character")


def _is_text(value: Any) -> bool:
    """Return whether a value is a text that can be stored; unstorable() describes all others."""
    return isinstance(value, str) and not any(unstorable(value))


def problems(schema: dict[str, Any], value: Any, name: str) -> Iterator[Problem]:
    """Yield the problems of a JSON value; none repeats the value.

    Args:
        schema: draft 2020-12; our own, or accepted by config_schema.check.
        value: what json.loads returns.
        name: of the value in the paths.
    """
    wrong = [Problem(joined(name, steps), rule) for steps, rule in unstorable(value)]
    yield from wrong
    if not wrong:
        for error in validator(schema).iter_errors(value):
            yield from validation_problems.problems(error, name, schema)


def validator(schema: dict[str, Any]) -> Any:
    """Return the engine's validator of a schema; raises ValueError if the engine does not accept the schema."""
    from jsonschema_rs import Draft202012Validator

    return Draft202012Validator(
        validation_cost.with_bounded_patterns(schema),
        validate_formats=True,
        pattern_options=patterns.engine(),
        retriever=_refuse_to_fetch,
    )


def _refuse_to_fetch(uri: str) -> Never:
    raise ValueError(f"{uri} is not local")


def unstorable(value: Any, steps: Steps = ()) -> Iterator[tuple[Steps, str]]:
    """Yield each part of a JSON value that cannot be stored as it is: its steps, and the rule that it breaks.

    Args:
        value: as strict_json.parse_object returns it.
        steps: of the value: names of fields, positions in lists.
    """
    if isinstance(value, NotAnInteger):
        yield steps, "must be a whole number"
    elif isinstance(value, str) and not is_storable(value):
        yield steps, "holds a character that is not text"
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from unstorable(name, steps)
            yield from unstorable(inner, (*steps, name))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from unstorable(inner, (*steps, position))
