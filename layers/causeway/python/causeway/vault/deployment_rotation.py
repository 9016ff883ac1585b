"""The rotation of the deployment's data key by a schedule: an old key is replaced, and the apps' secrets re-wrapped.

KMS is called between transactions, never in one.
"""

from causeway.audit_log.entries import DEPLOYMENT, Action, record
from causeway.errors.vault import CredentialUnreadable
from causeway.jobs.invocations import Invocation
from causeway.tenancy.context import JobContext
from causeway.vault import deployment_key, oauth_apps
from causeway.vault.crypto import DataKeys
from causeway.vault.key_rotation import JOB, ROTATE_AFTER


def run(invocation: Invocation, keys: DataKeys, counts: dict[str, int]) -> None:
    """Rotate the key if it is due, and re-wrap the secrets that are under an older one.

    It may be killed at any point and begin again: secrets that are done are not found again. A secret that cannot be
    decrypted is counted and stays as it is; its alert has been raised.

    Args:
        invocation: of a login that may read credentials.
        keys: the data keys of the deployment.
        counts: filled as the work is done, so that it is right also if this raises. The numbers of keys rotated, of
            secrets re-wrapped, and of secrets or keys unreadable.

    Raises:
        KeyServiceUnavailable: KMS does not answer.
        Unavailable: the database does not answer.
    """
    counts |= {"rotated": 0, "rewrapped": 0, "unreadable": 0}
    context = invocation.job(JOB, DEPLOYMENT)
    with context.transaction() as transaction:
        rotate = deployment_key.is_due(transaction, ROTATE_AFTER)
        version = deployment_key.active_version(transaction)
    if version is None:
        # The deployment has no secret.
        return
    try:
        if rotate:
            version = keys.rotate(DEPLOYMENT).version
            counts["rotated"] += 1
        _rewrap(context, keys, version, counts)
    except CredentialUnreadable:
        # The active key itself cannot be unwrapped.
        counts["unreadable"] += 1
    finally:
        _audit(context, counts)


def _rewrap(context: JobContext, keys: DataKeys, version: int, counts: dict[str, int]) -> None:
    with context.transaction() as transaction:
        due = oauth_apps.find_old(transaction, version)
    for old in due:
        try:
            ciphertext = oauth_apps.rewrapped(keys, old)
        except CredentialUnreadable:
            counts["unreadable"] += 1
            continue
        with context.transaction() as transaction:
            counts["rewrapped"] += oauth_apps.replace_secret(transaction, old, ciphertext)


def _audit(context: JobContext, counts: dict[str, int]) -> None:
    if not counts["rotated"] and not counts["rewrapped"]:
        return
    after = {"rotated": counts["rotated"] > 0, "fields": counts["rewrapped"]}
    with context.transaction() as transaction:
        record(transaction, context.entry(Action.DATA_KEY_REWRAPPED, object_kind="data_key", after=after))
