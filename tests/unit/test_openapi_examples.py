"""The examples of the API's document: each request, each parameter and each answer has one, and it fits its schema."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, Field

from local.sandbox.platforms import gohighlevel
from local.sandbox.registry import platforms
from tests.findings import none_of
from tools.openapi import demo, examples, models

ROOT = Path(__file__).parents[2]
DOCUMENT: dict[str, Any] = json.loads((ROOT / "functions/console/openapi.json").read_text(encoding="utf-8"))
# A UUID, or an id of 20 letters and digits, as some platforms make them.
EXAMPLE_ID = re.compile(
    r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b(?=(?:[A-Za-z]*[0-9]+[A-Za-z]){2})[A-Za-z0-9]{20}\b"
)
OPERATIONS = {one["operationId"]: one for methods in DOCUMENT["paths"].values() for one in methods.values()}


def resolved(answer: dict[str, Any]) -> dict[str, Any]:
    if "$ref" not in answer:
        return answer
    return DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]]


def contents(operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each body of an operation: of its request and of all its answers."""
    for media_type, one in operation.get("requestBody", {}).get("content", {}).items():
        yield f"request {media_type}", one
    for status, answer in operation["responses"].items():
        for media_type, one in resolved(answer).get("content", {}).items():
            yield f"{status} {media_type}", one


def shown(content: dict[str, Any]) -> list[Any]:
    many = [one["value"] for one in content.get("examples", {}).values()]
    return [content["example"]] if "example" in content else many


def faults(schema: dict[str, Any], value: Any) -> Iterator[str]:
    whole = schema | {"components": DOCUMENT["components"]}
    checker = Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
    for error in checker.iter_errors(value):
        yield f"{error.json_path}: {error.message}"


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_body_has_examples_that_fit_its_schema(name: str) -> None:
    found = dict(contents(OPERATIONS[name]))

    none_of((place for place, content in found.items() if not shown(content)), "has no example")
    none_of(
        (
            f"{place} {fault}"
            for place, content in found.items()
            for example in shown(content)
            for fault in faults(content["schema"], example)
        ),
        "does not fit",
    )


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_parameter_has_an_example_that_fits_its_schema(name: str) -> None:
    """A cursor has none: only the page before has it."""
    parameters = OPERATIONS[name].get("parameters", [])

    lacking = {one["name"] for one in parameters if "example" not in one}
    assert lacking <= {"cursor"}
    none_of(
        (
            f"{one['name']} {fault}"
            for one in parameters
            if "example" in one
            for fault in faults(one["schema"], one["example"])
        ),
        "does not fit",
    )


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_header_of_an_answer_has_an_example(name: str) -> None:
    for answer in OPERATIONS[name]["responses"].values():
        assert all("example" in header for header in resolved(answer).get("headers", {}).values())


def test_example_of_a_refusal_has_its_code() -> None:
    seen = 0
    for answer in DOCUMENT["components"]["responses"].values():
        for code, example in answer["content"]["application/json"]["examples"].items():
            assert example["value"].get("code", "gateway") == code
            seen += 1
    assert seen > 100


def test_signed_calls_refusals_have_no_next_action() -> None:
    for name, answer in DOCUMENT["components"]["responses"].items():
        for code, example in answer["content"]["application/json"]["examples"].items():
            told = "nextAction" in example["value"]
            assert told == (code != "gateway" and "signed" not in name.split("-")), name


def test_id_of_the_examples_is_written_once() -> None:
    """A second copy would be forgotten when the first changes; several models take it from wire/example_ids.py."""
    found: dict[str, list[str]] = defaultdict(list)
    for file in [*(ROOT / "layers/causeway").rglob("*.py"), *(ROOT / "tools").rglob("*.py")]:
        for written in EXAMPLE_ID.findall(file.read_text(encoding="utf-8")):
            found[written].append(str(file.relative_to(ROOT)))

    assert found
    assert {written: files for written, files in found.items() if len(files) > 1} == {}


def test_calendar_of_the_examples_is_the_sandboxs() -> None:
    assert platforms()["gohighlevel"].credentials["calendarId"] == demo.CALENDAR_ID


def test_examples_of_configs_have_the_sandboxs_public_credentials() -> None:
    """An example may be copied and sent: it must hold no real secret."""
    public = {*platforms()["gohighlevel"].credentials.values(), gohighlevel.ROTATED_KEY}
    schemas = DOCUMENT["components"]["schemas"]

    for name in ("ConnectionDraft", "NewSecrets"):
        [config] = schemas[name]["properties"]["config"]["examples"]
        assert set(config.values()) <= public


class Inner(BaseModel):
    number: int = Field(examples=[7])


class Outer(BaseModel):
    given: str = Field(examples=["a", "b"])
    left_out: str = ""
    chosen: str | None = Field(None, examples=["c"])
    inner: Inner
    many: list[Inner]
    silent: dict[str, str] | None = None


def test_example_is_composed_of_the_fields_examples() -> None:
    inner = {"number": 7}

    assert examples.of_model(Outer) == {"given": "a", "chosen": "c", "inner": inner, "many": [inner]}


def test_required_field_without_an_example_is_named() -> None:
    class Lacking(BaseModel):
        inner: Inner
        bare: list[str]

    schemas = models.schemas([(Lacking, "validation")])
    with pytest.raises(examples.NoExample, match=r"Lacking\.bare\[\] has no example"):
        examples.of({"$ref": "Lacking"}, schemas)
