"""The part oauth of a template's document: what it may name, and what a connection may lack at first."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from causeway.catalogue import oauth_fields, validation
from causeway.catalogue.document import TemplateDraft
from causeway.errors.catalogue import ConfigSchemaInvalid
from causeway.errors.requests import InvalidRequest

FILE = Path(__file__).parents[2] / "schema" / "catalogue" / "google_analytics.json"


def document(**changes: Any) -> dict[str, Any]:
    """Google Analytics' file with these fields of its part oauth replaced; None removes one."""
    written = copy.deepcopy(json.loads(FILE.read_bytes()))
    oauth = {name: value for name, value in (written["oauth"] | changes).items() if value is not None}
    return written | {"oauth": oauth}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"client_id_field": "nowhere"}, "oauth.client_id_field must name a field of config_schema"),
        (
            {"client_id_field": "client_secret"},
            "oauth.client_id_field must name a field that is not secret of config_schema",
        ),
        (
            {"client_secret_field": "client_id"},
            "oauth.client_secret_field must name a secret field of config_schema",
        ),
        ({"refresh_token_field": "nowhere"}, "oauth.refresh_token_field must name a secret field of config_schema"),
        (
            {"setting_fields": ["property_id", "refresh_token"]},
            "oauth.setting_fields[1] must name a field that is not secret of config_schema",
        ),
        (
            {"authorize_url": "https://accounts.google.com/{client_secret}"},
            "oauth.authorize_url has {client_secret}, which stands in a URL: it must have a pattern, and be no secret",
        ),
        (
            {"exchange_url": "https://a/{nowhere}"},
            "oauth.exchange_url has {nowhere}, which is not a field of config_schema",
        ),
        ({"token_url": "https://a/../b"}, "oauth.token_url has a path that must not have the segments . or .."),
        ({"token_url": "https://a/b"}, "oauth.token_url must be absent: authentication.token_url is this address"),
        ({"pkce": "always"}, "oauth.pkce must be one of off, S256, S256_hex"),
        ({"client_auth": "basic"}, "oauth.client_auth is not a known field"),
        ({"declined": []}, "oauth.declined must have at least one item"),
        ({"scopes": None}, "oauth.scopes is missing"),
        ({"surprise": 1}, "oauth.surprise is not a known field"),
    ],
)
def test_document_that_names_what_is_not_there_is_refused(changes: dict[str, Any], sentence: str) -> None:
    """HUB 7: by its path, in the file's spelling."""
    with pytest.raises(InvalidRequest) as refused:
        TemplateDraft.of_file(document(**changes))
    assert refused.value.sentence.startswith(sentence), refused.value.sentence


def test_platform_without_refresh_tokens_says_where_a_code_is_exchanged() -> None:
    written = json.loads(FILE.with_name("mailchimp.json").read_bytes())
    del written["oauth"]["token_url"]
    with pytest.raises(InvalidRequest) as refused:
        TemplateDraft.of_file(written)
    assert refused.value.sentence.startswith("oauth.token_url is missing")


@pytest.mark.parametrize(
    ("config", "path"),
    [
        ({"property_id": "1"}, None),
        ({"property_id": "1", "client_id": "a", "client_secret": "b"}, None),
        ({}, "config.property_id"),
        ({"property_id": "1", "refresh_token": 5}, "config.refresh_token"),
        ({"property_id": "1", "token": "x"}, "config.token"),
    ],
)
def test_connection_may_lack_what_its_authorization_fills(config: dict[str, Any], path: str | None) -> None:
    """HUB 7: nothing else, and what is given must fit."""
    written = json.loads(FILE.read_bytes())
    schema = oauth_fields.schema_before(written["config_schema"], written["oauth"])
    if path is None:
        validation.validate(schema, config)
        return
    with pytest.raises(ConfigSchemaInvalid) as refused:
        validation.validate(schema, config)
    assert [problem.path for problem in refused.value.problems] == [path]


def test_platform_without_oauth_lacks_nothing() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}
    assert oauth_fields.schema_before(schema, None) == schema
    assert oauth_fields.fields_filled(None) == frozenset()
