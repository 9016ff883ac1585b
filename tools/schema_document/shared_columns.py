"""Columns that mean the same in every table, so that they need no comment of their own."""

SHARED_COLUMNS = {
    "tenant_id": "The tenant that the row belongs to.",
    "connection_id": "The connection, a row of `integration_connections`.",
    "player_id": "The player of a casino.",
    "wallet_id": "The player's wallet.",
    "game_id": "The game, by the casino's id.",
    "game_provider_id": "The game provider.",
    "session_id": "The game session, by the casino's id.",
    "currency": "The code of the currency.",
    "display_name": "The name that people read.",
    "created_at": "When the row was inserted.",
    "updated_at": "When the row was last changed.",
    "created_by": "Who inserted the row: a person's subject or an API key's id.",
    "request_id": "The request that wrote the row: the `requestId` of its answer and of its log lines.",
    "source_ip": "The IP address of the caller.",
}
