"""The OpenAPI document as one HTML page, without scripts and without anything loaded from elsewhere.

python -m tools.openapi.page writes it, in the repository's folder; it needs no third-party package.
"""

import json
import os
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any

from tools.openapi import order

_STYLE = """
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 22%, transparent); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.25rem; margin-top: 2.5rem; }
h3, h4 { font-size: 1rem; margin: 1rem 0 .3rem; }
a { color: inherit; } :focus-visible { outline: 3px solid #2563eb; outline-offset: 2px; }
nav ul { columns: 17rem; padding-left: 1.2rem; }
details { border: 1px solid var(--line); border-radius: .4rem; margin: .4rem 0; }
summary { cursor: pointer; padding: .6rem .8rem; overflow-wrap: anywhere; }
details > div { padding: 0 .8rem .8rem; }
code, pre { font: .875rem/1.45 ui-monospace, monospace; }
pre { overflow-x: auto; border: 1px solid var(--line); border-radius: .4rem; padding: .6rem; margin: .3rem 0; }
.method { display: inline-block; min-width: 4.2rem; font-weight: 700; }
.table { overflow-x: auto; } table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left; vertical-align: top; }
.skip { position: absolute; left: -99rem; } .skip:focus { position: static; }
"""

_HOW_TO_CALL = (
    "The curl lines call the local stack. Start it with <code>make up</code> in a checkout of the repository, and "
    "paste this function into another shell there. Tokens live for an hour; "
    "<code>POST /_local/tokens</code> makes new ones."
)
# The example of API Gateway's own answer (tools/openapi/refusals.py).
_GATEWAY = "gateway"
_STACK = 'stack() { python3 -m local.look "$@"; }'


class Unmade(Exception):
    """The page could not be made; the message is one sentence that says why."""


def write(folder: Path) -> None:
    """Write docs.html beside openapi.json; a concurrent reader finds the old page or the new one, never a part.

    Args:
        folder: the one with openapi.json; its parent must be on the same file system.

    Raises:
        Unmade: openapi.json is missing or broken, or the page cannot be written.
    """
    html = _read_as_html(folder / "openapi.json")
    # Everything in the folder is deployed: a process that is killed must not leave a temporary file there.
    unfinished = folder.parent / f"docs.html.{os.getpid()}"
    try:
        try:
            unfinished.write_bytes(html)
            unfinished.replace(folder / "docs.html")
        finally:
            unfinished.unlink(missing_ok=True)
    except OSError as error:
        raise Unmade(f"docs.html could not be made: {error}") from error


def _read_as_html(document: Path) -> bytes:
    try:
        return as_html(json.loads(document.read_bytes())).encode()
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise Unmade(f"docs.html could not be made: {document} cannot be read ({error!r}); run make docs") from error


def as_html(document: dict[str, Any]) -> str:
    """Return the page.

    Args:
        document: the OpenAPI document.
    """
    info = document["info"]
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{escape(info['title'])} API</title>",
        f"<style>{_STYLE}</style>",
        '<a class="skip" href="#calls">Skip to the calls</a>',
        f"<header><h1>{escape(info['title'])} API</h1>",
        f"<p>{escape(info['description'])}</p>",
        '<p>For programs: <a href="/openapi.json">openapi.json</a>.</p>',
        f'<p>{_HOW_TO_CALL}</p><pre tabindex="0">{escape(_STACK)}</pre></header>',
        *_contents(document),
        '<main id="calls">',
        *(line for tag in document["tags"] for line in _section(document, tag["name"])),
        '<h2 id="schemas">Schemas</h2>',
        *(line for name, schema in sorted(document["components"]["schemas"].items()) for line in _schema(name, schema)),
        '<h2 id="errors">Errors</h2>',
        *(line for code, bodies in sorted(_errors(document).items()) for line in _error(code, bodies)),
        "</main>",
        "</html>",
    ]
    return "\n".join(lines) + "\n"


def _contents(document: dict[str, Any]) -> Iterator[str]:
    yield '<nav aria-label="Contents"><ul>'
    for tag in document["tags"]:
        yield f'<li><a href="#{_anchor(tag["name"])}">{escape(tag["name"])}</a></li>'
    yield '<li><a href="#schemas">Schemas</a></li><li><a href="#errors">Errors</a></li></ul></nav>'


def _section(document: dict[str, Any], tag: str) -> Iterator[str]:
    yield f'<section aria-labelledby="{_anchor(tag)}"><h2 id="{_anchor(tag)}">{escape(tag)}</h2>'
    for each in order.in_order(document):
        operation = each.operation
        if tag not in operation["tags"]:
            continue
        yield f'<details id="{each.name}"><summary><span class="method">{each.method}</span> '
        yield f"<code>{escape(each.path)}</code> {escape(operation['summary'])}</summary><div>"
        yield f"<p>{escape(operation['description'])}</p>"
        yield from _after(document, operation)
        for sample in operation.get("x-codeSamples", []):
            yield _pre(sample["source"])
        yield from _parameters(operation.get("parameters", []))
        if "requestBody" in operation:
            yield "<h3>Body</h3>"
            yield from _content(operation["requestBody"]["content"])
        yield "<h3>Answers</h3>"
        for status, answer in operation["responses"].items():
            known = document["components"]["responses"]
            yield from _answer(status, known[answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer)
        yield "</div></details>"
    yield "</section>"


def _after(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[str]:
    """Yield a line with the operation whose example must be sent before this one's."""
    for one in order.in_order(document):
        if one.name == operation.get("x-after"):
            link = f'<a href="#{one.name}"><code>{one.method} {escape(one.path)}</code></a>'
            yield f"<p>Send this example after that of {link}.</p>"


def _parameters(parameters: list[dict[str, Any]]) -> Iterator[str]:
    if not parameters:
        return
    yield '<h3>Parameters</h3><div class="table"><table>'
    yield '<tr><th scope="col">Name</th><th scope="col">In</th><th scope="col">Value</th></tr>'
    for one in parameters:
        text = f"{escape(one.get('description', ''))} <code>{escape(_json(one['schema']))}</code>"
        if "example" in one:
            text += f" Example: <code>{escape(_text(one['example']))}</code>"
        place = one["in"] + (", required" if one["required"] else "")
        yield f'<tr><th scope="row"><code>{escape(one["name"])}</code></th><td>{place}</td><td>{text}</td></tr>'
    yield "</table></div>"


def _answer(status: str, answer: dict[str, Any]) -> Iterator[str]:
    yield f"<h4>{status}</h4>"
    if int(status) < 400 or "application/json" not in answer["content"]:
        yield from _content(answer.get("content", {}))
        return
    codes = _examples(answer)
    yield "<ul>"
    for line in answer["description"].splitlines():
        code, _, rest = line.partition(": ")
        begin = f'<a href="#{code}">{code}</a>' if code in codes else escape(code)
        yield f"<li>{begin}: {escape(rest)}</li>"
    yield "</ul>"


def _examples(answer: dict[str, Any]) -> dict[str, Any]:
    """Return an error answer's examples by code."""
    found = answer["content"]["application/json"].get("examples", {})
    return {code: example["value"] for code, example in found.items() if code != _GATEWAY}


def _errors(document: dict[str, Any]) -> dict[str, list[Any]]:
    """Return the different bodies of error answers by code."""
    bodies: dict[str, list[Any]] = {}
    for answer in document["components"]["responses"].values():
        for code, body in _examples(answer).items():
            if body not in bodies.setdefault(code, []):
                bodies[code].append(body)
    return bodies


def _error(code: str, bodies: list[Any]) -> Iterator[str]:
    yield f'<h3 id="{code}">{code}</h3>'
    for body in bodies:
        yield _pre(_json(body, indent=2))


def _content(content: dict[str, Any]) -> Iterator[str]:
    for media_type, one in content.items():
        name = one["schema"].get("$ref", "").rpartition("/")[2]
        link = f': <a href="#{_anchor(name)}">{escape(name)}</a>' if name else ""
        yield f"<p><code>{escape(media_type)}</code>{link}</p>"
        if "example" in one:
            yield _pre(_text(one["example"]))


def _schema(name: str, schema: dict[str, Any]) -> Iterator[str]:
    yield f'<h3 id="{_anchor(name)}">{escape(name)}</h3>{_pre(_json(schema, indent=2))}'


def _pre(text: str) -> str:
    """Return a box that scrolls; so it must be reached by keyboard."""
    lines = escape(text).replace("\r\n", "\n")
    return f'<pre tabindex="0">{lines}</pre>'


def _text(example: Any) -> str:
    return example if isinstance(example, str) else _json(example, indent=2)


def _json(value: Any, indent: int | None = None) -> str:
    return json.dumps(value, indent=indent, ensure_ascii=False)


def _anchor(name: str) -> str:
    return name.replace(" ", "-")


if __name__ == "__main__":
    try:
        write(Path("functions/console"))
    except Unmade as failure:
        sys.exit(str(failure))
