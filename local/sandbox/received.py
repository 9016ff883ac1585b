"""What the sandbox has received: the latest requests, with their credentials as they are."""

import base64
from collections import deque
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

# Requests that are kept, and bytes of each body.
MOST_REQUESTS = 1000
MOST_BYTES = 64 * 1024


class Received:
    """The latest requests to all platforms, in the order of their arrival."""

    def __init__(self) -> None:
        self._requests: deque[dict[str, Any]] = deque(maxlen=MOST_REQUESTS)

    def add(self, key: str, request: web.BaseRequest, body: bytes, fault: str | None) -> None:
        """Keep a request.

        Args:
            key: the platform's.
            request: what was sent.
            body: its bytes; empty if they were not read.
            fault: the name of the fault that its response has.
        """
        _, _, path = request.rel_url.raw_path.removeprefix("/").partition("/")
        self._requests.append(
            {
                "provider": key,
                "time": datetime.now(UTC).isoformat(),
                "method": request.method,
                "path": f"/{path}",
                "query": request.rel_url.raw_query_string,
                # Pairs, as a header may be repeated; the names as they were sent.
                "headers": [[name.decode("latin-1"), value.decode("latin-1")] for name, value in request.raw_headers],
                **_told(body),
                "fault": fault,
            }
        )

    def told(self, key: str | None) -> dict[str, Any]:
        """Return the requests to a platform, or all of them for None, as JSON."""
        return {"requests": [request for request in self._requests if key in (None, request["provider"])]}

    def clear(self) -> None:
        """Forget all requests."""
        self._requests.clear()


def _told(body: bytes) -> dict[str, Any]:
    """Return a body as text if it is UTF-8, else as base64, cut to MOST_BYTES; bytes: its whole length."""
    kept = body[:MOST_BYTES]
    try:
        return {"body": kept.decode(), "bytes": len(body)}
    except UnicodeDecodeError:
        return {"body_base64": base64.b64encode(kept).decode(), "bytes": len(body)}
