"""The catalogue's files: each is a complete provider, accepts valid configurations, and marks its secrets."""

import copy
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from causeway.catalogue import providers, secret_fields, validation
from causeway.catalogue.files import read_folder
from causeway.catalogue.providers import COLUMNS, Provider, read_shape
from causeway.errors.catalogue import ConfigSchemaInvalid
from causeway.errors.requests import InvalidRequest
from causeway.errors.service import Misconfigured
from tests.findings import none_of
from tests.platforms.facts import facts

FOLDER = Path(__file__).parents[2] / "schema" / "catalogue"
SHAPE = read_shape(FOLDER)
PROVIDERS = {provider.key: provider for provider in read_folder(FOLDER)}
FACTS = facts()
CANARY = "CANARY-91c0"


def document(**changes: Any) -> dict[str, Any]:
    """Twilio's file with these fields replaced."""
    return copy.deepcopy(json.loads((FOLDER / "twilio.json").read_bytes())) | changes


def references(value: Any) -> set[str]:
    """Names in braces anywhere in a JSON value."""
    return set(re.findall(r"\{(\w+)\}", json.dumps(value)))


def test_catalogue_has_every_provider_by_its_kind() -> None:
    """The seeds name 23."""
    assert {key: provider.kind for key, provider in PROVIDERS.items()} == {key: its.kind for key, its in FACTS.items()}
    assert len(PROVIDERS) >= 23


def faults(provider: Provider) -> Iterator[str]:
    """What a document of ours lacks. A super admin's template need not have it, so it is not in the shape."""
    if not provider.documentation_url:
        yield "documentation_url is missing"
    if not provider.setup_instructions.startswith("1. "):
        yield "setup_instructions must be numbered steps: begin with '1. '"
    for name, field in provider.config_schema["properties"].items():
        for text in ("title", "description"):
            if not field.get(text):
                yield f"config_schema.properties.{name}.{text} is missing"


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=lambda provider: provider.key)
def test_provider_has_setup_instructions(provider: Provider) -> None:
    none_of(f"schema/catalogue/{provider.key}.json: {fault}" for fault in faults(provider))


def test_document_that_explains_too_little_is_told_what_it_lacks() -> None:
    wanting = document(documentation_url=None, setup_instructions="Read the manual.")
    del wanting["config_schema"]["properties"]["auth_token"]["title"]

    assert [fault.partition(" ")[0] for fault in faults(Provider.parse(wanting, SHAPE))] == [
        "documentation_url",
        "setup_instructions",
        "config_schema.properties.auth_token.title",
    ]


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=lambda provider: provider.key)
def test_provider_has_the_vendors_address_or_the_tenants(provider: Provider) -> None:
    if not FACTS[provider.key].published:
        assert provider.base_urls == {"production": None, "sandbox": None}
        assert provider.health_call["configured_url"] is True
        assert "base_url" not in provider.config_schema["required"]
    else:
        assert (provider.base_urls["production"] or "").startswith("https://")
        assert "configured_url" not in provider.health_call


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=lambda provider: provider.key)
def test_health_call_proves_the_credentials(provider: Provider) -> None:
    """A call without any secret would succeed with every credential."""
    sent = [provider.authentication, provider.health_call]
    assert references(sent) & secret_fields.names(provider.config_schema)
    assert not references(provider.health_call["path"]) & secret_fields.names(provider.config_schema)


def test_secrets_are_marked() -> None:
    """HUB 1"""
    found = {key: set(secret_fields.names(provider.config_schema)) for key, provider in PROVIDERS.items()}
    assert found == {key: its.secrets for key, its in FACTS.items()}


@pytest.mark.parametrize("provider", PROVIDERS.values(), ids=lambda provider: provider.key)
def test_field_with_a_secret_sounding_name_is_secret(provider: Provider) -> None:
    """HUB 1: fields that everyone may see are named by the platform's facts."""
    sounds = {
        name
        for name in provider.config_schema["properties"]
        if re.search("secret|token|password|pin$|key", name, re.IGNORECASE)
    }
    assert sounds - FACTS[provider.key].public <= secret_fields.names(provider.config_schema)


@pytest.mark.parametrize("key", FACTS)
def test_example_is_a_valid_configuration(key: str) -> None:
    """HUB 7"""
    schema = PROVIDERS[key].config_schema
    example = dict(FACTS[key].example)
    validation.validate(schema, example)

    plain, secrets = secret_fields.split(schema, example)
    assert secrets.keys() == FACTS[key].secrets & example.keys()
    assert plain | secrets == example


@pytest.mark.parametrize("key", FACTS)
def test_each_missing_field_and_an_unknown_one_are_named(key: str) -> None:
    """HUB 7"""
    schema, example = PROVIDERS[key].config_schema, dict(FACTS[key].example)
    for name in schema["required"]:
        config = {field: value for field, value in example.items() if field != name}
        with pytest.raises(ConfigSchemaInvalid, match=f"^config.{name} is missing$"):
            validation.validate(schema, config)
    with pytest.raises(ConfigSchemaInvalid, match=r"^config\.surprise is not a known field: the fields are \w+"):
        validation.validate(schema, example | {"surprise": CANARY})


@pytest.mark.parametrize(("key", "name"), [(key, name) for key, its in FACTS.items() for name in sorted(its.secrets)])
@pytest.mark.parametrize("value", [f"{CANARY}\nX-Header: 1", [CANARY], {CANARY: CANARY}, CANARY * 1000, ""])
def test_bad_secret_is_named_and_its_value_not_repeated(key: str, name: str, value: Any) -> None:
    """HUB 1, 7: a line feed in a secret would end the header that carries it."""
    with pytest.raises(ConfigSchemaInvalid) as caught:
        validation.validate(PROVIDERS[key].config_schema | {"required": []}, {name: value})
    assert f"config.{name} must " in caught.value.sentence
    assert CANARY not in f"{caught.value.sentence}{caught.value.cause}{caught.value!r}"


@pytest.mark.parametrize("value", ["../x", "a/b", "a?b", "a#b", "a%2fb", "a b", "a@b", "a\r\nb", "\uff0e\uff0e", ""])
def test_field_in_a_url_cannot_change_the_host_or_path(value: str) -> None:
    """HUB 13"""
    seen = 0
    for provider in PROVIDERS.values():
        for name in references([provider.base_urls, provider.health_call["path"], provider.health_call.get("query")]):
            schema = provider.config_schema | {"required": []}
            seen += 1
            with pytest.raises(ConfigSchemaInvalid, match=rf"config\.{name} must "):
                validation.validate(schema, {name: value})
    assert seen >= 15


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "magic"}, "provider.kind must be one of messaging, "),
        ({"surprise": 1}, "provider.surprise is not a known field"),
        ({"is_active": False}, "provider.is_active is not a known field"),
        ({"version": 9}, "provider.version is not a known field"),
        ({"webhook_support": "yes"}, "provider.webhook_support must be of type boolean"),
        ({"rate_limits": {"minute": 0}}, "provider.rate_limits.minute must be at least 1"),
        ({"rate_limits": {"fortnight": 1}}, "provider.rate_limits.fortnight is not a known field"),
        ({"base_urls": {"production": None}}, "provider.base_urls.sandbox is missing"),
        (
            {"base_urls": {"production": "ftp://x", "sandbox": None}},
            "provider.base_urls.production must match ",
        ),
        ({"base_urls": {"production": "https://a@b", "sandbox": None}}, "provider.base_urls.production must match "),
        ({"documentation_url": "javascript:alert(1)"}, "provider.documentation_url must match "),
        ({"key": "Not A Key"}, "provider.key must match "),
        ({"health_call": {}}, "provider.health_call.method is missing"),
    ],
)
def test_document_without_the_shape_is_refused_by_path(changes: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Provider.parse(document(**changes), SHAPE)
    assert caught.value.sentence.startswith(sentence)


def health_call(**changes: Any) -> dict[str, Any]:
    """Twilio's health call with these fields replaced."""
    return document()["health_call"] | changes


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (health_call(path="/{nobody}"), "{nobody} is not a field of config_schema"),
        (
            health_call(headers={"X": "{sms_number}"}),
            "{sms_number} is neither required by config_schema nor has it a default there",
        ),
        (health_call(path="/{auth_token}"), "{auth_token} stands in a URL: it must have a pattern, and be no secret"),
        (
            health_call(query={"token": "{auth_token}"}),
            "{auth_token} stands in a URL: it must have a pattern, and be no secret",
        ),
        (
            health_call(configured_url=True),
            "health_call.configured_url asks for a field base_url in config_schema",
        ),
    ],
)
def test_health_call_refers_to_fields_that_always_have_a_value(call: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Provider.parse(document(health_call=call), SHAPE)
    assert caught.value.sentence == sentence


@pytest.mark.parametrize(
    ("details", "sentence"),
    [
        (
            {"accountId": "data.access_token"},
            "health_call.details.accountId must not lead to a secret: it is shown",
        ),
        (
            {"accountName": "name", "locationId": "apiKey.id"},
            "health_call.details.locationId must not lead to a secret: it is shown",
        ),
        ({"accountName": "a..b"}, "provider.health_call.details.accountName must match "),
        ({"accountName": "{account_sid}"}, "provider.health_call.details.accountName must match "),
        ({"accountName": ".".join("abcdefghi")}, "provider.health_call.details.accountName must match "),
        ({"accountName": 5}, "provider.health_call.details.accountName "),
        ({"email": "email"}, "provider.health_call.details.email is not a known field"),
        ({}, "provider.health_call.details "),
    ],
)
def test_details_that_may_not_be_shown_are_refused(details: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Provider.parse(document(health_call=health_call(details=details)), SHAPE)
    assert caught.value.sentence.startswith(sentence)


def test_details_are_no_terms_of_a_template() -> None:
    """They decide what is shown, not where a secret goes: a change of them asks no tenant for its secrets again."""
    call = health_call()
    with_others = Provider.parse(document(health_call=call | {"details": {"accountName": "name"}}), SHAPE)
    del call["details"]
    without, other = (
        Provider.parse(document(health_call=call | more), SHAPE) for more in ({}, {"headers": {"X-To": "elsewhere"}})
    )

    assert with_others.terms_digest("production") == without.terms_digest("production")
    assert other.terms_digest("production") != without.terms_digest("production")


@pytest.mark.parametrize(
    "authentication", [{"type": "magic"}, {"type": "bearer"}, {"type": "basic", "username": "u"}, {}]
)
def test_unknown_or_incomplete_authentication_is_refused(authentication: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest, match=r"provider\.authentication"):
        Provider.parse(document(authentication=authentication), SHAPE)


@pytest.mark.parametrize(
    ("authentication", "sentence"),
    [
        ({"type": "bearer", "token": "{nobody}"}, "{nobody} is not a field of config_schema"),
        (
            {"type": "bearer", "token": "{sms_number}"},
            "{sms_number} is neither required by config_schema nor has it a default there",
        ),
        (
            {
                "type": "oauth2_client_credentials",
                "token_path": "/{auth_token}",
                "client_id": "{account_sid}",
                "client_secret": "{auth_token}",
                "client_auth": "body",
            },
            "{auth_token} stands in a URL: it must have a pattern, and be no secret",
        ),
    ],
)
def test_authentication_refers_to_fields_that_always_have_a_value(
    authentication: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(InvalidRequest) as caught:
        Provider.parse(document(authentication=authentication), SHAPE)
    assert caught.value.sentence == sentence


@pytest.mark.parametrize("icon", [None, "M4 4h16v16H4Z", "M12 2 22 12 12 22 2 12Z m-1.5,.5 l3-3"])
def test_icon_is_the_data_of_a_path(icon: str | None) -> None:
    assert Provider.parse(document(icon=icon), SHAPE).icon == icon


@pytest.mark.parametrize("icon", ["", "<script>", 'M0 0" onload="x', "M0 0\n", "url(x)", "M" * 2001, 5])
def test_icon_that_is_not_a_drawing_is_refused(icon: Any) -> None:
    """Pages put it into an SVG path, so only drawing commands and numbers are allowed."""
    with pytest.raises(InvalidRequest, match=r"provider\.icon"):
        Provider.parse(document(icon=icon), SHAPE)


def test_bad_config_schema_is_refused_by_path() -> None:
    schema = document()["config_schema"]
    schema["properties"]["auth_token"]["required"] = True
    with pytest.raises(ConfigSchemaInvalid, match=r"config_schema\.properties\.auth_token\.required must be a list"):
        Provider.parse(document(config_schema=schema), SHAPE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with the schema file and one provider."""
    for name in ("_provider.schema.json", "twilio.json"):
        shutil.copy(FOLDER / name, tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("broken.json", '{\n  "key": "a",\n}', "not valid JSON: "),
        ("broken.json", '{\n  "key": "a",\n}', "line "),
        ("broken.json", "{", "line 1 column 2"),
        ("_provider.schema.json", "{", "line 1 column 2"),
        ("twice.json", '{"key": "a", "key": "b"}', "it has a field twice"),
        ("empty.json", "{}", "provider.key is missing"),
        ("other.json", json.dumps(document()), "it holds the provider twilio"),
    ],
)
def test_invalid_file_is_named(folder: Path, name: str, content: str, cause: str) -> None:
    assert [provider.key for provider in read_folder(folder)] == ["twilio"]
    (folder / name).write_text(content)
    with pytest.raises(Misconfigured) as caught:
        read_folder(folder)
    assert str(folder / name) in caught.value.cause
    assert cause in caught.value.cause


def test_folder_without_the_shape_says_what_is_missing(folder: Path) -> None:
    (folder / "_provider.schema.json").unlink()
    with pytest.raises(Misconfigured, match=r"_provider\.schema\.json is missing"):
        read_folder(folder)


def test_columns_fields_and_shape_name_the_same_parts_of_a_provider() -> None:
    """A column that is missing in one of them would be lost on the way in or out."""
    state = {"is_active", "changed_by_admin", "version"}
    parts = {"key", *COLUMNS}

    assert parts | state == {field.name for field in fields(Provider)}
    assert parts == set(SHAPE["properties"]) - {"$comment"}
    assert set(providers.FIELDS.values()) == parts
