"""The limits of API keys and their tenants: taken by the statement that checks the key (HUB 18, 19)."""

from collections import Counter
from collections.abc import Callable, Iterator
from secrets import token_hex
from uuid import uuid4

import pytest

from causeway import settings
from causeway.database.postgres import Database
from causeway.errors.tenancy import Unauthorized
from causeway.tenancy import key_texts
from tests.database.parallel import at_once
from tests.database.world import Casino

CALLERS = 32


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int, int], None]]:
    """Sets the limits of a key and of a tenant."""

    def clear() -> None:
        settings.machine_requests.cache_clear()
        settings.tenant_requests.cache_clear()

    def limit(key: int, tenant: int) -> None:
        monkeypatch.setenv("MACHINE_REQUESTS", str(key))
        monkeypatch.setenv("TENANT_REQUESTS", str(tenant))
        clear()

    yield limit
    clear()


def new_key(casino: Casino) -> key_texts.NewKey:
    """A key whose windows, and its tenant's, are tomorrow's: no window ends during the test."""
    key, digest = key_texts.make(casino.tenant_id, uuid4())
    casino.query(
        "INSERT INTO api_keys (tenant_id, key_id, name, hash, created_by) VALUES (%s, %s, %s, %s, '')",
        [casino.tenant_id, key.key_id, token_hex(6), digest],
    )
    for kind, subject in (("api_key", key.key_id), ("tenant", casino.tenant_id)):
        casino.query(
            """
            INSERT INTO rate_limits (
                tenant_id, kind, subject_id, taken_at, minute_used, hour_used, day_used, month_used
            )
            VALUES (%s, %s, %s, now() + interval '1 day', 0, 0, 0, 0) ON CONFLICT DO NOTHING
            """,
            [casino.tenant_id, kind, str(subject)],
        )
    return key


def used(casino: Casino, subject: object) -> int:
    statement = "SELECT minute_used FROM rate_limits WHERE tenant_id = %s AND subject_id = %s"
    return casino.value(statement, [casino.tenant_id, str(subject)])


def allowed(database: Database, key: key_texts.NewKey) -> bool:
    decision = key_texts.use(database, key.text, counted=True).decision
    assert decision is not None
    return decision.allowed


def test_callers_of_a_key_get_exactly_its_limit(casino: Casino, limits: Callable[[int, int], None]) -> None:
    limits(20, 1000)
    key = new_key(casino)
    databases = [casino.database("hub") for _ in range(CALLERS)]

    answers = at_once([lambda database=database: allowed(database, key) for database in databases])

    assert Counter(answers) == {True: 20, False: CALLERS - 20}
    assert (used(casino, key.key_id), used(casino, casino.tenant_id)) == (20, 20)


def test_keys_of_a_tenant_share_its_limit(casino: Casino, limits: Callable[[int, int], None]) -> None:
    limits(1000, 20)
    keys = [new_key(casino), new_key(casino)]
    databases = [casino.database("hub") for _ in range(CALLERS)]

    answers = at_once([lambda d=d, n=n: allowed(d, keys[n % 2]) for n, d in enumerate(databases)])

    assert Counter(answers) == {True: 20, False: CALLERS - 20}
    # A refused call is taken from no key.
    assert sum(used(casino, key.key_id) for key in keys) == 20


def test_refused_call_names_the_wait_and_the_subject(casino: Casino, limits: Callable[[int, int], None]) -> None:
    limits(1, 1000)
    key, database = new_key(casino), casino.database("hub")
    allowed(database, key)
    decision = key_texts.use(database, key.text, counted=True).decision

    assert decision is not None
    assert decision.refused_by is not None
    assert (decision.allowed, decision.refused_by.kind) == (False, "api_key")
    assert 1 <= (decision.retry_after or 0) <= 60


def test_reads_and_unknown_keys_are_not_counted(casino: Casino) -> None:
    key, database = new_key(casino), casino.database("hub")
    assert key_texts.use(database, key.text).decision is None
    with pytest.raises(Unauthorized):
        key_texts.use(database, key_texts.make(casino.tenant_id, key.key_id)[0].text, counted=True)

    assert (used(casino, key.key_id), used(casino, casino.tenant_id)) == (0, 0)
