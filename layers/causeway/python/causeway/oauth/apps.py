"""The deployment's own OAuth apps, set by super admins."""

from typing import Any

from causeway import settings
from causeway.audit_log import entries, fingerprints
from causeway.audit_log.entries import Action
from causeway.aws import secrets
from causeway.catalogue import providers
from causeway.connections import app_in_use
from causeway.database.postgres import Transaction
from causeway.oauth.requests import OAuthAppDraft
from causeway.tenancy.context import RequestContext
from causeway.vault import oauth_apps
from causeway.vault.oauth_apps import OAuthAppRow
from causeway.wire.preconditions import Expected


def put(context: RequestContext, key: str, expected: Expected, draft: OAuthAppDraft) -> OAuthAppRow:
    """Set the deployment's app at a platform, in place of the one before.

    Connections that were authorized for another app must be authorized again before their tokens end.

    Args:
        context: of a super admin.
        key: the template's id.
        expected: the versions that the caller saw.
        draft: as sent.

    Raises:
        ProviderNotFound, VersionMismatch.
        NotSupported: the platform has no OAuth.
        KeyServiceUnavailable: nothing is stored.
    """
    with context.deployment_transaction() as transaction:
        provider = providers.find(transaction, key)
        before = oauth_apps.find_row(transaction, key)
    # An app that is not there yet has no version: version 0.
    expected.check(0 if before is None else before.version)
    app_in_use.check_supported(provider)
    ciphertext = oauth_apps.encrypt(key, draft.client_secret)
    pepper = secrets.pepper(settings.audit_secret())
    fingerprint = fingerprints.fingerprint(
        draft.client_secret, fingerprints.fingerprint_key(pepper, entries.DEPLOYMENT)
    )
    with context.deployment_transaction() as transaction:
        version = None if before is None else before.version
        saved = oauth_apps.save(transaction, key, draft.client_id, ciphertext, version, context.actor)
        _record(context, transaction, before, saved, fingerprint)
        context.finish(transaction, saved)
    return saved


def _record(
    context: RequestContext, transaction: Transaction, before: OAuthAppRow | None, after: OAuthAppRow, fingerprint: str
) -> None:
    about: dict[str, Any] = {"object_kind": "template", "object_id": after.provider_key}
    entry = context.entry(
        Action.OAUTH_APP_SET,
        **about,
        before=None if before is None else {"clientId": before.client_id},
        after={"clientId": after.client_id, "secrets": {"clientSecret": fingerprint}},
    )
    entries.record(transaction, entry)
