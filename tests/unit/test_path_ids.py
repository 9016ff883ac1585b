"""Ids in paths (HUB 52)."""

import re
import string
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from causeway.edge import answers
from causeway.edge.http_events import HttpAnswer, path_of
from causeway.edge.public import OPEN
from causeway.edge.routes import App, Declaration, DeclaredTwice
from causeway.errors.requests import InvalidRequest
from causeway.wire import base64url, path_ids
from local.gateway.routes import delivered_path
from tests.unit.gateway_events import Context

TEXTS = st.text(alphabet=st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)
LETTERS = string.ascii_letters + string.digits + "-_"


@given(TEXTS)
def test_every_id_has_an_address_that_a_path_carries_unchanged(text: str) -> None:
    """HUB 52: API Gateway's decoding does not change this form."""
    shown = path_ids.encode(text)

    assert set(shown.removeprefix("b64:")) <= set(LETTERS + ".~")
    assert delivered_path(f"/x/{shown}") == f"/x/{shown}"
    assert path_ids.parse("id", shown) == text


@pytest.mark.parametrize("text", ["a", "a-b_c.d~e", "...", "6f0d7a52-8c3f-4f0e-9a53-2f6f1f0c7a11"])
def test_plain_id_is_its_own_address(text: str) -> None:
    assert path_ids.encode(text) == text


@pytest.mark.parametrize("text", [".", "..", "a/b", "a?b", "a%b", "b64:QQ", "a b", "\u00e9", "a\n", "a:b", "a@b"])
def test_other_id_is_addressed_in_base64url(text: str) -> None:
    assert path_ids.encode(text) == f"b64:{base64url.encode(text.encode())}"


@given(TEXTS)
def test_prefix_is_part_of_the_address_in_both_forms(text: str) -> None:
    """HUB 52: ext: and a plain id, or b64: and the base64url form of both together."""
    shown = path_ids.encode(text, "ext:")

    assert shown == f"ext:{text}" or path_ids.encode(text) != text
    assert delivered_path(f"/x/{shown}") == f"/x/{shown}"
    assert path_ids.parse("id", shown) == f"ext:{text}"


@pytest.mark.parametrize("delivered", ["a/b", "a?b", "a%2Fb", "a%", "a\n", "\n", "a\0", "a\x7f", "a\ufffd"])
def test_ambiguous_id_is_refused_and_not_guessed(delivered: str) -> None:
    """HUB 52"""
    with pytest.raises(InvalidRequest, match="send b64: and the id's base64url form"):
        path_ids.parse("subject", delivered)


@pytest.mark.parametrize("delivered", ["a\\b", 'a"b', "a#b", "a=b", "a`b", "a b", "a@b", "a|b", "\u00e9", "a:b"])
def test_plain_id_in_base64url_is_refused(delivered: str) -> None:
    assert path_ids.parse("subject", delivered) == delivered


@pytest.mark.parametrize("delivered", ["b64:", "b64:Q", "b64:QR", "b64:QQ==", "b64:Q Q", "b64:_w", "b64:AA", "b64:\n"])
def test_address_in_another_form_is_refused(delivered: str) -> None:
    """HUB 52: an id has exactly one address."""
    with pytest.raises(InvalidRequest):
        path_ids.parse("subject", delivered)


@pytest.fixture
def routed() -> Callable[..., dict[str, Any]]:
    """routed("GET /a/{id}", id="x") is the answer of a function with that route."""
    app = App()

    def answer(event: dict[str, Any], _: Any) -> HttpAnswer:
        return answers.json_answer("OK", 200, repr(path_of(event)), {})

    for path in ("/things", "/things/{id}", "/things/{id}/parts/{part}"):
        app.add(Declaration("GET", path, answer, OPEN, None, None, {}), answer)
    handler = answers.lambda_handler(app)

    def ask(route: str, stage: str = "$default", **parameters: str) -> dict[str, Any]:
        method, _, path = route.partition(" ")
        for name, value in parameters.items():
            path = path.replace(f"{{{name}}}", value)
        context = {"http": {"method": method, "path": path}, "stage": stage, "requestId": "1"}
        raw = path if stage == "$default" else f"/{stage}{path}"
        event = {"version": "2.0", "routeKey": route, "rawPath": raw, "requestContext": context, "headers": {}}
        return handler(event | ({"pathParameters": parameters} if parameters else {}), Context())

    return ask


@pytest.mark.parametrize(
    "value", ["a", "a\n", "\n", 'a"b', "a\\b", "a#b", "a`b", "a/b", "a?b", "%", "\u00e9", "a\0b", "}"]
)
@pytest.mark.parametrize("stage", ["$default", "live"])
def test_every_path_parameter_reaches_its_route(routed: Callable[..., dict[str, Any]], value: str, stage: str) -> None:
    """HUB 52: also the values that a pattern for a path would not match, or would cut at the end."""
    for route, parameters in (
        ("GET /things/{id}", {"id": value}),
        ("GET /things/{id}/parts/{part}", {"id": "x", "part": value}),
    ):
        reply = routed(route, stage, **parameters)
        assert (reply["statusCode"], reply["body"]) == (200, repr(parameters))


@pytest.mark.parametrize("same", ["GET /things/{id}", "GET /things/{name}", "get /things/{id}"])
def test_route_that_api_gateway_cannot_tell_from_another_is_refused(same: str) -> None:
    app = App()

    def answer(_: dict[str, Any], __: Any) -> HttpAnswer:
        return answers.json_answer("OK", 200, "{}", {})

    def declare(method: str, path: str) -> None:
        app.add(Declaration(method, path, answer, OPEN, None, None, {}), answer)

    for method, path in (("GET", "/things/{id}"), ("POST", "/things/{id}"), ("GET", "/things/x")):
        declare(method, path)
    with pytest.raises(DeclaredTwice, match=f"{re.escape(same)} is declared twice, before as GET /things/{{id}}"):
        declare(*same.split(" "))


def test_path_without_parameters_is_routed_as_it_is(routed: Callable[..., dict[str, Any]]) -> None:
    assert routed("GET /things")["statusCode"] == 200
    assert routed("GET /nothing")["statusCode"] == 404
    assert routed("GET /nothing/{id}", id="x")["statusCode"] == 404
