"""Where an answer over HTTP/1.1 begins and ends, and whether its connection may carry another request."""

import io
import re
import socket
from http.client import HTTPException, HTTPResponse, parse_headers
from typing import Any

# Seconds for which a server keeps a connection open: https://www.rfc-editor.org/rfc/rfc2068#section-19.7.1.1
_TIMEOUT = re.compile(r"(?:^|[\s,])timeout\s*=\s*([0-9]{1,6})", re.IGNORECASE)
# Authenticates a connection instead of a request: a later request would be sent in the name of the first
# (https://www.rfc-editor.org/rfc/rfc4559#section-6).
_OF_CONNECTION = re.compile(r"\b(?:ntlm|negotiate)\b", re.IGNORECASE)


# Interim answers to one request that are skipped.
_MOST_INTERIM = 20


class FramedAnswer(HTTPResponse):
    """An answer that skips the interim answers before it, and knows whether bytes came after its end.

    http.client skips only 100, and would take 103 (Early Hints) for the answer. It also reads ahead, and would drop the
    bytes after the answer's end unseen.
    """

    def __init__(self, connection: socket.socket, *args: Any, **more: Any) -> None:
        super().__init__(connection, *args, **more)
        self.fp.close()
        self._stream = _Buffered(connection)
        self.fp: Any = self._stream

    def _read_status(self) -> tuple[str, int, str]:
        """Return version, status and reason of the final answer (https://www.rfc-editor.org/rfc/rfc9110#section-15.2)."""
        plain: Any = super()
        for _ in range(_MOST_INTERIM + 1):
            version, status, reason = plain._read_status()  # noqa: SLF001 - http.client reads interim answers here
            # 101 is final: the connection changes its protocol after it.
            if status >= 200 or status == 101:
                return version, status, reason
            parse_headers(self.fp)
        raise HTTPException("too many interim answers")

    @property
    def leaves_connection_clean(self) -> bool:
        """Whether the answer is complete, its length was certain, and the server goes on with the connection.

        A length is certain by one Content-Length or by chunks, not by both: who reads the one and who reads the other
        see different ends (https://www.rfc-editor.org/rfc/rfc9112#section-6.3).
        """
        # 101 gives the connection to another protocol. What ends at the connection's end is closed by http.client.
        if self.version != 11 or self.status < 200 or not self.isclosed() or self._stream.had_more:
            return False
        lengths, codings = (self.headers.get_all(name, []) for name in ("Content-Length", "Transfer-Encoding"))
        if "close" in self._listed("Connection").lower() or _OF_CONNECTION.search(self._listed("WWW-Authenticate")):
            return False
        if codings:
            return not lengths and [coding.strip().lower() for coding in codings] == ["chunked"]
        is_plain = len(lengths) == 1 and lengths[0].strip().isascii() and lengths[0].strip().isdecimal()
        return is_plain or (not lengths and self.length == 0)

    @property
    def keeps_for(self) -> float | None:
        """For how many seconds the server says that it keeps the connection open; None: it does not say."""
        found = _TIMEOUT.search(self._listed("Keep-Alive"))
        return None if found is None else float(found[1])

    def _listed(self, name: str) -> str:
        return ", ".join(self.headers.get_all(name, []))


class _Raw(io.RawIOBase):
    """The bytes of a connection; none any more once the answer has ended."""

    def __init__(self, connection: socket.socket) -> None:
        super().__init__()
        self._bytes = connection.makefile("rb", buffering=0)
        self.has_ended = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        # None: no byte is there now.
        return None if self.has_ended else self._bytes.readinto(buffer)

    def close(self) -> None:
        self._bytes.close()
        super().close()


class _Buffered(io.BufferedReader):
    """Notes at its end whether bytes are left that were read ahead."""

    def __init__(self, connection: socket.socket) -> None:
        self._bytes = _Raw(connection)
        super().__init__(self._bytes)
        self.had_more = False

    def close(self) -> None:
        if not self.closed:
            self._bytes.has_ended = True
            self.had_more = bool(self.peek(1))
        super().close()
