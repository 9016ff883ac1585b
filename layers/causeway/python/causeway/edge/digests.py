"""The key of the digest by which a call with an Idempotency-Key is compared with the first call of its key."""

from causeway import settings
from causeway.audit_log import fingerprints
from causeway.audit_log.entries import DEPLOYMENT
from causeway.aws import secrets
from causeway.tenancy.context import RequestContext


def digest_key(context: RequestContext, raw: bytes) -> bytes:
    """Return the key of a request's digest: the audit pepper, because a body may have secrets.

    Only functions whose requests have secrets are given the pepper. A call without a body needs none, so that a
    connection can be disabled while the secret store does not answer.

    Args:
        context: of the call.
        raw: its body.
    """
    name = settings.audit_secret_or_none()
    if name is None or not raw.strip():
        return b"requests without secrets"
    # A super admin without a tenant works on the deployment.
    return fingerprints.fingerprint_key(secrets.pepper(name), context.caller.tenant_id or DEPLOYMENT)
