"""A connection's settings and secrets set anew: what is kept of the old ones, and under which terms.

KMS and providers are called between transactions, never inside one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from causeway.audit_log.entries import Action
from causeway.catalogue import secret_fields, validation
from causeway.catalogue.providers import Provider
from causeway.connections import access, audit, testing, writes
from causeway.connections.access import Found
from causeway.connections.connection import Connection
from causeway.connections.requests import Change
from causeway.database.postgres import Transaction
from causeway.errors.connections import IntegrationNotActive, SecretsRequired
from causeway.errors.requests import InvalidRequest
from causeway.errors.vault import CredentialMissing, CredentialUnreadable
from causeway.platforms.account import Account
from causeway.tenancy.context import RequestContext
from causeway.vault import credentials, data_keys, versions
from causeway.wire.preconditions import Expected
from causeway.wire.strict_json import shown_name


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a connection's settings and secrets are to become.

    kept: the secrets in use, of which a change may keep some; None where it may keep none.
    moved: whether they would be sent to another address.
    """

    account: Account
    kept: Mapping[str, str] | None
    moved: bool


def reconfigure(
    context: RequestContext,
    connection_id: UUID,
    expected: Expected,
    wanted: Change,
    config: dict[str, Any],
    *,
    secrets_alone: bool = False,
) -> Connection:
    """Change settings and secrets, which are tested as they would be; what fails replaces nothing.

    Args:
        context: who changes them.
        connection_id: the connection.
        expected: the versions its reader saw.
        wanted: what else to change.
        config: fields to set; null takes one away; others stay.
        secrets_alone: a rotation.

    Raises:
        As changes.change and changes.rotate.
    """
    use = access.found(context, connection_id, disabled=True, expected=expected)
    if secrets_alone:
        _demand_secrets(use.provider, config)
    plan = _planned(context, use, config, wanted.environment)
    if secrets_alone and plan.account.secrets == plan.kept:
        raise InvalidRequest("These are the secrets in use: send new ones")
    tested = testing.demand(context, use.connection, plan.account)
    key = audit.fingerprint_key(context)
    # Where none is kept, none stays in use: terms change with the secrets that were given for them, be it none at all.
    fresh = None if plan.account.secrets == plan.kept else sealed(context, connection_id, plan.account.secrets)
    with context.transaction() as transaction:
        changed, retired = _replaced(transaction, use, plan, wanted, fresh)
        changed = testing.settle(transaction, changed, tested, anew=True)
        action = Action.CREDENTIAL_ROTATED if secrets_alone else Action.CONNECTION_CHANGED
        before = audit.shown(use.connection) | {"secrets": audit.fingerprints_of(key, plan.kept or {})}
        after = audit.shown(changed) | {"secrets": audit.fingerprints_of(key, plan.account.secrets)}
        audit.note(context, transaction, action, use.connection, before=before, after=after)
        if retired:
            audit.note(context, transaction, Action.CREDENTIAL_RETIRED, use.connection)
        context.finish(transaction, changed)
    return changed


def _replaced(
    transaction: Transaction, use: Found, plan: _Plan, wanted: Change, fresh: credentials.EncryptedSecrets | None
) -> tuple[Connection, bool]:
    """Put a plan into the rows; return the connection, and whether the credential to roll back to was retired."""
    connection_id = UUID(use.connection.connection_id)
    terms = use.provider.terms_digest(plan.account.environment)
    settings = dict(plan.account.settings)
    changed = writes.update(transaction, connection_id, use.connection.version, wanted, settings, terms)
    if fresh is not None:
        versions.promote(transaction, connection_id, credentials.store(transaction, fresh))
    # What was given for other terms or another address, or cannot be read, does not come back by rolling back.
    retired = (plan.moved or plan.kept is None) and versions.retire(transaction, connection_id)
    return changed, retired


def _demand_secrets(provider: Provider, config: dict[str, Any]) -> None:
    if not config:
        raise InvalidRequest("config must have at least one secret field")
    plain = sorted(set(config) - secret_fields.names(provider.config_schema))
    if plain:
        raise InvalidRequest(f"{shown_name(plain[0])} is not a secret field of this template")


def _planned(context: RequestContext, use: Found, config: dict[str, Any], environment: str | None) -> _Plan:
    """Return what a connection would become with fields of its config set anew; nothing is changed.

    Raises:
        IntegrationNotActive: it is disabled, and a secret in use was not given again; nothing is decrypted.
        TemplateMoved: the template is not the agreed one, and a secret in use was not given again.
        SecretsRequired: the address would change, and a secret was left out.
        ConfigSchemaInvalid, and as credentials.decrypt where what cannot be read was not given again.
    """
    connection, provider = use.connection, use.provider
    given_again = use.stored.fields <= config.keys()
    kept = _kept(context, use, given_again=given_again)
    merged = {
        name: value for name, value in (connection.config | dict(kept or {}) | config).items() if value is not None
    }
    settings, secret = checked(provider, merged)
    if kept is None and not given_again:
        connection.check_template()
    account = Account(provider, environment or connection.environment, settings, secret)
    before = Account(provider, connection.environment, connection.config, {})
    # Or who may change an address could have the secrets sent to himself, and so read them.
    moved = account.endpoints != before.endpoints or account.environment != before.environment
    left_out = ", ".join(f"config.{name}" for name in sorted(secret.keys() - config.keys()))
    # Where no call can be made, nothing is sent: the test says why.
    if moved and left_out and account.endpoints:
        _note_refusal(context, use, config)
        raise SecretsRequired(f"A stored secret is not sent to a new address: give {left_out} again in the same call")
    return _Plan(account, kept, moved)


def _note_refusal(context: RequestContext, use: Found, config: dict[str, Any]) -> None:
    """Write down an attempt to have stored secrets sent to another address."""
    after = {"refused": SecretsRequired.code, "fields": sorted(config)}
    audit.record_refusal(context, Action.CONNECTION_CHANGED, use.connection, outcome="refused", after=after)


def _kept(context: RequestContext, use: Found, *, given_again: bool) -> Mapping[str, str] | None:
    """The secrets in use; None where none may be kept, and where none can be read and none has to be."""
    # Nothing of a disabled connection is decrypted: what it shall have must be given.
    if use.connection.status == "disconnected":
        if given_again:
            return None
        raise IntegrationNotActive
    # A template that is not the agreed one gets no kept secret: neither its calls, nor its schema's judgement.
    if not use.agreed:
        return None
    try:
        return access.unsealed(context, use.connection, use.stored)
    except (CredentialMissing, CredentialUnreadable):
        if given_again:
            return None
        raise


def checked(provider: Provider, config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return a config's settings and its secrets; raises ConfigSchemaInvalid where it does not match its template."""
    validation.validate(provider.config_schema, config)
    return secret_fields.split(provider.config_schema, config)


def sealed(context: RequestContext, connection_id: UUID, secret: Mapping[str, str]) -> credentials.EncryptedSecrets:
    """Return a connection's secrets as they are stored; raises KeyServiceUnavailable."""
    return credentials.encrypt(data_keys.current(), context.tenant, connection_id, secret)
