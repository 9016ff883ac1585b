"""Every example of the API's document works: its curl line is run, and the answer fits the schema and the example.

pytest's -s shows the count at the end.
"""

import json
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.request import urlopen

import pytest
from jsonschema import Draft202012Validator

from local import ROOT
from local.services import demo_objects
from local.stack import Stack
from tests.findings import none_of
from tools.openapi import curl, order

DOCUMENT: dict[str, Any] = json.loads((ROOT / "functions/console/openapi.json").read_text(encoding="utf-8"))
OPERATIONS = {one["operationId"]: one for methods in DOCUMENT["paths"].values() for one in methods.values()}
pytestmark = pytest.mark.skipif(
    not all(shutil.which(command) for command in ("bash", "curl", "openssl")), reason="needs bash, curl and openssl"
)


# Only a platform's redirect has a state that is awaited: without one they answer a page that says so.
REDIRECTS = {"oauth_callback_receive", "oauth_callback_receive_on_path"}


# The platform's answer is passed on: only what reads works on the example's object.
PLATFORMS = {f"proxy_api_proxy_forward_rest_{method}" for method in ("delete", "patch", "post", "put")}


@dataclass(frozen=True)
class Sent:
    """The answer to an operation's curl line."""

    status: int
    headers: dict[str, str]
    body: str


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack of its own, as `make up` starts it."""
    with Stack(state_folder=tmp_path_factory.mktemp("stack")) as running:
        demo_objects.make(running.base_url, running.database_urls["superuser"], running.info["tokens"])
        yield running


@pytest.fixture(scope="module")
def sent(stack: Stack) -> dict[str, Sent]:
    """The answers to the curl lines of all operations, and of one more for each optional parameter of a query."""
    answers = {}
    for name, line in _lines().items():
        answers[name] = _run(line, stack)
        if name == "oauth_authorize_authorize":
            _consent(json.loads(answers[name].body)["url"])
    good = sum(200 <= answer.status < 300 for answer in answers.values())
    sys.stdout.write(f"\n{len(answers)} examples of {len(OPERATIONS)} operations sent, {good} answered 2xx\n")
    return answers


def _consent(url: str) -> None:
    """Consent on the platform's page and follow its redirect, as a person's browser does before the completion."""
    with urlopen(f"{url}&sandbox_consent=allow", timeout=30) as page:  # noqa: S310
        assert page.status == 200


def _lines() -> dict[str, str]:
    """The curl lines by the names of their tests, in an order that works."""
    lines = {}
    for each in order.in_order(DOCUMENT):
        name = each.operation["operationId"]
        for parameter in each.operation.get("parameters", []):
            if parameter["in"] == "query" and not parameter["required"] and "example" in parameter:
                query = parameter["name"]
                lines[f"{name}?{query}"] = curl.line(each.method, each.path, each.operation, query=query)
        lines[name] = each.operation["x-codeSamples"][0]["source"]
    return lines


def _run(line: str, stack: Stack) -> Sent:
    cases = "".join(f"{shlex.quote(names)}) echo {shlex.quote(text)};;" for names, text in _texts(stack.info))
    # The shell function of docs/local.md, for a stack in another folder.
    function = f'stack() {{ case "$*" in {cases} *) return 1;; esac; }}'
    done = subprocess.run(["bash", "-c", f"{function}\n{line}"], capture_output=True, check=False, timeout=60)
    head, _, body = done.stdout.decode().replace("\r\n", "\n").partition("\n\n")
    assert head.startswith("HTTP/"), done.stderr.decode()
    status, *headers = head.splitlines()
    pairs = [header.partition(":") for header in headers]
    return Sent(int(status.split()[1]), {name.lower(): value.strip() for name, _, value in pairs}, body)


def _texts(values: dict[str, Any], names: str = "") -> Iterator[tuple[str, str]]:
    """The texts in stack.json, each with the names on the way to it."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _texts(value, f"{names}{name} ")
        else:
            yield f"{names}{name}", str(value)


def _success(operation: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    [(status, answer)] = [(int(status), one) for status, one in operation["responses"].items() if int(status) < 300]
    return status, answer


@pytest.mark.parametrize("name", _lines())
def test_example_is_answered_as_declared(name: str, sent: dict[str, Sent]) -> None:
    if name in REDIRECTS:
        assert (sent[name].status, sent[name].headers["content-type"]) == (400, "text/html; charset=utf-8")
        return
    if name in PLATFORMS:
        # The platform has no such call: its refusal is passed on.
        assert (sent[name].headers["x-causeway-attempts"], "x-causeway-error" in sent[name].headers) == ("1", False)
        return
    status, answer = _success(OPERATIONS[name.partition("?")[0]])

    assert sent[name].status == status, sent[name].body
    for header, declared in answer.get("headers", {}).items():
        assert header.lower() in sent[name].headers or not declared["required"], header
    content = answer.get("content")
    if content is None:
        assert sent[name].body == ""
        return
    media_type = sent[name].headers["content-type"].partition(";")[0]
    assert media_type in content or "*/*" in content
    if media_type == "application/json" and media_type in content:
        body = json.loads(sent[name].body)
        schema = content[media_type]["schema"] | {"components": DOCUMENT["components"]}
        Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(body)
        none_of(_unexplained(schema, body, content[media_type]["example"]), "is not in the answer's example")


def _unexplained(schema: dict[str, Any], body: Any, example: Any, place: str = "") -> Iterator[str]:
    """Yield the fields that an answer has and its example has not; objects of any fields are not compared."""
    schema = _resolved(schema)
    if isinstance(body, dict) and isinstance(example, dict) and "properties" in schema:
        for name, value in body.items():
            if name in example:
                yield from _unexplained(schema["properties"][name], value, example[name], f"{place}.{name}")
            else:
                yield f"{place}.{name}"
    elif isinstance(body, list) and isinstance(example, list) and example:
        for value in body:
            yield from _unexplained(schema["items"], value, example[0], f"{place}[]")


def _resolved(schema: dict[str, Any]) -> dict[str, Any]:
    for word in ("anyOf", "oneOf"):
        if word in schema:
            return _resolved(schema[word][0])
    if "$ref" in schema:
        return _resolved(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return schema


def test_every_operation_is_sent() -> None:
    assert set(OPERATIONS) <= set(_lines())
    assert len(OPERATIONS) == sum(len(methods) for methods in DOCUMENT["paths"].values())
