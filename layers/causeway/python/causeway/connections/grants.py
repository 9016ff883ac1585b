"""What platforms have granted to a connection: encrypted, and the secret fields that a grant replaces.

KMS is called between transactions, never in one.
"""

import json
from collections.abc import Mapping
from hashlib import sha256
from uuid import UUID

from causeway.platforms.account import Account
from causeway.platforms.tokens import Grant, field_of, lacks_app, renewal
from causeway.vault import crypto, oauth_tokens
from causeway.vault.crypto import ActiveKeys, SecretField
from causeway.vault.oauth_tokens import EncryptedGrant


def encrypted(
    keys: ActiveKeys,
    tenant_id: UUID,
    connection_id: UUID,
    account: Account,
    grant: Grant,
    *,
    authorized: bool = False,
) -> EncryptedGrant:
    """Return a grant encrypted, as oauth_tokens.store takes it. It may call KMS, so no transaction may be open.

    Args:
        keys: gives the tenant's active key.
        tenant_id: the connection's.
        connection_id: the connection.
        account: that the grant was got with.
        grant: in plain.
        authorized: whether a person's authorization gave it.

    Raises:
        KeyServiceUnavailable: KMS is needed and does not answer.
    """
    key = keys.active(tenant_id)

    def ciphertext(field: str, secret: str) -> bytes:
        return crypto.encrypt(key, SecretField(tenant_id, connection_id, field), secret)

    replaced = replaced_fields(account, grant)
    own = token_field(account)
    # A token that renews itself names no app: another app may have got it, which was then given by hand.
    shows_app = authorized or renewal(account) != "self"
    return EncryptedGrant(
        ciphertext=None if own in replaced else ciphertext(oauth_tokens.FIELD, grant.access_token),
        fields={name: ciphertext(name, secret) for name, secret in replaced.items()},
        terms=terms(account),
        renewal=renewal(account),
        expires_in=grant.expires_in,
        refresh_expires_in=grant.refresh_expires_in,
        scopes=grant.scopes,
        by_shared_app=lacks_app(account) if shows_app else None,
    )


def replaced_fields(account: Account, grant: Grant) -> dict[str, str]:
    """Return the secret fields of an account that a grant replaces, by name."""
    wanted = account.provider.authentication
    given = {token_field(account): grant.access_token, field_of(wanted, "refresh_token"): grant.refresh_token}
    if renewal(account) == "client":
        return {}
    return {name: secret for name in account.secrets if (secret := given.get(name)) is not None}


def token_field(account: Account) -> str | None:
    """Return the name of the secret field that is the account's access token, if there is one."""
    wanted = account.provider.authentication
    return field_of(wanted, "token" if wanted["type"] == "bearer" else "access_token")


def terms(account: Account) -> bytes:
    """Return a digest of all that an access token was got with, beside the secrets."""
    agreed = account.provider.terms_digest(account.environment).hex()
    return sha256(json.dumps([agreed, account.environment, account.settings], sort_keys=True).encode()).digest()


def has_refresh_token_of(account: Account, kept: Mapping[str, str] | None) -> bool:
    """Return whether an account is renewed by the refresh token that is one of these secrets."""
    name = field_of(account.provider.authentication, "refresh_token")
    return (
        renewal(account) == "refresh" and kept is not None and kept.get(name or "") == account.secrets.get(name or "")
    )


def has_token_of(account: Account, kept: Mapping[str, str] | None) -> bool:
    """Return whether an account's access token is one of these secrets."""
    return _kept(account, token_field(account), kept)


def _kept(account: Account, name: str | None, kept: Mapping[str, str] | None) -> bool:
    return name is not None and kept is not None and name in kept and kept[name] == account.secrets.get(name)
