"""A used database is restored for the next test, or dropped."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.database.clones import Cluster
from tests.database.world import Casino

ROWS = "SELECT (SELECT count(*) FROM tenants) AS tenants, (SELECT count(*) FROM casino_transactions) AS played"


@pytest.fixture
def own(cluster: Cluster) -> Iterator[Cluster]:
    """A cluster without used clones."""
    own = Cluster(cluster.admin_url, cluster.template)
    yield own
    own.close()


def used(cluster: Cluster, *statements: Any) -> str:
    """Play in a clone, run these statements there, and return its URL."""
    with cluster.clone() as urls:
        casino = Casino(urls)
        casino.seat().debit("bet", 1)
        for statement in statements:
            casino.query(statement)
        casino.close()
        return urls["superuser"]


def as_new(urls: dict[str, str]) -> tuple[list[Any], int]:
    """The numbers of tenants and transactions, and the id of the first player."""
    casino = Casino(urls)
    counts = casino.query(ROWS)
    player_id = casino.player()
    casino.close()
    return counts, player_id


def test_used_clone_is_reused_like_a_new_one(own: Cluster) -> None:
    with own.clone() as urls:
        expected = as_new(urls)
    url = used(own)
    with own.clone() as urls:
        assert urls["superuser"] == url
        assert as_new(urls) == expected


def test_dropped_checks_of_tables_and_domains_are_restored(own: Cluster) -> None:
    checks = "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = ANY(%s) ORDER BY conname"
    names = ["casino_transactions_sound", "wallet_balance_covered"]
    with own.clone() as urls, psycopg.connect(urls["superuser"]) as database:
        expected = database.execute(checks, [names]).fetchall()
    url = used(
        own,
        "ALTER TABLE casino_transactions DROP CONSTRAINT casino_transactions_sound",
        "ALTER DOMAIN wallet_balance DROP CONSTRAINT wallet_balance_covered",
    )
    with own.clone() as urls, psycopg.connect(urls["superuser"]) as database:
        assert urls["superuser"] == url
        assert database.execute(checks, [names]).fetchall() == expected
    assert [name for name, _ in expected] == names


@pytest.mark.parametrize(
    "statement",
    [
        "ALTER TABLE casino_wallets ADD COLUMN more int",
        "ALTER TABLE casino_wallets DISABLE TRIGGER ALL",
        "ALTER TABLE casino_wallets NO FORCE ROW LEVEL SECURITY",
        "GRANT DELETE ON casino_wallets TO causeway_hub",
        "ALTER TABLE casino_transactions RENAME COLUMN entry TO place",
        "CREATE TABLE another (id int)",
        "CREATE FUNCTION another() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "UPDATE integration_providers SET is_active = false WHERE provider_key = 'twilio'",
        "ALTER TABLE casino_wallets ADD CONSTRAINT another CHECK (balance < 9000000)",
    ],
)
def test_clone_with_another_schema_or_catalogue_is_dropped(own: Cluster, statement: str) -> None:
    url = used(own, statement)
    with own.clone() as urls:
        assert urls["superuser"] != url


def test_open_connections_to_a_used_clone_are_closed(own: Cluster) -> None:
    with own.clone() as urls:
        left = psycopg.connect(urls["superuser"])
        left.execute("LOCK TABLE tenants")
    with own.clone() as again:
        assert again == urls
        with pytest.raises(psycopg.OperationalError):
            left.execute("SELECT 1")
    left.close()
