"""Changing players, wallets, game providers and games: only by the operator's functions, not by writing the tables."""

from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from tests.database.world import B, Casino, Seat

# Columns that stay: a row's tenant, ids and codes, the ledger's columns, the meaning of transaction ids.
SETTLED = {
    "casino_players": {"tenant_id", "player_id", "created_at"},
    "casino_wallets": {
        *("tenant_id", "wallet_id", "player_id", "currency", "balance", "takes_bets", "entries", "head"),
    },
    "casino_game_providers": {"tenant_id", "game_provider_id", "code", "id_scope", "created_at"},
    "casino_games": {"tenant_id", "game_id", "game_provider_id", "code"},
    "provider_casinos": {"tenant_id", "casino_code"},
    "provider_games": {"tenant_id", "code"},
}
# Per table: the function, its keys, and a new value for each column that it changes.
CHANGES: dict[str, tuple[str, str, dict[str, Any]]] = {
    "casino_players": ("casino_change_player_v1", "%(player)s", {"status": "blocked"}),
    "casino_wallets": ("casino_change_wallet_v1", "%(wallet)s", {"balance_cap": 5}),
    "casino_game_providers": (
        "casino_change_game_provider_v1",
        "%(code)s",
        {
            "display_name": "Renamed",
            "api_url": "https://moved.example",
            "status": "inactive",
            "allow_bare_signature": True,
            "unknown_rollback": "refuse",
            "late_bet": "swallow",
            "rollback_until": "bet_settled",
            "duplicate": "refuse",
        },
    ),
    "casino_games": (
        "casino_change_game_v1",
        "%(code)s, 'SLOTS'",
        {"display_name": "Renamed", "status": "inactive"},
    ),
    "provider_casinos": (
        "provider_change_casino_v1",
        "%(casino)s",
        {"api_url": "https://moved.example", "provider_code": "OTHER"},
    ),
    "provider_games": ("provider_change_game_v1", "%(game)s", {"min_bet": 7, "max_bet": 8}),
}


@pytest.fixture
def operator(shared_casino: Casino) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(shared_casino.urls["operator"], autocommit=True) as database:
        yield database


@pytest.fixture
def keys(shared_casino: Casino) -> dict[str, Any]:
    """The keys of a row in each table."""
    seat, name = shared_casino.seat(), f"C{uuid4().hex[:8].upper()}"
    add_casino = "SELECT provider_add_casino_v1(%s, %s, 'https://casino.example', 'DEMO')"
    shared_casino.query(add_casino, [shared_casino.tenant_id, name])
    shared_casino.query("SELECT provider_add_game_v1(%s, %s, 1, 100)", [shared_casino.tenant_id, name])
    return {
        "tenant": shared_casino.tenant_id,
        "player": seat.player_id,
        "wallet": seat.wallet_id,
        "code": seat.game_provider.code,
        "casino": name,
        "game": name,
    }


def stored(casino: Casino, table: str) -> list[dict[str, Any]]:
    rows = casino.query(sql.SQL("SELECT to_jsonb(t) FROM {} AS t").format(sql.Identifier(table)))
    return [row[0] for row in rows]


@pytest.mark.parametrize("table", SETTLED)
def test_every_changeable_column_can_be_changed(shared_casino: Casino, table: str) -> None:
    columns = shared_casino.query(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped", [table]
    )
    assert CHANGES[table][2].keys() == {row[0] for row in columns} - SETTLED[table]


@pytest.mark.parametrize(
    ("table", "column"), [(table, column) for table, (_, _, values) in CHANGES.items() for column in values]
)
def test_operator_changes_only_the_named_column_of_the_named_row(
    shared_casino: Casino, operator: psycopg.Connection[Any], keys: dict[str, Any], table: str, column: str
) -> None:
    function, arguments, values = CHANGES[table]
    before = stored(shared_casino, table)
    call = f"SELECT {function}(%(tenant)s, {arguments}, p_{column} => %(value)s)"
    operator.execute(call.encode(), keys | {"value": values[column]})

    (old,) = [row for row in before if row not in stored(shared_casino, table)]
    (new,) = [row for row in stored(shared_casino, table) if row not in before]
    assert new == old | {column: values[column]}


@pytest.mark.parametrize("table", CHANGES)
@pytest.mark.parametrize("stranger", ["of nobody", "of another tenant"])
def test_changing_an_unknown_row_is_an_error(
    shared_casino: Casino,
    theirs: Casino,
    operator: psycopg.Connection[Any],
    keys: dict[str, Any],
    table: str,
    stranger: str,
) -> None:
    function, arguments, values = CHANGES[table]
    (column, new), *_ = values.items()
    other = keys | {"tenant": theirs.tenant_id}
    if stranger == "of nobody":
        other = keys | {"player": 4711, "wallet": 4711, "code": "NOBODY", "casino": "NOBODY", "game": "NOBODY"}
    before = stored(shared_casino, table)

    with pytest.raises(psycopg.Error, match=f"tenant {other['tenant']} has no ") as error:
        operator.execute(
            f"SELECT {function}(%(tenant)s, {arguments}, p_{column} => %(value)s)".encode(), other | {"value": new}
        )
    assert (error.value.sqlstate, stored(shared_casino, table)) == ("CW010", before)


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ("casino_change_player_v1(%(tenant)s, %(player)s, 'asleep')", psycopg.errors.CheckViolation),
        ("casino_change_wallet_v1(%(tenant)s, %(wallet)s, -1)", psycopg.errors.CheckViolation),
        (
            "casino_change_game_provider_v1(%(tenant)s, %(code)s, p_api_url => 'ftp://x')",
            psycopg.errors.CheckViolation,
        ),
        ("casino_change_game_provider_v1(%(tenant)s, %(code)s, p_late_bet => 'take')", psycopg.errors.CheckViolation),
        (
            "casino_change_game_provider_v1(%(tenant)s, %(code)s, p_id_scope => 'player')",
            psycopg.errors.UndefinedFunction,
        ),
        ("casino_change_game_v1(%(tenant)s, %(code)s, 'SLOTS', p_status => 'off')", psycopg.errors.CheckViolation),
        ("provider_change_game_v1(%(tenant)s, %(game)s, p_min_bet => 101)", psycopg.errors.CheckViolation),
    ],
)
def test_invalid_change_is_refused(
    operator: psycopg.Connection[Any], keys: dict[str, Any], call: str, error: type[psycopg.Error]
) -> None:
    with pytest.raises(error):
        operator.execute(f"SELECT {call}".encode(), keys)


def test_blocked_player_cannot_bet_until_active_again(seat: Seat, operator: psycopg.Connection[Any]) -> None:
    change = "SELECT casino_change_player_v1(%s, %s, %s)"
    operator.execute(change, [seat.casino.tenant_id, seat.player_id, "blocked"])
    assert seat.debit("first", 10).code == "PLAYER_BLOCKED"

    operator.execute(change, [seat.casino.tenant_id, seat.player_id, "active"])
    assert seat.debit("second", 10).code == "OK"


def test_stopped_game_provider_settles_but_takes_no_bets(seat: Seat, operator: psycopg.Connection[Any]) -> None:
    assert seat.debit("bet", 10).code == "OK"
    stop = "SELECT casino_change_game_provider_v1(%s, %s, p_status => 'inactive')"
    operator.execute(stop, [seat.casino.tenant_id, seat.game_provider.code])

    assert seat.debit("another", 10).code == "GAME_PROVIDER_INACTIVE"
    assert seat.credit("win", 20, bet_id="bet").code == "OK"


def test_lower_cap_refuses_wins_above_it(seat: Seat, operator: psycopg.Connection[Any]) -> None:
    assert seat.debit("bet", 10).code == "OK"
    change = "SELECT casino_change_wallet_v1(%s, %s, %s)"
    operator.execute(change, [seat.casino.tenant_id, seat.wallet_id, B - 1])

    assert seat.credit("win", 10, bet_id="bet").code == "BALANCE_LIMIT_EXCEEDED"
    operator.execute(change, [seat.casino.tenant_id, seat.wallet_id, B])
    assert seat.credit("another", 10, bet_id="bet").code == "OK"


def test_operator_cannot_delete(operator: psycopg.Connection[Any]) -> None:
    for table in CHANGES:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            operator.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table)))
