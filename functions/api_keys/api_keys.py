"""The API keys of a tenant's machines: /api-keys."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway import api, api_keys
from causeway.hub_api import HubAnswer, HubCall, hub_call
from causeway.operations import describe

app = APIGatewayHttpResolver()

# A replay of the creation cannot show the key again.
_ROTATE = "The key was shown once, in the first answer. If you lost it, create another one and delete this one."


@app.post("/api-keys")
@hub_call(app, "api_keys.manage", creates=True)
@describe("NewApiKey", status=201, request="ApiKeyDraft", refuses="NAME_TAKEN")
def create(call: HubCall) -> HubAnswer:
    """Create an API key; its secret is shown only in this response."""
    key, text = api_keys.create(call.context, api_keys.KeyDraft.parse(call.body), call.creation)
    body, replayed = key.as_json() | {"apiKey": text}, key.as_json() | {"apiKey": None, "nextAction": _ROTATE}
    return HubAnswer(
        replayed if text is None else body,
        201,
        key.version,
        {"cache-control": "no-store", "location": f"/api-keys/{key.key_id}"},
        kept=replayed,
    )


@app.get("/api-keys")
@hub_call(app, "api_keys.manage")
@describe("ApiKeyList")
def every(call: HubCall) -> HubAnswer:
    """List the tenant's API keys (secrets are never shown)."""
    return HubAnswer({"apiKeys": [key.as_json() for key in api_keys.every(call.context)]})


@app.delete("/api-keys/<key_id>")
@hub_call(app, "api_keys.manage")
@describe(status=204, refuses="API_KEY_NOT_FOUND")
def revoke(call: HubCall) -> HubAnswer:
    """Revoke an API key at once."""
    return HubAnswer("", 204, api_keys.revoke(call.context, call.path["key_id"], call.expected).version)


handler = api.lambda_handler(app)
