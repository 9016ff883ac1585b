"""Errors of stored credentials and of the key service."""

from causeway.errors.service import Unavailable
from causeway.errors.tree import CausewayError


class KeyServiceUnavailable(Unavailable):
    """Credentials can be neither read nor stored at the moment; nothing was changed"""

    code = "KEY_SERVICE_UNAVAILABLE"
    action = "Send the same call again after Retry-After seconds."
    retry_after = 5


class CredentialUnreadable(CausewayError):
    """The stored credential cannot be read"""

    code = "CREDENTIAL_UNREADABLE"
    status = 409
    action = "Enter the connection's credential anew; we have been alerted."


class CredentialMissing(CausewayError):
    """The connection has no credential in the state that this call needs"""

    code = "CREDENTIAL_MISSING"
    status = 409
    action = "Rotate the connection's credentials."


class NothingToRollBack(CausewayError):
    """No credential of this connection can be put back into use"""

    code = "NOTHING_TO_ROLL_BACK"
    status = 409
    action = "Rotate to the credential you want: a rotation is rolled back once, within 24 hours, at the same address."
