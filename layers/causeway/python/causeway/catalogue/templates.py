"""Integration templates, the API's name of the catalogue's providers: read by admins, changed by super admins."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from causeway import settings
from causeway.audit_log import entries
from causeway.audit_log.entries import Action, record
from causeway.catalogue import providers
from causeway.catalogue.providers import Provider
from causeway.errors.requests import InvalidRequest
from causeway.tenancy.context import RequestContext
from causeway.wire.fields import choice_field, known_fields, text_field
from causeway.wire.names import name_field
from causeway.wire.pages import PageRequest
from causeway.wire.preconditions import Expected


@dataclass(frozen=True, slots=True)
class TemplateFilter:
    """The query of GET /integrations/templates.

    Attributes:
        kind, active: None selects all.
    """

    page: PageRequest
    kind: str | None
    active: bool | None

    @classmethod
    def parse(cls, query: dict[str, str]) -> Self:
        """Read the query; raises InvalidRequest, which names the parameter."""
        page = providers.LISTING.request(query, entries.DEPLOYMENT, "category", "active")
        active = choice_field(query, "active", ("true", "false"))
        kind = text_field(query, "category", 64) if "category" in query else None
        return cls(page, kind, None if active is None else active == "true")


def create(context: RequestContext, body: dict[str, Any]) -> Provider:
    """Create a template.

    Raises:
        InvalidRequest, ConfigSchemaInvalid: the body is not a template; the sentence names the field.
        NameTaken: a template has this id.
    """
    provider = Provider.parse(_document(body), providers.read_shape(_folder()))
    with context.deployment_transaction() as transaction:
        made = providers.create(transaction, provider)
        _record(context, transaction, Action.TEMPLATE_CREATED, None, made)
        context.finish(transaction, made)
    return made


def change(context: RequestContext, key: str, expected: Expected, body: dict[str, Any]) -> Provider:
    """Change fields of a template; isActive says whether new connections may be created with it.

    Raises:
        ProviderNotFound, VersionMismatch.
        InvalidRequest, ConfigSchemaInvalid: as create.
    """
    active = body.get("isActive")
    if active is not None and not isinstance(active, bool):
        raise InvalidRequest("isActive must be true or false")
    changes = _document({name: value for name, value in body.items() if name != "isActive"})
    if not changes and active is None:
        raise InvalidRequest("Nothing to change: send a field of the template")
    with context.deployment_transaction() as transaction:
        before = after = providers.find(transaction, key)
        expected.check(before.version)
        version = before.version
        if changes:
            after = providers.change(transaction, key, changes, version, providers.read_shape(_folder()))
        if active is not None:
            after = providers.set_active(transaction, key, after.version if changes else version, active=active)
        action = Action.TEMPLATE_DEACTIVATED if active is False else Action.TEMPLATE_CHANGED
        _record(context, transaction, action, before, after)
        context.finish(transaction, after)
    return after


def _document(body: dict[str, Any]) -> dict[str, Any]:
    known_fields(body, set(providers.FIELDS))
    document = {providers.FIELDS[name]: value for name, value in body.items()}
    if "displayName" in body:
        document["display_name"] = name_field(body, "displayName", 100)
    return document


def _folder() -> Path:
    return Path(settings.schema_folder()) / "catalogue"


def _record(
    context: RequestContext, transaction: Any, action: Action, before: Provider | None, after: Provider
) -> None:
    record(
        transaction,
        context.entry(
            action,
            object_kind="template",
            object_id=after.key,
            before=None if before is None else before.as_json(),
            after=after.as_json(),
        ),
    )
