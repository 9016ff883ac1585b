"""Ids of the local stack's demo objects, which the examples of the API's document name."""

# The tenant that the examples are about.
TENANT_ID = "00000000-0000-4000-8000-000000000001"
# An open game session, its player, and the session at the game provider.
SESSION_TOKEN = "7f325788-c990-432c-b7b0-7dcbdd4e5101"  # noqa: S105
SESSION_PLAYER_ID = 2
PROVIDER_SESSION_ID = "788b3ad9-daf4-40ad-84df-fafcaa277285"
