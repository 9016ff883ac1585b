"""Aramex: https://www.aramex.com/developers."""

from collections.abc import Callable

from local.sandbox.registry import demo_credentials
from tests.platforms.facts import Facts
from tests.platforms.recorder import JSON, Sent

FACTS = Facts(
    kind="shipping",
    secrets=frozenset({"password", "account_pin"}),
    example={"username": "a@b.example", "password": "p\u00e4ss word", "account_number": "1", "account_pin": "2"},
    # Errors come with status 200; ERR01 is a refused account. A shipment that does not exist is no error.
    verdicts=(
        (200, {"HasErrors": True, "Notifications": [{"Code": "ERR01"}]}, "INVALID_CREDENTIALS"),
        (201, {"HasErrors": "true", "Notifications": [{"Code": "ERR01"}]}, "INVALID_CREDENTIALS"),
        (200, {"HasErrors": True, "Notifications": [{"Code": "ERR52"}]}, "PROVIDER_REJECTED"),
        (200, {"HasErrors": True, "Notifications": [{"Code": ["ERR01"]}]}, "PROVIDER_REJECTED"),
        # Without a notification of its own, the error is about a part of the request; the other parts may be done.
        *((200, {"HasErrors": True, "Notifications": found}, "PROVIDER_ERROR") for found in (None, [], 5, "ERR01")),
        *((200, {"HasErrors": other}, "CONNECTED") for other in ("false", 1, None)),
        (200, {"HasErrors": False, "NonExistingWaybills": ["1"]}, "CONNECTED"),
    ),
    # It does not tell a missing right from a wrong password.
    forbidden="INVALID_CREDENTIALS",
)
MINE = demo_credentials("aramex")


def test_connection_test_tracks_a_shipment_that_does_not_exist(sent: Callable[[str], list[Sent]]) -> None:
    client = {
        "UserName": MINE["username"],
        "Password": MINE["password"],
        "Version": "v1.0",
        "AccountNumber": MINE["account_number"],
        "AccountPin": MINE["account_pin"],
        "AccountEntity": MINE["account_entity"],
        "AccountCountryCode": MINE["account_country_code"],
        "Source": 24,
    }
    body = {
        "ClientInfo": client,
        "Transaction": {"Reference1": "connection-test"},
        "Shipments": ["1"],
        "GetLastTrackingUpdateOnly": True,
    }

    assert sent("aramex") == [Sent("POST", "/ShippingAPI.V2/Tracking/Service_1_0.svc/json/TrackShipments", JSON, body)]
