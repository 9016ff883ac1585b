"""The auditor checks the references of money (sessions, game providers, players, currencies) and duplicate ids.

WALLET 48.
"""

import pytest

from tests.database.played import (
    Played,
    audited,
    entry,
    forge,
    named,
    play,
    run,
    signed,
    wallet,
)
from tests.database.world import Casino


@pytest.fixture
def played(casino: Casino) -> Played:
    return play(casino)


def told(played: Played) -> tuple[list[str], list[str]]:
    """Audit, and return the findings about the wallet and about the other wallet; there may be no other findings."""
    faults: dict[int, list[str]] = {played.seat.wallet_id: [], played.neighbour.wallet_id: []}
    for text in audited(played):
        [wallet_id] = named(played, [text])
        faults[wallet_id].append(text.split(": ", 1)[1])
    return faults[played.seat.wallet_id], faults[played.neighbour.wallet_id]


OWN = "UPDATE casino_sessions SET {} WHERE wallet_id = %(wallet)s"
PLAYER = "WHERE player_id = (SELECT player_id FROM casino_wallets WHERE wallet_id = %(wallet)s)"

# A change outside the chain, and the findings for the wallet and the other wallet; entries as in played.play.
CHANGED: dict[str, tuple[str, list[str], list[str]]] = {
    "session moved to another wallet": (
        OWN.format("wallet_id = %(other)s"),
        ["entry 2 and 9 more: its session is of another wallet"],
        ["session 1: its wallet is of another player"],
    ),
    "session moved to another player": (
        OWN.format("player_id = player_id + 1"),
        ["session 1: its wallet is of another player"],
        [],
    ),
    "session moved to another game provider": (
        OWN.format("game_provider_id = game_provider_id + 1"),
        [
            "entry 2 and 9 more: its session is of another game provider",
            "session 1: its game is of another game provider",
        ],
        [],
    ),
    "session moved to another game": (OWN.format("game_id = 4711"), ["session 1: its game is not there"], []),
    "sessions deleted": (
        "DELETE FROM casino_sessions",
        ["entry 2 and 9 more: its session is not there"],
        ["entry 2 and 1 more: its session is not there"],
    ),
    "player blocked without his wallet": (
        f"UPDATE casino_players SET status = 'blocked' {PLAYER}",  # noqa: S608
        ["its player is blocked, takes_bets is t"],
        [],
    ),
    "wallet barred without its player": (wallet("takes_bets = false"), ["its player is active, takes_bets is f"], []),
    "player deleted": (f"DELETE FROM casino_players {PLAYER}", ["its player is not there"], []),  # noqa: S608
    "tenant deleted": ("DELETE FROM tenants", ["its tenant is not there"], ["its tenant is not there"]),
    "scope of the game provider's ids changed": (
        "UPDATE casino_game_providers SET id_scope = 'player'",
        ["entry 2 and 9 more: its id is not unique as its game provider's ids are"],
        ["entry 2 and 1 more: its id is not unique as its game provider's ids are"],
    ),
    "game provider deleted": (
        "DELETE FROM casino_game_providers",
        ["entry 2 and 9 more: its game provider is not there"],
        ["entry 2 and 1 more: its game provider is not there"],
    ),
    "game deleted": (
        "DELETE FROM casino_games",
        ["session 1: its game is not there"],
        ["session 2: its game is not there"],
    ),
    "currency deleted": (
        "DELETE FROM currencies WHERE code = 'EUR'",
        ["its currency is not there"],
        ["its currency is not there"],
    ),
}


@pytest.mark.parametrize(("statement", "own", "neighbours"), CHANGED.values(), ids=CHANGED.keys())
def test_wallet_is_named_when_a_referenced_row_is_changed(
    played: Played, statement: str, own: list[str], neighbours: list[str]
) -> None:
    played.corrupt(statement)

    assert told(played) == (own, neighbours)


# Rows forged together with their chain, before any head was signed, and the findings for the wallet.
FORGED: dict[str, tuple[str, list[str]]] = {
    "session that never was": (entry(2, "session_id = 424242"), ["entry 2: its session is not there"]),
    "session of the neighbour": (
        entry(11, "session_id = (SELECT session_id FROM casino_sessions WHERE wallet_id = %(other)s)"),
        ["entry 11: its session is of another wallet"],
    ),
    "game provider that never was": (
        entry(11, "game_provider_id = 424242"),
        ["entry 11: its game provider is not there"],
    ),
    "deposit by a game provider": (
        entry(1, "game_provider_id = (SELECT min(game_provider_id) FROM casino_game_providers)"),
        ["entry 1: a deposit is of no game provider and no session"],
    ),
    "id unique for the player alone": (
        entry(11, "id_scope = (SELECT player_id FROM casino_wallets WHERE wallet_id = %(wallet)s)"),
        ["entry 11: its id is not unique as its game provider's ids are"],
    ),
}


@pytest.mark.parametrize(("statement", "own"), FORGED.values(), ids=FORGED.keys())
def test_wallet_with_a_forged_reference_is_named(played: Played, statement: str, own: list[str]) -> None:
    played.corrupt(statement)
    forge(played)

    assert told(played) == (own, [])


DOUBLED = {
    "two bets": (11, "bet 1", [2, 11]),
    "a promo and a win": (6, "win 1", [3, 6]),
    "the neighbour's bet": (11, "neighbour's", [11]),
}


@pytest.mark.parametrize(("number", "id", "entries"), DOUBLED.values(), ids=DOUBLED.keys())
def test_duplicate_ids_are_named_although_the_chain_is_intact(
    played: Played, number: int, id: str, entries: list[int]
) -> None:
    """The unique index was removed before."""
    played.casino.query("DROP INDEX casino_transactions_external_id")
    quoted = id.replace("'", "''")
    played.corrupt(entry(number, f"external_transaction_id = '{quoted}'"))
    forge(played)

    own, neighbours = told(played)

    provider = played.casino.value("SELECT game_provider_id FROM casino_game_providers")
    fault = f"the id '{quoted}' of game provider {provider} stands in 2 rows"
    assert own == [f"entry {number}: {fault}" for number in entries]
    assert neighbours == ([f"entry 2: {fault}"] if len(entries) == 1 else [])


# Facts that no row states but an audit has signed: the change, the old value and the found value.
SETTLED: dict[str, tuple[str, str, str]] = {
    "code of a game provider": (
        "UPDATE casino_game_providers SET code = 'RENAMED'",
        "{code} with ids unique per provider",
        "is RENAMED with ids unique per provider",
    ),
    "scope of a game provider's ids": (
        "UPDATE casino_game_providers SET id_scope = 'player'",
        "{code} with ids unique per provider",
        "is {code} with ids unique per player",
    ),
    "game provider": ("DELETE FROM casino_game_providers", "{code} with ids unique per provider", "is gone"),
    "decimals of a currency": (
        "UPDATE currencies SET exponent = 0 WHERE code = 'EUR'",
        "of 2 decimals",
        "is of 0 decimals",
    ),
    "currency": ("DELETE FROM currencies WHERE code = 'EUR'", "of 2 decimals", "is gone"),
}


@pytest.mark.parametrize(("statement", "was", "found"), SETTLED.values(), ids=SETTLED.keys())
def test_changed_fact_is_named_at_every_audit_and_chains_are_still_signed(
    played: Played, statement: str, was: str, found: str
) -> None:
    signed(played)
    [provider] = played.casino.query("SELECT game_provider_id, code FROM casino_game_providers")
    played.corrupt(statement)
    own = f"game provider {provider.game_provider_id} of tenant {played.casino.tenant_id}"
    subject = own if "{code}" in was else "currency EUR"
    expected = f"{subject}: it was {was} at audit run 1, and {found}".format(code=provider.code)

    for number in (2, 3):
        result = run("ledger", "--database-url", played.casino.urls["auditor"])
        assert result.returncode == 1
        assert expected in result.stdout.splitlines()
        assert f"audit run {number}," in result.stdout.splitlines()[-1]


def test_added_subject_is_fixed_by_the_next_audit(played: Played) -> None:
    signed(played)
    code = played.casino.game_provider().code
    assert [signed(played), signed(played)] == [2, 3]

    newest = "(SELECT max(game_provider_id) FROM casino_game_providers)"
    played.corrupt(f"UPDATE casino_game_providers SET code = 'NEWER' WHERE game_provider_id = {newest}")  # noqa: S608

    [finding] = audited(played)
    assert finding.endswith(
        f"it was {code} with ids unique per provider at audit run 2, and is NEWER with ids unique per provider"
    )


@pytest.mark.parametrize("change", ["UPDATE casino_wallets SET balance_cap = 1", "UPDATE casino_games SET code = 'X'"])
def test_changed_setting_is_no_finding(played: Played, change: str) -> None:
    """A refund may exceed a balance's cap, and a cap may be lowered: it proves nothing about payments."""
    played.corrupt(change)
    result = run("ledger", "--database-url", played.casino.urls["auditor"])

    assert result.returncode == 0, result.stdout
