"""A platform that a running sandbox plays: its calls are counted, and it can be told to fail."""

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

    def fail(self, fault: str) -> None:
        """Let the next call to the platform fail."""
        self._control("POST", "faults", {"provider": self._key, "fault": fault})

    def recover(self) -> None:
        """Cancel the faults that have not occurred yet."""
        self._control("DELETE", "faults")

    def _control(self, method: str, path: str, body: dict[str, str] | None = None) -> dict[str, Any]:
        connection = HTTPConnection(self._place, timeout=10)
        try:
            connection.request(method, f"/_sandbox/{path}", None if body is None else json.dumps(body))
            response = connection.getresponse()
            assert response.status == 200
            return json.loads(response.read())
        finally:
            connection.close()
