"""A process that gets the access token of a connection: python -m tests.database.token_caller '{...}'."""

import json
import sys
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from causeway.connections.tokens import ConnectionTokens
from causeway.database.postgres import Database
from causeway.platforms.account import Account
from causeway.tenancy.context import JobContext
from causeway.vault import credentials
from causeway.vault.crypto import DataKey, DataKeys
from causeway.vault.data_keys import StoredKeys
from tests.database.token_endpoint import CLIENT_CREDENTIALS, SECRETS
from tests.unit.platforms import platform


class _OneKey(DataKeys):
    """Keys without KMS, which is in the test's own process: this process never gets to encrypting."""

    def active(self, tenant_id: UUID) -> DataKey:  # noqa: ARG002 - of DataKeys
        return DataKey(1, AESGCM(bytes(32)))


def main() -> None:
    """Get the token; the test kills the process before there is one, so nothing is encrypted."""
    given: dict[str, Any] = json.loads(sys.argv[1])
    context = JobContext("caller", UUID(given["tenant"]), "request", Database(conninfo=given["conninfo"]))
    connection_id = UUID(given["connection"])
    with context.transaction() as transaction:
        stored = credentials.find(transaction, connection_id)
    keys = _OneKey(StoredKeys(context.database), "")
    account = Account(platform(given["url"], CLIENT_CREDENTIALS), "production", {}, SECRETS)
    ConnectionTokens(context, connection_id, stored, keys).current(account, lambda _: None)


if __name__ == "__main__":
    main()
