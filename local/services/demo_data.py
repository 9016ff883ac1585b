"""Demo data of the local stack: two casinos with their people, one of them with games, players and a session."""

from typing import Any, LiteralString
from uuid import UUID, uuid4

import psycopg
from psycopg.rows import dict_row
from psycopg.types.json import Jsonb

from causeway.casino.ledger.requests import request_hash
from causeway.tenancy import key_texts
from local.sandbox.redirection import redirected
from local.services.cognito import Person, UserPool
from tools.openapi import demo

TENANT_ID = demo.TENANT_ID
CASINO_CODE = demo.TENANT_CODE
# A second tenant, without games: its people must not see the first tenant's data.
SECOND_TENANT_ID = "00000000-0000-4000-8000-000000000002"
SECOND_CODE = "RIVIERA"
TENANTS = {CASINO_CODE: TENANT_ID, SECOND_CODE: SECOND_TENANT_ID}
# The site that a person may be sent back to after an authorization.
RETURN_ORIGIN = "https://app.example"
GAME_PROVIDER_CODE = "DEMO"
# Fixed, because the sample events are signed with them. They protect only play money on this machine's loopback.
CASINO_SECRET = "local-casino-secret"  # noqa: S105
PROVIDER_SECRET = "local-provider-secret"  # noqa: S105
# The player of the scripted round (the first player, with $10,000.00), and the session of the sample events.
PLAYER_ID = 1
STARTING_BALANCE = 1_000_000
SAMPLE_SESSION_TOKEN = demo.SESSION_TOKEN
SAMPLE_PROVIDER_SESSION_ID = demo.PROVIDER_SESSION_ID
# The people who can log in, by tenant and role; the super admin belongs to no tenant.
SUPER_ADMIN = Person("super_admin@causeway.example", "super_admin")
PEOPLE = {
    code: {
        role: Person(f"{role}@{code.lower()}.example", role, {"tenant_id": tenant_id})
        for role in ("tenant_admin", "regulator", "staff")
    }
    for code, tenant_id in TENANTS.items()
}
PEOPLE[CASINO_CODE]["player"] = Person(
    f"player@{CASINO_CODE.lower()}.example", None, {"tenant_id": TENANT_ID, "player_id": str(PLAYER_ID)}
)
_GAMES = (("SLOTS_001", "Jaqpot Slots"), ("ROULETTE_001", "Jaqpot Roulette"))


def tokens(user_pool: UserPool) -> dict[str, Any]:
    """Log everybody in; returns an ID token for each tenant and role, and one for the super admin."""
    found: dict[str, Any] = {
        code: {role: user_pool.log_in(person.name)["IdToken"] for role, person in roles.items()}
        for code, roles in PEOPLE.items()
    }
    return found | {"super_admin": user_pool.log_in(SUPER_ADMIN.name)["IdToken"]}


def make_api_keys(superuser_url: str) -> dict[str, str]:
    """Make an API key for each tenant; returns them by tenant. superuser_url: as for load."""
    made = {}
    with psycopg.connect(superuser_url) as database:
        for code, tenant_id in TENANTS.items():
            key, digest = key_texts.make(UUID(tenant_id), uuid4())
            database.execute(
                """
                INSERT INTO api_keys (tenant_id, key_id, name, hash, created_by)
                VALUES (%s, %s, 'Demo machine', %s, 'local')
                """,
                [tenant_id, key.key_id, digest],
            )
            made[code] = key.text
    return made


def call_sandbox(superuser_url: str, sandbox_url: str) -> None:
    """Replace the address of every provider of the catalogue by the sandbox's, in each environment that it has.

    changed_by_admin keeps the next migration from restoring the real addresses.
    """
    with psycopg.connect(superuser_url) as database, database.cursor(row_factory=dict_row) as cursor:
        providers = cursor.execute(
            """
            SELECT provider_key AS key, base_urls, config_schema, health_call, authentication, oauth
            FROM integration_providers
            """
        ).fetchall()
        changed = [redirected(provider, sandbox_url) for provider in providers]
        cursor.executemany(
            """
            UPDATE integration_providers
            SET changed_by_admin = true, base_urls = %(base_urls)s, config_schema = %(config_schema)s,
                authentication = %(authentication)s, oauth = %(oauth)s
            WHERE provider_key = %(key)s
            """,
            [
                {name: Jsonb(value) if isinstance(value, dict) else value for name, value in each.items()}
                for each in changed
            ],
        )


def load(superuser_url: str, api_url: str) -> None:
    """Fill a migrated, empty database.

    Args:
        superuser_url: of the database, with a role that bypasses row-level security.
        api_url: where casino and game provider reach each other.
    """
    with psycopg.connect(superuser_url) as database:
        database.cursor().executemany(
            """
            INSERT INTO tenants (tenant_id, code, display_name, country, time_zone, currency)
            SELECT %s, %s, %s, code, time_zone, currency FROM countries WHERE code = %s
            """,
            [
                (TENANT_ID, CASINO_CODE, "Jaqpot Casino", "AE"),
                (SECOND_TENANT_ID, SECOND_CODE, "Riviera Casino", "FR"),
            ],
        )
        _introduce(database, api_url)
        for code, name in _GAMES:
            _add_game(database, code, name)
    create_player(superuser_url, STARTING_BALANCE, "USD")
    sample_player = create_player(superuser_url, STARTING_BALANCE, "USD")
    with psycopg.connect(superuser_url) as database:
        _open_sample_session(database, sample_player)


def _introduce(database: psycopg.Connection, api_url: str) -> None:
    """Register the game provider with the casino, and the casino with the game provider."""
    database.execute(
        """
        SELECT casino_add_game_provider_v1(
            p_tenant_id => %s, p_code => %s, p_display_name => 'Jaqpot Games', p_api_url => %s,
            p_allow_bare_signature => true
        )
        """,
        [TENANT_ID, GAME_PROVIDER_CODE, api_url],
    )
    database.execute(
        "SELECT provider_add_casino_v1(p_tenant_id => %s, p_casino_code => %s, p_api_url => %s, p_provider_code => %s)",
        [TENANT_ID, CASINO_CODE, api_url, GAME_PROVIDER_CODE],
    )


def _add_game(database: psycopg.Connection, code: str, name: str) -> None:
    """Give both sides a game with bets from 10.00 to 1,000.00."""
    database.execute(
        "SELECT casino_add_game_v1(p_tenant_id => %s, p_game_provider => %s, p_code => %s, p_display_name => %s)",
        [TENANT_ID, GAME_PROVIDER_CODE, code, name],
    )
    database.execute(
        "SELECT provider_add_game_v1(p_tenant_id => %s, p_code => %s, p_min_bet => 1000, p_max_bet => 100000)",
        [TENANT_ID, code],
    )


def _open_sample_session(database: psycopg.Connection, player_id: int) -> None:
    """Open the session of the sample events on both sides."""
    database.execute(
        """
        INSERT INTO casino_sessions (
            tenant_id, session_token, player_id, wallet_id, game_id, game_provider_id, status, expires_at
        )
        SELECT w.tenant_id, %s, w.player_id, w.wallet_id, g.game_id, g.game_provider_id, 'active', 'infinity'
        FROM casino_wallets AS w INNER JOIN casino_games AS g USING (tenant_id)
        WHERE w.player_id = %s AND g.code = 'SLOTS_001'
        """,
        [SAMPLE_SESSION_TOKEN, player_id],
    )
    database.execute(
        """
        WITH player AS (
            INSERT INTO provider_players (tenant_id, casino_code, user_id) VALUES (%(tenant)s, %(casino)s, %(user)s)
            RETURNING tenant_id, provider_player_id
        )
        INSERT INTO provider_sessions (
            tenant_id, provider_session_id, provider_player_id, game_code, session_token, casino_session_id,
            currency
        )
        SELECT tenant_id, %(session)s, provider_player_id, 'SLOTS_001', %(token)s, 1, 'USD' FROM player
        """,
        {
            "tenant": TENANT_ID,
            "casino": CASINO_CODE,
            "user": player_id,
            "session": SAMPLE_PROVIDER_SESSION_ID,
            "token": SAMPLE_SESSION_TOKEN,
        },
    )


def create_player(superuser_url: str, balance: int, currency: str, owner: int | None = None) -> int:
    """Make a player with a wallet and a first deposit, or a player's next wallet; returns the player's id.

    Args:
        superuser_url: of the database, with a role that may call every function.
        balance: minor units.
        currency: ISO 4217 code.
        owner: the player who gets the wallet; None makes a new player.

    Raises:
        ValueError: the currency is unknown, the balance is more than a wallet may hold, or the owner is unknown or has
            a wallet in this currency.
    """
    with psycopg.connect(superuser_url) as database:
        if not database.execute("SELECT FROM currencies WHERE code = %s", [currency]).rowcount:
            raise ValueError(f"currency {currency!r} is unknown: give an ISO 4217 code")
        player_id = owner or _value(database, "SELECT casino_add_player_v1(%s)", TENANT_ID)
        try:
            wallet_id = _value(
                database,
                "SELECT casino_add_wallet_v1(p_tenant_id => %s, p_player_id => %s, p_currency => %s)",
                *(TENANT_ID, player_id, currency),
            )
        except psycopg.IntegrityError as error:
            raise ValueError(f"player {player_id} is unknown, or has a wallet in {currency}") from error
        if balance:
            deposit_id = f"opening-{wallet_id}"
            digest = request_hash(UUID(TENANT_ID), "deposit", player_id, deposit_id, None, balance, None)
            outcome = _value(
                database,
                """
                SELECT outcome FROM casino_deposit_v1(
                    p_tenant_id => %s, p_wallet_id => %s, p_transaction_id => %s, p_amount => %s, p_request_hash => %s,
                    p_request_id => %s
                )
                """,
                *(TENANT_ID, wallet_id, deposit_id, balance, digest, deposit_id),
            )
            if outcome != "OK":
                raise ValueError("balance is more than a wallet may hold")
        return int(player_id)


def _value(database: psycopg.Connection, statement: LiteralString, *parameters: Any) -> Any:
    row = database.execute(statement, parameters).fetchone()
    return row[0] if row else None
