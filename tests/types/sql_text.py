"""Read by the type checker only: SQL may be a literal or composed by psycopg.sql, and nothing else.

An unused `ignore` is an error (pyproject.toml). So this file fails `make check` as soon as the type checker accepts
SQL that is built at run time.
"""

from psycopg import Connection, sql


def literal_is_accepted(database: Connection, player: int) -> None:
    database.execute("SELECT balance FROM casino_wallets WHERE player_id = %s", (player,))


def composed_is_accepted(database: Connection, table: str) -> None:
    database.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))


def f_string_is_rejected(database: Connection, player: str) -> None:
    database.execute(f"SELECT balance FROM casino_wallets WHERE player_id = {player}")  # ty: ignore[no-matching-overload]


def concatenation_is_rejected(database: Connection, player: str) -> None:
    database.execute("SELECT balance FROM casino_wallets WHERE player_id = " + player)  # ty: ignore[no-matching-overload]


def percent_is_rejected(database: Connection, player: str) -> None:
    database.execute("SELECT balance FROM casino_wallets WHERE player_id = %s" % player)  # ty: ignore[no-matching-overload]
