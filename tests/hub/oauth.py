"""Authorizes connections by OAuth, as a person in a browser does, against the sandbox's platforms."""

from dataclasses import dataclass, field
from http.client import HTTPConnection
from secrets import token_hex
from typing import Any
from urllib.parse import parse_qs, urlsplit

from local.sandbox import registry
from tests.hub.client import ADMIN, NOBODY, Caller, Hub, Reply

# The settings that a person gives before the authorization, by platform.
SETTINGS: dict[str, dict[str, str]] = {
    "facebook": {},
    "facebook_ads": {"ad_account_id": "1234567890"},
    "instagram": {},
    "linkedin": {},
    "tiktok": {},
    "google_analytics": {"property_id": "213025502"},
    "gohighlevel": {},
    "mailchimp": {},
}
# The fields of the app's id and secret.
APP_FIELDS = {
    **dict.fromkeys(("facebook", "facebook_ads", "instagram"), ("app_id", "app_secret")),
    "tiktok": ("client_key", "client_secret"),
}


def app_of(key: str) -> dict[str, str]:
    """The app that the sandbox's platform knows, in the fields of a connection's config."""
    app = registry.oauth_app(key)
    names = APP_FIELDS.get(key, ("client_id", "client_secret"))
    return dict(zip(names, (app["client_id"], app["client_secret"]), strict=True))


def app_secret_field(key: str) -> str:
    """The field of the app's secret."""
    return APP_FIELDS.get(key, ("client_id", "client_secret"))[1]


def waiting(hub: Hub, key: str, caller: Caller = ADMIN, **more: str) -> str:
    """The path of a new connection without tokens; more: of its config, beside the app."""
    config = SETTINGS[key] | app_of(key) | more
    body = {"templateId": key, "name": f"{key} {token_hex(6)}", "config": config}
    reply = hub.call("POST", "/integrations", caller, body)
    assert reply.status == 201, reply
    return reply.headers["location"]


def get(url: str) -> Reply:
    """A browser's GET; redirects are not followed."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=30)
    try:
        connection.request("GET", parts.path + (f"?{parts.query}" if parts.query else ""))
        response = connection.getresponse()
        headers = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, headers, response.read())
    finally:
        connection.close()


@dataclass
class Flow:
    """An authorization of a connection."""

    hub: Hub
    path: str
    caller: Caller = ADMIN
    url: str = ""
    seen: list[str] = field(default_factory=list)

    @property
    def id(self) -> str:
        """The connection's id."""
        return self.path.rsplit("/", 1)[1]

    def begin(self, body: dict[str, Any] | None = None, **headers: Any) -> Reply:
        reply = self.hub.call("POST", f"{self.path}/authorize", self.caller, body or {}, **headers)
        if reply.status == 200:
            self.url = reply.json["url"] or self.url
        return reply

    def begun(self) -> "Flow":
        reply = self.begin()
        assert reply.status == 200, reply
        return self

    def redirect(self, choice: str = "allow") -> str:
        """Choose on the platform's page; the address that it redirects to."""
        reply = get(f"{self.url}&sandbox_consent={choice}")
        assert reply.status == 302, reply
        return reply.headers["location"]

    def consent(self, choice: str = "allow") -> Reply:
        """Choose on the platform's page, and follow its redirect."""
        return get(self.redirect(choice))

    def returned(self, choice: str = "allow") -> "Flow":
        """Begin, choose on the platform's page, and follow its redirect with the hub's own client."""
        parts = urlsplit(self.begun().redirect(choice))
        reply = self.hub.call("GET", f"{parts.path}?{parts.query}", NOBODY)
        assert reply.status == 200, reply
        return self

    def complete(self, **headers: Any) -> Reply:
        return self.hub.call("POST", f"{self.path}/authorize/complete", self.caller, **headers)

    @property
    def asked(self) -> dict[str, str]:
        """The parameters of the platform's page."""
        return {name: values[0] for name, values in parse_qs(urlsplit(self.url).query).items()}


def connected(hub: Hub, key: str, caller: Caller = ADMIN) -> str:
    """The path of a new connection that was authorized."""
    flow = Flow(hub, waiting(hub, key, caller), caller).begun()
    assert flow.consent().status == 200
    reply = flow.complete()
    assert reply.status == 200, reply
    assert reply.json["connection"]["status"] == "active", reply
    return flow.path
