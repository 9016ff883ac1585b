"""The judged casino: --base-url, or the session's own stack, whose ledger is audited afterwards."""

from collections.abc import Iterator

import pytest

from tests.conformance.client import Casino


@pytest.fixture(scope="session")
def casino(request: pytest.FixtureRequest) -> Iterator[Casino]:
    option = request.config.getoption
    base_url, secret = option("--base-url"), option("--secret")
    if base_url is None:
        info = request.getfixturevalue("stack").info
        base_url, secret = info["base_url"], info["casino_secret"]
    elif secret is None:
        pytest.exit("--base-url needs the casino's --secret", returncode=4)
    with Casino(base_url, secret, game_id=option("--game-id"), players_url=option("--players-url")) as judged:
        yield judged


@pytest.fixture(scope="module", autouse=True)
def ledger_agrees(request: pytest.FixtureRequest) -> None:
    """After the cases the audit has no findings; another casino's ledger cannot be read from here."""
    if request.config.getoption("--base-url") is None:
        request.getfixturevalue("audited")
