"""The templates, one per platform that a tenant can connect to: /integrations/templates."""

from causeway.catalogue import providers, templates
from causeway.catalogue.document import TemplateDraft
from causeway.catalogue.templates import Template, TemplateChange, TemplatePage, TemplateQuery
from causeway.edge.answers import lambda_handler
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall
from causeway.edge.routes import App

app = App()


def _shown(provider: providers.Provider) -> HubAnswer:
    return HubAnswer(Template.of(provider), version=provider.version)


def _created(provider: providers.Provider) -> HubAnswer:
    headers = {"location": f"/integrations/templates/{provider.key}"}
    return HubAnswer(Template.of(provider), 201, provider.version, headers)


@route(app, "GET", "/integrations/templates", permission="catalogue.read", response=TemplatePage)
def list_templates(call: HubCall, query: TemplateQuery) -> HubAnswer:
    """List the templates, ordered by id."""
    return HubAnswer(templates.page(call.context, query))


@route(
    app,
    "POST",
    "/integrations/templates",
    permission="catalogue.write",
    refuses_if_match=True,
    response=Template,
    status=201,
    refuses=("CONFIG_SCHEMA_INVALID", "NAME_TAKEN"),
)
def create(call: HubCall, body: TemplateDraft) -> HubAnswer:
    """Create a template."""
    return call.run(_created, templates.create, body)


@route(
    app,
    "GET",
    "/integrations/templates/{template_id}",
    permission="catalogue.read",
    response=Template,
    refuses=("PROVIDER_NOT_FOUND",),
)
def get(call: HubCall) -> HubAnswer:
    """Get a template."""
    with call.context.shared_transaction() as transaction:
        template = providers.find(transaction, call.path["template_id"])
    return _shown(template)


@route(
    app,
    "PATCH",
    "/integrations/templates/{template_id}",
    permission="catalogue.write",
    response=Template,
    refuses=("PROVIDER_NOT_FOUND", "IF_MATCH_REQUIRED", "CONFIG_SCHEMA_INVALID"),
)
def change(call: HubCall, body: TemplateChange) -> HubAnswer:
    """Change a template; If-Match is required."""
    return call.run(_shown, templates.change, call.path["template_id"], call.required_if_match, body)


handler = lambda_handler(app)
