"""Decompresses the beginning of a body for the log, within a limit: a few bytes may become gigabytes."""

import zlib
from collections.abc import Callable


def _zlib(window: int) -> Callable[[bytes, int], bytes]:
    return lambda body, most: zlib.decompressobj(window).decompress(body, most)


def _deflated(body: bytes, most: int) -> bytes:
    # Some servers leave out the header that RFC 9110, 8.4.1.2 asks for.
    try:
        return _zlib(zlib.MAX_WBITS)(body, most)
    except zlib.error:
        return _zlib(-zlib.MAX_WBITS)(body, most)


def _brotli(body: bytes, most: int) -> bytes:
    # Loaded only where an answer needs it.
    import brotli

    return brotli.Decompressor().process(body, output_buffer_limit=most)[:most]


_DECOMPRESS: dict[str, Callable[[bytes, int], bytes]] = {
    "identity": lambda body, _: body,
    "gzip": _zlib(zlib.MAX_WBITS | 16),
    "x-gzip": _zlib(zlib.MAX_WBITS | 16),
    "deflate": _deflated,
    "br": _brotli,
}


def beginning(body: bytes, encoding: str, most: int) -> bytes | None:
    """Return the beginning of a compressed body; None if the encoding is unknown, or the body is not in it.

    Args:
        body: compressed; it may be incomplete.
        encoding: the value of Content-Encoding.
        most: bytes to return.
    """
    decompress = _DECOMPRESS.get(encoding.strip().lower())
    if decompress is None:
        return None
    try:
        return decompress(body, most)
    # Each library has an exception of its own.
    except Exception:  # noqa: BLE001
        return None
