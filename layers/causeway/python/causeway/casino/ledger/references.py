"""References of ledger rows, sessions and wallets, and the uniqueness of ids.

Each check is one statement over whole tables and returns only faults. Foreign keys, unique indexes and triggers prevent
these faults; a person with all rights in the database can drop them.
"""

from collections.abc import Iterator
from typing import Any, LiteralString

import psycopg

from causeway.casino.ledger.findings import WalletFinding
from causeway.database import snapshots

# An id is unique among the rows of its game provider (or of its player).
_DOUBLED_IDS = """
    SELECT t.tenant_id, t.wallet_id, 'entry' AS kind, t.entry AS first, 1 AS times,
        format(
            'the id %L of game provider %s stands in %s rows', t.external_transaction_id, t.game_provider_id, d.times
        ) AS fault
    FROM (
        SELECT tenant_id, game_provider_id, id_scope, external_transaction_id, count(*) AS times
        FROM casino_transactions
        GROUP BY tenant_id, game_provider_id, id_scope, external_transaction_id
        HAVING count(*) > 1
    ) AS d
    INNER JOIN casino_transactions AS t USING (tenant_id, game_provider_id, id_scope, external_transaction_id)
    ORDER BY t.tenant_id, t.wallet_id, t.entry
"""

# A row's session is of its wallet and of its game provider. The scope of its id is that provider's.
_ROWS = """
    SELECT r.tenant_id, r.wallet_id, 'entry' AS kind, min(r.entry) AS first, count(*) AS times, r.fault
    FROM (
        SELECT t.tenant_id, t.wallet_id, t.entry, CASE
            WHEN t.type = 'deposit' THEN CASE
                WHEN t.game_provider_id <> 0 OR t.id_scope <> 0 OR t.session_id IS NOT NULL
                THEN 'a deposit is of no game provider and no session'
            END
            WHEN p.game_provider_id IS NULL THEN 'its game provider is not there'
            WHEN t.id_scope <> (CASE p.id_scope WHEN 'player' THEN w.player_id ELSE 0 END)
            THEN 'its id is not unique as its game provider''s ids are'
            WHEN s.session_id IS NULL THEN 'its session is not there'
            WHEN s.wallet_id <> t.wallet_id THEN 'its session is of another wallet'
            WHEN s.game_provider_id <> t.game_provider_id THEN 'its session is of another game provider'
        END AS fault
        FROM casino_transactions AS t
        LEFT JOIN casino_wallets AS w ON w.tenant_id = t.tenant_id AND w.wallet_id = t.wallet_id
        LEFT JOIN casino_game_providers AS p ON p.tenant_id = t.tenant_id AND p.game_provider_id = t.game_provider_id
        LEFT JOIN casino_sessions AS s ON s.tenant_id = t.tenant_id AND s.session_id = t.session_id
    ) AS r
    WHERE r.fault IS NOT NULL
    GROUP BY r.tenant_id, r.wallet_id, r.fault
    ORDER BY r.tenant_id, r.wallet_id, r.fault
"""

# A session's wallet is its player's, and its game is its game provider's.
_SESSIONS = """
    SELECT r.tenant_id, r.wallet_id, 'session' AS kind, min(r.session_id) AS first, count(*) AS times, r.fault
    FROM (
        SELECT s.tenant_id, s.wallet_id, s.session_id, CASE
            WHEN w.wallet_id IS NULL THEN 'its wallet is not there'
            WHEN w.player_id <> s.player_id THEN 'its wallet is of another player'
            WHEN g.game_id IS NULL THEN 'its game is not there'
            WHEN g.game_provider_id <> s.game_provider_id THEN 'its game is of another game provider'
        END AS fault
        FROM casino_sessions AS s
        LEFT JOIN casino_wallets AS w ON w.tenant_id = s.tenant_id AND w.wallet_id = s.wallet_id
        LEFT JOIN casino_games AS g ON g.tenant_id = s.tenant_id AND g.game_id = s.game_id
    ) AS r
    WHERE r.fault IS NOT NULL
    GROUP BY r.tenant_id, r.wallet_id, r.fault
    ORDER BY r.tenant_id, r.wallet_id, r.fault
"""

# A wallet's player, tenant and currency exist. It takes bets while its player is active.
_WALLETS = """
    SELECT r.tenant_id, r.wallet_id, '' AS kind, 0 AS first, 1 AS times, r.fault
    FROM (
        SELECT w.tenant_id, w.wallet_id, CASE
            WHEN n.tenant_id IS NULL THEN 'its tenant is not there'
            WHEN p.player_id IS NULL THEN 'its player is not there'
            WHEN c.code IS NULL THEN 'its currency is not there'
            WHEN w.takes_bets <> (p.status = 'active')
            THEN format('its player is %s, takes_bets is %s', p.status, w.takes_bets)
        END AS fault
        FROM casino_wallets AS w
        LEFT JOIN tenants AS n ON n.tenant_id = w.tenant_id
        LEFT JOIN casino_players AS p ON p.tenant_id = w.tenant_id AND p.player_id = w.player_id
        LEFT JOIN currencies AS c ON c.code = w.currency
    ) AS r
    WHERE r.fault IS NOT NULL
    ORDER BY r.tenant_id, r.wallet_id
"""

_CHECKS: tuple[LiteralString, ...] = (_DOUBLED_IDS, _ROWS, _SESSIONS, _WALLETS)


def findings(database: psycopg.Connection[Any]) -> Iterator[WalletFinding]:
    """Yield the wallets with a reference (their own, of a row, of a session) that is missing or does not match.

    Args:
        database: of a role that reads every tenant.
    """
    for check in _CHECKS:
        for row in snapshots.rows(database, check):
            where = f"{row.kind} {row.first}" if row.kind else ""
            more = f" and {row.times - 1} more" if row.times > 1 else ""
            yield WalletFinding(row.tenant_id, row.wallet_id, f"{where}{more}: {row.fault}" if where else row.fault)
