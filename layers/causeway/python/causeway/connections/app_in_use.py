"""The OAuth app that a connection is authorized for: its own, or the deployment's."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from causeway.catalogue.providers import Provider
from causeway.database.postgres import Database
from causeway.errors.connections import NotSupported
from causeway.errors.oauth import OauthAppMissing
from causeway.platforms.account import Account
from causeway.platforms.code_exchange import App
from causeway.platforms.tokens import lacks_app, renewal
from causeway.rate_limits.limits import Limits
from causeway.rate_limits.subjects import Subject
from causeway.vault import oauth_apps


def check_supported(provider: Provider) -> None:
    """Raise NotSupported if no person authorizes connections to a platform."""
    if provider.oauth is None:
        raise NotSupported(
            f"Connections to {provider.display_name} are not authorized by OAuth",
            action="Give the secrets that the template's set-up text names.",
        )


def client_id(database: Database, provider: Provider, config: Mapping[str, Any], secret_names: Collection[str]) -> str:
    """Return the id of the app that a connection is authorized for; nothing is decrypted.

    Args:
        database: of a login that may read credentials.
        provider: the connection's platform.
        config: its settings.
        secret_names: the names of its secret fields.

    Raises:
        NotSupported: its platform has no OAuth.
        OauthAppMissing: neither the connection nor the deployment has an app.
    """
    check_supported(provider)
    oauth = provider.oauth or {}
    own = config.get(oauth["client_id_field"])
    if own is None:
        found = oauth_apps.find_client_id(database, provider.key)
        if found is None:
            raise OauthAppMissing
        return found
    if oauth["client_secret_field"] not in secret_names:
        raise _incomplete(oauth["client_secret_field"])
    return own


def app(database: Database, account: Account) -> App:
    """Return the app that a connection is authorized for, its secret decrypted.

    Args:
        database: of a login that may read credentials.
        account: of the connection, with its secrets.

    Raises:
        OauthAppMissing: as client_id.
        CredentialUnreadable, KeyServiceUnavailable: the deployment's app cannot be decrypted.
    """
    oauth = account.provider.oauth or {}
    own = account.settings.get(oauth["client_id_field"])
    if own is None:
        found = oauth_apps.find(database, account.provider.key)
        if found is None:
            raise OauthAppMissing
        return App(found.client_id, found.client_secret)
    secret = account.secrets.get(oauth["client_secret_field"])
    if secret is None:
        raise _incomplete(oauth["client_secret_field"])
    return App(own, secret)


def renewable(database: Database, account: Account) -> Account:
    """Return an account as a refresh of its token needs it: with the deployment's app, if it has none of its own.

    It is returned as it is where nothing is refreshed, and where the deployment has no app either.

    Args:
        database: of a login that may read credentials.
        account: with its secrets.

    Raises:
        CredentialUnreadable, KeyServiceUnavailable: as app.
    """
    if renewal(account) != "refresh" or not lacks_app(account):
        return account
    if oauth_apps.find_client_id(database, account.provider.key) is None:
        return account
    return with_app(account, app(database, account))


def with_app(account: Account, app: App) -> Account:
    """Return an account with the app's fields filled, as a call that renews a token needs them."""
    oauth = account.provider.oauth or {}
    settings = {**account.settings, oauth["client_id_field"]: app.client_id}
    secrets = {**account.secrets, oauth["client_secret_field"]: app.client_secret}
    return replace(account, settings=settings, secrets=secrets)


def limited(provider: Provider) -> Subject | None:
    """Return the deployment's app at a platform as a subject of the limiter; None if the platform limits no app."""
    limits = (provider.oauth or {}).get("rate_limits")
    return None if limits is None else Subject("oauth_app", provider.key, Limits(**limits))


def _incomplete(field: str) -> OauthAppMissing:
    return OauthAppMissing(
        f"The connection has an app's id without its secret: config.{field} is missing",
        action=f"Give config.{field}, or remove the id to use the deployment's app.",
    )
