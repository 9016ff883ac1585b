"""The local stack that the tests of a session share, started by the first test that wants it."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import hypothesis
import psycopg
import pytest

from causeway import settings
from causeway.casino.ledger.verifier import LedgerTotals, verify
from local.sandbox.process import Sandbox
from local.stack import Stack
from tests import cores
from tests.findings import none_of
from tests.unit.wire_server import Act, WireServer

# Of what functions count in the process of a test.
os.environ.setdefault("POWERTOOLS_METRICS_NAMESPACE", "causeway-tests")

# A property is tested with the same examples each time; CAUSEWAY_EXAMPLES=1000 tries more, and new ones.
_EXAMPLES = os.environ.get("CAUSEWAY_EXAMPLES")
hypothesis.settings.register_profile(
    "causeway",
    derandomize=_EXAMPLES is None,
    max_examples=int(_EXAMPLES or 100),
    stateful_step_count=30,
    deadline=None,
    database=None,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture, hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("causeway")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Where tests/conformance finds its casino; without these, at the session's own stack."""
    group = parser.getgroup("conformance")
    group.addoption("--base-url", help="judge this casino instead of the local stack")
    group.addoption("--secret", help="its secret for calls to /casino/*")
    group.addoption("--game-id", type=int, default=1, help="a game of its (default: 1)")
    group.addoption("--players-url", help="where it makes test players (default: BASE_URL/_local/players)")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """A worker for each core that this process may run on; psutil, which xdist asks, counts the machine's."""
    return cores.usable()


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """One local stack for the whole session, on DATABASE_URL's server where that is given."""
    folder = tmp_path_factory.mktemp("stack")
    with Stack(state_folder=folder, admin_url=os.environ.get("DATABASE_URL") or None) as running:
        yield running


@pytest.fixture(scope="session")
def sandbox_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """One provider sandbox for the whole session, without a stack."""
    server = Sandbox(tmp_path_factory.mktemp("sandbox"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def sandbox_url(sandbox_server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The sandbox's URL, which this process may call."""
    monkeypatch.setenv("EGRESS_ALLOWED_HOSTS", f"127.0.0.1:{sandbox_server.port}")
    settings.egress_allowed_hosts.cache_clear()
    yield sandbox_server.url
    settings.egress_allowed_hosts.cache_clear()


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[Act], WireServer]]:
    """Starts a server that this process may call: serve(ok(b"{}")) answers every request with {}."""
    with ExitStack() as running:

        def start(act: Act) -> WireServer:
            server = running.enter_context(WireServer(act))
            monkeypatch.setenv("EGRESS_ALLOWED_HOSTS", f"127.0.0.1:{server.port}")
            settings.egress_allowed_hosts.cache_clear()
            return server

        yield start
    settings.egress_allowed_hosts.cache_clear()


def audit_findings(stack: Stack) -> list[str]:
    """What the ledger's auditor has to say about every wallet of the stack; nothing where all is well."""
    totals = LedgerTotals()
    with psycopg.connect(stack.database_urls["auditor"], autocommit=True) as database:
        findings = [str(finding) for finding in verify(database, totals)]
    if totals.wallet_money + totals.house_money != 0:
        findings.append(f"wallets hold {totals.wallet_money}, the house {totals.house_money}")
    return findings


@pytest.fixture(scope="module")
def audited(stack: Stack) -> Iterator[None]:
    """Audits the whole ledger after the module's tests; rows only ever come in addition, so no fault is missed."""
    yield
    none_of(audit_findings(stack))


@pytest.fixture
def refusals_are_due(stack: Stack) -> None:
    """Makes the next refused attempt of every kind an entry of the audit log, as if the last was six minutes ago."""
    with psycopg.connect(stack.database_urls["superuser"], autocommit=True) as database:
        database.execute("UPDATE audit_refusals SET written_at = now() - interval '6 minutes', counted = 0")
