"""The demo credentials the sandbox accepts, by provider: made up, public, in the fields of the catalogue's schemas.

A credential that contains sandbox-fault- and a fault's name (SG.sandbox-fault-429) asks for that fault.
"""

import base64
from collections.abc import Mapping
from types import MappingProxyType

_META = {"access_token": "EAAsandboxAccessToken", "app_secret": "sandbox-app-secret"}

DEMO_CREDENTIALS: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "twilio": {
            "account_sid": "AC5a6d0b0c5a6d0b0c5a6d0b0c5a6d0b0c",
            "auth_token": "sandbox-twilio-auth-token",
            "whatsapp_number": "whatsapp:+14155238886",
        },
        "whatsapp_business": {**_META, "phone_number_id": "106540352242922", "waba_id": "102290129340398"},
        "softswiss": {
            "api_key": "sandbox-softswiss-key",
            "api_secret": "sandbox-softswiss-secret",
            "casino_id": "demo-casino",
            "environment": "sandbox",
        },
        "altenar": {
            "api_username": "sandbox-altenar",
            "api_password": "sandbox-altenar-password",
            "operator_id": "1234",
            "brand_id": "5678",
        },
        "bet_software": {
            "partner_id": "sandbox-partner",
            "api_key": "sandbox-bet-software-key",
            "hash_key": "sandbox-bet-software-hash-key",
            "site_id": "sandbox-site",
        },
        "playtech_pam": {
            "client_id": "sandbox-playtech",
            "client_secret": "sandbox-playtech-secret",
            "license_key": "sandbox-playtech-licence",
            "region": "eu",
        },
        "stripe": {
            "api_key": "sk_test_sandboxStripeKey",
            "publishable_key": "pk_test_sandboxStripeKey",
            "webhook_secret": "whsec_sandboxStripeSecret",
        },
        "paypal": {"client_id": "sandbox-paypal-client", "client_secret": "sandbox-paypal-secret"},
        "network_international": {
            "api_key": base64.b64encode(b"sandbox-ngenius:sandbox-ngenius-secret").decode(),
            "outlet_reference": "0d7d3a2c-5a3e-4b6e-9a55-3f6c1de70001",
        },
        "telr": {"store_id": "15996", "auth_key": "sandbox-telr-key"},
        "aramex": {
            "username": "sandbox@aramex.example",
            "password": "sandbox-aramex-password",
            "account_number": "20016",
            "account_pin": "331421",
            "account_entity": "DXB",
            "account_country_code": "AE",
        },
        "dhl_express": {"api_key": "sandbox-dhl-key", "api_secret": "sandbox-dhl-secret"},
        "fedex": {
            "client_id": "sandbox-fedex-client",
            "client_secret": "sandbox-fedex-secret",
            "account_number": "740561073",
        },
        "smsa_express": {"api_key": "sandbox-smsa-key"},
        "facebook": {**_META, "page_id": "1067280970047460"},
        "instagram": {**_META, "ig_user_id": "17841405822304914"},
        "linkedin": {"access_token": "sandbox-linkedin-token"},
        "tiktok": {"access_token": "act.sandbox-tiktok-token"},
        "mailchimp": {"api_key": "0123456789abcdef0123456789abcdef-us21", "data_center": "us21"},
        "sendgrid": {"api_key": "SG.sandboxSendGridKey"},
        "gohighlevel": {
            "apiKey": "pit-sandbox-gohighlevel",
            "locationId": "ve9EPM428h8vShlRW1KT",
            "calendarId": "BqTwX8QFwXzpegMve9EQ",
        },
        "facebook_ads": {**_META, "ad_account_id": "1234567890"},
        "google_analytics": {
            "property_id": "213025502",
            "client_id": "sandbox.apps.googleusercontent.com",
            "client_secret": "sandbox-google-secret",
            "refresh_token": "1//sandbox-google-refresh-token",
        },
    }
)
