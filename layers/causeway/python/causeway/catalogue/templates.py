"""Integration templates, the API's name of the catalogue's providers: read by admins, changed by super admins."""

from typing import Any, Self

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from causeway.audit_log import entries
from causeway.audit_log.entries import Action, record
from causeway.catalogue import oauth_fields, providers, secret_fields
from causeway.catalogue.document import DocumentFields, Key, SharedFields, TemplateDraft
from causeway.catalogue.keys import Kind
from causeway.catalogue.providers import Provider
from causeway.errors.requests import InvalidRequest
from causeway.errors.tree import Problem
from causeway.tenancy.context import RequestContext
from causeway.wire import example_ids
from causeway.wire.field_types import Flag, JsonObject, Omittable, Time, Version
from causeway.wire.models import Answer, Change
from causeway.wire.page_models import PageAnswer, PageQuery
from causeway.wire.preconditions import Expected


class TemplateQuery(PageQuery):
    """GET /integrations/templates. A filter that is left out selects all."""

    filtered_by = ("kind", "active")

    kind: Omittable[Kind] = Field(None, alias="category", examples=["crm"])
    active: Omittable[Flag] = Field(None, description="Whether new connections may be created with them.")


class TemplateChange(DocumentFields, Change):
    """Fields of a template: each replaces the whole field. A field that is left out stays as it is."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"isActive": True}]})

    is_active: Omittable[bool] = Field(None, description="Whether new connections may be created with it.")


# A change may leave out every field. Set the defaults before pydantic builds the model.
for _field in TemplateChange.model_fields.values():
    _field.default = None


class Template(SharedFields, Answer):
    """A platform that tenants can connect to."""

    base_urls: JsonObject = Field(
        description="As in TemplateDraft.", examples=[{"production": "https://api.example", "sandbox": None}]
    )
    rate_limits: JsonObject = Field(
        description="As in TemplateDraft.",
        examples=[{"minute": 600, "hour": 20_000, "day": 200_000, "month": 5_000_000}],
    )
    authentication: JsonObject = Field(
        description="As in TemplateDraft.", examples=[{"type": "bearer", "token": "{api_key}"}]
    )
    health_call: JsonObject = Field(
        description="As in TemplateDraft.", examples=[{"method": "GET", "path": "/me", "expect": [200]}]
    )
    oauth: JsonObject | None = Field(description="As in TemplateDraft.", examples=[None])
    filled_by_authorization: list[str] = Field(
        description="Fields that a new connection may leave out, also if configSchema requires them: an authorization, "
        "or the deployment's app, fills them. Empty without oauth.",
        examples=[[]],
    )
    name: Key = Field(description="The same as id.", examples=["my_platform"])
    is_active: bool = Field(description="Whether new connections may be created with it.", examples=[True])
    created_by: str | None = Field(
        description="The subject of the super admin who added it; null: it came with a release.",
        examples=[example_ids.SUBJECT],
    )
    created_at: Time
    updated_at: Time = Field(
        description="The time of the last change by a super admin, or by a release whose document differs."
    )
    version: Version

    @classmethod
    def of(cls, provider: Provider) -> Self:
        """Return the template of a provider's row."""
        parts: dict[str, Any] = {
            "name": provider.key,
            "authentication": _in_camel_case(provider.authentication),
            "health_call": _in_camel_case(provider.health_call),
            "oauth": None if provider.oauth is None else _in_camel_case(provider.oauth),
            "filled_by_authorization": sorted(oauth_fields.fields_filled(provider.oauth)),
        }
        shown = {name: getattr(provider, name) for name in cls.model_fields if name not in parts}
        # Not validated: a row may be older than a rule, and is shown as it is.
        return cls.model_construct(None, **shown | parts)


class TemplatePage(PageAnswer):
    """A page of templates."""

    templates: list[Template]


def _in_camel_case(part: JsonObject) -> JsonObject:
    # Rename the first level only: deeper names are single words, or the platform chose them.
    return {to_camel(name): value for name, value in part.items()}


def as_json(provider: Provider) -> dict[str, Any]:
    """Return a provider as the API and the audit log show it."""
    return Template.of(provider).as_json()


def page(context: RequestContext, query: TemplateQuery) -> TemplatePage:
    """Return a page of the templates, ordered by id.

    Args:
        context: the caller's; every tenant sees all templates.
        query: as sent.

    Raises:
        InvalidRequest: the cursor is not one of this list.
    """
    wanted = query.request(providers.PAGES.listing, entries.DEPLOYMENT)
    with context.shared_transaction() as transaction:
        found = providers.page(transaction, wanted, query.filters(), Template.of)
    return TemplatePage(templates=found.items, **found.cursors)


def create(context: RequestContext, draft: TemplateDraft) -> Provider:
    """Create a template.

    Raises:
        InvalidRequest, ConfigSchemaInvalid: the draft breaks a rule; the sentence names the field.
        NameTaken: a template has this id.
    """
    draft.check()
    with context.deployment_transaction() as transaction:
        made = providers.create(transaction, draft.columns(), context.actor)
        _record(context, transaction, Action.TEMPLATE_CREATED, None, made)
        context.finish(transaction, made)
    return made


def change(context: RequestContext, key: str, expected: Expected, wanted: TemplateChange) -> Provider:
    """Change fields of a template; isActive says whether new connections may be created with it.

    Raises:
        ProviderNotFound, VersionMismatch.
        InvalidRequest, ConfigSchemaInvalid: as create.
    """
    active = wanted.is_active
    with context.deployment_transaction() as transaction:
        before = after = providers.find(transaction, key)
        expected.check(before.version)
        if wanted.model_fields_set != {"is_active"}:
            after = providers.change(transaction, before, changed(before, wanted).columns())
        if active is not None:
            after = providers.set_active(transaction, after, active=active)
        action = Action.TEMPLATE_DEACTIVATED if active is False else Action.TEMPLATE_CHANGED
        _record(context, transaction, action, before, after)
        context.finish(transaction, after)
    return after


def changed(before: Provider, wanted: TemplateChange) -> TemplateDraft:
    """Return the document of a provider with changes, checked as a whole.

    Raises:
        InvalidRequest, ConfigSchemaInvalid: as create, and for another id, or a secret field that becomes plain.
    """
    if "key" in wanted.model_fields_set and wanted.key != before.key:
        raise InvalidRequest.of_problems([Problem("id", "cannot be changed")])
    names = set(DocumentFields.model_fields)
    stored, sent = (
        model.model_dump(include=names, by_alias=True, exclude_unset=True) for model in (Template.of(before), wanted)
    )
    draft = TemplateDraft.parse(stored | sent)
    draft.check()
    secret_fields.check_unchanged(before.config_schema, draft.config_schema, to_camel("config_schema"))
    return draft


def _record(
    context: RequestContext, transaction: Any, action: Action, before: Provider | None, after: Provider
) -> None:
    record(
        transaction,
        context.entry(
            action,
            object_kind="template",
            object_id=after.key,
            before=None if before is None else as_json(before),
            after=as_json(after),
        ),
    )
