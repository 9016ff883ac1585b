"""The deployment's tenants: /tenants."""

from causeway.edge.answers import lambda_handler
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.edge.routes import App
from causeway.tenancy import tenants

app = App()


def _shown(tenant: tenants.Tenant) -> HubAnswer:
    return HubAnswer(tenant, version=tenant.version)


def _created(tenant: tenants.Tenant) -> HubAnswer:
    return HubAnswer(tenant, 201, tenant.version, {"location": f"/tenants/{tenant.tenant_id}"})


@route(
    app,
    "POST",
    "/tenants",
    permission="tenants.manage",
    refuses_if_match=True,
    response=tenants.Tenant,
    status=201,
    refuses=("NAME_TAKEN",),
)
def create(call: HubCall, body: tenants.TenantDraft) -> HubAnswer:
    """Create a tenant."""
    return call.run(_created, tenants.create, body)


@route(app, "GET", "/tenants", permission="tenants.manage", response=tenants.TenantPage)
def list_tenants(call: HubCall, query: tenants.TenantQuery) -> HubAnswer:
    """List tenants, ordered by code."""
    return HubAnswer(tenants.page(call.context, query))


@route(app, "GET", "/tenants/{tenant_id}", permission="tenants.manage", response=tenants.Tenant)
def get(call: HubCall) -> HubAnswer:
    """Get a tenant."""
    return _shown(tenants.find(call.context, tenants.parse_tenant_id(call.path)))


@route(app, "PATCH", "/tenants/{tenant_id}", permission="tenants.manage", response=tenants.Tenant)
def change(call: HubCall, body: tenants.TenantChange) -> HubAnswer:
    """Change a tenant's name and regional settings."""
    return call.run(_shown, tenants.change, tenants.parse_tenant_id(call.path), body, call.if_match)


handler = lambda_handler(app)
