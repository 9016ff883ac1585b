"""The bodies of error answers, from a function or from API Gateway."""

from tools.openapi.schemas.shapes import MONEY, TEXT, Schema, list_of, object_of

SCHEMAS: dict[str, Schema] = {
    "Error": object_of(
        {
            "error": TEXT,
            "code": TEXT,
            "requestId": TEXT,
            "nextAction": TEXT,
            "problems": list_of(object_of({"path": TEXT, "rule": TEXT})),
            "balance": MONEY,
        },
        "balance",
        "problems",
        "nextAction",
        description=(
            "nextAction: what the caller should do next; answers to a game provider's signed calls do not have it. "
            "problems: the parts of the request that break a rule, five at most, where they are known. "
            "balance: the player's balance, where the player is known."
        ),
    ),
    "GatewayMessage": object_of({"message": TEXT}, description="An error answer of API Gateway itself."),
}
