"""The deployment's tenants: /tenants."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway.edge import answers
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.tenancy import tenants

app = APIGatewayHttpResolver()


def _shown(tenant: tenants.Tenant) -> HubAnswer:
    return HubAnswer(tenant.as_json(), version=tenant.version)


def _created(tenant: tenants.Tenant) -> HubAnswer:
    return HubAnswer(tenant.as_json(), 201, tenant.version, {"location": f"/tenants/{tenant.tenant_id}"})


@route(
    app,
    "POST",
    "/tenants",
    permission="tenants.manage",
    request="TenantDraft",
    refuses_if_match=True,
    response="Tenant",
    status=201,
    refuses=("NAME_TAKEN",),
)
def create(call: HubCall) -> HubAnswer:
    """Create a tenant."""
    return call.run(_created, tenants.create, tenants.TenantDraft.parse(call.body))


@route(app, "GET", "/tenants", permission="tenants.manage", query="TenantQuery", response="TenantPage")
def list_tenants(call: HubCall) -> HubAnswer:
    """List tenants, ordered by code."""
    return HubAnswer(tenants.page(call.context, call.query).as_json("tenants", tenants.Tenant.as_json))


@route(app, "GET", "/tenants/{tenant_id}", permission="tenants.manage", response="Tenant")
def get(call: HubCall) -> HubAnswer:
    """Get a tenant."""
    return _shown(tenants.find(call.context, tenants.parse_tenant_id(call.path)))


@route(app, "PATCH", "/tenants/{tenant_id}", permission="tenants.manage", request="TenantChange", response="Tenant")
def change(call: HubCall) -> HubAnswer:
    """Change a tenant's display name."""
    return call.run(_shown, tenants.change, tenants.parse_tenant_id(call.path), call.body, call.if_match)


handler = answers.lambda_handler(app)
