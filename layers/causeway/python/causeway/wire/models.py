"""Models of requests and answers: one class parses, names the field that is wrong, and is the OpenAPI schema.

Functions whose cold start is money or a lost event (wallet, authorizer) do not load this module: pydantic takes longer
to import than all that they need.
"""

from collections.abc import Mapping, Sequence
from threading import RLock
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, GetJsonSchemaHandler, ValidationError, model_validator
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from causeway.errors.requests import InvalidRequest
from causeway.wire import model_problems
from causeway.wire.field_types import rule_broken

_building = RLock()


class _Model(BaseModel):
    """What requests and answers share: exact types, no unknown fields, names in camelCase, immutable."""

    model_config = ConfigDict(
        strict=True,
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        # An error must not repeat what was sent.
        hide_input_in_errors=True,
        # The schema of a model is built on its first use: a function loads more models than a call needs.
        defer_build=True,
    )

    @classmethod
    def model_rebuild(cls, **options: Any) -> bool | None:
        """Build the model's schema, in one thread at a time.

        pydantic's own method is not safe where two threads use a model for the first time
        (https://github.com/pydantic/pydantic/pull/13438).
        """
        with _building:
            return super().model_rebuild(**options)

    def model_dump(self, **options: Any) -> dict[str, Any]:
        """Return the fields. A value that does not fit its field is returned as it is: a warning would print it."""
        return super().model_dump(**options, warnings=False)

    def model_dump_json(self, **options: Any) -> str:
        """Return the JSON of the fields. A value that does not fit its field is written as it is, as in model_dump."""
        return super().model_dump_json(**options, warnings=False)


class Request(_Model):
    """A request's body, or another document from outside."""

    @classmethod
    def parse(cls, fields: Mapping[str, Any]) -> Self:
        """Return the request with these fields.

        Args:
            fields: as strict_json.parse_object returns them.

        Raises:
            InvalidRequest: names up to five paths and the rules that they break, and repeats no value.
        """
        try:
            return cls.model_validate(fields)
        except ValidationError as invalid:
            # Not raised from it: its errors have the values.
            raise InvalidRequest.of_problems(model_problems.of(invalid, cls, known(cls))) from None


class Change(Request):
    """The fields of an object that change; a field that is left out stays as it is. At least one is sent."""

    @model_validator(mode="after")
    def _not_empty(self) -> Self:
        if not self.model_fields_set:
            raise rule_broken("The body must have at least one field")
        return self

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the JSON Schema, with the least number of fields."""
        made = handler(schema)
        handler.resolve_ref_schema(made)["minProperties"] = 1
        return made


class NoBody(Request):
    """The body of a request that has none: {}."""


class Query(Request):
    """The parameters in a request's query string: texts by name."""


class NoQuery(Query):
    """The query string of a request that has no parameters."""


class Answer(_Model):
    """The body of an answer, or a part of one. A field that was not set is left out.

    An answer is made in Python by the names of its attributes; it is written by the names of the API.
    """

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=False, from_attributes=True)

    @classmethod
    def of_row(cls, row: Any) -> Self:
        """Return the answer whose fields are a row's columns of the same names."""
        return cls.model_validate(row)

    def as_json(self) -> dict[str, Any]:
        """Return the answer in the names and types of its JSON."""
        return self.model_dump(mode="json", by_alias=True, exclude_unset=True)

    def as_text(self) -> str:
        """Return the answer as JSON."""
        return self.model_dump_json(by_alias=True, exclude_unset=True)


def known(model: type[BaseModel]) -> Sequence[str]:
    """Return the names of a model's fields, as they are sent."""
    return [field.alias or name for name, field in model.model_fields.items()]
