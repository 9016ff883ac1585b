"""The templates, one per platform that a tenant can connect to: /integrations/templates."""

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from causeway.catalogue import providers, templates
from causeway.edge import answers
from causeway.edge.hub import route
from causeway.edge.hub_calls import HubAnswer, HubCall

app = APIGatewayHttpResolver()


def _shown(template: providers.Provider) -> HubAnswer:
    return HubAnswer(template.as_json(), version=template.version)


def _created(template: providers.Provider) -> HubAnswer:
    headers = {"location": f"/integrations/templates/{template.key}"}
    return HubAnswer(template.as_json(), 201, template.version, headers)


@route(
    app, "GET", "/integrations/templates", permission="catalogue.read", query="TemplateFilter", response="TemplatePage"
)
def list_templates(call: HubCall) -> HubAnswer:
    """List the templates, ordered by id."""
    wanted = templates.TemplateFilter.parse(call.query)
    with call.context.shared_transaction() as transaction:
        page = providers.page(transaction, wanted.page, kind=wanted.kind, active=wanted.active)
    return HubAnswer(page.as_json("templates", providers.Provider.as_json))


@route(
    app,
    "POST",
    "/integrations/templates",
    permission="catalogue.write",
    request="TemplateDraft",
    refuses_if_match=True,
    response="Template",
    status=201,
    refuses=("CONFIG_SCHEMA_INVALID", "NAME_TAKEN"),
)
def create(call: HubCall) -> HubAnswer:
    """Create a template."""
    return call.run(_created, templates.create, call.body)


@route(
    app,
    "GET",
    "/integrations/templates/{template_id}",
    permission="catalogue.read",
    response="Template",
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
    request="TemplateChange",
    response="Template",
    refuses=("PROVIDER_NOT_FOUND", "IF_MATCH_REQUIRED", "CONFIG_SCHEMA_INVALID"),
)
def change(call: HubCall) -> HubAnswer:
    """Change a template; If-Match is required."""
    return call.run(_shown, templates.change, call.path["template_id"], call.required_if_match, call.body)


handler = answers.lambda_handler(app)
