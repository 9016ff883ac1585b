"""The platforms: per provider its routes, what a request to each must prove, and what it answers.

Paths and answers are the vendors' own where they are public; SOFTSWISS's data API, Altenar, BET Software and Playtech
PAM publish nothing, and are played as the catalogue's defaults describe them.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from local.sandbox import gohighlevel
from local.sandbox.credentials import DEMO_CREDENTIALS
from local.sandbox.exchange import Asked, Said
from local.sandbox.proofs import Proof, all_of, basic, bearer, form, header, query, signed
from local.sandbox.routes import Answer, Route, Tokens

_EMPTY_PAGE: Mapping[str, Any] = MappingProxyType({"data": [], "next_cursor": None})


def _says(content: Any, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return lambda _, __: Said(200, content, named)


def _gives_token(provider: str, tokens: Tokens, seconds: int, **more: Any) -> Answer:
    def give(asked: Asked, _: Mapping[str, str]) -> Said | int:
        grant = asked.form.get("grant_type", "client_credentials")
        if grant not in ("client_credentials", "refresh_token"):
            return Said(400, {"error": "unsupported_grant_type", "error_description": "Unsupported grant_type"})
        return Said(200, {"access_token": tokens.give(provider), "token_type": "Bearer", "expires_in": seconds, **more})

    return give


def _twilio(mine: Mapping[str, str]) -> list[Route]:
    """https://www.twilio.com/docs/usage/api/account; a stranger's account is not found."""
    sid = mine["account_sid"]

    def account(content: Mapping[str, Any]) -> Answer:
        return lambda _, path: Said(200, content, {"Twilio-Request-Id": "RQsandbox"}) if path["sid"] == sid else 404

    proof = basic(sid, mine["auth_token"])
    balance = {"account_sid": sid, "balance": "42.17", "currency": "USD"}
    about = {"sid": sid, "friendly_name": "Causeway sandbox", "status": "active", "type": "Full"}
    accounts = r"/2010-04-01/Accounts/(?P<sid>\w+)"
    return [
        Route("GET", rf"{accounts}/Balance\.json", proof, account(balance)),
        Route("GET", rf"{accounts}\.json", proof, account({**about, "auth_token": mine["auth_token"]})),
    ]


def _graph(identity: str, content: Mapping[str, Any], mine: Mapping[str, str]) -> list[Route]:
    """https://developers.facebook.com/docs/graph-api: the fields asked for, and id in any case."""

    def fields(asked: Asked, path: Mapping[str, str]) -> Said | int:
        if path["identity"] != identity:
            return 404
        wanted = asked.query.get("fields", "name").split(",")
        return Said(200, {"id": content["id"], **{name: content[name] for name in wanted if name in content}})

    return [Route("GET", r"/v\d+\.\d+/(?P<identity>\w+)", bearer(mine["access_token"]), fields)]


def _stripe(mine: Mapping[str, str]) -> list[Route]:
    """https://docs.stripe.com/api/balance; the key may also be the user of HTTP Basic."""
    money = [{"amount": 1250000, "currency": "aed", "source_types": {"card": 1250000}}]
    balance = {"object": "balance", "available": money, "pending": [], "livemode": False}

    def proof(asked: Asked) -> bool:
        return bearer(mine["api_key"])(asked) or asked.basic == (mine["api_key"], "")

    return [Route("GET", "/v1/balance", proof, _says(balance, Request_Id="req_sandbox"))]


def _paypal(mine: Mapping[str, str]) -> list[Route]:
    """https://developer.paypal.com/api/rest/authentication."""
    tokens = Tokens()
    give = _gives_token("paypal", tokens, 32400, app_id="APP-80W284485P519543T", nonce="sandbox", scope="openid")
    return [
        Route("POST", "/v1/oauth2/token", basic(mine["client_id"], mine["client_secret"]), give),
        Route("GET", "/v1/notifications/webhooks", tokens.known, _says({"webhooks": []})),
    ]


def _ngenius(mine: Mapping[str, str]) -> list[Route]:
    tokens = Tokens()
    give = _gives_token("ngenius", tokens, 300, refresh_expires_in=1800)
    proof = header("Authorization", f"Basic {mine['api_key']}")
    return [Route("POST", "/identity/auth/access-token", proof, give)]


def _telr(mine: Mapping[str, str]) -> list[Route]:
    """https://docs.telr.com: credentials in the body, errors with status 200. The words are an assumption."""
    missing = {"method": "check", "error": {"message": "E20:Order not found", "note": ""}}

    def proof(asked: Asked) -> bool:
        return (asked.json.get("store"), asked.json.get("authkey")) == (mine["store_id"], mine["auth_key"])

    return [Route("POST", r"/gateway/order\.json", proof, _says(missing))]


def _aramex(mine: Mapping[str, str]) -> list[Route]:
    """https://www.aramex.com/developers: credentials in the body, errors with status 200."""
    names = {
        "UserName": "username",
        "Password": "password",
        "AccountNumber": "account_number",
        "AccountPin": "account_pin",
        "AccountEntity": "account_entity",
        "AccountCountryCode": "account_country_code",
    }

    def proof(asked: Asked) -> bool:
        client = asked.json.get("ClientInfo")
        return isinstance(client, dict) and all(client.get(name) == mine[key] for name, key in names.items())

    def track(asked: Asked, _: Mapping[str, str]) -> Said:
        waybills = asked.json.get("Shipments", [])
        content = {"HasErrors": False, "Notifications": [], "NonExistingWaybills": waybills, "TrackingResults": []}
        return Said(200, content)

    return [Route("POST", r"/ShippingAPI\.V2/Tracking/Service_1_0\.svc/json/TrackShipments", proof, track)]


def _dhl(mine: Mapping[str, str]) -> list[Route]:
    """https://developer.dhl.com/api-reference/dhl-express-mydhl-api; x-version is required."""
    place = {"countryCode": "AE", "postalCode": "", "cityName": "DUBAI", "serviceArea": {"code": "DXB"}}

    def validate(asked: Asked, _: Mapping[str, str]) -> Said | int:
        complete = asked.headers.get("x-version") and asked.query.get("countryCode")
        return Said(200, {"warnings": [], "address": [place]}) if complete else 400

    return [Route("GET", "/address-validate", basic(mine["api_key"], mine["api_secret"]), validate)]


def _fedex(mine: Mapping[str, str]) -> list[Route]:
    proof = form(client_id=mine["client_id"], client_secret=mine["client_secret"])
    return [Route("POST", "/oauth/token", proof, _gives_token("fedex", Tokens(), 3599, scope="CXS"))]


def _google(mine: Mapping[str, str]) -> list[Route]:
    """https://developers.google.com/identity/protocols/oauth2/web-server#offline: a refused refresh is a 400."""
    tokens = Tokens()
    give = _gives_token("google", tokens, 3599, scope="https://www.googleapis.com/auth/analytics.readonly")
    name = f"properties/{mine['property_id']}"

    def refresh(asked: Asked, path: Mapping[str, str]) -> Said | int:
        if asked.form.get("refresh_token") != mine["refresh_token"]:
            return Said(400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."})
        return give(asked, path)

    def metadata(_: Asked, path: Mapping[str, str]) -> Said | int:
        known = path["name"] == name
        return Said(200, {"name": f"{name}/metadata", "dimensions": [], "metrics": []}) if known else 403

    client = form(client_id=mine["client_id"], client_secret=mine["client_secret"])
    return [
        Route("POST", "/token", client, refresh),
        Route("GET", r"/v1beta/(?P<name>properties/\d+)/metadata", tokens.known, metadata),
        Route("GET", "/v1beta/accountSummaries", tokens.known, _says({"accountSummaries": []})),
    ]


def _playtech(mine: Mapping[str, str]) -> list[Route]:
    tokens = Tokens()
    licensed = all_of(tokens.known, header("X-License-Key", mine["license_key"]), header("X-Region", mine["region"]))
    give = _gives_token("playtech", tokens, 3600)
    return [
        Route("POST", "/oauth/token", basic(mine["client_id"], mine["client_secret"]), give),
        Route("GET", "/players", licensed, _says(_EMPTY_PAGE)),
    ]


def _mailchimp(mine: Mapping[str, str]) -> list[Route]:
    """https://mailchimp.com/developer/marketing/api/ping: any user, the key as password; or the key as bearer."""
    key = mine["api_key"]

    def proof(asked: Asked) -> bool:
        return basic("", key)(asked) or bearer(key)(asked)

    return [Route("GET", r"/3\.0/ping", proof, _says({"health_status": "Everything's Chimpy!"}))]


def _one(method: str, path: str, proof: Proof, content: Any) -> list[Route]:
    return [Route(method, path, proof, _says(content))]


def all_routes() -> dict[str, list[Route]]:
    """Return the routes of every provider, with nothing given out yet."""
    mine = DEMO_CREDENTIALS
    softswiss, altenar, bets = mine["softswiss"], mine["altenar"], mine["bet_software"]
    whatsapp, facebook, instagram, ads = (
        mine[key] for key in ("whatsapp_business", "facebook", "instagram", "facebook_ads")
    )
    number = {"id": whatsapp["phone_number_id"], "verified_name": "Causeway sandbox", "quality_rating": "GREEN"}
    account = {"name": "Causeway sandbox", "account_status": 1, "currency": "AED", "timezone_name": "Asia/Dubai"}
    person = {"sub": "782bbtaQ", "name": "Causeway sandbox", "email_verified": True}
    user = {"user": {"open_id": "723f24d7-e717-40f8-a2b6-cb8464cd23b4", "display_name": "Causeway sandbox"}}
    currencies = [{"code": "SAR", "name": "Saudi Riyal"}, {"code": "AED", "name": "UAE Dirham"}]
    fine = {"code": "ok", "message": "", "log_id": "sandbox"}
    ad_account = f"act_{ads['ad_account_id']}"
    operator = all_of(query("operator_id", altenar["operator_id"]), query("brand_id", altenar["brand_id"]))
    casino = all_of(header("X-API-KEY", softswiss["api_key"]), signed("X-REQUEST-SIGN", softswiss["api_secret"]))
    partner = all_of(
        header("X-API-Key", bets["api_key"]),
        header("X-Partner-Id", bets["partner_id"]),
        header("X-Site-Id", bets["site_id"]),
        signed("X-Hash", bets["hash_key"]),
    )
    return {
        "twilio": _twilio(mine["twilio"]),
        "whatsapp_business": _graph(
            whatsapp["phone_number_id"], {**number, "display_phone_number": "+1 555 025 3483"}, whatsapp
        ),
        "softswiss": _one("GET", "/players", casino, _EMPTY_PAGE),
        "altenar": _one(
            "GET", "/bets", all_of(basic(altenar["api_username"], altenar["api_password"]), operator), _EMPTY_PAGE
        ),
        "bet_software": _one("GET", "/players", partner, _EMPTY_PAGE),
        "playtech_pam": _playtech(mine["playtech_pam"]),
        "stripe": _stripe(mine["stripe"]),
        "paypal": _paypal(mine["paypal"]),
        "network_international": _ngenius(mine["network_international"]),
        "telr": _telr(mine["telr"]),
        "aramex": _aramex(mine["aramex"]),
        "dhl_express": _dhl(mine["dhl_express"]),
        "fedex": _fedex(mine["fedex"]),
        "smsa_express": _one(
            "GET", "/api/lookup/currency", header("apikey", mine["smsa_express"]["api_key"]), currencies
        ),
        "facebook": _graph("me", {"id": facebook["page_id"], "name": "Causeway sandbox"}, facebook),
        "instagram": _graph(
            instagram["ig_user_id"], {"id": instagram["ig_user_id"], "username": "causeway"}, instagram
        ),
        "linkedin": _one("GET", "/v2/userinfo", bearer(mine["linkedin"]["access_token"]), person),
        "tiktok": _one("GET", "/v2/user/info/", bearer(mine["tiktok"]["access_token"]), {"data": user, "error": fine}),
        "mailchimp": _mailchimp(mine["mailchimp"]),
        "sendgrid": _one("GET", "/v3/scopes", bearer(mine["sendgrid"]["api_key"]), {"scopes": ["mail.send"]}),
        "gohighlevel": gohighlevel.routes(mine["gohighlevel"]),
        "facebook_ads": _graph(ad_account, {"id": ad_account, **account}, ads),
        "google_analytics": _google(mine["google_analytics"]),
    }
