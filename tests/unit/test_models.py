"""Models of requests and answers: what they accept, and how they name the parts that are wrong."""

import warnings
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from threading import Event
from typing import Annotated, Any, Literal
from uuid import UUID

import pytest
from pydantic import Field, GetCoreSchemaHandler, model_validator
from pydantic_core import CoreSchema

from causeway.errors.requests import InvalidRequest
from causeway.errors.tree import Problem
from causeway.wire.field_types import Flag, Id, Name, Omittable, Text, Time, Version, rule_broken
from causeway.wire.models import Answer, NoBody, Query, Request
from causeway.wire.strict_json import parse_object

NO_TIME = "must be an RFC 3339 time with seconds and zone, such as 2026-01-31T14:00:00+01:00"


class Colour(Request):
    """A part of Box."""

    name: Annotated[str, Text(5)]


class Round(Request):
    """A shape with a tag."""

    type: Literal["round"]
    radius: int = Field(ge=1, le=9)


class Square(Request):
    """Another shape, with a field that has the name of its tag, and one that has a name that pydantic uses."""

    type: Literal["square"]
    square: Omittable[int] = None
    texts: dict[Annotated[str, Text(5)], Annotated[str, Text(5)]] = Field(default_factory=dict)


class Box(Request):
    """A request with one of each kind of field."""

    box_name: Annotated[str, Name(10)]
    code: Omittable[Annotated[str, Text(3, pattern="[A-Z]+")]] = None
    owner: Annotated[str, Name(10)] | None = None
    size: Literal["small", "large"] = "small"
    weight: int = Field(1, gt=0, lt=100)
    is_open: bool = False
    key: Omittable[Id] = None
    at: Omittable[Time] = None
    config: dict[str, Any] = Field(default_factory=dict)
    colours: list[Colour] = Field(default_factory=list, max_length=3)
    shape: Annotated[Round | Square, Field(discriminator="type")] | None = None
    lid: Omittable[Colour] = None

    @model_validator(mode="after")
    def _open_boxes_are_small(self) -> "Box":
        if self.is_open and self.size == "large":
            raise rule_broken("isOpen must be false for a large box")
        return self


def problems(fields: dict[str, Any]) -> list[Problem]:
    with pytest.raises(InvalidRequest) as caught:
        Box.parse(fields)
    assert caught.value.sentence == "; ".join(problem.sentence for problem in caught.value.problems)
    return list(caught.value.problems)


def test_request_has_its_fields_and_their_defaults() -> None:
    box = Box.parse({"boxName": " a  b ", "owner": None, "key": "AAAAAAAA-0000-4000-8000-000000000001"})

    assert (box.box_name, box.code, box.owner, box.size) == ("a b", None, None, "small")
    assert box.key == UUID("aaaaaaaa-0000-4000-8000-000000000001")
    assert box.model_fields_set == {"box_name", "owner", "key"}


@pytest.mark.parametrize(
    ("fields", "path", "rule"),
    [
        ({"boxName": None}, "boxName", "must be a string"),
        ({"boxName": 1}, "boxName", "must be a string"),
        ({"boxName": ""}, "boxName", "must not be blank"),
        ({"boxName": " \t"}, "boxName", "must not be blank"),
        ({"boxName": "a\nb"}, "boxName", "must not have line breaks or invisible characters"),
        ({"boxName": "a\u200bb"}, "boxName", "must not have line breaks or invisible characters"),
        ({"boxName": "a\0"}, "boxName", "holds a character that is not text"),
        ({"boxName": "\ud800"}, "boxName", "holds a character that is not text"),
        ({"boxName": "12345678901"}, "boxName", "must have at most 10 characters"),
        ({"code": None}, "code", "must be a string"),
        ({"code": ""}, "code", "must not be empty"),
        ({"code": "ABCD"}, "code", "must have at most 3 characters"),
        ({"code": "A\n"}, "code", "must match ^[A-Z]+$"),
        ({"size": "huge"}, "size", "must be one of small, large"),
        ({"size": None}, "size", "must be one of small, large"),
        ({"weight": "1"}, "weight", "must be a whole number"),
        ({"weight": True}, "weight", "must be a whole number"),
        ({"weight": 0}, "weight", "must be more than 0"),
        ({"weight": 100}, "weight", "must be less than 100"),
        ({"weight": 10**39}, "weight", "must be less than 100"),
        ({"isOpen": "true"}, "isOpen", "must be true or false"),
        ({"isOpen": 1}, "isOpen", "must be true or false"),
        ({"key": "canary-key"}, "key", "must be a UUID"),
        ({"key": "{aaaaaaaa-0000-4000-8000-000000000001}"}, "key", "must be a UUID"),
        ({"key": 7}, "key", "must be a UUID"),
        *(({"at": at}, "at", NO_TIME) for at in (7, "2026-01-31", "2026-01-31T14:00:00", "2026-01-31 14:00:00Z")),
        # Forms of ISO 8601 that RFC 3339 has not.
        *(({"at": f"2026-01-31T14:00:00{zone}"}, "at", NO_TIME) for zone in ("+00:00:30", "+01", "+0100", "+00:60")),
        *(({"at": f"2026-01-31T14:00:00{zone}"}, "at", NO_TIME) for zone in ("+23:59:59.999999", "+24:00", "-24:00")),
        *(
            ({"at": f"2026-01-31{time}Z"}, "at", NO_TIME)
            for time in ("T14", "T14:00", "T140000", "T24:00:00", "x14:00:00")
        ),
        *(({"at": f"2026-01-31T14:00:00{end}"}, "at", NO_TIME) for end in (",5Z", ".Z", "ZZ", "Z\n", " Z", "\u0661Z")),
        *(({"at": f"{day}T14:00:00Z"}, "at", NO_TIME) for day in ("20260131", "2026-W01-5", "2026-031", "2026-02-30")),
        ({"config": []}, "config", "must be an object"),
        ({"config": None}, "config", "must be an object"),
        ({"colours": {}}, "colours", "must be a list"),
        ({"colours": [7]}, "colours[0]", "must be an object"),
        ({"colours": [{"name": "red"}, {"name": "yellow"}]}, "colours[1].name", "must have at most 5 characters"),
        ({"colours": [{"name": "red", "hue": 1}]}, "colours[0].hue", "is not a known field"),
        ({"colours": [{"name": "red"}] * 4}, "colours", "must have at most 3 items"),
        ({"shape": {}}, "shape.type", "is missing"),
        ({"shape": {"type": "canary"}}, "shape.type", "must be one of round, square"),
        ({"shape": {"type": "round", "radius": 10}}, "shape.radius", "must be at most 9"),
        ({"shape": {"type": "round", "radius": 0}}, "shape.radius", "must be at least 1"),
        ({"shape": {"type": "round"}}, "shape.radius", "is missing"),
        *(({"shape": shape}, "shape", "must be an object") for shape in (5, "round", [], True)),
        ({"shape": {"type": "round", "radius": 1, "round": 1}}, "shape.round", "is not a known field"),
        ({"shape": {"type": "round", "radius": "1"}}, "shape.radius", "must be a whole number"),
        ({"shape": {"type": "square", "square": "1"}}, "shape.square", "must be a whole number"),
        ({"shape": {"type": "square", "texts": {"a": 1}}}, "shape.texts.a", "must be a string"),
        ({"shape": {"type": "square", "texts": {"[key]": 1}}}, "shape.texts.<unnamed>", "must be a string"),
        (
            {"shape": {"type": "square", "texts": {"aaaaaa": "a"}}},
            "shape.texts.aaaaaa",
            "must have at most 5 characters",
        ),
        ({"shape": {"type": "square", "[key]": 1}}, "shape.<unnamed>", "is not a known field"),
        ({"colours": [{"name": "red", "colours": 1}]}, "colours[0].colours", "is not a known field"),
        ({"lid": {"name": 1}}, "lid.name", "must be a string"),
        ({"lid": None}, "lid", "must be an object"),
        ({"size": "large", "isOpen": True}, "", "isOpen must be false for a large box"),
    ],
)
def test_wrong_part_is_named_with_its_rule(fields: dict[str, Any], path: str, rule: str) -> None:
    assert problems({"boxName": "a"} | fields) == [Problem(path, rule)]


@pytest.mark.parametrize(
    ("sent", "moment"),
    [
        ("2026-01-31T14:00:00Z", datetime(2026, 1, 31, 14, tzinfo=UTC)),
        ("2026-01-31t14:00:00.5z", datetime(2026, 1, 31, 14, 0, 0, 500_000, UTC)),
        (
            "2026-01-31T14:00:00.123456789+23:59",
            datetime(2026, 1, 31, 14, 0, 0, 123_456, timezone(timedelta(minutes=1439))),
        ),
        ("2026-01-31T14:00:00-09:30", datetime(2026, 1, 31, 14, tzinfo=timezone(timedelta(minutes=-570)))),
    ],
)
def test_time_is_read_as_rfc_3339_writes_it(sent: str, moment: datetime) -> None:
    read = Box.parse({"boxName": "a", "at": sent}).at

    assert read == moment
    assert read is not None
    assert read.utcoffset() == moment.utcoffset()


@pytest.mark.parametrize("number", ["1.5", "1.0", "1e0", "9" * 41])
def test_number_with_a_fraction_or_an_exponent_is_no_whole_number_and_no_text(number: str) -> None:
    fields = parse_object(f'{{"boxName":{number},"weight":{number}}}'.encode())

    assert problems(fields) == [Problem("boxName", "must be a string"), Problem("weight", "must be a whole number")]


def test_missing_and_unknown_fields_are_named() -> None:
    known = "the fields are boxName, code, owner, size, weight, isOpen, key, at, config, colours, shape, lid"

    assert problems({"nickname": 1}) == [
        Problem("boxName", "is missing"),
        Problem("nickname", f"is not a known field: {known}"),
    ]
    # The name of the attribute is no name of the API.
    assert Problem("box_name", f"is not a known field: {known}") in problems({"box_name": "a"})


def test_names_of_the_fields_are_told_once() -> None:
    [first, *others] = problems({"boxName": "a", "x": 1, "colours": [{"name": "red", "y": 1}], "z": 1})

    assert {first.path, *(problem.path for problem in others)} == {"x", "colours[0].y", "z"}
    rules = [first.rule, *(problem.rule for problem in others)]
    assert sum("the fields are" in rule for rule in rules) == 1
    assert rules.count("is not a known field") == 2


def test_unknown_name_that_may_be_a_secret_is_not_repeated() -> None:
    found = problems({"boxName": "a", "sk_live_4eC39HqLyjWDarjtT1zdp7dc": 1})

    assert [problem.path for problem in found] == ["<unnamed>"]


def test_five_problems_at_most_are_told_together() -> None:
    found = problems({"boxName": "a", **{f"field{number}": 1 for number in range(9)}})

    assert [problem.path for problem in found] == ["field0", "field1", "field2", "field3", "field4"]


def test_no_problem_repeats_a_value() -> None:
    canary = "canary7"
    wrong = {"boxName": canary * 2, "size": canary, "key": canary, "at": canary, "code": canary}

    with pytest.raises(InvalidRequest) as caught:
        Box.parse(wrong)

    error = caught.value
    assert len(error.problems) == 5
    assert canary not in f"{error} {error.sentence} {error.fields} {error.cause} {error.action}"
    # A traceback prints causes: pydantic's error has the values.
    assert error.__cause__ is None
    assert error.__suppress_context__


def test_answer_lists_the_problems() -> None:
    with pytest.raises(InvalidRequest) as caught:
        Box.parse({"boxName": 1})

    assert caught.value.fields == {"problems": [{"path": "boxName", "rule": "must be a string"}]}


def test_request_without_a_body_has_no_fields() -> None:
    assert NoBody.parse({}) == NoBody()
    with pytest.raises(InvalidRequest, match=r"^name is not a known field: there are no fields$"):
        NoBody.parse({"name": 1})


class Wanted(Query):
    """A query."""

    active: Omittable[Flag] = None


def test_query_reads_texts() -> None:
    assert [Wanted.parse(sent).active for sent in ({}, {"active": "true"}, {"active": "false"})] == [None, True, False]
    with pytest.raises(InvalidRequest, match=r"^active must be true or false$"):
        Wanted.parse({"active": "yes"})


class Shown(Answer):
    """An answer with a field that is not always there."""

    shown_id: Id = Field(alias="id")
    made_at: Time
    version: Version
    until_day: str = ""


_ROW = namedtuple("_ROW", "shown_id made_at version column_without_a_field")


def test_answer_of_a_row_leaves_out_what_is_not_set() -> None:
    made = datetime(2026, 1, 31, 14, tzinfo=timezone(timedelta(hours=1)))
    shown = Shown.of_row(_ROW(UUID(int=1), made, 3, "x"))

    assert shown.as_json() == {
        "id": "00000000-0000-0000-0000-000000000001",
        "madeAt": "2026-01-31T13:00:00Z",
        "version": 3,
    }
    assert shown.as_text().startswith('{"id":"00000000-0000-0000-0000-000000000001","madeAt":"2026-01-31T13:00:00Z"')
    later = shown.model_copy(update={"until_day": "Monday", "made_at": datetime(2026, 1, 31, tzinfo=UTC)})
    assert (later.as_json()["untilDay"], later.as_json()["madeAt"]) == ("Monday", "2026-01-31T00:00:00Z")


@pytest.mark.parametrize(("day", "hours"), [("0001-01-01", 4), ("9999-12-31", -4)])
def test_time_that_has_no_form_in_utc_is_answered_in_its_zone(day: str, hours: int) -> None:
    hour = 23 if hours < 0 else 0
    made = datetime.fromisoformat(f"{day}T{hour:02}:30:00{hours:+03}:00")

    assert Shown.of_row(_ROW(UUID(int=1), made, 3, "x")).as_json()["madeAt"] == made.isoformat()


def test_value_that_does_not_fit_its_field_is_answered_without_a_warning_that_prints_it() -> None:
    made = datetime(2026, 1, 31, tzinfo=UTC)
    shown = Shown.model_construct(None, shown_id="canary", made_at=made, version={"canary": 7}, until_day=["canary"])
    box = Box.parse({"boxName": "a"}).model_copy(update={"config": ["canary"], "weight": "canary"})

    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        assert shown.as_json()["id"] == "canary"
        assert '"untilDay":["canary"]' in shown.as_text()
        assert box.model_dump()["weight"] == "canary"
    assert told == []


def test_two_threads_that_use_a_model_first_build_it_once() -> None:
    builds: list[str] = []
    both = Event()

    class Slow:
        def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
            builds.append("build")
            if len(builds) == 2:
                both.set()
            # Long enough for the other thread to begin.
            both.wait(0.5)
            return handler(source)

    class Shared(Request):
        name: Annotated[str, Slow()]

    with ThreadPoolExecutor(2) as threads:
        parsed = list(threads.map(Shared.parse, [{"name": "a"}, {"name": "b"}]))

    assert [one.name for one in parsed] == ["a", "b"]
    assert builds == ["build"]


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("[A-Z]+", "^[A-Z]+$"),
        ("(a|b)c", "^(a|b)c$"),
        ("((a|b)|c)d", "^((a|b)|c)d$"),
        ("[|(]", "^[|(]$"),
        (r"[]|]\|", r"^[]|]\|$"),
        (r"\(a|b\)", r"^(?:\(a|b\))$"),
        ("(a)|(b)", "^(?:(a)|(b))$"),
        (r"[\]|]|[^]]", r"^(?:[\]|]|[^]])$"),
    ],
)
def test_pattern_holds_for_the_whole_text_and_is_told_without_a_needless_group(pattern: str, told: str) -> None:
    class Coded(Request):
        code: Annotated[str, Text(9, pattern=pattern)]

    with pytest.raises(InvalidRequest) as caught:
        Coded.parse({"code": "xax"})

    assert caught.value.sentence == f"code must match {told}"
