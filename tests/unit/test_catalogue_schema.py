"""The JSON Schema of the catalogue's files, by which editors check them: made from the model, and as strict."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator

from causeway.catalogue.document import TemplateDraft
from causeway.errors.requests import InvalidRequest
from local import ROOT
from tools import catalogue_schema

FOLDER = ROOT / "schema" / "catalogue"
DOCUMENTS = sorted(FOLDER.glob("[!_]*.json"))
SCHEMA = Draft202012Validator(json.loads(catalogue_schema.text()))


def test_schema_is_made_from_the_model() -> None:
    """`make docs` writes it again."""
    assert (ROOT / catalogue_schema.FILE).read_text(encoding="utf-8") == catalogue_schema.text(), "run make docs"


@pytest.mark.parametrize("file", DOCUMENTS, ids=lambda file: file.stem)
def test_every_file_is_valid_by_the_schema(file: Path) -> None:
    assert [error.message for error in SCHEMA.iter_errors(json.loads(file.read_bytes()))] == []


def changed(call: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """Twilio's file with these fields replaced."""
    document = json.loads((FOLDER / "twilio.json").read_bytes())
    document["health_call"] |= call or {}
    return document | changes


@pytest.mark.parametrize(
    "document",
    [
        {},
        changed(surprise=1),
        changed(displayName="Twilio"),
        changed(kind="magic"),
        changed(key="Not a key"),
        changed(display_name=""),
        changed(icon="<path/>"),
        changed(config_schema=[]),
        changed(documentation_url="http://docs.example"),
        changed(webhook_url="//evil.example"),
        changed(webhook_support=None),
        changed(base_urls={"production": None}),
        changed(rate_limits={"minute": 0}),
        changed(rate_limits={"minute": None}),
        changed(rate_limits={"fortnight": 1}),
        changed(authentication={"type": "magic"}),
        changed(authentication={"type": "bearer", "token": "\n"}),
        changed(authentication={"type": "basic", "username": "u", "password": "p", "token": "t"}),
        changed({"method": "PUT"}),
        changed({"path": "me"}),
        changed({"expect": []}),
        changed({"expect": [99]}),
        changed({"query": {"a": 1}}),
        changed({"query": {f"a{n}": "" for n in range(21)}}),
        changed({"headers": {"X Y": ""}}),
        changed({"headers": {"X": "\n"}}),
        changed({"body": {"type": "xml", "content": {}}}),
        changed({"body": None}),
        changed({"refused_when": {"pointer": "a", "pattern": ""}}),
        changed({"details": {}}),
        changed({"details": {"email": "email"}}),
        changed({"details": {"accountId": "a..b"}}),
        changed({"configuredUrl": True}),
    ],
    ids=lambda document: json.dumps(document)[-40:],
)
def test_what_the_model_refuses_by_its_shape_the_schema_refuses_too(document: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        TemplateDraft.of_file(document)
    assert not SCHEMA.is_valid(document)
