"""The platform's tenants: /tenants."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway.edge import answers
from causeway.edge.hub import HubAnswer, HubCall, hub_call
from causeway.edge.operations import describe
from causeway.tenancy import tenants

app = APIGatewayHttpResolver()


def _shown(tenant: tenants.Tenant) -> HubAnswer:
    return HubAnswer(tenant.as_json(), version=tenant.version)


def _made(tenant: tenants.Tenant) -> HubAnswer:
    return HubAnswer(tenant.as_json(), 201, tenant.version, {"location": f"/tenants/{tenant.tenant_id}"})


@app.post("/tenants")
@hub_call(app, "tenants.manage", creates=True)
@describe("Tenant", status=201, request="TenantDraft", refuses="NAME_TAKEN")
def create(call: HubCall) -> HubAnswer:
    """Create a tenant."""
    return _made(tenants.create(call.keeping(_made), tenants.Draft.parse(call.body)))


@app.get("/tenants")
@hub_call(app, "tenants.manage")
@describe("TenantPage", query="TenantQuery")
def every(call: HubCall) -> HubAnswer:
    """List tenants, in the order of their codes."""
    found, cursor = tenants.page(call.context, call.query)
    return HubAnswer({"tenants": [one.as_json() for one in found], "nextCursor": cursor})


@app.get("/tenants/<tenant_id>")
@hub_call(app, "tenants.manage")
@describe("Tenant")
def get(call: HubCall) -> HubAnswer:
    """Get a tenant."""
    return _shown(tenants.find(call.context, call.path["tenant_id"]))


@app.patch("/tenants/<tenant_id>")
@hub_call(app, "tenants.manage")
@describe("Tenant", request="TenantChange")
def change(call: HubCall) -> HubAnswer:
    """Change a tenant's display name."""
    return _shown(tenants.change(call.keeping(_shown), call.path["tenant_id"], call.body, call.expected))


handler = answers.lambda_handler(app)
