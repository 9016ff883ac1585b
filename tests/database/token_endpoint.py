"""A token endpoint on loopback, the connections that get their tokens there, and a caller in a process of its own."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit
from uuid import UUID

from causeway.connections import grants
from causeway.connections.tokens import ConnectionTokens
from causeway.outbound.client import Attempt
from causeway.outbound.deadlines import Deadline
from causeway.platforms.account import Account
from causeway.platforms.tokens import Grant
from causeway.tenancy.context import JobContext
from causeway.vault import credentials, oauth_tokens
from causeway.vault.crypto import CacheLimits
from tests.database.hub import Hub
from tests.unit.platforms import platform
from tests.unit.wire_server import WireServer

CLIENT = {"client_id": "{client_id}", "client_secret": "{client_secret}"}
SECRETS = {"client_id": "cl1ent-canary", "client_secret": "s3cret-canary"}
CLIENT_CREDENTIALS = {"type": "oauth2_client_credentials", "token_path": "/token", "client_auth": "body", **CLIENT}
REFRESH = {"type": "oauth2_refresh_token", "refresh_token": "{refresh_token}", **CLIENT}
REFRESH_SECRETS = SECRETS | {"refresh_token": "r3fresh-canary-0"}


@dataclass
class Answer:
    """What the endpoint answers: a status, JSON, headers; and the seconds before it does."""

    status: int = 200
    content: Any = None
    headers: Mapping[str, str] | None = None
    seconds: float = 0.0


# Returns the answer to a call, by its fields and its number, from 1.
Rule = Callable[[Mapping[str, str], int], Answer]


def granted(number: int, **more: Any) -> Answer:
    """A grant whose tokens name their number."""
    return Answer(200, {"access_token": f"acc3ss-canary-{number}", "token_type": "bearer", "expires_in": 3600} | more)


class TokenEndpoint(WireServer):
    """Answers by a rule that a test may replace; calls: the fields of each call.

    GET /me is the platform's API: api says whether it accepts a bearer token, by default each one.
    """

    def __init__(self, rule: Rule | None = None) -> None:
        super().__init__(self._answered)
        self.rule: Rule = rule or (lambda _, number: granted(number))
        self.calls: list[dict[str, str]] = []
        self.api: Callable[[str], bool] = bool

    def _answered(self, connection: socket.socket, _server: WireServer) -> None:
        # Each thread appended its own request just before.
        head, _, body = self.requests[-1].partition(b"\r\n\r\n")
        target = urlsplit(head.split(b" ")[1].decode())
        if target.path == "/me":
            bearer = re.search(r"\r\nAuthorization: Bearer (\S+)", head.decode())
            accepted = bearer is not None and self.api(bearer[1])
            self._say(connection, Answer(200 if accepted else 401, {"said": head.decode()}))
        else:
            fields = dict(parse_qsl(target.query) + parse_qsl(body.decode()))
            self.calls.append(fields)
            self._say(connection, self.rule(fields, len(self.calls)))

    def _say(self, connection: socket.socket, answer: Answer) -> None:
        if answer.seconds:
            self.over.wait(answer.seconds)
        sent = json.dumps(answer.content).encode()
        headers = {"Content-Type": "application/json", "Content-Length": str(len(sent)), **(answer.headers or {})}
        lines = (f"HTTP/1.1 {answer.status} X", *(f"{name}: {value}" for name, value in headers.items()), "", "")
        connection.sendall("\r\n".join(lines).encode() + sent)


@dataclass
class Connected:
    """A connection whose access tokens come from a token endpoint, in one execution environment."""

    hub: Hub
    account: Account
    log: list[Attempt]

    @classmethod
    def to(cls, hub: Hub, endpoint: TokenEndpoint, wanted: dict[str, Any], secrets: dict[str, str]) -> Self:
        """Connect to an endpoint with these secrets, as the version in use."""
        url = {} if "token_path" in wanted else {"token_url": f"{endpoint.url}/token"}
        hub.use(secrets)
        return cls(hub, Account(platform(endpoint.url, wanted | url), "production", {}, secrets), [])

    @property
    def connection_id(self) -> UUID:
        return self.hub.connection_id

    def elsewhere(self, limits: CacheLimits | None = None) -> "Connected":
        """The same connection in another execution environment, whose keys are cached within these limits."""
        return Connected(self.hub.elsewhere(limits), self.account, self.log)

    def source(self, *, anew: bool = False) -> ConnectionTokens:
        """Read the credential with its token, as a load does."""
        context = JobContext("test", self.hub.tenant_id, "request", self.hub.database)
        with context.transaction() as transaction:
            stored = credentials.find(transaction, self.connection_id)
        return ConnectionTokens(context, self.connection_id, stored, self.hub.keys, anew=anew)

    def current(self, seconds: float = 20.0, *, anew: bool = False) -> str:
        """Load the connection and return its access token."""
        return self.source(anew=anew).current(self.live, self.log.append, Deadline(seconds))

    def renewed(self, refused: str) -> str:
        """Load the connection and return another token than the refused one."""
        return self.source().renewed(self.live, self.log.append, refused, Deadline(20.0))

    def store(self, grant: Grant) -> None:
        """Store a grant, as a person's consent gives it."""
        ready = grants.encrypted(self.hub.keys, self.hub.tenant_id, self.connection_id, self.account, grant)
        with self.hub.database.transaction(self.hub.tenant_id) as transaction:
            version = credentials.find(transaction, self.connection_id).version
            assert version is not None
            oauth_tokens.store(transaction, self.connection_id, version, ready)

    def age(self, **moved: str) -> None:
        """Move columns of the row by intervals: age(expires_at="-1 hour")."""
        for column, interval in moved.items():
            statement = f"UPDATE oauth_tokens SET {column} = {column} + %s::interval WHERE connection_id = %s"  # noqa: S608
            self.hub.casino.query(statement, [interval, self.connection_id])

    @property
    def row(self) -> Any:
        """The row of the credential in use."""
        [row] = self.hub.casino.query(
            """
            SELECT t.* FROM oauth_tokens AS t INNER JOIN api_credential_versions AS v
                ON v.connection_id = t.connection_id AND v.version = t.credential_version AND v.status = 'active'
            WHERE t.connection_id = %s
            """,
            [self.connection_id],
        )
        return row

    @property
    def live(self) -> Account:
        """The account with the secrets as they are stored now."""
        return Account(self.account.provider, self.account.environment, self.account.settings, self.hub.read())

    @contextmanager
    def caller(self) -> Generator[subprocess.Popen[bytes]]:
        """A process that gets the token of a client's credentials, and is killed at the end if it still runs."""
        given = {
            "conninfo": self.hub.casino.urls["credentials"],
            "tenant": str(self.hub.tenant_id),
            "connection": str(self.connection_id),
            "url": self.account.provider.base_urls["production"],
        }
        root = Path(__file__).parents[2]
        variables = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": f"{root}{os.pathsep}{root}/layers/causeway/python",
            "EGRESS_ALLOWED_HOSTS": "127.0.0.1",
        }
        command = [sys.executable, "-m", "tests.database.token_caller", json.dumps(given)]
        with subprocess.Popen(command, cwd=root, env=variables) as process:
            try:
                yield process
            finally:
                process.send_signal(signal.SIGKILL)
