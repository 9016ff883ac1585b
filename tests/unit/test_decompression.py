"""The beginning of a compressed body, for the log."""

import gzip
import zlib

import brotli
import pytest

from causeway.outbound import decompression

PLAIN = b"a secret and more " * 1000
RAW_DEFLATE = zlib.compress(PLAIN)[2:-4]
COMPRESSED = [
    ("gzip", gzip.compress(PLAIN, mtime=0)),
    (" GZIP ", gzip.compress(PLAIN, mtime=0)),
    ("x-gzip", gzip.compress(PLAIN, mtime=0)),
    ("deflate", zlib.compress(PLAIN)),
    ("deflate", RAW_DEFLATE),
    ("br", brotli.compress(PLAIN)),
    ("identity", PLAIN),
]


@pytest.mark.parametrize(("encoding", "body"), COMPRESSED)
def test_whole_body_and_beginning_are_decompressed(encoding: str, body: bytes) -> None:
    assert decompression.beginning(body, encoding, 1 << 20) == PLAIN
    if encoding != "identity":
        assert decompression.beginning(body, encoding, 100) == PLAIN[:100]


@pytest.mark.parametrize(("encoding", "body"), COMPRESSED[:-1])
def test_incomplete_body_gives_its_beginning(encoding: str, body: bytes) -> None:
    found = decompression.beginning(body[:-1], encoding, 1 << 20)
    assert found is not None
    assert PLAIN.startswith(found)


@pytest.mark.parametrize("bomb", [gzip.compress(bytes(1 << 26), mtime=0), brotli.compress(bytes(1 << 26))])
def test_bomb_gives_no_more_than_the_limit(bomb: bytes) -> None:
    encoding = "gzip" if bomb.startswith(b"\x1f\x8b") else "br"
    assert decompression.beginning(bomb, encoding, 1000) == bytes(1000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "zstd", "gzip, br", "", "a" * 1000])
def test_what_is_not_in_the_encoding_gives_nothing(encoding: str) -> None:
    assert decompression.beginning(b"\xff no body of any encoding", encoding, 1000) is None
