"""Rules of a provider's document beyond its shape: references to fields, addresses, headers and the test call."""

import re
from collections.abc import Iterator
from typing import Any

from causeway.catalogue import patterns
from causeway.errors.requests import InvalidRequest
from causeway.outbound.redaction import is_secret_name
from causeway.outbound.request_rules import header_fault, path_fault, url_fault

# Stands for a field of the connection in a text of a template.
FIELD_REFERENCE = re.compile(r"\{(\w+)\}", re.ASCII)


def check(document: dict[str, Any]) -> None:
    """Check a document with the right shape and a config_schema that config_schema.check accepts.

    Raises:
        InvalidRequest: the sentence names the field.
    """
    _check_pattern(document["health_call"].get("refused_when", {}).get("pattern", ""))
    _check_details(document["health_call"].get("details", {}))
    _check_references(document)
    _check_addresses(document)


def _check_pattern(pattern: str) -> None:
    """Raise InvalidRequest if the health call's pattern cannot be matched in linear time."""
    wrong = patterns.fault(pattern)
    if wrong is not None:
        raise InvalidRequest(f"health_call.refused_when.pattern {wrong}")


def _check_details(details: dict[str, str]) -> None:
    """Check that no path into the answer of the test call leads to a secret, by the names on it."""
    for name, path in details.items():
        if any(is_secret_name(step) for step in path.split(".")):
            raise InvalidRequest(f"health_call.details.{name} must not lead to a secret: it is shown")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def _check_references(document: dict[str, Any]) -> None:
    """Check the {name}s: each must be a required field or have a default.

    In a URL it must not be secret, and needs a pattern or an enum.
    """
    schema, authentication, call = document["config_schema"], document["authentication"], document["health_call"]
    fields = schema.get("properties", {})
    for text in _texts([document["base_urls"], authentication, call]):
        for name in FIELD_REFERENCE.findall(text):
            if name not in fields:
                raise InvalidRequest(f"{{{name}}} is not a field of config_schema")
            if name not in schema.get("required", []) and "default" not in fields[name]:
                raise InvalidRequest(f"{{{name}}} is neither required by config_schema nor has it a default there")
    in_urls = [document["base_urls"], authentication.get("token_path"), call["path"], call.get("query")]
    for text in _texts(in_urls):
        for name in FIELD_REFERENCE.findall(text):
            if fields[name].get("x-secret") or not {"pattern", "enum"} & fields[name].keys():
                raise InvalidRequest(f"{{{name}}} stands in a URL: it must have a pattern, and be no secret")
    if not call.get("configured_url") and not any(document["base_urls"].values()):
        raise InvalidRequest("base_urls has no address: give one, or let connections name theirs (configured_url)")
    if call.get("configured_url") and "base_url" not in fields:
        raise InvalidRequest("health_call.configured_url asks for a field base_url in config_schema")


def _check_addresses(document: dict[str, Any]) -> None:
    """Check that no call sets a header of the HTTP connection, and that no path leaves its address."""
    authentication, call = document["authentication"], document["health_call"]
    named = {f"health_call.headers.{name}": name for name in call.get("headers", {})}
    named |= {f"authentication.{field}": authentication[field] for field in _names_header(authentication)}
    for place, name in named.items():
        _refuse_if(place, header_fault(name))
    paths = {"health_call.path": call["path"], "authentication.token_path": authentication.get("token_path")}
    for place, path in paths.items():
        if path is not None:
            _refuse_if(place, path_fault(_filled(path)))
    addresses = {f"base_urls.{environment}": url for environment, url in document["base_urls"].items()}
    addresses["authentication.token_url"] = authentication.get("token_url")
    for place, url in addresses.items():
        if url is not None:
            _refuse_if(place, url_fault(_filled(url).partition("?")[0]))


def _names_header(authentication: dict[str, Any]) -> list[str]:
    """Return the fields of an authentication that hold a header's name."""
    return {"header": ["name"], "hmac": ["header"]}.get(authentication["type"], [])


def _filled(text: str) -> str:
    """Return a path or URL as a connection's fields may fill it; the call checks the filled text again."""
    return FIELD_REFERENCE.sub(lambda found: "/x" if found.start() == 0 else "x", text)


def _refuse_if(place: str, wrong: str | None) -> None:
    if wrong is not None:
        raise InvalidRequest(f"{place} {wrong}")
