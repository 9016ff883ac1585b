"""How the sandbox sends a response: whole, or with a fault of the delivery."""

import asyncio
import json
import socket
import struct
from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

from aiohttp import web

from local.sandbox.exchange import Response

# Makes the usual response; until it is called, nothing of the request is done.
Respond = Callable[[], Response]
# The request, its usual response, and the seconds of the fault -> what aiohttp is to send, if the client still listens.
Delivery = Callable[[web.BaseRequest, Respond, float], Awaitable[web.StreamResponse]]

# Pieces of a slow body.
_PIECES = 20
# Bytes of the dripping body: it takes a day.
_DRIPS = 864000
# SO_LINGER with a time of 0: closing the socket sends a TCP reset in place of an orderly end.
_RESET = struct.pack("ii", 1, 0)


def whole(response: Response) -> web.Response:
    """Return a response as aiohttp sends it."""
    headers = {**response.headers, "Content-Type": response.content_type}
    return web.Response(status=response.status, body=_body(response), headers=headers)


def reset(received: web.BaseRequest) -> web.Response:
    """Reset the connection. Nothing more is sent on it."""
    transport = received.transport
    if transport is not None:
        transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
        transport.abort()
    return web.Response()


async def _silent(_received: web.BaseRequest, _respond: Respond, _seconds: float) -> web.StreamResponse:
    await asyncio.Event().wait()
    return web.Response()


async def _slow(_received: web.BaseRequest, respond: Respond, seconds: float) -> web.StreamResponse:
    """Send the first byte late."""
    await asyncio.sleep(seconds)
    return whole(respond())


async def _drip(received: web.BaseRequest, _respond: Respond, _seconds: float) -> web.StreamResponse:
    """Send a byte every tenth of a second."""
    response = web.StreamResponse(headers={"Content-Type": "application/json", "Content-Length": str(_DRIPS)})
    await response.prepare(received)
    for _ in range(_DRIPS):
        await response.write(b" ")
        await asyncio.sleep(0.1)
    return response


async def _slow_body(received: web.BaseRequest, respond: Respond, seconds: float) -> web.StreamResponse:
    """Send the headers at once, and the body in pieces over the seconds."""
    usual = respond()
    body = _body(usual)
    headers = {**usual.headers, "Content-Type": usual.content_type, "Content-Length": str(len(body))}
    response = web.StreamResponse(status=usual.status, headers=headers)
    await response.prepare(received)
    size = max(len(body) // _PIECES, 1)
    for start in range(0, len(body), size):
        await asyncio.sleep(seconds / _PIECES)
        await response.write(body[start : start + size])
    return response


async def _truncated(received: web.BaseRequest, respond: Respond, _seconds: float) -> web.StreamResponse:
    """Close the connection after half of the body."""
    response = respond()
    body = _body(response)
    return _raw(received, response, f"Content-Length: {len(body)}", body[: len(body) // 2])


async def _truncated_chunks(received: web.BaseRequest, respond: Respond, _seconds: float) -> web.StreamResponse:
    """Close the connection after the first chunk, before the chunk that ends the body."""
    response = respond()
    half = _body(response)[: len(_body(response)) // 2]
    chunk = f"{len(half):x}\r\n".encode() + half + b"\r\n"
    return _raw(received, response, "Transfer-Encoding: chunked", chunk)


async def _wrong_length(received: web.BaseRequest, respond: Respond, _seconds: float) -> web.StreamResponse:
    """Send a body of twice the length that Content-Length says."""
    response = respond()
    body = _body(response)
    return _raw(received, response, f"Content-Length: {len(body) // 2}", body)


async def _closes(received: web.BaseRequest, respond: Respond, _seconds: float) -> web.StreamResponse:
    """Send the whole response, and close the connection without having announced it."""
    response = respond()
    body = _body(response)
    return _raw(received, response, f"Content-Length: {len(body)}", body)


async def _reset_before(received: web.BaseRequest, _respond: Respond, _seconds: float) -> web.StreamResponse:
    """Reset the connection, with nothing of the request done."""
    return reset(received)


async def _reset_after(received: web.BaseRequest, respond: Respond, _seconds: float) -> web.StreamResponse:
    """Do what the request asks for, and reset the connection in place of a response."""
    respond()
    return reset(received)


DELIVERIES: Mapping[str, Delivery] = MappingProxyType(
    {
        "silent": _silent,
        "slow": _slow,
        "drip": _drip,
        "slow_body": _slow_body,
        "truncated": _truncated,
        "truncated_chunks": _truncated_chunks,
        "wrong_length": _wrong_length,
        "closes": _closes,
        "reset_before": _reset_before,
        "reset_after": _reset_after,
    }
)


def _raw(received: web.BaseRequest, response: Response, length: str, body: bytes) -> web.Response:
    """Send a response byte by byte as given, which aiohttp would refuse or mend, and close the connection."""
    lines = (
        f"HTTP/1.1 {response.status} {HTTPStatus(response.status).phrase}",
        f"Content-Type: {response.content_type}",
        *(f"{name}: {value}" for name, value in response.headers.items()),
        length,
        "",
        "",
    )
    transport = received.transport
    if transport is not None:
        transport.write("\r\n".join(lines).encode() + body)
        transport.close()
    return web.Response()


def _body(response: Response) -> bytes:
    content: Any = response.content
    if isinstance(content, str):
        return content.encode()
    return json.dumps(content if isinstance(content, (dict, list)) else dict(content)).encode()
