"""The check of a database's URL."""

import re

import pytest

from causeway.database import urls
from tests.unit.wrong_urls import SECRET, WRONG_URLS


@pytest.mark.parametrize(("url", "reason"), WRONG_URLS.items())
def test_wrong_url_is_refused_and_not_quoted(url: str, reason: str) -> None:
    with pytest.raises(urls.WrongUrl) as refused:
        urls.check(url.format(place="127.0.0.1:1"))

    assert re.fullmatch(reason, str(refused.value))
    assert SECRET not in str(refused.value)
    # No traceback shows the parser's sentence.
    assert (refused.value.__cause__, refused.value.__context__) == (None, None)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:password@host/database",
        "postgres://user@host",
        "postgresql://u:a%40b%2Fc%25d%20e@127.0.0.1:5432/db",
        "postgresql://u:x:y@[::1]:5432/db?sslmode=require",
        "postgresql://u@127.0.0.1:1,127.0.0.1:2/db",
        "postgresql://u@/db?host=/run/postgresql&port=5433",
        "postgresql:///db",
    ],
)
def test_url_that_every_reader_reads_alike_is_accepted(url: str) -> None:
    urls.check(url)
