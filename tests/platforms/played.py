"""A platform that a running sandbox plays: its calls are counted and shown, and it can be told to fail."""

import json
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit


class Played:
    """The sandbox's controls for one platform."""

    def __init__(self, sandbox_url: str, key: str) -> None:
        self._place = urlsplit(sandbox_url).netloc
        self._key = key

    @property
    def calls(self) -> int:
        """How many calls the platform has received."""
        return self._control("GET", "calls").get(self._key, 0)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """The latest requests that the platform has received, the oldest first."""
        return self._control("GET", f"requests?provider={self._key}")["requests"]

    @property
    def faults(self) -> list[str]:
        """The names of the faults that the platform can have."""
        return self._control("GET", "faults")[self._key]

    def fail(self, fault: str, **more: Any) -> None:
        """Let the next call to the platform fail; more: times, seconds, path."""
        self._control("POST", "faults", {"provider": self._key, "fault": fault, **more})

    def forget(self) -> None:
        """Forget the requests that all platforms have received."""
        self._control("DELETE", "requests")

    def recover(self) -> None:
        """Cancel the faults that have not occurred yet."""
        self._control("DELETE", "faults")

    def _control(self, method: str, path: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
        connection = HTTPConnection(self._place, timeout=10)
        try:
            connection.request(method, f"/_sandbox/{path}", None if body is None else json.dumps(body))
            response = connection.getresponse()
            assert response.status == 200
            return json.loads(response.read())
        finally:
            connection.close()
