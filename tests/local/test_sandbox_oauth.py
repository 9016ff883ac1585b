"""The sandbox's authorization servers check what is sent, as the vendors do."""

from base64 import b64encode
from hashlib import sha256
from http.client import HTTPConnection
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from local.sandbox.registry import oauth_app
from tests.hub.client import Reply

BACK = "https://hub.example/oauth/callback"
# The pages of the consent and the token endpoints.
PATHS = {
    "facebook": ("/v23.0/dialog/oauth", "/v23.0/oauth/access_token"),
    "facebook_ads": ("/v23.0/dialog/oauth", "/v23.0/oauth/access_token"),
    "instagram": ("/oauth/authorize", "/oauth/access_token"),
    "linkedin": ("/oauth/v2/authorization", "/oauth/v2/accessToken"),
    "tiktok": ("/v2/auth/authorize/", "/v2/oauth/token/"),
    "google_analytics": ("/o/oauth2/v2/auth", "/token"),
    "gohighlevel": ("/v2/oauth/chooselocation", "/oauth/token"),
    "mailchimp": ("/oauth2/authorize", "/oauth2/token"),
}
VERIFIER = "a-made-up-verifier"


class Vendor:
    """A platform of the sandbox, called as our product calls it, with changes."""

    def __init__(self, url: str, key: str) -> None:
        self.place, self.key = urlsplit(url).netloc, key
        self.app = oauth_app(key)
        self.client = "client_key" if key == "tiktok" else "client_id"
        self.challenge = {"code_challenge": sha256(VERIFIER.encode()).hexdigest()} if key == "tiktok" else {}
        self.verifier = {"code_verifier": VERIFIER} if key == "tiktok" else {}

    def call(self, method: str, path: str, body: str | None = None, **headers: str) -> Reply:
        connection = HTTPConnection(self.place, timeout=30)
        try:
            connection.request(method, f"/{self.key}{path}", body, headers)
            answer = connection.getresponse()
            return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def consent(self, choice: str = "allow", **changes: str | None) -> Reply:
        asked: dict[str, Any] = {"response_type": "code", self.client: self.app["client_id"], "redirect_uri": BACK}
        asked |= {"state": "a-state", "scope": "one", "sandbox_consent": choice, **self.challenge, **changes}
        given = {name: value for name, value in asked.items() if value is not None}
        return self.call("GET", f"{PATHS[self.key][0]}?{urlencode(given)}")

    def code(self) -> str:
        code = parse_qs(urlsplit(self.consent().headers["location"]).query)["code"][0]
        return code.removesuffix("#_").replace("%2A", "*")

    def exchange(self, code: str, headers: dict[str, str] | None = None, **changes: str | None) -> Reply:
        form: dict[str, Any] = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
        form |= {self.client: self.app["client_id"], "client_secret": self.app["client_secret"]}
        form |= {"user_type": "Location"} if self.key == "gohighlevel" else {}
        given = {name: value for name, value in (form | self.verifier | changes).items() if value is not None}
        return self.call("POST", PATHS[self.key][1], urlencode(given), **headers or {})

    def renew(self, token: str) -> Reply:
        return self.exchange("", grant_type="refresh_token", refresh_token=token)


@pytest.fixture(params=PATHS)
def vendor(request: pytest.FixtureRequest, sandbox_url: str) -> Vendor:
    return Vendor(sandbox_url, request.param)


def granted(reply: Reply) -> bool:
    """Whether there is an access token, whatever the status."""
    return "access_token" in reply.json


def test_code_is_good_once_for_its_redirect_and_its_app(vendor: Vendor) -> None:
    code = vendor.code()
    first, again = vendor.exchange(code), vendor.exchange(code)
    assert (granted(first), granted(again)) == (True, False)
    assert not granted(vendor.exchange(vendor.code(), redirect_uri=f"{BACK}/other"))
    assert not granted(vendor.exchange(vendor.code(), client_secret="wrong"))
    assert not granted(vendor.exchange("made-up"))


def test_wrong_app_or_redirect_is_told_to_the_person(vendor: Vendor) -> None:
    for changes in (
        {vendor.client: "unknown"},
        {"redirect_uri": f"{BACK}?a=b"},
        {"redirect_uri": "https://hub.example/x"},
    ):
        reply = vendor.consent(**changes)
        assert (reply.status, "location" in reply.headers) == (400, False)


def test_state_is_returned_where_the_vendor_documents_it(vendor: Vendor) -> None:
    query = parse_qs(urlsplit(vendor.consent().headers["location"]).query)
    assert query.get("state") == (None if vendor.key == "gohighlevel" else ["a-state"])


def test_page_of_the_consent_offers_the_choices(vendor: Vendor) -> None:
    page = vendor.consent("")
    assert (page.status, page.body.decode().count("sandbox_consent=")) == (200, 3)


def test_linkedin_takes_neither_basic_nor_a_verifier(sandbox_url: str) -> None:
    vendor = Vendor(sandbox_url, "linkedin")
    basic = b64encode(f"{vendor.app['client_id']}:{vendor.app['client_secret']}".encode()).decode()
    header = {"Authorization": f"Basic {basic}"}
    refused = vendor.exchange(vendor.code(), header, client_id=None, client_secret=None)
    assert (refused.status, refused.json["error"]) == (401, "invalid_client")
    verified = vendor.exchange(vendor.code(), code_verifier=VERIFIER)
    assert (verified.status, verified.json["error"]) == (401, "invalid_client")


def test_google_takes_basic(sandbox_url: str) -> None:
    vendor = Vendor(sandbox_url, "google_analytics")
    basic = b64encode(f"{vendor.app['client_id']}:{vendor.app['client_secret']}".encode()).decode()
    header = {"Authorization": f"Basic {basic}"}
    assert granted(vendor.exchange(vendor.code(), header, client_id=None, client_secret=None))


def test_tiktok_requires_the_hexadecimal_challenge(sandbox_url: str) -> None:
    vendor = Vendor(sandbox_url, "tiktok")
    assert vendor.consent(code_challenge=None).status == 400
    refused = vendor.exchange(vendor.code(), code_verifier="another")
    assert (refused.status, refused.json["error"]) == (200, "invalid_grant")


@pytest.mark.parametrize("key", ["tiktok", "gohighlevel"])
def test_rotated_refresh_token_is_dead_at_once(sandbox_url: str, key: str) -> None:
    vendor = Vendor(sandbox_url, key)
    first = vendor.exchange(vendor.code()).json["refresh_token"]
    second = vendor.renew(first).json["refresh_token"]
    assert second != first
    assert not granted(vendor.renew(first))
    assert granted(vendor.renew(second))


def test_refresh_token_of_google_is_told_once_and_stays(sandbox_url: str) -> None:
    vendor = Vendor(sandbox_url, "google_analytics")
    token = vendor.exchange(vendor.code()).json["refresh_token"]
    for _ in range(2):
        answer = vendor.renew(token).json
        assert ("access_token" in answer, "refresh_token" in answer) == (True, False)
