"""Errors of integration templates and of configurations."""

from causeway.errors.tree import CausewayError


class ProviderNotFound(CausewayError):
    """No such integration template"""

    code = "PROVIDER_NOT_FOUND"
    status = 404
    action = "List the integration templates."


class ProviderInactive(CausewayError):
    """The integration template is not active"""

    code = "PROVIDER_INACTIVE"
    status = 409
    action = "Use another template, or ask a super admin to activate this one."


class ConfigSchemaInvalid(CausewayError):
    """The configuration does not match its template's schema"""

    code = "CONFIG_SCHEMA_INVALID"
    status = 400
    action = "Correct the fields the error names; the template shows the schema."
