"""A misconfigured function logs the cause in one line, and tells the caller nothing internal."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from local import ROOT
from local.stack import Stack
from tests.conformance.client import Casino, Reply
from tests.conformance.expectations import accepted


def error_lines(log: Path, call: Callable[[], Reply]) -> tuple[Reply, list[dict[str, Any]]]:
    """Return the call's response, and the lines that the function logged about it as a warning or an error."""
    before = len(log.read_text())
    reply = call()
    lines = log.read_text()[before:].splitlines()
    assert not any("Traceback" in line for line in lines), lines
    records = [json.loads(line) for line in lines if line.startswith("{")]
    return reply, [record for record in records if record.get("level") in ("WARNING", "ERROR", "CRITICAL")]


def tells_nothing(reply: Reply) -> None:
    told = reply.body.decode().lower()
    for internal in ("setting", "database", "schema", "casino_debit", "template", "postgres", "traceback", "secret"):
        assert internal not in told, reply
    assert set(reply.json) == {"error", "code", "requestId"}


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A stack whose template lacks the database's host."""
    folder = tmp_path_factory.mktemp("broken")
    for name in ("functions", "layers", "schema", "stacks"):
        (folder / name).symlink_to(ROOT / name)
    setting = "        DATABASE_HOST: !Ref DatabaseHost\n"
    text = (ROOT / "template.yaml").read_text()
    assert text.count(setting) == 1
    (folder / "template.yaml").write_text(text.replace(setting, ""))
    with Stack(state_folder=folder / "state", template=folder / "template.yaml") as stack:
        yield stack


def test_missing_setting_is_logged_in_one_line_with_the_remedy(broken: Stack) -> None:
    with Casino(broken.base_url, broken.info["casino_secret"]) as casino:
        body = b'{"userId":1,"sessionToken":"x"}'
        for _ in range(2):
            reply, lines = error_lines(broken.log("wallet-balance"), lambda: casino.send("getBalance", body))
            assert reply.status == 500
            tells_nothing(reply)
            assert len(lines) == 1, lines
            assert "DATABASE_HOST is missing" in lines[0]["message"]
            assert "template.yaml" in lines[0]["message"]


def test_outdated_schema_is_logged_in_one_line_with_the_remedy(
    stack: Stack, casino: Casino, superuser: psycopg.Connection
) -> None:
    player = casino.player()
    bet = player.bet(1000)
    superuser.execute("ALTER FUNCTION casino_debit_v1 RENAME TO casino_debit_v0")
    try:
        reply, lines = error_lines(stack.log("wallet-debit"), lambda: casino.debit(bet))
    finally:
        superuser.execute("ALTER FUNCTION casino_debit_v0 RENAME TO casino_debit_v1")
    assert reply.status == 503
    assert "retry-after" in reply.headers
    tells_nothing(reply)
    assert len(lines) == 1, lines
    assert "behind" in lines[0]["message"]
    assert "schema-migrate" in lines[0]["message"]
    accepted(casino.debit(bet), bet, 9000)
