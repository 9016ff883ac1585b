"""The toy platform for its own tests."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from causeway import settings
from tests.toy_platform.toy import Toy, added


@pytest.fixture
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Toy]:
    """The toy platform, whose sandbox this process may call."""
    with added(tmp_path, monkeypatch) as toy:
        monkeypatch.setenv("EGRESS_ALLOWED_HOSTS", f"127.0.0.1:{toy.sandbox.port}")
        settings.egress_allowed_hosts.cache_clear()
        yield toy
    settings.egress_allowed_hosts.cache_clear()
