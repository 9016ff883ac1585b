"""Ids of the local stack's demo objects: the examples of the API's document name them, and `make up` makes them."""

from causeway.wire import example_ids

# The tenant that the examples are about.
TENANT_CODE = example_ids.TENANT_CODE
TENANT_ID = example_ids.TENANT_ID
# A connection to the sandbox's platform with calendars, its calendar there, its first call and its sync.
CONNECTION_ID = example_ids.CONNECTION_ID
# Another one, which only the example of DELETE names.
DELETED_CONNECTION_ID = "00000000-0000-4000-8000-00000000c002"
CALENDAR_ID = example_ids.CALENDAR_ID
LOG_ID = 1
RUN_ID = "00000000-0000-4000-8000-00000000a001"
# The state of an authorization that nobody has begun.
OAUTH_STATE = "bWFkZS11cC1zdGF0ZS1vZi1uby1hdXRob3JpemF0aW9"
# An API key that nobody uses.
KEY_ID = "00000000-0000-4000-8000-00000000b001"
# A person who never logs in.
SUBJECT = "00000000-0000-4000-8000-00000000d001"
# An open game session, its player, and the session at the game provider.
SESSION_TOKEN = "7f325788-c990-432c-b7b0-7dcbdd4e5101"  # noqa: S105
SESSION_PLAYER_ID = 2
PROVIDER_SESSION_ID = example_ids.PROVIDER_SESSION_ID
# A bet in this session, and its round.
BET_ID = "c7f8e9d0-1a2b-4c3d-9e4f-5a6b7c8d9e0f"
ROUND_ID = "e1d2c3b4-a596-4788-b9aa-bbccddeeff00"
