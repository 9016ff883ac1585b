"""Adding players, wallets, game providers and games with a login that can do nothing else, without DDL."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from tests.database.world import Casino


@pytest.fixture
def operator(shared_casino: Casino) -> Iterator[psycopg.Connection[Any]]:
    with psycopg.connect(shared_casino.urls["operator"], autocommit=True) as database:
        yield database


def value(database: psycopg.Connection[Any], statement: str, *parameters: Any) -> Any:
    row = database.execute(statement.encode(), parameters).fetchone()
    assert row is not None
    return row[0]


def test_operator_adds_everything_for_a_bet(shared_casino: Casino, operator: psycopg.Connection[Any]) -> None:
    casino, tenant = shared_casino, shared_casino.tenant_id
    dialect = "p_duplicate => 'refuse', p_id_scope => 'player'"
    value(operator, f"SELECT casino_add_game_provider_v1(%s, 'NEW', 'New', 'https://new.example', {dialect})", tenant)
    value(operator, "SELECT casino_add_game_v1(%s, 'NEW', 'SLOTS', 'Slots')", tenant)
    player_id = value(operator, "SELECT casino_add_player_v1(%s)", tenant)
    wallet_id = value(operator, "SELECT casino_add_wallet_v1(%s, %s, 'EUR')", tenant, player_id)
    value(operator, "SELECT provider_add_casino_v1(%s, 'CASINO', 'https://casino.example', 'NEW')", tenant)
    value(operator, "SELECT provider_add_game_v1(%s, 'SLOTS', 100, 1000)", tenant)

    assert casino.deposit(player_id, wallet_id, "first", 500) == "OK"
    added = casino.query(
        "SELECT duplicate, id_scope, allow_bare_signature FROM casino_game_providers WHERE code = 'NEW'"
    )
    assert added == [("refuse", "player", False)]
    assert casino.query("SELECT takes_bets, balance FROM casino_wallets WHERE wallet_id = %s", [wallet_id]) == [
        (True, 500)
    ]


def test_adding_and_money_calls_do_not_wait_for_each_other(
    shared_casino: Casino, operator: psycopg.Connection[Any]
) -> None:
    """The alternative (ALTER TABLE ... NO FORCE) would make every tenant's debits wait."""
    seat, tenant = shared_casino.seat(), shared_casino.tenant_id
    with (
        psycopg.connect(shared_casino.urls["casino"]) as debiting,
        operator.transaction(),
    ):
        start = [tenant, seat.game_provider.code, seat.token, seat.player_id]
        debiting.execute("SELECT casino_debit_v1(%s, %s, false, %s, %s, 'x', 'r', 5, NULL, '', 'request')", start)
        value(operator, "SELECT casino_add_game_provider_v1(%s, 'BESIDE', 'Beside', 'https://b.example')", tenant)
        value(operator, "SELECT casino_add_game_v1(%s, 'BESIDE', 'SLOTS', 'Slots')", tenant)
        player_id = value(operator, "SELECT casino_add_player_v1(%s)", tenant)
        value(operator, "SELECT casino_add_wallet_v1(%s, %s, 'EUR')", tenant, player_id)
        debiting.rollback()

        assert seat.debit("bet", 5).code == "OK"


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        ("casino_add_player_v1(gen_random_uuid())", psycopg.errors.ForeignKeyViolation, "there is no tenant"),
        ("casino_add_wallet_v1(%(tenant)s, 4711, 'EUR')", psycopg.errors.ForeignKeyViolation, "has no player 4711"),
        ("casino_add_wallet_v1(%(tenant)s, %(player)s, 'XXX')", psycopg.errors.ForeignKeyViolation, "no currency XXX"),
        (
            "casino_add_wallet_v1(%(tenant)s, %(player)s, 'EUR')",
            psycopg.errors.UniqueViolation,
            "has a wallet in EUR already: a player has",
        ),
        ("casino_add_game_v1(%(tenant)s, 'NOBODY', 'SLOTS', 'Slots')", psycopg.Error, "no game provider NOBODY"),
        ("casino_add_game_v1(%(other)s, %(code)s, 'SLOTS', 'Slots')", psycopg.Error, "no game provider"),
        ("casino_add_wallet_v1(%(other)s, %(player)s, 'USD')", psycopg.errors.ForeignKeyViolation, "has no player"),
        (
            "casino_add_game_provider_v1(%(tenant)s, 'ODD', 'Odd', 'https://o.example', p_id_scope => 'nobody')",
            psycopg.errors.CheckViolation,
            "id_scope",
        ),
    ],
)
def test_invalid_addition_is_refused_with_its_reason(
    shared_casino: Casino,
    theirs: Casino,
    operator: psycopg.Connection[Any],
    call: str,
    error: type[psycopg.Error],
    sentence: str,
) -> None:
    seat = shared_casino.seat()
    parameters = {
        "tenant": shared_casino.tenant_id,
        "player": seat.player_id,
        "code": seat.game_provider.code,
        "other": theirs.tenant_id,
    }
    with pytest.raises(error, match=sentence):
        operator.execute(f"SELECT {call}".encode(), parameters)


@pytest.mark.parametrize(
    ("addition", "sentence"),
    [
        ("casino_add_game_provider_v1(%(tenant)s, 'TWICE', 'Twice', 'https://t.example')", "the code TWICE is taken"),
        ("casino_add_game_v1(%(tenant)s, %(code)s, 'TWICE', 'Twice')", "game provider .* has a game TWICE already"),
        ("provider_add_casino_v1(%(tenant)s, 'TWICE', 'https://t.example', 'T')", "has a casino TWICE already"),
        ("provider_add_game_v1(%(tenant)s, 'TWICE', 1, 2)", "has a game TWICE of the demo provider already"),
    ],
)
def test_second_addition_says_what_to_do(
    shared_casino: Casino, operator: psycopg.Connection[Any], addition: str, sentence: str
) -> None:
    """The function that changes what is there is named."""
    parameters = {"tenant": shared_casino.tenant_id, "code": shared_casino.seat().game_provider.code}
    change = addition.partition("(")[0].replace("_add_", "_change_")
    operator.execute(f"SELECT {addition}".encode(), parameters)

    with pytest.raises(psycopg.errors.UniqueViolation, match=f"{sentence}.* choose another code.*{change}"):
        operator.execute(f"SELECT {addition}".encode(), parameters)


@pytest.mark.parametrize(
    "statement",
    [
        "SELECT FROM casino_players",
        "SELECT FROM tenants",
        "INSERT INTO casino_players (tenant_id) VALUES (gen_random_uuid())",
        "UPDATE casino_wallets SET balance = 1",
        "SELECT casino_deposit_v1(gen_random_uuid(), 1, 'x', 1, '', '')",
        "ALTER TABLE casino_players NO FORCE ROW LEVEL SECURITY",
    ],
)
def test_operator_can_do_nothing_else(operator: psycopg.Connection[Any], statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        operator.execute(statement.encode())


def test_code_of_a_game_provider_belongs_to_one_tenant(
    shared_casino: Casino, operator: psycopg.Connection[Any]
) -> None:
    """The code alone finds the secret: another tenant's launches would be signed with it."""
    other = shared_casino.value(
        "INSERT INTO tenants (code, display_name) VALUES ('OTHERS_CODE', 'Other') RETURNING tenant_id::text"
    )
    add = "SELECT casino_add_game_provider_v1(%s, 'TAKEN', 'Taken', 'https://taken.example')"
    value(operator, add, shared_casino.tenant_id)

    rule = r"the code TAKEN is taken: .* unique in the deployment; choose another code"
    with pytest.raises(psycopg.errors.UniqueViolation, match=rule):
        value(operator, add, other)
