"""Fixtures of the database tests: one server, a migrated template database, a clone of it per test."""

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from causeway import migrations
from causeway.aws import clients
from local.services.database import create, give_passwords
from local.services.postgres import Postgres
from tests.database.clones import Cluster
from tests.database.hub import Hub, hubs
from tests.database.world import Casino, Seat
from tests.findings import none_of

SCHEMA = Path(__file__).parents[2] / "schema"


@pytest.fixture(scope="session")
def admin_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A superuser's URL: DATABASE_URL if set, otherwise an embedded server for this run."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    # Nothing outlives the run, so no write waits for the disk.
    # There are many logins, and nobody guesses their passwords.
    quick = {"fsync": "off", "scram_iterations": "1"}
    with Postgres(tmp_path_factory.mktemp("database"), settings=quick) as server:
        yield server.url()


@pytest.fixture(scope="session")
def cluster(admin_url: str) -> Iterator[Cluster]:
    """The server with the migrated template database."""
    made = create(admin_url)
    try:
        migrations.migrate(made.urls["owner"], SCHEMA)
        cluster = Cluster(admin_url, give_passwords(made))
        yield cluster
        cluster.close()
    finally:
        made.drop()


@contextmanager
def opened(cluster: Cluster, *, fresh: bool = False) -> Generator[Casino]:
    """A casino in a clone of the template; at the end the auditor must have no findings."""
    with cluster.clone(fresh=fresh) as urls:
        casino = Casino(urls)
        try:
            yield casino
            if not casino.corrupted:
                none_of(casino.findings())
        finally:
            casino.close()


@pytest.fixture
def casino(cluster: Cluster) -> Iterator[Casino]:
    """A casino for one test, audited after it."""
    with opened(cluster) as casino:
        yield casino


@pytest.fixture(scope="module")
def shared_casino(cluster: Cluster) -> Iterator[Casino]:
    """A casino for the tests of a module, each with its own players; audited after the last."""
    with opened(cluster) as casino:
        yield casino


@pytest.fixture
def ours(shared_casino: Casino) -> Casino:
    """The casino of a module's tests, as one of two tenants."""
    return shared_casino


@pytest.fixture(scope="module")
def theirs(shared_casino: Casino) -> Iterator[Casino]:
    """Another tenant of the same database."""
    other = Casino(shared_casino.urls)
    yield other
    other.close()


@pytest.fixture
def seat(shared_casino: Casino) -> Seat:
    """A player with 10000 minor units at a game provider with the default dialect."""
    return shared_casino.seat()


@pytest.fixture
def new_seat(shared_casino: Casino) -> Callable[..., Seat]:
    """Makes further players: new_seat(late_bet="swallow", balance=1)."""
    return shared_casino.seat


@pytest.fixture(scope="module")
def kms() -> Iterator[Any]:
    """Moto's KMS."""
    from moto import mock_aws

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
        with mock_aws():
            clients.client.cache_clear()
            yield clients.client("kms")
        clients.client.cache_clear()


@pytest.fixture(scope="module")
def kms_key_id(kms: Any) -> str:
    return kms.create_key()["KeyMetadata"]["KeyId"]


@pytest.fixture
def new_hub(casino: Casino, kms_key_id: str) -> Iterator[Callable[[], Hub]]:
    """Makes tenants of the hub in a database for one test."""
    with hubs(casino.urls, kms_key_id) as make:
        yield make


@pytest.fixture
def hub(new_hub: Callable[[], Hub]) -> Hub:
    """A tenant of the hub."""
    return new_hub()


@pytest.fixture
def kms_down(kms: Any) -> Iterator[Callable[[], None]]:
    """After its call, KMS's address does not answer."""
    from botocore.exceptions import EndpointConnectionError

    def refuse(**_: Any) -> None:
        raise EndpointConnectionError(endpoint_url="https://kms")

    yield lambda: kms.meta.events.register_first("before-call.kms", refuse)
    kms.meta.events.unregister("before-call.kms", refuse)
