"""The OpenAPI document: generated from the code, complete, and consistent with template.yaml."""

import json
import re
from collections.abc import Iterator
from html import unescape
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from jsonschema_rs import Draft202012Validator
from openapi_spec_validator import validate
from pydantic import create_model

from causeway.database.idempotency import KeyedRequest
from causeway.errors import table
from causeway.errors.requests import InvalidRequest
from causeway.tenancy import api_keys
from causeway.tenancy.permissions import ALLOWED
from causeway.wire.models import Answer
from local.template.reading import load
from tests.findings import none_of
from tools import catalogue_schema
from tools.openapi import document as openapi
from tools.openapi import models, order
from tools.openapi import page as openapi_page
from tools.openapi.functions import Undeclared

ROOT = Path(__file__).parents[2]
CONSOLE = ROOT / "functions" / "console"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.make(ROOT / "functions")


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Each operation by "METHOD /path"."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def references(value: object) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from references(inner)


def test_document_is_made_from_the_code(document: dict[str, Any]) -> None:
    """`make docs` generates it again."""
    kept = json.loads((CONSOLE / "openapi.json").read_text(encoding="utf-8"))
    assert kept == document, "functions/console/openapi.json differs from the routes' declarations: run make docs"


def test_page_is_made_from_the_document(document: dict[str, Any], tmp_path: Path) -> None:
    console = tmp_path / "console"
    console.mkdir()
    (console / "openapi.json").write_bytes((CONSOLE / "openapi.json").read_bytes())
    (console / "docs.html").write_text("an old page")
    openapi_page.write(console)

    assert (console / "docs.html").read_text(encoding="utf-8") == openapi_page.as_html(document)
    assert {file.name for file in tmp_path.rglob("*")} == {"console", "openapi.json", "docs.html"}


def test_two_models_of_one_name_are_refused() -> None:
    """A merge of dicts would drop one of the two without a word."""
    other = create_model("ApiKey", __base__=Answer, name=str)

    assert set(models.schemas([(api_keys.ApiKey, "serialization")])) == {"ApiKey"}
    refusal = r"causeway\.tenancy\.api_keys\.ApiKey: another model has this name"
    with pytest.raises(models.ModelNameTaken, match=refusal):
        models.schemas([(api_keys.ApiKey, "serialization"), (other, "serialization")])


def test_document_is_valid_openapi(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1.")
    validate(document)


def test_document_has_the_routes_of_the_template_and_no_others(document: dict[str, Any]) -> None:
    parameters = {"Stage": "local", "TokenIssuer": "https://issuer.invalid", "DatabaseHost": "nowhere"}
    functions = load(ROOT / "template.yaml", parameters)
    routes = {route.key: route for function in functions for route in function.routes}

    # The document shows methods of a route that takes any.
    for route in [route for route in routes.values() if route.method == "ANY"]:
        del routes[route.key]
        routes |= {f"{method} {route.path.replace('+', '')}": route for method in openapi.METHODS}
    assert set(operations(document)) == set(routes)
    for key, operation in operations(document).items():
        asks_for_token = {"token": []} in operation["security"]
        # Of the two routes that launch a game, only the one for demonstrations has no authorizer in the template.
        if key != "POST /casino/simulateRound":
            assert asks_for_token == (routes[key].authorizer is not None), key


def test_operation_has_a_unique_name_and_a_description(document: dict[str, Any]) -> None:
    found = operations(document).values()

    assert len({one["operationId"] for one in found}) == len(found)
    assert all(one["summary"] and not one["summary"].endswith(".") for one in found)
    assert {tag for one in found for tag in one["tags"]} == {tag["name"] for tag in document["tags"]}


# It takes no If-Match and no Idempotency-Key: each decision is a new one.
LIMITER = "POST /functions/v1/rate-limiter"
# Its Idempotency-Key is the hub's, and If-Match the platform's.
PROXY = ("POST /functions/v1/api-proxy", *(f"{one} /proxy/{{connection_id}}/{{proxy}}" for one in openapi.METHODS))


def test_operation_names_the_roles_that_have_its_permission(document: dict[str, Any]) -> None:
    """HUB 43."""
    permitted = {
        key: one for key, one in operations(document).items() if "x-permission" in one and "/casino/" not in key
    }

    assert permitted["POST /integrations"]["x-permission"] == "credentials.write"
    assert permitted["POST /integrations"]["x-roles"] == ["tenant_admin"]
    assert permitted["POST /integrations/{connection_id}/disable"]["x-roles"] == ["super_admin", "tenant_admin"]
    for key, one in permitted.items():
        assert set(one["x-roles"]) == {role for role, has in ALLOWED.items() if one["x-permission"] in has}, key
    of_the_hub = ("integrations", "api-keys", "audit", "tenants", "memberships", "me")
    others = ("POST /casino/launchGame", "POST /casino/simulateRound", LIMITER, *PROXY)
    for key, one in operations(document).items():
        assert ("x-permission" in one) == (key.split("/")[1] in of_the_hub or key in others), key


def test_every_security_scheme_is_described(document: dict[str, Any]) -> None:
    named = {name for operation in operations(document).values() for one in operation["security"] for name in one}

    assert named == set(document["components"]["securitySchemes"])


def test_every_component_is_used(document: dict[str, Any]) -> None:
    used = set(references(document))
    parts = {
        f"#/components/{kind}/{name}" for kind in ("schemas", "responses") for name in document["components"][kind]
    }
    assert parts == used


# In the names of refusals beside codes.
NOT_CODES = ("gateway", "signed", "WalletUnavailable", "LaunchUnavailable", "LimiterUnavailable")


def test_refusal_has_the_status_of_its_codes(document: dict[str, Any]) -> None:
    for key, operation in operations(document).items():
        for status, answer in operation["responses"].items():
            for name in answer.get("$ref", "").rpartition("/")[2].split("-")[1:]:
                assert name in NOT_CODES or table.every()[name].status == int(status), key
    debit = operations(document)["POST /casino/debit"]["responses"]
    assert debit["402"]["$ref"].endswith("402-INSUFFICIENT_FUNDS-signed")


def test_only_signed_calls_mention_money_in_their_503(document: dict[str, Any]) -> None:
    """HUB 56"""
    told = {name: answer["description"] for name, answer in document["components"]["responses"].items()}
    for key, operation in operations(document).items():
        name = operation["responses"].get("503", {}).get("$ref", "").rpartition("/")[2]
        signed = {"casinoSignature", "providerSignature"} & {scheme for one in operation["security"] for scheme in one}
        assert ("money" in told.get(name, "")) == (bool(name) and bool(signed)), key


def test_no_503_advises_an_idempotency_key_where_the_route_takes_none(document: dict[str, Any]) -> None:
    """A launch refuses the header, as each launch makes a new session; so does the limiter, which counts anew."""
    told = {name: answer["description"] for name, answer in document["components"]["responses"].items()}
    for key, operation in operations(document).items():
        name = operation["responses"].get("503", {}).get("$ref", "").rpartition("/")[2]
        taken = "Idempotency-Key" in {parameter["name"] for parameter in operation.get("parameters", ())}
        assert key.startswith("GET ") or "Idempotency-Key" not in told.get(name, "") or taken, (
            f"{key}: give its Authentication an error `unavailable` that says what a retry does (edge/routes.py)"
        )
    launch = operations(document)["POST /casino/launchGame"]["responses"]["503"]["$ref"].rpartition("/")[2]
    assert "Launch again" in told[launch]


def test_every_route_that_changes_takes_if_match_and_idempotency_key(document: dict[str, Any]) -> None:
    def headers(key: str) -> dict[str, bool]:
        parameters = operations(document)[key]["parameters"]
        return {one["name"]: one["required"] for one in parameters if one["in"] == "header"}

    change = {"X-Tenant-Id": False, "If-Match": False, "Idempotency-Key": False}
    assert headers("PATCH /integrations/{connection_id}") == change | {"If-Match": True}
    found = {
        key: headers(key)
        for key, one in operations(document).items()
        if "x-permission" in one and "/casino/" not in key and key not in (LIMITER, *PROXY)
    }
    assert len(found) > 30
    for key, taken in found.items():
        required = key in ("PATCH /integrations/{connection_id}", "PATCH /integrations/templates/{template_id}")
        assert taken == ({"X-Tenant-Id": False} if key.startswith("GET ") else change | {"If-Match": required}), key
    assert headers("POST /casino/debit") == {"x-provider-code": False}


def schemas_in(value: object) -> Iterator[dict[str, Any]]:
    """Every object in a JSON value; the schemas are among them."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from schemas_in(inner)


def test_length_stands_once(document: dict[str, Any]) -> None:
    """A pattern without * and + bounds the text: a second limit beside it would only repeat it, or differ."""
    both = [one for one in schemas_in([document, json.loads(catalogue_schema.text())]) if "maxLength" in one]
    assert both
    patterns = (one["pattern"] for one in both if isinstance(one.get("pattern"), str))
    # What is in brackets is a character.
    none_of((one for one in patterns if not set("*+") & set(re.sub(r"\[[^]]*\]", "", one))), "drop the limit of Text")


@pytest.mark.parametrize("key", ["", "a", "a b", "\xe9", "a\n", "\0", "a\0b", "k" * 255, "k" * 256])
def test_idempotency_key_of_the_document_is_what_is_accepted(document: dict[str, Any], key: str) -> None:
    parameters = operations(document)["POST /integrations"]["parameters"]
    [schema] = [one["schema"] for one in parameters if one["name"] == "Idempotency-Key"]
    try:
        accepted = KeyedRequest.of(key, {}, b"secret").key == key
    except InvalidRequest:
        accepted = False

    assert Draft202012Validator(schema).is_valid(key) == accepted == (0 < len(key) < 256 and "\0" not in key)


HANDLER = """
from causeway.edge.routes import App
from causeway.edge.public import route

app = App()

@{declaration}
def odd() -> None:
    '''Something.'''
"""


@pytest.mark.parametrize(
    ("declaration", "complaint"),
    [
        ("route(app, 'GET', '/odd', response='Nothing')", "GET /odd names the model Nothing"),
        ("route(app, 'GET', '/odd', refuses=('NO_SUCH_CODE',))", "GET /odd names the errors .'NO_SUCH_CODE'."),
        ("route(app, 'GET', '/odd/{odd_id}')", "GET /odd/{odd_id} has the parameter odd_id"),
    ],
)
def test_route_without_a_valid_declaration_fails(declaration: str, complaint: str, tmp_path: Path) -> None:
    family = tmp_path / "odd_family"
    family.mkdir()
    (family / "odd.py").write_text(HANDLER.format(declaration=declaration))

    with pytest.raises(Undeclared, match=complaint):
        openapi.make(tmp_path)


def test_operation_whose_example_follows_an_unknown_one_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    family = tmp_path / "odd_family"
    family.mkdir()
    (family / "odd.py").write_text("'''Odd.'''" + HANDLER.format(declaration="route(app, 'GET', '/odd')"))
    monkeypatch.setitem(order.AFTER, "odd_family_odd_odd", "odd_family_odd_even")

    with pytest.raises(order.Unordered, match="'odd_family_odd_odd'"):
        openapi.make(tmp_path)


FILTER = """
from enum import StrEnum
from causeway.tenancy.context import RequestContext
from causeway.edge.hub import HubAnswer, HubCall, route
from causeway.wire.field_types import Omittable
from causeway.wire.models import Query, Request
from causeway.edge.routes import App

app = App()

class Color(StrEnum):
    RED = "red"

class Range(Request):
    least: int

class OddQuery(Query):
    {field}

@route(app, "GET", "/odd", permission="audit.read")
def odd(call: HubCall, query: OddQuery) -> HubAnswer:
    '''Something.'''
    return HubAnswer("")
"""


@pytest.mark.parametrize("field", ["color: Omittable[Color] = None", "spans: Omittable[list[Range]] = None"])
def test_filter_of_a_class_fails_with_the_name_of_its_route(field: str, tmp_path: Path) -> None:
    """A parameter is a text; no text is an enumeration's member or an object."""
    family = tmp_path / "odd_family"
    family.mkdir()
    (family / "odd_filter.py").write_text(FILTER.format(field=field))
    name = field.partition(":")[0]

    complaint = f"GET /odd has the parameter {name}, whose type is a class: a filter's choices are a Literal"
    with pytest.raises(Undeclared, match=complaint):
        openapi.make(tmp_path)


class Page(HTMLParser):
    """The parts of the page that matter here; closing a tag that is not open is an error."""

    VOID = ("meta", "!doctype")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [str(value) for name, value in attrs if name == "id"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_is_well_formed_and_loads_nothing_external(document: dict[str, Any]) -> None:
    page = Page(openapi_page.as_html(document))
    names = {tag for tag, _ in page.tags}

    assert page.open == []
    assert not names & {"script", "link", "img", "iframe", "form"}
    assert not [value for _, attributes in page.tags for name, value in attributes.items() if name.startswith("on")]
    assert ("meta", {"name": "viewport", "content": "width=device-width, initial-scale=1"}) in page.tags
    assert ("html", {"lang": "en"}) in page.tags


def test_page_has_every_operation_and_no_broken_link(document: dict[str, Any]) -> None:
    page = Page(openapi_page.as_html(document))
    links = {str(attributes["href"]) for tag, attributes in page.tags if tag == "a"}

    assert len(page.ids) == len(set(page.ids))
    assert {one["operationId"] for one in operations(document).values()} <= set(page.ids)
    assert links - {f"#{name}" for name in page.ids} == {"/openapi.json"}


def test_page_has_the_operations_in_the_order_in_which_their_examples_work(document: dict[str, Any]) -> None:
    """tests/end_to_end/test_examples.py sends them in this order."""
    page = Page(openapi_page.as_html(document))
    shown = [attributes["id"] for tag, attributes in page.tags if tag == "details"]

    assert sorted(map(str, shown)) == sorted(one["operationId"] for one in operations(document).values())
    assert shown == [one.name for one in order.in_order(document)]
    none_of((late for late, early in order.AFTER.items() if shown.index(late) < shown.index(early)), "comes too early")


def test_page_shows_the_roles_of_an_operation(document: dict[str, Any]) -> None:
    text = openapi_page.as_html(document)

    assert "Called with a token, by the roles super_admin, tenant_admin (permission connections.write)." in text
    assert "Called with a token or an API key, by the roles" in text
    assert "Called by a game provider, with its signature." in text
    assert "Called by anyone." in text
    assert '<a href="#INSUFFICIENT_FUNDS">INSUFFICIENT_FUNDS</a>: The balance is too low for this bet.' in text


def test_page_shows_examples_and_a_curl_line(document: dict[str, Any]) -> None:
    text = unescape(openapi_page.as_html(document))

    for operation in operations(document).values():
        assert operation["x-codeSamples"][0]["source"] in text
    assert '"sessionToken": "7f325788-c990-432c-b7b0-7dcbdd4e5101"' in text
    assert '"code": "INSUFFICIENT_FUNDS"' in text


def test_page_says_which_example_comes_first(document: dict[str, Any]) -> None:
    text = openapi_page.as_html(document)
    told = {one["operationId"]: one["x-after"] for one in operations(document).values() if "x-after" in one}
    _, _, credit = text.partition('<details id="wallet_credit_credit">')
    line = 'Send this example after that of <a href="#wallet_debit_debit"><code>POST /casino/debit</code></a>.'

    assert told == order.AFTER
    assert line in credit.partition("<pre")[0]
    assert text.count("Send this example after that of ") == len(told)


def test_no_function_generates_the_document_at_start_up() -> None:
    handlers = list((ROOT / "functions").glob("*/*.py"))

    assert handlers
    imports = re.compile(r"import.*\bopenapi\b|causeway\.openapi\b.* import")
    none_of((handler for handler in handlers if imports.search(handler.read_text())), "imports openapi")
