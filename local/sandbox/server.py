"""The sandbox's HTTP server: platforms under their keys, faults on demand under /_sandbox/."""

import asyncio
import json
import re
from collections import Counter
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from local.sandbox.exchange import Asked, Said
from local.sandbox.platforms import all_routes
from local.sandbox.problems import BY_PROVIDER
from local.sandbox.routes import answer

_STATUSES = {"401": 401, "403": 403, "429": 429, "500": 500}
FAULTS = frozenset((*_STATUSES, "slow", "silent", "garbage", "drip"))

_IN_CREDENTIAL = re.compile(r"sandbox-fault-(\w+)")
_GARBAGE = Said(200, "<!DOCTYPE html><html><title>Welcome</title><p>It works!", content_type="text/html")
# Seconds: longer than a connection test may take.
_SLOW_SECONDS = 15.0


@dataclass(slots=True)
class Fault:
    """A fault that is to come. seconds: how long a slow answer takes."""

    name: str
    times: int
    seconds: float


class Server:
    """Plays the platforms until it is closed; everything they remember is forgotten then."""

    def __init__(self) -> None:
        self._routes = all_routes()
        self._faults: dict[str, Fault] = {}
        self._calls: Counter[str] = Counter()
        # A handler ends when its client goes.
        server = web.Server(self._serve, access_log=None, handler_cancellation=True)
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)

    async def listen(self, address: str, port: int) -> int:
        """Starts to serve; the port, also where 0 was given."""
        await self._runner.setup()
        await web.TCPSite(self._runner, address, port).start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stops to serve."""
        await self._runner.cleanup()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        # Encoded as it came: a platform takes %2F for a part of a name.
        _, provider, path = (*request.rel_url.raw_path.split("/", 2), "", "")[:3]
        body = await request.read()
        if provider == "_sandbox":
            return self._control(request.method, path, body)
        if provider not in self._routes:
            return web.json_response({"error": f"the sandbox plays no {provider!r}"}, status=404)
        self._calls[provider] += 1
        headers = {name.lower(): value for name, value in request.headers.items()}
        asked = Asked(request.method, f"/{path}", dict(request.query), headers, body)
        fault = self._due(provider) or _asked_for(asked)
        if fault is None:
            return _response(answer(self._routes[provider], BY_PROVIDER[provider], asked))
        if fault.name not in FAULTS:
            return web.json_response({"error": f"no fault {fault.name}", "faults": sorted(FAULTS)}, status=400)
        if fault.name == "silent":
            await asyncio.Event().wait()
        if fault.name == "drip":
            return await _drip(request)
        if fault.name == "slow":
            await asyncio.sleep(fault.seconds)
            return _response(answer(self._routes[provider], BY_PROVIDER[provider], asked))
        if fault.name in _STATUSES:
            return _response(BY_PROVIDER[provider](_STATUSES[fault.name]))
        return _response(_GARBAGE)

    def _due(self, provider: str) -> Fault | None:
        fault = self._faults.get(provider)
        if fault is not None:
            fault.times -= 1
            if fault.times <= 0:
                del self._faults[provider]
        return fault

    def _control(self, method: str, path: str, body: bytes) -> web.Response:
        """POST faults {"provider", "fault", "times": 1, "seconds"}; DELETE faults; GET calls: how many came."""
        if (method, path) == ("GET", "calls"):
            return web.json_response(dict(self._calls))
        if (method, path) == ("DELETE", "faults"):
            self._faults.clear()
            return web.json_response({})
        if (method, path) != ("POST", "faults"):
            return web.json_response({"error": "no such control"}, status=404)
        try:
            wanted: dict[str, Any] = json.loads(body)
            provider = str(wanted["provider"])
            fault = Fault(
                str(wanted["fault"]), int(wanted.get("times", 1)), float(wanted.get("seconds", _SLOW_SECONDS))
            )
        except (ValueError, KeyError, TypeError):
            return web.json_response({"error": "give provider, fault, times and seconds"}, status=400)
        if provider not in self._routes or fault.name not in FAULTS or fault.times < 1:
            return web.json_response({"error": "no such provider or fault", "faults": sorted(FAULTS)}, status=400)
        self._faults[provider] = fault
        return web.json_response({})


def _asked_for(asked: Asked) -> Fault | None:
    """The fault that a credential asks for, be there such a one or not."""
    texts = (asked.path, *asked.query.values(), *asked.headers.values(), *asked.basic)
    found = _IN_CREDENTIAL.search(" ".join((*texts, asked.body.decode("utf-8", "replace"))))
    return Fault(found[1], 1, _SLOW_SECONDS) if found else None


def _response(said: Said) -> web.Response:
    text = said.content if isinstance(said.content, str) else json.dumps(_plain(said.content))
    return web.Response(
        status=said.status, body=text.encode(), headers={**said.headers, "Content-Type": said.content_type}
    )


def _plain(content: Any) -> Any:
    return dict(content) if not isinstance(content, (dict, list)) else content


async def _drip(request: web.BaseRequest) -> web.StreamResponse:
    """A byte every tenth of a second, of a body that would take a day."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": "864000"})
    await response.prepare(request)
    for _ in range(864000):
        await response.write(b" ")
        await asyncio.sleep(0.1)
    return response
