"""A rule stands in a model and in a CHECK: both take the same values.

The model is asked as the parser of a request, the CHECK as the database has it, on the same values: limits and what is
next to them, each other choice, texts that no name may be, and values that Hypothesis makes of the patterns.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, LiteralString, cast

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg import sql
from psycopg.types.json import Jsonb
from pydantic import BaseModel, ValidationError, create_model

from causeway.wire.models import Answer, Request
from tests.database.stored_fields import ANSWERS, ELSEWHERE, OURS, REQUESTS, Stored
from tests.database.world import Casino
from tests.findings import none_of
from tools.openapi import models
from tools.openapi.functions import every

ROOT = Path(__file__).parents[2]
# A column's type, whether it is never null, and its CHECKs; then the same of the column that it refers to.
_COLUMN = """
    SELECT c.oid::regclass::text || '.' || a.attname AS name, format_type(a.atttypid, a.atttypmod) AS type,
        a.attnotnull AS required,
        ARRAY(
            SELECT pg_get_expr(k.conbin, k.conrelid) FROM pg_constraint AS k
            WHERE k.conrelid = c.oid AND k.contype = 'c' AND k.conkey = ARRAY[a.attnum]
        ) AS checks,
        (
            SELECT f.confrelid::regclass::text || '.' || r.attname
            FROM pg_constraint AS f INNER JOIN pg_attribute AS r ON r.attrelid = f.confrelid AND r.attnum = f.confkey[1]
            WHERE f.conrelid = c.oid AND f.contype = 'f' AND f.conkey = ARRAY[a.attnum]
        ) AS refers_to
    FROM pg_class AS c INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT a.attisdropped
"""
_TEXTS = (
    *("", " ", "a", "A", "7", "a b", "a  b", " a", "a ", "a\n", "\na", "A\n", "a\tb", "a\u00a0b", "a\u200bb", "\u2800"),
    *(
        "a\0b",
        "a\ud800",
        "e\u0301",
        "\xe9",
        "\uff21",
        "\U0001f3b0",
        "M0 0Z",
        "/x",
        "//x",
        "https://x",
        "a.b",
        "true",
        "/a/../b",
    ),
)
# Characters that a newer Unicode may define are in no name here, whatever the database knows of them.
_KNOWN = st.characters(exclude_categories=["Cn", "Cs"])
_OBJECTS = ({}, {"type": "object"}, {"type": "array"}, {"type": None}, {"a": 1}, [], ["a"], "{}", 1, True)
_NO_CHECK = ("true", "one")
_TYPES = {"text": str, "boolean": bool, "bigint": int, "integer": int, "smallint": int}
_SHOWN = {name for name in _TYPES if name != "boolean"}
# Why an answer's fields of a type are not compared with their columns.
_NOT_COMPARED = {
    "boolean": "a boolean has no limits",
    "bytea": "shown as text that SQL makes of it",
    "jsonb": "an object is shown as it is stored",
    "timestamp with time zone": "a time has no limits",
    "uuid": "a UUID has no limits",
}
_OTHER = (True, False, 0, 1, -1, 2**31, 2**63)


# The type checker cannot match its names of fields.
_CREATE: Any = create_model


@dataclass(frozen=True)
class Rule:
    """A field of a model, and the column that stores it."""

    model: type[BaseModel]
    field: str
    stored: Stored

    def __str__(self) -> str:
        return f"{self.model.__name__}.{self.field}"

    @property
    def schema(self) -> dict[str, Any]:
        """The field's JSON Schema, with those of all models that it refers to."""
        model = self.model
        schemas = models.schemas([(model, "validation")])
        return schemas[model.__name__]["properties"][model.model_fields[self.field].alias or self.field]

    def read(self, value: Any) -> list[Any]:
        """What the model stores of a value; [] if it refuses the value."""
        try:
            read = _alone(self.model, self.field).model_validate({self.field: value}, by_alias=False, by_name=True)
            stored = getattr(read, self.field)
            return [stored.model_dump(exclude_unset=True) if isinstance(stored, BaseModel) else stored]
        except ValidationError:
            return []


@cache
def _alone(model: type[BaseModel], field: str) -> type[BaseModel]:
    """A model with one field of a model."""
    info = model.model_fields[field]
    return _CREATE("Alone", __base__=Request, **{field: (info.annotation, info)})


def requests() -> dict[str, type[BaseModel]]:
    """The models of the hub's requests, by name."""
    declared = [one.declaration for one in every(ROOT / "functions") if one.declaration.authentication.hub]
    return {one.request.__name__: one.request for one in declared if isinstance(one.request, type)}


def answers(base: type[BaseModel] = Answer) -> Iterator[type[BaseModel]]:
    """The models of answers of the functions, which are loaded by now."""
    for model in base.__subclasses__():
        yield model
        yield from answers(model)


RULES = [
    Rule(model, field, stored)
    for name, model in sorted(requests().items())
    for field, stored in REQUESTS.get(name, {}).items()
]


SHOWN = sorted(
    {
        Rule(model, field, Stored(f"{ANSWERS[model.__name__]}.{field}"))
        for model in answers()
        if model.__name__ in ANSWERS
        for field in model.model_fields
    },
    key=str,
)


class Columns:
    """The columns of the database, and what they take."""

    def __init__(self, casino: Casino) -> None:
        self._casino = casino
        self.by_name = {row.name: row for row in casino.query(_COLUMN)}

    def checks(self, column: str) -> list[tuple[str, str]]:
        """The expressions that decide about a column's values, each with the column's name in it."""
        row = self.by_name[column]
        own = [(expression, column.rpartition(".")[2]) for expression in row.checks]
        return own if row.refers_to is None else own + self.checks(row.refers_to)

    def takes(self, column: str, value: Any) -> bool:
        """Whether the database takes a value, as far as its type, NOT NULL and CHECKs decide."""
        row = self.by_name[column]
        if value is None:
            return not row.required
        is_json = row.type == "jsonb"
        assert is_json or row.type in _TYPES, f"{column}: teach this test the type {row.type} (_TYPES)"
        if not is_json and not isinstance(value, _TYPES[row.type]):
            return False
        # True is an int to Python, not to the database.
        if isinstance(value, bool) and row.type not in ("boolean", "jsonb"):
            return False
        sent = Jsonb(value) if is_json else value
        try:
            return all(self._holds(rule, sent, row.type, name) for rule, name in self.checks(column) or [_NO_CHECK])
        except (psycopg.DataError, UnicodeEncodeError):
            return False

    def _holds(self, expression: str, value: Any, kind: str, name: str) -> bool:
        """Whether an expression is not false for a value in the place of the column."""
        parts = (cast("LiteralString", text) for text in (expression.replace("%", "%%"), kind, name))
        statement = "SELECT ({}) IS NOT FALSE FROM (SELECT %s::{} AS {}) AS one"
        return self._casino.value(sql.SQL(statement).format(*map(sql.SQL, parts)), [value])


@pytest.fixture(scope="module")
def columns(shared_casino: Casino) -> Columns:
    return Columns(shared_casino)


def differences(rule: Rule, columns: Columns, values: Iterator[Any]) -> Iterator[str]:
    """The values about which model and column disagree."""
    for value in values:
        read = rule.read(value)
        if read and not rule.stored.later and not columns.takes(rule.stored.column, read[0]):
            yield f"{rule} takes {value!r} and {rule.stored.column} refuses {read[0]!r}"
        if columns.takes(rule.stored.column, value) and read != [value] and not rule.stored.stricter:
            yield f"{rule.stored.column} takes {value!r} and {rule} makes {read} of it"


def values_of(rule: Rule, columns: Columns) -> Iterator[Any]:
    """Values next to every limit and choice of the model and of the column."""
    said = json.dumps(rule.schema) + "".join(expression for expression, _ in columns.checks(rule.stored.column))
    if columns.by_name[rule.stored.column].type == "jsonb":
        yield from (*_OBJECTS, None)
        return
    yield from (*_TEXTS, *_OTHER, None)
    limits = {int(number) for number in re.findall(r"\b\d{1,4}\b", said)}
    for length in {limit + step for limit in limits for step in (-1, 0, 1)}:
        yield from (letter * length for letter in ("a", "A", "7", "\U0001f3b0"))
        yield from (f"{start}{'a' * (length - len(start))}" for start in ("/", "https://"))
    for word in set(re.findall(r"[\"']([A-Za-z_]+)[\"']", said)):
        yield from (word, word.upper(), word.title(), f"{word}\n", f" {word}", f"{word}x")


def made_of(rule: Rule, columns: Columns) -> st.SearchStrategy[Any]:
    """Values that Hypothesis makes: any text, and texts of the patterns of the model and of the column."""
    column = columns.by_name[rule.stored.column]
    if column.type == "jsonb":
        return st.recursive(
            st.none() | st.booleans() | st.integers(-9, 9) | st.text(_KNOWN, max_size=3),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["type", "a"]), inner),
        )
    said = " ".join(expression for expression, _ in columns.checks(rule.stored.column))
    patterns = [*re.findall(r"~ '(\^[^']+\$)'", said), *re.findall(r'"pattern": "([^"]+)"', json.dumps(rule.schema))]
    texts = [st.text(_KNOWN, max_size=12), *(st.from_regex(pattern) for pattern in patterns)]
    return st.one_of(texts)


def shown(rule: Rule, columns: Columns) -> str:
    """A line of the table of rules."""
    said = " and ".join(expression for expression, _ in columns.checks(rule.stored.column)) or "(no CHECK)"
    schema = {name: limit for name, limit in rule.schema.items() if name not in ("description", "examples", "default")}
    return f"| {rule.stored.column} | {said} | {rule} | {json.dumps(schema)} | {_compared(rule.stored)} |"


def _compared(stored: Stored) -> str:
    words = {"stricter": stored.stricter, "checked later by": stored.later}
    return "; ".join(f"{word}: {why}" for word, why in words.items() if why) or "the same"


@pytest.mark.parametrize("rule", RULES, ids=str)
def test_model_and_checks_take_the_same_values(rule: Rule, columns: Columns) -> None:
    """`pytest -s` shows the rules as a table."""
    print(f"\n{shown(rule, columns)}")  # noqa: T201
    none_of(differences(rule, columns, values_of(rule, columns)))


@pytest.mark.parametrize("rule", RULES, ids=str)
@given(data=st.data())
def test_model_and_checks_take_the_same_made_values(rule: Rule, columns: Columns, data: st.DataObject) -> None:
    none_of(differences(rule, columns, iter([data.draw(made_of(rule, columns))])))


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.stored.stricter], ids=str)
def test_stricter_model_refuses_something_that_the_checks_take(rule: Rule, columns: Columns) -> None:
    """Otherwise its reason is not true any more."""
    column = rule.stored.column
    assert any(columns.takes(column, value) and rule.read(value) != [value] for value in values_of(rule, columns))


def test_every_field_of_a_request_is_in_the_table() -> None:
    fields = {f"{name}.{field}" for name, model in requests().items() for field in model.model_fields}
    listed = {f"{name}.{field}" for table in (REQUESTS, ELSEWHERE) for name, found in table.items() for field in found}

    none_of(sorted(fields - listed), "add the field to tests/database/stored_fields.py")
    none_of(sorted(listed - fields), "no request has the field")


def test_every_check_of_a_column_is_held_against_a_model(columns: Columns) -> None:
    """In the tables that requests write."""
    stored = {rule.stored.column for rule in RULES}
    tables = {column.partition(".")[0] for column in stored}
    checked = {name for name, row in columns.by_name.items() if row.checks and name.partition(".")[0] in tables}

    none_of(sorted(checked - stored - OURS), "a CHECK of a column that no model sets: add its field, or add it to OURS")
    none_of(sorted((stored - set(columns.by_name)) | (OURS - checked)), "no such column with a CHECK")
    none_of(sorted(stored & OURS), "a request sets it")


@pytest.mark.parametrize("rule", SHOWN, ids=str)
def test_answer_has_every_text_and_number_that_its_column_takes(rule: Rule, columns: Columns) -> None:
    """Otherwise a stored row cannot be shown."""
    column = columns.by_name.get(rule.stored.column)
    if column is None:
        pytest.skip("made of other columns")
    if column.type in _NOT_COMPARED:
        pytest.skip(_NOT_COMPARED[column.type])
    assert column.type in _SHOWN, f"{column.name}: teach this test the type {column.type} (_TYPES or _NOT_COMPARED)"
    values = [value for value in values_of(rule, columns) if columns.takes(column.name, value)]
    assert values
    none_of(f"{rule} does not show {value!r}" for value in values if rule.read(value) != [value])
    known = rule.schema.get("enum", [])
    none_of(f"{column.name} does not take {value!r}" for value in known if not columns.takes(column.name, value))


def test_every_answer_in_the_table_has_texts_of_its_rows(columns: Columns) -> None:
    texts = {name for name, row in columns.by_name.items() if row.type == "text"}
    found = {rule.model.__name__ for rule in SHOWN if rule.stored.column in texts}

    assert found == set(ANSWERS)
