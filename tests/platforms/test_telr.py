"""Telr: https://docs.telr.com."""

from collections.abc import Callable

from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import JSON, Sent

FACTS = Facts(
    kind="payment",
    secrets=frozenset({"auth_key", "api_key", "webhook_secret"}),
    example={"store_id": "15996", "auth_key": "your_auth_key"},
    # Errors come with a status of success. The test call asks for an order that does not exist.
    verdicts=(
        (200, {"error": {"message": "E04:Invalid store ID"}}, "INVALID_CREDENTIALS"),
        (201, {"error": {"message": "E04"}}, "INVALID_CREDENTIALS"),
        (200, {"error": "E04:Invalid store ID"}, "INVALID_CREDENTIALS"),
        (200, {"error": {"message": "Invalid auth key"}}, "INVALID_CREDENTIALS"),
        (200, {"error": {"message": "E20:Order not found"}}, "CONNECTED"),
        (200, {"error": {"message": "E20", "note": "Order reference not found"}}, "CONNECTED"),
        (200, {"error": {"message": "E05:Transaction cost or currency not valid"}}, "PROVIDER_REJECTED"),
        # The note may quote the request.
        (200, {"error": {"message": "E22:Invalid", "note": "refund for store id 12"}}, "PROVIDER_REJECTED"),
        (200, {"error": {"message": "E10:Order amount", "note": "Currency not found"}}, "PROVIDER_REJECTED"),
        # https://docs.telr.com/reference/authorisation-response-codes
        (200, {"error": {"message": "E40:Invalid transaction type"}}, "PROVIDER_REJECTED"),
        *((200, {"error": {"message": f"E{code}:"}}, "PROVIDER_ERROR") for code in (58, 78, 98, 99)),
        *((200, {"error": error}, "PROVIDER_REJECTED") for error in ({}, {"message": ["E04"]}, ["E04"], True)),
        *((200, {"error": error}, "CONNECTED") for error in (None, False, "")),
    ),
    # It does not tell a missing right from a wrong key.
    forbidden="INVALID_CREDENTIALS",
)
MINE = demo_credentials("telr")


def test_connection_test_looks_for_an_order_that_does_not_exist(sent: Callable[[str], list[Sent]]) -> None:
    order = {"ref": "CONNECTION-TEST"}
    body = {"method": "check", "store": MINE["store_id"], "authkey": MINE["auth_key"], "order": order}

    assert sent("telr") == [Sent("POST", "/gateway/order.json", JSON, body)]
