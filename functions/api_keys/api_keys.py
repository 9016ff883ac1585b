"""The API keys of a tenant's machines: /api-keys."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway import api, api_keys
from causeway.hub_api import HubAnswer, HubCall, hub_call
from causeway.operations import describe

app = APIGatewayHttpResolver()


@app.post("/api-keys")
@hub_call(app, "api_keys.manage")
@describe("NewApiKey", status=201, request="ApiKeyDraft", refuses="NAME_TAKEN")
def create(call: HubCall) -> HubAnswer:
    """Create an API key; its secret is shown only in this response."""
    key, text = api_keys.create(call.context, api_keys.KeyDraft.parse(call.body))
    return HubAnswer(key.as_json() | {"apiKey": text}, 201, headers={"cache-control": "no-store"})


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
    api_keys.revoke(call.context, call.path["key_id"])
    return HubAnswer("", 204)


handler = api.lambda_handler(app)
