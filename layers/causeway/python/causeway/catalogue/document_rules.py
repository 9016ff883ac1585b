"""Rules of a template's document beyond its shape: its addresses, its headers, its references to fields."""

import re
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any

from causeway.catalogue.validation_problems import joined
from causeway.errors.tree import Problem
from causeway.outbound import request_rules
from causeway.wire.strict_json import shown_name

# Stands for a field of the connection in a text of a template.
FIELD_REFERENCE = re.compile(r"\{(\w+)\}", re.ASCII)
# In the part oauth: its URLs, and the names of fields, each with whether the field is secret.
_OAUTH_URLS = ("authorize_url", "token_url", "exchange_url", "account_url")
_OAUTH_FIELDS: Mapping[str, bool] = MappingProxyType(
    {"client_id_field": False, "client_secret_field": True, "access_token_field": True, "refresh_token_field": True}
)
# Returns a field's name as the document spells it: display_name or displayName.
Spelling = Callable[[str], str]


def path_fault(path: str) -> str | None:
    """Return why a path of a template must not be called, as the second half of a sentence; None if it may."""
    return request_rules.path_fault(_filled(path))


def url_fault(url: str) -> str | None:
    """Return why a URL of a template must not be called, as the second half of a sentence; None if it may."""
    return request_rules.url_fault(_filled(url).partition("?")[0])


def webhook_fault(address: str) -> str | None:
    """Return why a platform must not be told this URL, or this path of ours; None if it may."""
    if address.startswith("/"):
        return request_rules.path_fault(address)
    return request_rules.url_fault(address.partition("?")[0])


def _filled(text: str) -> str:
    """Return a path or URL as a connection's fields may fill it; the call checks the filled text again."""
    return FIELD_REFERENCE.sub(lambda found: "/x" if found.start() == 0 else "x", text)


def problems(document: Mapping[str, Any], spell: Spelling) -> Iterator[Problem]:
    """Yield the problems of a document whose parts are right each for itself.

    Args:
        document: in the names of spell, with a config_schema that config_schema.check accepts.
        spell: of its names.
    """
    yield from _wrong_references(document, spell)
    yield from _wrong_fields(document, spell)
    yield from _wrong_token_url(document, spell)
    yield from _missing_addresses(document, spell)
    gets_token = document[spell("health_call")].get(spell("gets_token"))
    if gets_token and document[spell("authentication")]["type"] != "oauth2_client_credentials":
        path = f"{spell('health_call')}.{spell('gets_token')}"
        yield Problem(path, "needs an authentication that gets a token with the client's credentials")


def _wrong_references(document: Mapping[str, Any], spell: Spelling) -> Iterator[Problem]:
    in_urls = {
        spell("base_urls"),
        f"{spell('authentication')}.{spell('token_path')}",
        f"{spell('authentication')}.{spell('token_url')}",
        f"{spell('health_call')}.path",
        f"{spell('health_call')}.query",
        *(f"oauth.{spell(name)}" for name in _OAUTH_URLS),
    }
    optional = _without_refresh(document[spell("authentication")], spell)
    for part in ("base_urls", "authentication", "health_call", "oauth"):
        for path, text in _texts(document.get(spell(part)), spell(part)):
            in_url = any(path == url or path.startswith(f"{url}.") for url in in_urls)
            for name in FIELD_REFERENCE.findall(text):
                schema = document[spell("config_schema")]
                fault = _reference_fault(name, schema, in_url=in_url, optional=path in optional)
                if fault is not None:
                    yield Problem(
                        path, f"has {{{shown_name(name)}}}, which {fault.format(schema=spell('config_schema'))}"
                    )


def _without_refresh(authentication: Mapping[str, Any], spell: Spelling) -> set[str]:
    """Return the paths that a connection with an access token can do without: all that a refresh needs."""
    if spell("access_token") not in authentication:
        return set()
    parts = ("refresh_token", "client_id", "client_secret")
    return {f"{spell('authentication')}.{spell(part)}" for part in parts}


def _wrong_fields(document: Mapping[str, Any], spell: Spelling) -> Iterator[Problem]:
    """Yield a problem for each field that the part oauth names and the config_schema has not, or not of that kind."""
    oauth, schema = document.get("oauth") or {}, spell("config_schema")
    fields = document[schema].get("properties", {})
    for name, secret in _OAUTH_FIELDS.items():
        named = oauth.get(spell(name))
        if named is not None and (fields.get(named, {}).get("x-secret") is True) is not secret:
            kind = "a secret field" if secret else "a field that is not secret"
            yield Problem(f"oauth.{spell(name)}", f"must name {kind} of {schema}")
        elif named is not None and named not in fields:
            yield Problem(f"oauth.{spell(name)}", f"must name a field of {schema}")
    for position, named in enumerate(oauth.get(spell("setting_fields"), [])):
        if named not in fields or fields[named].get("x-secret"):
            path = joined(f"oauth.{spell('setting_fields')}", [position])
            yield Problem(path, f"must name a field that is not secret of {schema}")


def _wrong_token_url(document: Mapping[str, Any], spell: Spelling) -> Iterator[Problem]:
    """Yield a problem if no part, or two parts, say where a code is exchanged."""
    oauth = document.get("oauth")
    if oauth is None:
        return
    refreshed = document[spell("authentication")]["type"] == "oauth2_refresh_token"
    if refreshed == (spell("token_url") in oauth):
        authentication = f"{spell('authentication')}.{spell('token_url')}"
        rule = f"must be absent: {authentication} is this address" if refreshed else "is missing"
        yield Problem(f"oauth.{spell('token_url')}", rule)


def _texts(value: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the texts in a JSON value, each with its path."""
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _texts(inner, joined(path, [name]))
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _texts(inner, joined(path, [position]))


def _reference_fault(name: str, schema: Mapping[str, Any], *, in_url: bool, optional: bool) -> str | None:
    """Return why a text must not refer to a field: it must always have a value, and in a URL one that a pattern bounds.

    Args:
        name: the field's.
        schema: the config_schema; {schema} in the result stands for its name.
        in_url: whether the text is a part of a URL.
        optional: whether the field may lack a value.
    """
    field = schema.get("properties", {}).get(name)
    if field is None:
        return "is not a field of {schema}"
    if not optional and name not in schema.get("required", []) and "default" not in field:
        return "is neither required by {schema} nor has a default there"
    if in_url and (field.get("x-secret") or not {"pattern", "enum"} & field.keys()):
        return "stands in a URL: it must have a pattern, and be no secret"
    return None


def _missing_addresses(document: Mapping[str, Any], spell: Spelling) -> Iterator[Problem]:
    schema, option = spell("config_schema"), f"{spell('health_call')}.{spell('configured_url')}"
    if not document[spell("health_call")].get(spell("configured_url")):
        if not any(document[spell("base_urls")].values()):
            rule = f"has no address: give one, or let connections name theirs ({option})"
            yield Problem(spell("base_urls"), rule)
    elif "base_url" not in document[schema].get("properties", {}):
        yield Problem(option, f"asks for a field base_url in {schema}")
