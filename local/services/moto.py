"""AWS's services for local functions: a moto server as a child process, and its keys and secrets."""

import http.client
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.account import REGION
from local.errors import StartError
from local.processes.servers import Server

# Moto logs a line per request, and each queue is polled four times a second.
_QUIET_MOTO = """
import logging
logging.getLogger("werkzeug").setLevel(logging.WARNING)
from moto.server import main
main()
"""


class Moto(Server):
    """A moto server: in-memory AWS services that speak AWS's own protocols.

    Args:
        folder: where its log goes.
        address: the IPv4 address it listens on.
    """

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        super().__init__(
            "the moto server",
            folder / "moto.log",
            address,
            command=lambda: [sys.executable, "-c", _QUIET_MOTO, "-H", self.address, "-p", str(self.port)],
            ready=self._lists_secrets,
            environment={"AWS_DEFAULT_REGION": REGION},
        )

    def put_secret(self, name: str, value: object) -> None:
        """Store a value, as JSON, as a new secret; raises StartError if moto refuses it."""
        status, answer = secrets_manager(
            self.address, self.port, "CreateSecret", {"Name": name, "SecretString": json.dumps(value)}
        )
        if status != http.client.OK:
            raise StartError(f"the secret {name} could not be stored: {answer}")

    def make_key(self, alias: str) -> None:
        """Make a KMS key with an alias (alias/...); raises StartError if moto refuses it."""
        status, answer = self.call("kms", "TrentService.CreateKey", {})
        if status == http.client.OK:
            names = {"AliasName": alias, "TargetKeyId": answer["KeyMetadata"]["KeyId"]}
            status, answer = self.call("kms", "TrentService.CreateAlias", names)
        if status != http.client.OK:
            raise StartError(f"the KMS key {alias} could not be made: {answer}")

    def call(self, service: str, target: str, parameters: Mapping[str, object]) -> tuple[int, dict[str, Any]]:
        """Call an operation of a JSON protocol, as the function call does."""
        return call(self.address, self.port, service, target, parameters)

    def _lists_secrets(self) -> bool:
        try:
            return secrets_manager(self.address, self.port, "ListSecrets", {})[0] == http.client.OK
        except OSError:
            return False


def secrets_manager(
    address: str, port: int, operation: str, parameters: dict[str, str]
) -> tuple[int, dict[str, object]]:
    """Call Secrets Manager; returns the HTTP status and the decoded answer."""
    return call(address, port, "secretsmanager", f"secretsmanager.{operation}", parameters)


def call(
    address: str, port: int, service: str, target: str, parameters: Mapping[str, object]
) -> tuple[int, dict[str, Any]]:
    """Call an operation of a service's JSON protocol without an SDK; returns the HTTP status and the decoded answer.

    target: the header X-Amz-Target, which names the operation. Source: AWS Secrets Manager API reference, Common
    parameters. Moto finds the service by the credential scope and checks no signature.
    """
    connection = http.client.HTTPConnection(address, port, timeout=30)
    credential = f"AWS4-HMAC-SHA256 Credential=local/20200101/{REGION}/{service}/aws4_request"
    headers = {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": target,
        "Authorization": f"{credential}, SignedHeaders=host, Signature=local",
    }
    try:
        connection.request("POST", "/", json.dumps(parameters), headers)
        response = connection.getresponse()
        return response.status, json.loads(response.read() or b"{}")
    finally:
        connection.close()
