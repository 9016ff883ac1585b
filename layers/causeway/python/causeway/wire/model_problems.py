"""The errors of a pydantic model as problems: the path of each wrong part and the rule that it breaks."""

from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from causeway.errors.tree import MOST_PROBLEMS, Problem
from causeway.wire import model_paths
from causeway.wire.problem_words import EMPTY, counted, of_type, unknown_field

# Rules by pydantic's error type (https://docs.pydantic.dev/latest/errors/validation_errors/). pydantic's own messages
# are not used, because some of them repeat a part of the value.
_RULES = {
    "missing": "is missing",
    "string_type": of_type("string"),
    "string_unicode": "holds a character that is not text",
    "string_too_short": "must have at least {min_length}",
    "string_too_long": "must have at most {max_length}",
    "string_pattern_mismatch": "must match {pattern}",
    "int_type": of_type("integer"),
    "bool_type": of_type("boolean"),
    "none_required": of_type("null"),
    "literal_error": "must be one of {expected}",
    "greater_than_equal": "must be at least {ge}",
    "greater_than": "must be more than {gt}",
    "less_than_equal": "must be at most {le}",
    "less_than": "must be less than {lt}",
    "model_type": of_type("object"),
    # Of a union with a tag.
    "model_attributes_type": of_type("object"),
    "dict_type": of_type("object"),
    "list_type": of_type("array"),
    "tuple_type": of_type("array"),
    "too_short": "must have at least {min_length}",
    "too_long": "must have at most {max_length}",
    "union_tag_not_found": "is missing",
    "union_tag_invalid": "must be one of {expected_tags}",
}
# What the length of a value counts, by pydantic's name of its type; of a text: characters.
_COUNTED = {"Dictionary": "field", "List": "item", "Tuple": "item"}
OTHER = "is not valid"


def of(invalid: ValidationError, model: type[BaseModel], known: Sequence[str]) -> list[Problem]:
    """Return the problems of what was sent, MOST_PROBLEMS at most.

    Args:
        invalid: the model's error.
        model: what was sent is none of these.
        known: the names of the model's fields, as they are sent.
    """
    schema = model.__pydantic_core_schema__
    found: dict[Problem, None] = {}
    names: Sequence[str] | None = known
    for error in invalid.errors(include_url=False):
        if error["type"] != "extra_forbidden":
            rule = _rule(error)
        elif len(error["loc"]) > 1:
            # The fields of an inner object are not known here.
            rule = unknown_field(None)
        else:
            rule, names = unknown_field(names), None
        found.setdefault(Problem(model_paths.path(error, schema), rule))
        if len(found) == MOST_PROBLEMS:
            break
    return list(found)


def _rule(error: ErrorDetails) -> str:
    kind, limits = error["type"], error.get("ctx", {})
    if kind == model_paths.RULE:
        # The validator's message is the rule.
        return error["msg"]
    if kind == "string_too_short" and limits["min_length"] == 1:
        return EMPTY
    noun = _COUNTED.get(limits.get("field_type"), "character")
    lengths = {name: counted(limits[name], noun) for name in ("min_length", "max_length") if name in limits}
    plain = {name: _plain(limit) for name, limit in limits.items()}
    return _RULES.get(kind, OTHER).format(**plain | lengths)


def _plain(limit: Any) -> str:
    """Return a limit without quotes, and a list of values with commas only: 'a', 'b' or 'c' is a, b, c."""
    return str(limit).replace("'", "").replace(" or ", ", ")
