"""A secrets extension on loopback that answers as a test sets it, and records its requests."""

import json
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

# The extension's answer for a name that Secrets Manager does not have or does not give out.
REFUSED = b"an unexpected error occurred while executing request"


@dataclass(frozen=True, slots=True)
class Asked:
    """A received request."""

    target: str
    token: str | None


@dataclass
class SecretsServer:
    """Serves the secrets that it holds; if a fixed answer is set, it answers that instead."""

    secrets: dict[str, Any] = field(default_factory=dict)
    fixed: tuple[int, bytes] | None = None
    asked: list[Asked] = field(default_factory=list)

    def __post_init__(self) -> None:
        ours = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                ours.asked.append(Asked(self.path, self.headers["X-Aws-Parameters-Secrets-Token"]))
                status, body = ours.answer(self.path)
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})

    @property
    def url(self) -> str:
        """Its URL."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, target: str) -> tuple[int, bytes]:
        """Return the status and body for a request's target."""
        if self.fixed is not None:
            return self.fixed
        url = urlsplit(target)
        name = parse_qs(url.query).get("secretId", [""])[0]
        if url.path != "/secretsmanager/get":
            return 404, b"404 page not found"
        if name not in self.secrets:
            return 400, REFUSED
        return 200, json.dumps({"Name": name, "SecretString": json.dumps(self.secrets[name])}).encode()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening; a second call does nothing."""
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.server_close()
