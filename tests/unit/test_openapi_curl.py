"""The curl lines of the API's document, and the order in which they work."""

import json
import shlex
from typing import Any

import pytest

from tools.openapi import curl, order


def operation(**more: Any) -> dict[str, Any]:
    return {"operationId": "things_do", "security": [{"token": []}], "responses": {"200": {}}} | more


def with_body(body: Any) -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"example": body}}}}


def parameter(place: str, name: str, example: Any = None, *, required: bool = True) -> dict[str, Any]:
    given = {} if example is None else {"example": example}
    return {"name": name, "in": place, "required": required} | given


def parsed(line: str) -> list[str]:
    """The words of a line, as a shell sees them."""
    return shlex.split(line.replace("\\\n", " "))


def test_body_with_quotes_and_other_letters_arrives_as_it_is() -> None:
    body = {"name": 'O\'Brien "x" $HOME `ls` ü'}
    line = curl.line("POST", "/things", operation(**with_body(body)))

    assert json.loads(parsed(line)[-1]) == body
    assert "-X" not in parsed(line)


@pytest.mark.parametrize(
    ("roles", "token"),
    [
        (["super_admin", "tenant_admin", "staff"], "stack tokens JAQPOT tenant_admin"),
        (["super_admin"], "stack tokens super_admin"),
    ],
)
def test_token_of_a_role_that_may_is_sent(roles: list[str], token: str) -> None:
    line = curl.line("GET", "/things", operation(**{"x-roles": roles}))

    assert f"Authorization: Bearer $({token})" in parsed(line)


def test_path_and_required_parameters_are_sent_and_one_optional_if_asked() -> None:
    declared = operation(
        parameters=[
            parameter("path", "thing_id", "a/b"),
            parameter("query", "day", "2026-01-31"),
            parameter("query", "zone", "Asia/Dubai", required=False),
            parameter("query", "cursor", required=False),
            parameter("header", "If-Match", '"1"'),
            parameter("header", "X-Tenant-Id", "t", required=False),
        ]
    )
    line = parsed(curl.line("PATCH", "/things/{thing_id}", declared))

    assert line == [
        *("curl", "-i", "$(stack base_url)/things/a%2Fb?day=2026-01-31"),
        *("-X", "PATCH", "-H", 'If-Match: "1"'),
    ]
    assert "day=2026-01-31&zone=Asia%2FDubai" in curl.line("GET", "/things/{thing_id}", declared, query="zone")
    assert "cursor" not in curl.line("GET", "/things/{thing_id}", declared, query="cursor")


@pytest.mark.parametrize(("status", "has_key"), [("201", True), ("202", True), ("200", False)])
def test_call_that_makes_something_has_a_key(status: str, has_key: bool) -> None:
    key = parameter("header", "Idempotency-Key", "k", required=False)
    line = curl.line("POST", "/things", operation(parameters=[key], responses={status: {}}))

    assert ("Idempotency-Key: example-things_do" in parsed(line)) == has_key


def test_signed_call_signs_the_text_that_it_sends() -> None:
    line = curl.line("POST", "/casino/debit", operation(security=[{"casinoSignature": []}], **with_body({"a": "'"})))
    before, _, after = line.partition("\n")

    assert json.loads(parsed(before)[0].removeprefix("BODY=")) == {"a": "'"}
    assert after.endswith('-d "$BODY"')
    assert '-H "x-casino-signature: $(printf %s "$BODY" | openssl dgst -sha256 -hmac' in after


def named(name: str, after: str | None = None) -> dict[str, Any]:
    return operation(operationId=name, **({} if after is None else {"x-after": after}))


def test_operations_stand_as_in_the_document_but_behind_those_that_they_need() -> None:
    document = {
        "paths": {
            "/a": {"delete": named("delete"), "post": named("make"), "get": named("read")},
            "/b/back": {"post": named("change_back", after="change")},
            "/b/change": {"post": named("change")},
            "/z": {"post": named("act")},
        }
    }

    found = [(one.method, one.path, one.name) for one in order.in_order(document)]
    assert [name for _, _, name in found] == ["delete", "make", "read", "change", "change_back", "act"]
    assert found[0] == ("DELETE", "/a", "delete")


def test_two_operations_that_need_the_same_one_and_a_chain_stand_behind_it() -> None:
    document = {
        "paths": {
            "/third": {"post": named("third", after="second")},
            "/second": {"post": named("second", after="first")},
            "/other": {"post": named("other", after="first"), "get": named("read")},
            "/first": {"post": named("first")},
            "/last": {"post": named("last")},
        }
    }

    found = [one.name for one in order.in_order(document)]
    assert found == ["read", "first", "second", "third", "other", "last"]


@pytest.mark.parametrize(
    ("after", "lost"),
    [
        ({"a": "nothing"}, "['a']"),
        ({"a": "a"}, "['a']"),
        ({"a": "b", "b": "a", "c": "a"}, "['a', 'b', 'c']"),
    ],
    ids=["needs an unknown one", "needs itself", "circle"],
)
def test_operation_without_a_place_is_refused(after: dict[str, str], lost: str) -> None:
    document = {"paths": {f"/{name}": {"post": named(name, after.get(name))} for name in ("a", "b", "c", "d")}}

    with pytest.raises(order.Unordered) as refused:
        order.in_order(document)
    assert str(refused.value) == (f"x-after gives the operations {lost} no place: see AFTER in tools/openapi/order.py")
