"""The whole stack: Postgres, AWS services, the deployment's own functions."""

import json
import shutil
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from local import ROOT
from local.services.postgres import Postgres
from local.stack import Stack
from tests.local.conftest import request


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(state_folder=tmp_path_factory.mktemp("stack")) as whole:
        yield whole


def test_stack_json_holds_all_addresses_and_credentials(stack: Stack) -> None:
    path = stack.state_folder / "stack.json"

    info = json.loads(path.read_text())
    assert info == stack.info
    assert {
        "base_url", "database_url", "database_urls", "aws_endpoint_url", "casino_secret", "provider_secret",
        "ledger_audit_key",
        "user_pool_id", "user_pool_client_id", "tenants", "tokens",
    } <= info.keys()  # fmt: skip
    assert info["database_url"] == info["database_urls"]["owner"]
    assert path.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("login", ["owner", "casino", "provider", "auditor"])
def test_every_login_has_its_url(stack: Stack, login: str) -> None:
    with psycopg.connect(stack.database_urls[login]) as transaction:
        assert transaction.execute("SELECT current_user").fetchone() == (f"causeway_{login}",)


def test_function_logs_in_to_the_database_with_the_password_of_its_secret(stack: Stack) -> None:
    assert stack.invoke("schema-migrate", {}) == {"applied": []}


def test_every_platform_has_the_environments_of_the_catalogue_at_the_sandbox(stack: Stack) -> None:
    catalogue = [json.loads(path.read_bytes()) for path in (ROOT / "schema" / "catalogue").glob("[a-z]*.json")]
    there = {document["key"]: {name for name, url in document["base_urls"].items() if url} for document in catalogue}

    with psycopg.connect(stack.database_urls["superuser"]) as transaction:
        rows = transaction.execute("SELECT provider_key, base_urls FROM integration_providers").fetchall()

    assert {key: {name for name, url in urls.items() if url} for key, urls in rows} == there
    assert {url for key, urls in rows for url in urls.values() if url} == {
        f"{stack.info['sandbox_url']}/{key}" for key, environments in there.items() if environments
    }


def test_local_route_makes_a_player(stack: Stack) -> None:
    body = json.dumps({"balance": "10000", "currency": "EUR"}).encode()
    request = urllib.request.Request(f"{stack.base_url}/_local/players", body, method="POST")  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        user_id = json.load(answer)["userId"]

    with psycopg.connect(stack.database_urls["superuser"]) as transaction:
        found = transaction.execute(
            "SELECT balance, currency FROM casino_wallets WHERE player_id = %s", (user_id,)
        ).fetchall()
    assert found == [(10000, "EUR")]


SCHEDULED = {
    "token-refresh": {"renewed", "ungranted", "skipped", "warned", "failed"},
    "partitions": {"made", "overflowed"},
    "sync-sweep": {"queued", "failed", "refused", "left", "keys", "events", "limits"},
    "key-rotation": {"rotated", "rewrapped", "unreadable", "failed", "retired", "destroyed"},
    "snapshot-cleanup": {"deleted"},
}


@pytest.mark.parametrize(("name", "counts"), SCHEDULED.items())
def test_local_route_starts_the_function_that_it_names(stack: Stack, name: str, counts: set[str]) -> None:
    """docs/local.md, Schedules: each scheduled function has a route; its counts and its log show that it ran."""
    assert {function.name for function in stack.functions if function.schedules} == set(SCHEDULED)
    before = stack.log(name).stat().st_size
    request = urllib.request.Request(f"{stack.base_url}/_local/schedules/{name}", b"", method="POST")  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310
        assert json.load(answer).keys() == counts

    assert stack.log(name).stat().st_size > before


def test_env_file_for_sam_local_names_the_database(stack: Stack) -> None:
    environment = json.loads((stack.state_folder / "sam-env.json").read_text())

    assert environment["Parameters"]["DATABASE_PORT"] == str(stack.postgres.port)
    assert environment["WalletDebitFunction"]["DATABASE_SECRET"] == "causeway/local/database/causeway_casino"


def test_stack_on_a_given_server_uses_a_database_of_its_own_and_drops_it(tmp_path: Path) -> None:
    said: list[str] = []
    with Postgres(tmp_path / "server") as server:
        with Stack(state_folder=tmp_path / "stack", admin_url=server.url(), progress=said.append) as stack:
            assert stack.invoke("schema-migrate", {}) == {"applied": []}
            with pytest.raises(RuntimeError, match="no Postgres server of its own"):
                _ = stack.postgres
            environments = [status.pid for status in stack.environments()]
        with psycopg.connect(server.url()) as transaction:
            left = transaction.execute("SELECT datname FROM pg_database WHERE datname ~ 'causeway'").fetchall()

    assert [line for line in said if f"using the server of DATABASE_URL (127.0.0.1:{server.port})" in line]
    assert left == []
    assert environments
    assert not [pid for pid in environments if Path(f"/proc/{pid}").exists()]


def test_stack_without_the_page_of_the_documentation_says_so_and_runs(tmp_path: Path) -> None:
    """Only GET /docs needs the page."""
    shutil.copyfile(ROOT / "template.yaml", tmp_path / "template.yaml")
    shutil.copytree(ROOT / "functions", tmp_path / "functions")
    for name in ("layers", "schema", "stacks"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "functions" / "console" / "docs.html").unlink(missing_ok=True)
    (tmp_path / "functions" / "console" / "openapi.json").write_text("{")
    told: list[str] = []

    with Stack(
        state_folder=tmp_path / "stack", template=tmp_path / "template.yaml", progress=told.append
    ) as without_page:
        docs = request(without_page.base_url, "GET", "/docs")
        assert request(without_page.base_url, "GET", "/openapi.json").status == 200
        assert (docs.status, json.loads(docs.body)["code"]) == (500, "INTERNAL")
        assert "make build was not run" in without_page.log("api-docs").read_text()
    [line] = [line for line in told if line.startswith("docs.html could not be made: ")]
    assert line.endswith("; run make docs")
