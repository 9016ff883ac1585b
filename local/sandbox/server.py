"""The sandbox's HTTP server: platforms under their keys, and its controls under /_sandbox/."""

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from aiohttp import web

from local.sandbox import delivery, faults
from local.sandbox.exchange import Request, Response
from local.sandbox.faults import Fault, Faults
from local.sandbox.received import Received
from local.sandbox.registry import platforms
from local.sandbox.routes import respond


class Server:
    """Acts as the platforms of a folder until it is closed. Its state is only in memory."""

    def __init__(self, folder: Path) -> None:
        self._platforms = platforms(folder)
        self._routes = {key: platform.routes() for key, platform in self._platforms.items()}
        self._faults = Faults()
        self._received = Received()
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
        if key == "_sandbox":
            return self._control(received.method, path, received.query, await received.read())
        if key not in self._routes:
            return web.json_response({"error": f"the sandbox plays no {key!r}"}, status=404)
        self._calls[key] += 1
        fault = self._faults.due(key, f"/{path}")
        if fault is not None and fault.name == "reset_before":
            # Before the body is read.
            self._received.add(key, received, b"", fault.name)
            return delivery.reset(received)
        body = await received.read()
        headers = {name.lower(): value for name, value in received.headers.items()}
        request = Request(received.method, f"/{path}", dict(received.query), headers, body)
        fault = fault or faults.asked_in(request)
        self._received.add(key, received, body, None if fault is None else fault.name)
        if fault is None:
            return delivery.whole(self._respond(key, request))
        return await self._fail(key, received, request, fault)

    def _respond(self, key: str, request: Request) -> Response:
        return respond(self._routes[key], self._platforms[key].problem, request)

    async def _fail(self, key: str, received: web.BaseRequest, request: Request, fault: Fault) -> web.StreamResponse:
        platform = self._platforms[key]
        refusal = faults.refusal(platform, fault)
        if refusal is not None:
            return delivery.whole(refusal)
        if fault.name == faults.EXHAUSTED:
            response = self._respond(key, request)
            told = platform.exhausted(fault.seconds)
            return delivery.whole(replace(response, headers={**response.headers, **told}))
        if fault.name not in delivery.DELIVERIES:
            return web.json_response({"error": f"no fault {fault.name}", "faults": faults.names(platform)}, status=400)
        deliver = delivery.DELIVERIES[fault.name]
        return await deliver(received, lambda: self._respond(key, request), fault.seconds)

    def _control(self, method: str, path: str, query: Mapping[str, str], body: bytes) -> web.Response:
        """Answer a control.

        POST faults {"provider", "fault", "times": 1, "seconds", "path": ""}; DELETE faults.
        GET faults: the names of the faults by platform.
        GET requests?provider=: what was received; DELETE requests.
        GET calls: how many requests each platform has received.
        """
        match method, path:
            case "GET", "calls":
                return web.json_response(dict(self._calls))
            case "GET", "requests":
                return web.json_response(self._received.told(query.get("provider")))
            case "DELETE", "requests":
                self._received.clear()
            case "GET", "faults":
                return web.json_response({key: faults.names(platform) for key, platform in self._platforms.items()})
            case "POST", "faults":
                return self._ask(body)
            case "DELETE", "faults":
                self._faults.clear()
            case _:
                return web.json_response({"error": "no such control"}, status=404)
        return web.json_response({})

    def _ask(self, body: bytes) -> web.Response:
        try:
            wanted = json.loads(body)
            key, fault = str(wanted["provider"]), faults.read(wanted)
        except (ValueError, KeyError, TypeError):
            return web.json_response({"error": "give provider, fault, times, seconds and path"}, status=400)
        platform = self._platforms.get(key)
        if platform is None:
            return web.json_response({"error": "no such provider", "providers": sorted(self._platforms)}, status=400)
        if fault.name not in faults.names(platform):
            return web.json_response({"error": "no such fault", "faults": faults.names(platform)}, status=400)
        self._faults.ask(key, fault)
        return web.json_response({})
