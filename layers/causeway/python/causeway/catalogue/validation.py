"""A connection's configuration against its provider's config_schema, a JSON Schema (draft 2020-12).

No sentence here repeats a value, which may be a secret: it names the field, and what the schema asks of it.
"""

from collections.abc import Iterator
from itertools import islice
from typing import Any, Never

from causeway.catalogue import patterns, validation_cost, validation_sentences
from causeway.catalogue.validation_sentences import joined
from causeway.errors.catalogue import ConfigSchemaInvalid
from causeway.wire.fields import is_storable
from causeway.wire.names import unseen
from causeway.wire.strict_json import NotAnInteger

# Problems in one sentence.
_MOST_PROBLEMS = 3


def validate(schema: dict[str, Any], config: Any) -> None:
    """Check a connection's configuration against its provider's schema, which config_schema.check has passed.

    Raises:
        ConfigSchemaInvalid: it does not fit; the sentence names up to three fields by path, and repeats no value.
    """
    if validation_cost.holds_too_many(config):
        raise ConfigSchemaInvalid(f"config holds more than {validation_cost.MOST_VALUES} values")
    # What was pasted with a blank is told as that, and not by the pattern that it breaks.
    pasted = list(islice(_pasted(config), _MOST_PROBLEMS))
    found = pasted or list(islice(_problems(schema, config, "config"), _MOST_PROBLEMS))
    if found:
        raise ConfigSchemaInvalid("; ".join(found))


def _pasted(config: Any) -> Iterator[str]:
    """What copying has added to a text of the configuration, a sentence each."""
    texts = [(name, text) for name, text in config.items() if _is_text(text)] if isinstance(config, dict) else []
    for name, text in texts:
        path, kept = joined("config", [name]), text.strip()
        # A text of several lines, such as a private key, ends in a line break of its own.
        own = text.rstrip("\r\n") if "\n" in kept else text
        places = [place for place, ends in (("beginning", own.lstrip()), ("end", own.rstrip())) if ends != own]
        if places:
            yield f"{path} has a space or line break at its {' and its '.join(places)}"
        elif any(unseen(one) and one not in "\t\r\n" for one in kept):
            yield f"{path} has an invisible character"


def _is_text(value: Any) -> bool:
    """Whether a value is a text that can be held: for what is not, there are other sentences."""
    return isinstance(value, str) and not isinstance(value, NotAnInteger) and not any(unholdable(value, ""))


def problems(schema: dict[str, Any], value: Any, name: str) -> list[str]:
    """Return what is wrong with a JSON value, a sentence each, empty where nothing is; no sentence repeats the value.

    Args:
        schema: draft 2020-12; one of ours, or one that config_schema.check has passed.
        value: what json.loads returns.
        name: what the value is called in the sentences.
    """
    return list(_problems(schema, value, name))


def _problems(schema: dict[str, Any], value: Any, name: str) -> Iterator[str]:
    wrong = list(unholdable(value, name))
    yield from wrong
    if not wrong:
        for error in validator(schema).iter_errors(value):
            yield from validation_sentences.of(error, name, schema)


def validator(schema: dict[str, Any]) -> Any:
    """Return the engine's validator of a schema; raises ValueError if the engine does not take the schema."""
    from jsonschema_rs import Draft202012Validator

    return Draft202012Validator(
        validation_cost.guarded(schema),
        validate_formats=True,
        pattern_options=patterns.engine(),
        retriever=_refuse_to_fetch,
    )


def _refuse_to_fetch(uri: str) -> Never:
    raise ValueError(f"{uri} is not local")


def unholdable(value: Any, path: str) -> Iterator[str]:
    """Yield a sentence for each part of a value that JSON or Postgres cannot hold as it is. path: the value's."""
    if isinstance(value, NotAnInteger):
        yield f"{path} must be a whole number"
    elif isinstance(value, str) and not is_storable(value):
        yield f"{path} holds a character that is not text"
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from unholdable(name, path)
            yield from unholdable(inner, joined(path, [name]))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from unholdable(inner, joined(path, [position]))
