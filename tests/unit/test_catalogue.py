"""The catalogue's files: each is a complete provider, accepts valid configurations, and marks its secrets."""

import copy
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from causeway.catalogue import secret_fields, templates, validation
from causeway.catalogue.document import TemplateDraft
from causeway.catalogue.files import read_folder
from causeway.catalogue.providers import COLUMNS, Provider
from causeway.catalogue.templates import TemplateChange
from causeway.errors.catalogue import ConfigSchemaInvalid
from causeway.errors.requests import InvalidRequest
from causeway.errors.service import Misconfigured
from causeway.wire.models import known
from causeway.wire.strict_json import parse_object
from tests.findings import none_of
from tests.platforms.facts import facts
from tests.platforms.providers import released, row

FOLDER = Path(__file__).parents[2] / "schema" / "catalogue"
PROVIDERS = {document.key: row(**document.columns()) for document in read_folder(FOLDER)}
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

    assert [fault.partition(" ")[0] for fault in faults(released(wanting))] == [
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


URL = "^https?://[0-9A-Za-z{][0-9A-Za-z._{}:/-]{0,300}$"
KINDS = "messaging, casino_platform, sports_betting, pam, payment, shipping, social, email, crm, advertising, analytics"
FIELDS = (
    "key, kind, display_name, description, icon, config_schema, setup_instructions, documentation_url, "
    "api_version, webhook_support, webhook_url, base_urls, rate_limits, authentication, health_call, oauth"
)
UNKNOWN = f"is not a known field: the fields are {FIELDS}"


def refusal(**changes: Any) -> str:
    """The sentence with which Twilio's file with these changes is refused."""
    with pytest.raises(InvalidRequest) as caught:
        TemplateDraft.of_file(document(**changes))
    return caught.value.sentence


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"kind": "magic"}, f"kind must be one of {KINDS}"),
        ({"surprise": 1}, f"surprise {UNKNOWN}"),
        ({"is_active": False}, f"is_active {UNKNOWN}"),
        ({"version": 9}, f"version {UNKNOWN}"),
        ({"displayName": "Twilio"}, f"displayName {UNKNOWN}"),
        ({"display_name": "a\u200bb"}, "display_name must not have line breaks or invisible characters"),
        ({"webhook_support": "yes"}, "webhook_support must be true or false"),
        ({"rate_limits": {"minute": 0}}, "rate_limits.minute must be at least 1"),
        ({"rate_limits": {"minute": None}}, "rate_limits.minute must be a whole number"),
        ({"rate_limits": {"fortnight": 1}}, "rate_limits.fortnight is not a known field"),
        ({"base_urls": {"production": None}}, "base_urls.sandbox is missing"),
        ({"base_urls": {"production": "ftp://x", "sandbox": None}}, f"base_urls.production must match {URL}"),
        ({"base_urls": {"production": "https://a@b", "sandbox": None}}, f"base_urls.production must match {URL}"),
        ({"documentation_url": "javascript:alert(1)"}, "documentation_url must match ^https://[!-~]{1,500}$"),
        ({"key": "Not A Key"}, "key must match ^[a-z][a-z0-9_]{0,63}$"),
        (
            {"health_call": {}},
            "health_call.method is missing; health_call.path is missing; health_call.expect is missing",
        ),
        (
            {"kind": "magic", "webhook_support": 1, "rate_limits": [], "api_version": "", "icon": "<", "key": "K"},
            (
                f"key must match ^[a-z][a-z0-9_]{{0,63}}$; kind must be one of {KINDS}; "
                "icon must match ^[MmLlHhVvCcSsQqTtAaZz0-9 .,-]+$; api_version must not be empty; "
                "webhook_support must be true or false"
            ),
        ),
    ],
)
def test_document_without_the_shape_is_refused_by_path(changes: dict[str, Any], sentence: str) -> None:
    """Five faults at most are told together, in the file's spelling."""
    assert refusal(**changes) == sentence


def health_call(**changes: Any) -> dict[str, Any]:
    """Twilio's health call with these fields replaced."""
    return document()["health_call"] | changes


PATH = "must match ^[0-9A-Za-z_-]{1,64}([.][0-9A-Za-z_-]{1,64}){0,7}$"
SHOWN = "must not lead to a secret: it is shown"


@pytest.mark.parametrize(
    ("details", "sentence"),
    [
        ({"accountId": "data.access_token"}, f"health_call.details.accountId {SHOWN}"),
        ({"accountName": "name", "locationId": "apiKey.id"}, f"health_call.details.locationId {SHOWN}"),
        ({"accountName": "a..b"}, f"health_call.details.accountName {PATH}"),
        ({"accountName": "{account_sid}"}, f"health_call.details.accountName {PATH}"),
        ({"accountName": ".".join("abcdefghi")}, f"health_call.details.accountName {PATH}"),
        ({"accountName": 5}, "health_call.details.accountName must be a string"),
        ({"email": "email"}, "health_call.details.email must be one of accountName, accountId, locationId"),
        ({}, "health_call.details must have at least one field"),
        (None, "health_call.details must be an object"),
    ],
)
def test_details_that_may_not_be_shown_are_refused(details: Any, sentence: str) -> None:
    assert refusal(health_call=health_call(details=details)) == sentence


def test_details_are_no_terms_of_a_template() -> None:
    """They decide what is shown, not where a secret goes: a change of them asks no tenant for its secrets again."""
    call = health_call()
    with_others = released(document(health_call=call | {"details": {"accountName": "name"}}))
    del call["details"]
    without, other = (released(document(health_call=call | more)) for more in ({}, {"headers": {"X-To": "elsewhere"}}))

    assert with_others.terms_digest("production") == without.terms_digest("production")
    assert other.terms_digest("production") != without.terms_digest("production")


def exactly(value: Any) -> str:
    """A JSON value as text: true is not 1 in it."""
    return json.dumps(value, sort_keys=True)


@pytest.mark.parametrize("key", PROVIDERS)
def test_document_is_stored_as_its_file_has_it(key: str) -> None:
    written = json.loads((FOLDER / f"{key}.json").read_bytes())
    del written["$comment"]
    stored = asdict(PROVIDERS[key])
    assert exactly({name: stored[name] for name in written}) == exactly(written)
    assert {stored[name] for name in {"key", *COLUMNS} - written.keys()} <= {None}


@pytest.mark.parametrize("key", PROVIDERS)
def test_terms_of_a_template_are_those_of_its_file(key: str) -> None:
    """HUB 1: a connection whose terms differ is shown as moved, and asks for its secrets again."""
    written = json.loads((FOLDER / f"{key}.json").read_bytes())
    call = {name: value for name, value in written["health_call"].items() if name != "details"}
    flow = written.get("oauth")
    if flow is not None:
        flow = {name: value for name, value in flow.items() if name != "rate_limits"}
    for environment, url in written["base_urls"].items():
        parts = (written["authentication"], call, written["config_schema"], flow)
        agreed = exactly([url, *parts])
        assert PROVIDERS[key].terms_digest(environment) == sha256(agreed.encode()).digest()


FULL: dict[str, Any] = {
    "authentication": {
        "type": "oauth2_client_credentials",
        "token_path": "/token",
        "client_id": "{account_sid}",
        "client_secret": "{auth_token}",
        "client_auth": "body",
        "scope": "read",
    },
    "health_call": {
        "method": "POST",
        "path": "/me",
        "query": {"not_camel": "1"},
        "headers": {"X-Not-Camel": "1"},
        "body": {"type": "json", "content": {"not_camel": None}},
        "expect": [200],
        "refused_when": {"pointer": "/not_camel", "pattern": "^a"},
        "details": {"accountId": "not_camel.id"},
        "configured_url": False,
    },
    "webhook_url": "/webhooks/not_camel",
}


@pytest.mark.parametrize(
    "provider", [*PROVIDERS.values(), released(document(**FULL))], ids=[*PROVIDERS, "with every optional field"]
)
def test_template_that_is_sent_as_it_is_shown_stays_the_same(provider: Provider) -> None:
    """The API's spelling and back: the terms too, or each connection would be shown as moved."""
    shown = templates.as_json(provider)
    sent = {name: shown[name] for name in known(TemplateDraft)}
    again = row(**templates.changed(provider, TemplateChange.parse(sent)).columns())

    assert exactly(TemplateDraft.parse(sent).columns()) == exactly(columns(again)) == exactly(columns(provider))
    assert again.terms_digest("production") == provider.terms_digest("production")


def columns(provider: Provider) -> dict[str, Any]:
    """What its document says."""
    return {name: getattr(provider, name) for name in ("key", *COLUMNS)}


def test_answer_spells_every_name_of_a_document_in_camel_case() -> None:
    """But neither the platform's own names, nor those in a test call's details."""
    shown = templates.as_json(released(document(**FULL)))
    assert shown["authentication"].keys() == {"type", "tokenPath", "clientId", "clientSecret", "clientAuth", "scope"}
    assert shown["healthCall"] == {
        **{
            name: FULL["health_call"][name]
            for name in ("method", "path", "query", "headers", "body", "expect", "details")
        },
        "refusedWhen": FULL["health_call"]["refused_when"],
        "configuredUrl": False,
    }


NOBODY = "has {nobody}, which is not a field of config_schema"
OPTIONAL = "has {sms_number}, which is neither required by config_schema nor has a default there"
SECRET = "has {auth_token}, which stands in a URL: it must have a pattern, and be no secret"


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (health_call(path="/{nobody}"), f"health_call.path {NOBODY}"),
        (health_call(headers={"X": "{sms_number}"}), f"health_call.headers.X {OPTIONAL}"),
        (health_call(path="/{auth_token}"), f"health_call.path {SECRET}"),
        (health_call(query={"token": "{auth_token}"}), f"health_call.query.token {SECRET}"),
        (
            health_call(path="/{auth_token}/{nobody}", query={"number": "{sms_number}"}),
            f"health_call.path {SECRET}; health_call.path {NOBODY}; health_call.query.number {OPTIONAL}",
        ),
        (
            health_call(configured_url=True),
            "health_call.configured_url asks for a field base_url in config_schema",
        ),
    ],
)
def test_health_call_refers_to_fields_that_always_have_a_value(call: dict[str, Any], sentence: str) -> None:
    assert refusal(health_call=call) == sentence


def test_reference_that_may_be_a_secret_is_not_repeated() -> None:
    """HUB 1: a key in the place of a field's name."""
    told = refusal(health_call=health_call(path="/{sk_live_51HxCANARY91c0}"))
    assert told == "health_call.path has {<unnamed>}, which is not a field of config_schema"


@pytest.mark.parametrize(
    ("authentication", "sentence"),
    [
        (
            {"type": "magic"},
            (
                "authentication.type must be one of none, basic, bearer, header, query, oauth2_client_credentials, "
                "oauth2_refresh_token, hmac"
            ),
        ),
        ({"type": "bearer"}, "authentication.token is missing"),
        ({"type": "basic", "username": "u"}, "authentication.password is missing"),
        (
            {"type": "basic", "username": "u", "password": "p", "token": "t"},
            "authentication.token is not a known field",
        ),
        ({}, "authentication.type is missing"),
    ],
)
def test_unknown_or_incomplete_authentication_is_refused(authentication: dict[str, Any], sentence: str) -> None:
    assert refusal(authentication=authentication) == sentence


@pytest.mark.parametrize(
    ("authentication", "sentence"),
    [
        ({"type": "bearer", "token": "{nobody}"}, f"authentication.token {NOBODY}"),
        ({"type": "bearer", "token": "{sms_number}"}, f"authentication.token {OPTIONAL}"),
        (
            {
                "type": "oauth2_client_credentials",
                "token_path": "/{auth_token}",
                "client_id": "{account_sid}",
                "client_secret": "{auth_token}",
                "client_auth": "body",
            },
            f"authentication.token_path {SECRET}",
        ),
    ],
)
def test_authentication_refers_to_fields_that_always_have_a_value(
    authentication: dict[str, Any], sentence: str
) -> None:
    assert refusal(authentication=authentication) == sentence


@pytest.mark.parametrize("content", [{"a": ["1.5"]}, {"a": None, "b": {"c": True, "d": [1, {}]}}, {}])
def test_json_of_a_test_call_is_kept_as_it_was_sent(content: dict[str, Any]) -> None:
    call = health_call(method="POST", body={"type": "json", "content": content})
    assert TemplateDraft.of_file(document(health_call=call)).columns()["health_call"] == call


def test_json_that_cannot_be_stored_is_refused_by_path() -> None:
    """A number with a fraction would be rounded, and Postgres takes no NUL."""
    raw = json.dumps(document(health_call=health_call(body={"type": "json", "content": {"a": [0.5, "\0"]}})))
    with pytest.raises(InvalidRequest) as caught:
        TemplateDraft.of_file(parse_object(raw.encode()))
    assert caught.value.sentence == (
        "health_call.body.content.a[0] must be a whole number; "
        "health_call.body.content.a[1] holds a character that is not text"
    )


@pytest.mark.parametrize(
    ("call", "path"),
    [({"query": {"\0": ""}}, "query.<unnamed>"), ({"query": {"a": "\0"}}, "query.a"), ({"headers": {"\0": ""}}, "")],
)
def test_text_that_cannot_be_stored_is_refused(call: dict[str, Any], path: str) -> None:
    told = refusal(health_call=health_call(**call))
    if path:
        assert told == f"health_call.{path} holds a character that is not text"
    else:
        assert told == "health_call.headers.<unnamed> must match ^[0-9A-Za-z-]+$"


@pytest.mark.parametrize(
    "url", [None, "https://hooks.example/a?b=c", "https://hooks.example/sms#rc=5&rp=all", "/webhooks/twilio", "/w"]
)
def test_webhook_url_is_an_https_url_or_a_path(url: str | None) -> None:
    assert TemplateDraft.of_file(document(webhook_url=url)).webhook_url == url


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("", "must not be empty"),
        ("http://hooks.example/", "must match ^(?:https://|/)[0-9A-Za-z][!-~]*$"),
        ("//evil.example", "must match ^(?:https://|/)[0-9A-Za-z][!-~]*$"),
        ("https://u:p@hooks.example/", "must not hold a user or password"),
        ("https://hooks.example:0/", "has a port that is not a number from 1 to 65535"),
        ("https://hooks.example/../x", "has a path that must not have the segments . or .."),
        ("/webhooks/../tenants", "must not have the segments . or .."),
        ("/a%2", "has a % that is not followed by two hexadecimal digits"),
        ("/webhooks/{name}", "has a character that must be percent-encoded in a path"),
        ("/" + "a" * 500, "must have at most 500 characters"),
        (5, "must be a string"),
    ],
)
def test_webhook_url_that_is_no_address_is_refused(url: Any, rule: str) -> None:
    assert refusal(webhook_url=url) == f"webhook_url {rule}"


@pytest.mark.parametrize("icon", [None, "M4 4h16v16H4Z", "M12 2 22 12 12 22 2 12Z m-1.5,.5 l3-3"])
def test_icon_is_the_data_of_a_path(icon: str | None) -> None:
    assert TemplateDraft.of_file(document(icon=icon)).icon == icon


@pytest.mark.parametrize("icon", ["", "<script>", 'M0 0" onload="x', "M0 0\n", "url(x)", "M" * 2001, 5])
def test_icon_that_is_not_a_drawing_is_refused(icon: Any) -> None:
    """Pages put it into an SVG path, so only drawing commands and numbers are allowed."""
    with pytest.raises(InvalidRequest, match=r"^icon must "):
        TemplateDraft.of_file(document(icon=icon))


def test_bad_config_schema_is_refused_by_path() -> None:
    schema = document()["config_schema"]
    schema["properties"]["auth_token"]["required"] = True
    with pytest.raises(ConfigSchemaInvalid, match=r"config_schema\.properties\.auth_token\.required must be a list"):
        TemplateDraft.of_file(document(config_schema=schema))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one provider."""
    shutil.copy(FOLDER / "twilio.json", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "content", "cause"),
    [
        ("broken.json", '{\n  "key": "a",\n}', "not valid JSON: "),
        ("broken.json", '{\n  "key": "a",\n}', "line "),
        ("broken.json", "{", "line 1 column 2"),
        ("twice.json", '{"key": "a", "key": "b"}', "it has a field twice"),
        ("empty.json", "{}", "key is missing; kind is missing; display_name is missing; description is missing"),
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


def test_columns_and_document_name_the_same_parts_of_a_provider() -> None:
    """A column that is missing in one of them would be lost on the way in or out."""
    assert {"key", *COLUMNS} == set(TemplateDraft.model_fields)
