"""The HTTP API: makes an event of each request, for the function of its route."""

import base64
import json
import os
import socket
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Protocol

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError, LineTooLong

from local.errors import FunctionError, Refused, Throttled
from local.gateway.authorizers import Authorizers
from local.gateway.routes import Match, RouteTable
from local.gateway.translation import (
    HEADER_LIMIT,
    INTEGRATION_SECONDS,
    REQUEST_LIMIT,
    Answer,
    MalformedResult,
    Request,
    answer,
    event,
    message,
)
from local.runtime.invocation import PAYLOAD_LIMIT, within

LocalRoute = Callable[[bytes, str], Awaitable[Answer]]

# Bytes that are read of a request line, and of a header, before HEADER_LIMIT is checked; and headers.
_READABLE = 64 * 1024


class Runs(Protocol):
    """Runs functions, as Functions does."""

    async def invoke(self, name: str, event: bytes) -> bytes:
        """Run a request of the function with this short name; returns the JSON text of its result."""
        ...


_TOO_LARGE = message(431, "Request Header Fields Too Large")
_UNREADABLE = message(400, "Bad Request")


class _Connection(web.RequestHandler):
    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer a request that aiohttp cannot read. aiohttp would answer and log a part of it, such as a token."""
        if not isinstance(exc, HttpProcessingError):
            return super().handle_error(request, status, exc, message)
        response = _response(_TOO_LARGE if isinstance(exc, LineTooLong) else _UNREADABLE, _new_request_id())
        response.force_close()
        return response


class _Server(web.Server):
    def __call__(self) -> web.RequestHandler:
        return _Connection(self, loop=self._loop, **self._kwargs)


class Gateway:
    """Serves the routes of the template, and the local routes of the stack under /_local/.

    Args:
        routes: of the template.
        functions: run the requests.
        local_routes: by "METHOD /path", called with the body and the request id.
        authorizers: of the template's routes.
    """

    def __init__(
        self,
        routes: RouteTable,
        functions: Runs,
        local_routes: Mapping[str, LocalRoute],
        authorizers: Authorizers,
    ) -> None:
        self._routes = routes
        self._functions = functions
        self._local_routes = local_routes
        self._authorizers = authorizers
        # A compressed body reaches the function compressed. AWS documents that a REST API can decompress requests, and
        # nothing of the kind for HTTP APIs:
        # https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-make-request-with-compressed-payload.html
        server = _Server(
            self._serve,
            access_log=None,
            auto_decompress=False,
            # Read long lines and headers, so that HEADER_LIMIT refuses them by their size together.
            max_line_size=_READABLE,
            max_field_size=_READABLE,
            max_headers=_READABLE,
        )
        self._runner = web.ServerRunner(server, shutdown_timeout=0.1)
        self._port = 0

    async def listen(self, sockets: Iterable[socket.socket]) -> None:
        """Start serving on sockets that are bound already, all to one port."""
        await self._runner.setup()
        for listener in sockets:
            self._port = listener.getsockname()[1]
            await web.SockSite(self._runner, listener).start()

    async def close(self) -> None:
        """Stop serving; requests that still run are cut off."""
        await self._runner.cleanup()

    async def _serve(self, incoming: web.BaseRequest) -> web.StreamResponse:
        request_id = _new_request_id()
        return _response(await self._answer(incoming, request_id), request_id)

    async def _answer(self, incoming: web.BaseRequest, request_id: str) -> Answer:
        if _head_size(incoming) > HEADER_LIMIT:
            return _TOO_LARGE
        body = await _body(incoming)
        if body is None:
            return message(413, "Request Entity Too Large")
        target = incoming.raw_path
        path = target.partition("?")[0]
        local_route = self._local_routes.get(f"{incoming.method} {path}")
        if local_route is not None:
            return await local_route(body, request_id)
        request = Request(
            method=incoming.method,
            target=target,
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in incoming.raw_headers),
            body=body,
            source_ip=incoming.remote or "",
            protocol=f"HTTP/{incoming.version.major}.{incoming.version.minor}",
            port=self._port,
        )
        return await self.answer(request, request_id)

    async def answer(self, request: Request, request_id: str) -> Answer:
        """Answer a request that has arrived: by its route's authorizer, its function, or the gateway itself."""
        match = self._routes.find(request.method, request.target.partition("?")[0])
        if match is None:
            return message(404, "Not Found")
        try:
            authorizer = await self._authorizers.check(match, request, request_id)
        except Refused as refusal:
            headers = {"www-authenticate": refusal.challenge} if refusal.challenge else {}
            return message(refusal.status, refusal.message, headers)
        return await self._call(match, request, request_id, authorizer)

    async def _call(
        self, match: Match, request: Request, request_id: str, authorizer: Mapping[str, object] | None
    ) -> Answer:
        """Run the function and answer as the HTTP API does.

        500: the function fails, exceeds its time limit or returns a malformed result. 503: no result within 30 seconds
        (the function goes on), or too many requests at a time. AWS documents the limits (http-api-quotas) but not these
        answers; statuses and texts are those that users report.
        """
        content = json.dumps(
            event(
                request,
                route_key=match.route.key,
                path_parameters=match.parameters,
                request_id=request_id,
                authorizer=authorizer,
            )
        ).encode()
        if len(content) > PAYLOAD_LIMIT:
            return message(413, "Request Entity Too Large")
        try:
            return answer(await within(INTEGRATION_SECONDS, self._functions.invoke(match.function.name, content)))
        except (Throttled, TimeoutError):
            return message(503, "Service Unavailable")
        except (FunctionError, MalformedResult):
            return message(500, "Internal Server Error")


def _new_request_id() -> str:
    return base64.b64encode(os.urandom(11)).decode()


def _response(answered: Answer, request_id: str) -> web.Response:
    response = web.Response(status=answered.status, body=answered.body, headers=answered.headers)
    response.headers["Apigw-Requestid"] = request_id
    for cookie in answered.cookies:
        response.headers.add("Set-Cookie", cookie)
    return response


def _head_size(incoming: web.BaseRequest) -> int:
    return len(incoming.method) + len(incoming.raw_path) + sum(len(value) for _, value in incoming.raw_headers)


async def _body(incoming: web.BaseRequest) -> bytes | None:
    """The request's body, None if it has more than REQUEST_LIMIT bytes."""
    if (incoming.content_length or 0) > REQUEST_LIMIT:
        return None
    if not incoming.can_read_body:
        return b""
    if incoming.headers.get("Expect", "").lower() == "100-continue" and incoming.transport is not None:
        incoming.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = bytearray()
    async for chunk in incoming.content.iter_any():
        body += chunk
        if len(body) > REQUEST_LIMIT:
            return None
    return bytes(body)
