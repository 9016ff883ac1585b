"""Demo objects that the examples of the API's document name, made on a running stack through its own API."""

import json
import urllib.error
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import psycopg

from causeway.game_signing.signatures import sign_bare
from local.errors import StartError
from local.sandbox.registry import demo_credentials, oauth_app
from local.services.demo_data import CASINO_CODE, CASINO_SECRET, TENANT_ID
from tools.openapi import demo

_TIMEOUT_SECONDS = 30


def make(base_url: str, superuser_url: str, tokens: dict[str, Any]) -> None:
    """Make the objects with their fixed ids.

    Args:
        base_url: of the stack's API.
        superuser_url: of its database, with a role that bypasses row-level security.
        tokens: by tenant and role, as in stack.json.

    Raises:
        StartError: the API refused an object; the sentence has its answer.
    """
    token = tokens[CASINO_CODE]["tenant_admin"]
    _place_bet(base_url)
    with psycopg.connect(superuser_url, autocommit=True) as database:
        _add_person(database)
        with _ids_from_keys(database):
            for object_id, path, body in _calls():
                _post(f"{base_url}{path}", body, {"authorization": f"Bearer {token}", "idempotency-key": object_id})


def _place_bet(base_url: str) -> None:
    """Place the bet that the example of a rollback gives back."""
    bet = {
        "sessionToken": demo.SESSION_TOKEN,
        "userId": demo.SESSION_PLAYER_ID,
        "transactionId": demo.BET_ID,
        "roundId": demo.ROUND_ID,
        "amount": 1000,
    }
    signature = sign_bare(CASINO_SECRET, json.dumps(bet).encode())
    _post(f"{base_url}/casino/debit", bet, {"x-casino-signature": signature})


def _calls() -> list[tuple[str, str, dict[str, Any] | None]]:
    """Return the calls that make the objects: id, path and body, in their order."""
    connections = ((demo.CONNECTION_ID, "gohighlevel", "Bookings"), (demo.DELETED_CONNECTION_ID, "twilio", "Notices"))
    made: list[tuple[str, str, dict[str, Any] | None]] = [
        (
            object_id,
            "/integrations",
            {"templateId": key, "name": name, "config": demo_credentials(key) | oauth_app(key)},
        )
        for object_id, key, name in connections
    ]
    return [
        *made,
        (demo.RUN_ID, f"/integrations/{demo.CONNECTION_ID}/sync", None),
        (demo.KEY_ID, "/api-keys", {"name": "Old machine"}),
    ]


def _add_person(database: psycopg.Connection) -> None:
    """Add a person of the tenant who never logs in."""
    database.execute("INSERT INTO users (subject) VALUES (%s)", [demo.SUBJECT])
    database.execute(
        "INSERT INTO memberships (tenant_id, subject, role, name) VALUES (%s, %s, 'staff', 'Dana Reyes')",
        [TENANT_ID, demo.SUBJECT],
    )


@contextmanager
def _ids_from_keys(database: psycopg.Connection) -> Generator[None]:
    """In the block, a call with an Idempotency-Key makes its object under the id that the key is.

    The API itself lets nobody choose an id: the key's row gets it at random.
    """
    database.execute(
        """
        CREATE FUNCTION demo_object_id() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            NEW.object_id := NEW.idempotency_key;
            RETURN NEW;
        END $$
        """
    )
    database.execute(
        """
        CREATE TRIGGER demo_object_id BEFORE INSERT ON idempotency_keys
        FOR EACH ROW EXECUTE FUNCTION demo_object_id()
        """
    )
    try:
        yield
    finally:
        database.execute("DROP FUNCTION demo_object_id CASCADE")


def _post(url: str, body: dict[str, Any] | None, headers: dict[str, str]) -> None:
    content = b"" if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, headers, method="POST")  # noqa: S310
    try:
        urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS).close()  # noqa: S310
    except urllib.error.HTTPError as error:
        with error:
            raise StartError(f"a demo object was refused: {error.code} {error.read().decode()}") from error
