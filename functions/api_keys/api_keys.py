"""The API keys of a tenant's machines: /api-keys."""

from causeway.edge.answers import lambda_handler
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.edge.routes import App
from causeway.tenancy import api_keys

app = App()

# A replay of the creation cannot show the key again.
_SHOWN_ONCE = "The key was shown once, in the first answer. If you lost it, create another one and delete this one."


@route(
    app,
    "POST",
    "/api-keys",
    permission="api_keys.manage",
    refuses_if_match=True,
    response=api_keys.NewApiKey,
    status=201,
    refuses=("NAME_TAKEN",),
)
def create(call: HubCall, body: api_keys.ApiKeyDraft) -> HubAnswer:
    """Create an API key; the key is shown only in this answer."""
    return call.run(_created, api_keys.create, body)


def _created(key: api_keys.NewApiKey) -> HubAnswer:
    return HubAnswer(
        key,
        201,
        key.version,
        {"cache-control": "no-store", "location": f"/api-keys/{key.key_id}"},
        replay_body=key.model_copy(update={"api_key": None, "next_action": _SHOWN_ONCE}),
    )


@route(app, "GET", "/api-keys", permission="api_keys.manage", response=api_keys.ApiKeyPage)
def list_keys(call: HubCall, query: api_keys.ApiKeyQuery) -> HubAnswer:
    """List the tenant's API keys, newest first (secrets are never shown)."""
    return HubAnswer(api_keys.page(call.context, query))


@route(app, "DELETE", "/api-keys/{key_id}", permission="api_keys.manage", status=204, refuses=("API_KEY_NOT_FOUND",))
def revoke(call: HubCall) -> HubAnswer:
    """Revoke an API key at once."""
    key_id = api_keys.parse_key_id(call.path)
    return call.run(_revoked, api_keys.revoke, key_id, call.if_match)


def _revoked(key: api_keys.ApiKey) -> HubAnswer:
    return HubAnswer("", 204, key.version)


handler = lambda_handler(app)
