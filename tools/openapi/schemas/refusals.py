"""What a call is answered that is refused, by a function or before one is asked."""

from tools.openapi.schemas.shapes import MONEY, TEXT, Schema, object_of

SCHEMAS: dict[str, Schema] = {
    "Error": object_of(
        {"error": TEXT, "code": TEXT, "requestId": TEXT, "nextAction": TEXT, "balance": MONEY},
        "balance",
        "nextAction",
        description=(
            "nextAction: what the caller does next; not in the answers to a game provider's signed calls. balance: the "
            "player's, where the player is known."
        ),
    ),
    "GatewayMessage": object_of({"message": TEXT}, description="Refused before a function was asked."),
}
