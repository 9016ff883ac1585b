"""The bodies of error answers, from a function or from API Gateway."""

from tools.openapi.schemas.shapes import MONEY, TEXT, Schema, object_of

SCHEMAS: dict[str, Schema] = {
    "Error": object_of(
        {"error": TEXT, "code": TEXT, "requestId": TEXT, "nextAction": TEXT, "balance": MONEY},
        "balance",
        "nextAction",
        description=(
            "nextAction: what the caller should do next; answers to a game provider's signed calls do not have it. "
            "balance: the player's balance, where the player is known."
        ),
    ),
    "GatewayMessage": object_of({"message": TEXT}, description="An error answer of API Gateway itself."),
}
