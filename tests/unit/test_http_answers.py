"""Answers of bytes, as API Gateway takes them from a function."""

import json

import pytest

from causeway.edge.http_events import HttpAnswer
from causeway.errors.proxy import MOST_BYTES
from local.gateway import translation
from local.runtime.invocation import PAYLOAD_LIMIT


@pytest.mark.parametrize("content", [b"", b"\0", bytes(range(256)), b"text"])
def test_bytes_reach_the_client_as_they_are(content: bytes) -> None:
    result = HttpAnswer(200, "image/png", "", {"x-own": "1"}, content).as_result()

    assert result["isBase64Encoded"]
    answered = translation.answer(json.dumps(result).encode())
    assert (answered.body, answered.headers) == (content, {"content-type": "image/png", "x-own": "1"})


def test_largest_answer_of_the_proxy_fits_into_lambdas_payload() -> None:
    """HUB 15: with the longest headers, each character of which JSON writes with six."""
    longest = HttpAnswer(200, "image/png", "", {"x-long": "\u00e4" * 8192}, bytes(MOST_BYTES))

    assert len(json.dumps(longest.as_result())) < PAYLOAD_LIMIT
