"""Errors of a tenant's connections."""

from causeway.errors.tree import CausewayError


class ConnectionNotFound(CausewayError):
    """No such connection"""

    code = "CONNECTION_NOT_FOUND"
    status = 404
    action = "List your connections."


class ExternalIdTaken(CausewayError):
    """Another connection has this externalId"""

    code = "EXTERNAL_ID_TAKEN"
    status = 409
    action = "List your connections with ?externalId=; choose another externalId, or remove it from that connection."


class CallLogNotFound(CausewayError):
    """No such call in the connection's log"""

    code = "CALL_LOG_NOT_FOUND"
    status = 404
    action = "List the connection's logs; old calls are deleted."


class IntegrationNotActive(CausewayError):
    """The connection is not active"""

    code = "INTEGRATION_NOT_ACTIVE"
    status = 409
    action = "If it was disabled, enable it, which tests it; otherwise test it and fix what the test reports."


class TemplateMoved(CausewayError):
    """The template's addresses have changed since this connection was made"""

    code = "TEMPLATE_MOVED"
    status = 409
    action = "Look at the template's base URLs; to agree, send PATCH with a config that gives every secret again."


class SecretsRequired(CausewayError):
    """A stored secret is not sent to a new address"""

    code = "SECRETS_REQUIRED"
    status = 409
    action = "Give every secret of the connection again, together with what changes the address."


class NotSupported(CausewayError):
    """The connection's platform cannot do this"""

    code = "NOT_SUPPORTED"
    status = 409
    action = "Use a connection to a platform that can."
