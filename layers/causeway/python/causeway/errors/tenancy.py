"""Errors of callers, their rights, tenants, memberships and API keys."""

from causeway.errors.tree import CausewayError


class Unauthorized(CausewayError):
    """The call carries no valid token or key"""

    code = "UNAUTHORIZED"
    status = 401
    action = (
        "Send Authorization: Bearer with a valid token (of the user pool: the ID token, which names the tenant) or, as "
        "a machine and where the route takes keys, X-API-Key; not both."
    )


class TokenRequired(CausewayError):
    """This call needs the token of a player or of the tenant"""

    code = "TOKEN_REQUIRED"
    status = 401
    action = "Send Authorization: Bearer with a valid token."


class Forbidden(CausewayError):
    """Your role does not allow this"""

    code = "FORBIDDEN"
    status = 403
    action = "Ask an administrator of your tenant."

    def __init__(self, sentence: str = "", *, cause: str = "", permission: str = "", action: str = "") -> None:
        """Make an error; permission: the missing permission, for the audit log; empty: the route's own."""
        super().__init__(sentence, cause=cause, action=action)
        self.permission = permission


class Suspended(Forbidden):
    """Your membership is suspended"""


class TenantRequired(CausewayError):
    """No tenant was named"""

    code = "TENANT_REQUIRED"
    status = 400
    action = "As a super admin, send the tenant's id in X-Tenant-Id."


class TenantNotFound(CausewayError):
    """No such tenant"""

    code = "TENANT_NOT_FOUND"
    status = 404
    action = "Check the tenant's id."


class MembershipNotFound(CausewayError):
    """No such person in this tenant"""

    code = "MEMBERSHIP_NOT_FOUND"
    status = 404
    action = "List the tenant's memberships; a person is listed from their first call on."


class OwnMembership(CausewayError):
    """You cannot suspend or restore your own membership"""

    code = "OWN_MEMBERSHIP"
    status = 409
    action = "Ask another administrator of the tenant."


class ApiKeyNotFound(CausewayError):
    """No such API key"""

    code = "API_KEY_NOT_FOUND"
    status = 404
    action = "List your API keys."
