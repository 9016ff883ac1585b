"""Types of the fields of models: each has the JSON Schema and an example of its values."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import reduce
from operator import or_
from typing import Annotated, Any, TypeVar, get_args
from uuid import UUID

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    PlainSerializer,
    ValidationError,
)
from pydantic_core import CoreSchema, InitErrorDetails, PydanticCustomError, core_schema

from causeway.errors.requests import InvalidRequest
from causeway.wire import example_ids, field_readers, names
from causeway.wire.model_paths import RULE

T = TypeVar("T")

# RFC 3339, 5.6, in upper case; fromisoformat checks the numbers, but not the minutes of the zone.
_MOMENT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:[.][0-9]+)?(?:Z|[+-][0-9]{2}:[0-5][0-9])"
)
# Of a regular expression: what has a | that is no alternative of the whole.
_ESCAPE_OR_CLASS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]")
_INNERMOST_GROUP = re.compile(r"\([^()]*\)")


def rule_broken(rule: str) -> PydanticCustomError:
    """Return the error that a validator raises where a value breaks a rule.

    Args:
        rule: what the value must be, such as "must be after startTime"; it repeats no value.
    """
    return PydanticCustomError(RULE, "{rule}", {"rule": rule})


@dataclass(frozen=True, slots=True)
class Text:
    """Metadata of a text that is kept as it was sent: Annotated[str, Text(1000, least=0)].

    Attributes:
        most, least: characters. most is None where the pattern bounds the text: a limit stands once.
        pattern: of the whole text; a regular expression without ^ and $.
        rule: what the text must be, where an error is better without the pattern.
    """

    most: int | None = None
    least: int = 1
    pattern: str | None = None
    rule: str = ""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema: the limits, then a check that Postgres can store the text."""
        whole = None if self.pattern is None else _anchored(self.pattern)
        text = core_schema.str_schema(min_length=self.least, max_length=self.most, pattern=whole)
        if self.rule:
            text = core_schema.custom_error_schema(text, custom_error_type=RULE, custom_error_message=self.rule)
        return core_schema.no_info_after_validator_function(_storable, text)


def _anchored(pattern: str) -> str:
    """Return the pattern between ^ and $, in a group only where it has alternatives: error sentences show it."""
    outside, before = _ESCAPE_OR_CLASS.sub("", pattern), None
    while outside != before:
        outside, before = _INNERMOST_GROUP.sub("", outside), outside
    return f"^(?:{pattern})$" if "|" in outside else f"^{pattern}$"


def _storable(text: str) -> str:
    if not field_readers.is_storable(text):
        raise rule_broken("holds a character that is not text")
    return text


@dataclass(frozen=True, slots=True)
class Name:
    """Metadata of a name that people give, kept in one form (names.in_one_form): Annotated[str, Name(100)].

    Attributes:
        most: characters.
    """

    most: int

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return the schema: the text is brought into its form; the limits are for the document."""
        limits = core_schema.str_schema(min_length=1, max_length=self.most)
        return core_schema.no_info_before_validator_function(self._in_one_form, limits)

    def _in_one_form(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return names.in_one_form(_storable(value), self.most)
        except names.NotAName as error:
            raise rule_broken(str(error)) from None


@dataclass(frozen=True, slots=True)
class _NotNull:
    """Metadata of Omittable: the schema of the type without None."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return handler.generate_schema(reduce(or_, [one for one in get_args(source) if one is not type(None)]))


# A field that may be left out, but is never null: name: Omittable[str] = None. None: it was left out.
Omittable = Annotated[T | None, _NotNull()]


def checked_by(fault: Callable[[T], str | None]) -> AfterValidator:
    """Return a validator that refuses a value in which a function finds a fault.

    Args:
        fault: returns the rule that a value breaks; None: it breaks none.
    """

    def value(checked: T) -> T:
        rule = fault(checked)
        if rule is not None:
            raise rule_broken(rule)
        return checked

    return AfterValidator(value)


def checked_by_parts(faults: Callable[[T], Iterable[tuple[tuple[str | int, ...], str]]]) -> AfterValidator:
    """Return a validator that refuses a value in whose parts a function finds faults, each named by its path.

    Args:
        faults: returns the wrong parts: the steps to it (names of fields, positions in lists), and the rule it breaks.
    """

    def value(checked: T) -> T:
        wrong = [InitErrorDetails(type=rule_broken(rule), loc=steps, input=None) for steps, rule in faults(checked)]
        if wrong:
            raise ValidationError.from_exception_data("JSON", wrong)
        return checked

    return AfterValidator(value)


def parsed(kind: type[T], read: Callable[[str], T], rule: str) -> BeforeValidator:
    """Return a validator that reads a value from its text; a value that is of the type already passes as it is.

    Args:
        kind: the type of the value.
        read: returns the value; raises ValueError, KeyError or InvalidRequest.
        rule: what the text must be.
    """

    def value(sent: Any) -> Any:
        try:
            if isinstance(sent, str):
                return read(sent)
        except (ValueError, KeyError, InvalidRequest):
            raise rule_broken(rule) from None
        if not isinstance(sent, kind):
            raise rule_broken(rule)
        return sent

    return BeforeValidator(value)


def _moment(text: str) -> datetime:
    # fromisoformat takes other forms of ISO 8601 as well, such as weeks, and zones with seconds: allow only RFC 3339.
    upper = text.upper()
    if not _MOMENT.fullmatch(upper):
        raise ValueError("another form")
    return datetime.fromisoformat(upper)


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        # Near the year 1 or 9999: Python has no such moment in UTC.
        return moment


# A moment as RFC 3339 writes it (format date-time). In a request it has its zone; in JSON of ours it is in UTC, with Z,
# whatever the zone of the database's session.
Time = Annotated[
    datetime,
    parsed(datetime, _moment, "must be an RFC 3339 time with seconds and zone, such as 2026-01-31T14:00:00+01:00"),
    PlainSerializer(_in_utc, return_type=datetime, when_used="json"),
    Field(examples=["2026-01-31T13:00:00Z"]),
]
# The id of an object of ours.
Id = Annotated[
    UUID,
    parsed(UUID, lambda text: field_readers.parse_uuid(text, InvalidRequest), "must be a UUID"),
    Field(examples=[example_ids.OBJECT_ID]),
]
# An id that counts, of ours or of another system.
NumericId = Annotated[int, Field(ge=1, le=field_readers.LARGEST_INTEGER)]
# An id that another system made, as it was sent.
ExternalId = Annotated[str, Text(field_readers.LONGEST_ID)]
# An object's version. The ETag is this number in quotes.
Version = Annotated[
    int, Field(ge=1, description="The object's version; the ETag is this number in quotes.", examples=[1])
]
# A parameter of a query that is true or false.
Flag = Annotated[
    bool,
    parsed(bool, lambda text: {"true": True, "false": False}[text], "must be true or false"),
    Field(examples=[True]),
]
JsonObject = dict[str, Any]
