"""The sandbox's HTTP server: platforms under their keys, faults on demand under /_sandbox/."""

import asyncio
import json
import re
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from aiohttp import web

from local.sandbox.exchange import Request, Response
from local.sandbox.registry import platforms
from local.sandbox.routes import respond

_STATUSES = {"401": 401, "403": 403, "429": 429, "500": 500}
FAULTS = frozenset((*_STATUSES, "slow", "silent", "garbage", "drip"))

_IN_CREDENTIAL = re.compile(r"sandbox-fault-(\w+)")
_GARBAGE = Response(200, "<!DOCTYPE html><html><title>Welcome</title><p>It works!", content_type="text/html")
# Seconds: longer than a connection test may take.
_SLOW_SECONDS = 15.0


@dataclass(slots=True)
class Fault:
    """A fault of the next responses.

    Attributes:
        times: how many.
        seconds: how long a slow response takes.
    """

    name: str
    times: int
    seconds: float


class Server:
    """Acts as the platforms of a folder until it is closed. Its state is only in memory."""

    def __init__(self, folder: Path) -> None:
        self._platforms = platforms(folder)
        self._routes = {key: platform.routes() for key, platform in self._platforms.items()}
        self._faults: dict[str, Fault] = {}
        self._calls: Counter[str] = Counter()
        # Cancel the handler when its client closes the connection.
        server = web.Server(self._serve, access_log=None, handler_cancellation=True)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)

    async def listen(self, address: str, port: int) -> int:
        """Start serving; returns the port (any free port for 0)."""
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port).start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop serving."""
        await self._runner.cleanup()

    async def _serve(self, received: web.BaseRequest) -> web.StreamResponse:
        # Keep the path encoded: a platform takes %2F for a part of a name.
        _, key, path = (*received.rel_url.raw_path.split("/", 2), "", "")[:3]
        body = await received.read()
        if key == "_sandbox":
            return self._control(received.method, path, body)
        if key not in self._routes:
            return web.json_response({"error": f"the sandbox plays no {key!r}"}, status=404)
        self._calls[key] += 1
        headers = {name.lower(): value for name, value in received.headers.items()}
        request = Request(received.method, f"/{path}", dict(received.query), headers, body)
        fault = self._due(key) or _fault_in(request)
        if fault is None:
            return self._respond(key, request)
        if fault.name not in FAULTS:
            return web.json_response({"error": f"no fault {fault.name}", "faults": sorted(FAULTS)}, status=400)
        if fault.name == "silent":
            await asyncio.Event().wait()
        if fault.name == "drip":
            return await _drip(received)
        if fault.name == "slow":
            await asyncio.sleep(fault.seconds)
            return self._respond(key, request)
        if fault.name in _STATUSES:
            return _sent(self._platforms[key].problem(_STATUSES[fault.name]))
        return _sent(_GARBAGE)

    def _respond(self, key: str, request: Request) -> web.Response:
        return _sent(respond(self._routes[key], self._platforms[key].problem, request))

    def _due(self, key: str) -> Fault | None:
        fault = self._faults.get(key)
        if fault is not None:
            fault.times -= 1
            if fault.times <= 0:
                del self._faults[key]
        return fault

    def _control(self, method: str, path: str, body: bytes) -> web.Response:
        """POST faults {"provider", "fault", "times": 1, "seconds"}; DELETE faults; GET calls: their number by key."""
        if (method, path) == ("GET", "calls"):
            return web.json_response(dict(self._calls))
        if (method, path) == ("DELETE", "faults"):
            self._faults.clear()
            return web.json_response({})
        if (method, path) != ("POST", "faults"):
            return web.json_response({"error": "no such control"}, status=404)
        try:
            wanted: dict[str, Any] = json.loads(body)
            key = str(wanted["provider"])
            fault = Fault(
                str(wanted["fault"]), int(wanted.get("times", 1)), float(wanted.get("seconds", _SLOW_SECONDS))
            )
        except (ValueError, KeyError, TypeError):
            return web.json_response({"error": "give provider, fault, times and seconds"}, status=400)
        if key not in self._routes or fault.name not in FAULTS or fault.times < 1:
            return web.json_response({"error": "no such provider or fault", "faults": sorted(FAULTS)}, status=400)
        self._faults[key] = fault
        return web.json_response({})


def _fault_in(request: Request) -> Fault | None:
    """Return the fault that a credential of the request asks for, known or not: sandbox-fault- and its name."""
    texts = (request.path, *request.query.values(), *request.headers.values(), *request.basic)
    found = _IN_CREDENTIAL.search(" ".join((*texts, request.body.decode("utf-8", "replace"))))
    return Fault(found[1], 1, _SLOW_SECONDS) if found else None


def _sent(response: Response) -> web.Response:
    text = response.content if isinstance(response.content, str) else json.dumps(_plain(response.content))
    headers = {**response.headers, "Content-Type": response.content_type}
    return web.Response(status=response.status, body=text.encode(), headers=headers)


def _plain(content: Any) -> Any:
    return dict(content) if not isinstance(content, (dict, list)) else content


async def _drip(received: web.BaseRequest) -> web.StreamResponse:
    """Send a byte every tenth of a second, of a body that takes a day."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "864000"})
    await response.prepare(received)
    for _ in range(864000):
        await response.write(b" ")
        await asyncio.sleep(0.1)
    return response
