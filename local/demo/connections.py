"""The demo's second part: the sandbox's Twilio; Google Analytics by OAuth; Stripe through the proxy."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local.sandbox.registry import demo_credentials, oauth_app
from local.services.demo_data import CASINO_CODE, SECOND_CODE
from local.stack import Stack


@dataclass(frozen=True)
class Step:
    """A call with its expected and its actual answer, both as text."""

    caller: str
    call: str
    expected: str
    actual: str

    @property
    def agrees(self) -> bool:
        """Whether the answer was as expected."""
        return self.expected == self.actual


def play(stack: Stack) -> list[Step]:
    """Make the calls, one after the other, to a running stack."""
    tokens = stack.info["tokens"]
    admin, staff = tokens[CASINO_CODE]["tenant_admin"], tokens[CASINO_CODE]["staff"]
    stranger = tokens[SECOND_CODE]["tenant_admin"]
    config = demo_credentials("twilio")
    steps: list[Step] = []
    identifier = ""

    def step(caller: str, token: str, method: str, path: str, body: Any, expected: str, *shown: str) -> dict[str, Any]:
        status, answer = _call(f"{stack.base_url}{path}", method, token, body)
        actual = " ".join([str(status), *(str(answer.get(name)) for name in shown)])
        steps.append(
            Step(caller, f"{method} {path.replace(identifier, '{id}') if identifier else path}", expected, actual)
        )
        return answer

    draft = {"templateId": "twilio", "name": "Twilio", "config": config}
    made = step("tenant admin", admin, "POST", "/integrations", draft, "201 active", "status")
    identifier = str(made.get("id"))
    path = f"/integrations/{identifier}"
    step("tenant admin", admin, "POST", f"{path}/test", {}, "200 CONNECTED", "code")
    wrong = {"config": {"auth_token": "not-the-token"}}
    step("tenant admin", admin, "POST", f"{path}/credentials/rotate", wrong, "422 INVALID_CREDENTIALS", "code")
    step("tenant admin", admin, "GET", path, None, "200 active", "status")
    listed = step("tenant admin", admin, "GET", "/integrations", None, "200")
    steps.append(Step("", "... and the secret in its answer", "not shown", _shown(listed, config["auth_token"])))
    step("staff", staff, "POST", "/integrations", draft, "403 FORBIDDEN", "code")
    step("another tenant", stranger, "GET", path, None, "404 CONNECTION_NOT_FOUND", "code")
    step("nobody", "", "GET", path, None, "401")
    return steps


def authorize(stack: Stack) -> list[Step]:
    """Connect Google Analytics by OAuth: begin, consent as a browser does, complete, and read the log of the calls."""
    admin = stack.info["tokens"][CASINO_CODE]["tenant_admin"]
    app = oauth_app("google_analytics")
    config = {"property_id": demo_credentials("google_analytics")["property_id"], **app}
    steps: list[Step] = []

    def step(
        method: str, path: str, body: Any, expected: str, shown: Callable[[dict[str, Any]], str]
    ) -> dict[str, Any]:
        status, answer = _call(f"{stack.base_url}{path}", method, admin, body)
        steps.append(
            Step("tenant admin", f"{method} {path.replace(made, '{id}')}", expected, f"{status} {shown(answer)}")
        )
        return answer

    made = "{id}"
    draft = {"templateId": "google_analytics", "name": "Google Analytics", "config": config}
    made = str(step("POST", "/integrations", draft, "201 pending", lambda answer: answer["status"])["id"])
    path = f"/integrations/{made}"
    begun = step("POST", f"{path}/authorize", {}, "200 a url", lambda answer: "a url" if answer["url"] else "none")
    with urllib.request.urlopen(f"{begun['url']}&sandbox_consent=allow", timeout=30) as page:  # noqa: S310
        steps.append(Step("browser", "GET the url, consent, GET /oauth/callback", "200", str(page.status)))
    granted = "200 active, 0 missing"
    step(
        *("POST", f"{path}/authorize/complete", None, granted),
        lambda answer: f"{answer['connection']['status']}, {len(answer['scopesMissing'])} missing",
    )
    step("GET", f"{path}/logs", None, "200 GET 200, POST 200", _logged)
    return steps


def proxy(stack: Stack) -> list[Step]:
    """Call the sandbox's Stripe through the proxy: a call, one that may not be made, and the log of them."""
    admin = stack.info["tokens"][CASINO_CODE]["tenant_admin"]
    steps: list[Step] = []
    draft = {"templateId": "stripe", "name": "Stripe", "config": demo_credentials("stripe")}
    _, made = _call(f"{stack.base_url}/integrations", "POST", admin, draft)
    identifier = str(made.get("id"))

    def step(method: str, path: str, body: Any, expected: str, shown: Callable[[dict[str, Any]], str]) -> None:
        status, answer = _call(f"{stack.base_url}{path}", method, admin, body)
        call = f"{method} {path.replace(identifier, '{id}')}"
        steps.append(Step("tenant admin", call, expected, f"{status} {shown(answer)}"))

    step("GET", f"/proxy/{identifier}/v1/balance", None, "200 balance", lambda answer: str(answer.get("object")))
    form: dict[str, Any] = {"connection_id": identifier, "method": "GET", "path": "/v1/balance"}
    step("POST", "/functions/v1/api-proxy", form, "200 balance", lambda answer: str(answer.get("object")))
    own = form | {"headers": {"Authorization": "Bearer own"}}
    step("POST", "/functions/v1/api-proxy", own, "400 HEADER_NOT_ALLOWED", lambda answer: str(answer.get("code")))
    step("GET", f"/integrations/{identifier}/logs", None, "200 GET 200", _logged)
    return steps


def _logged(answer: dict[str, Any]) -> str:
    """Return the calls that were made, each once."""
    return ", ".join(sorted({f"{call['method']} {call['status']}" for call in answer["logs"] if call["status"]}))


def _shown(answer: dict[str, Any], secret: str) -> str:
    found = answer.get("integrations", [])
    if len(found) != 1:
        return f"{len(found)} connections"
    return "shown" if secret in json.dumps(found) else "not shown"


def _call(url: str, method: str, token: str, body: Any) -> tuple[int, dict[str, Any]]:
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {token}"} if token else {})
    content = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, content, headers, method=method)  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def show(steps: list[Step], title: str) -> bool:
    """Print the calls under a title; returns whether every answer is as expected."""
    print(f"\n{title}\n")
    print(f"{'Caller':<16}{'Call':<44}{'Expected':<26}Answer")
    for step in steps:
        verdict = "ok" if step.agrees else "DIFFERS"
        print(f"{step.caller:<16}{step.call:<44}{step.expected:<26}{step.actual:<26}{verdict}")
    agreed = sum(step.agrees for step in steps)
    print(f"\n{agreed} of {len(steps)} as expected")
    return agreed == len(steps)
