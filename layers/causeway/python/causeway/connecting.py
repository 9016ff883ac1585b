"""What is done with a connection beyond its row: its secrets sealed, its provider called, its audit written.

KMS and providers are called between transactions, never inside one.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, Self
from uuid import UUID, uuid4

from aws_lambda_powertools import Logger

from causeway import catalogue, config_schema, connections, credentials, database, provider_calls, settings
from causeway import secrets as stored_secrets
from causeway.audit_log import Action, fingerprint, fingerprint_key, record
from causeway.catalogue import Provider
from causeway.connections import Change, Connection, Draft, NewSecrets, Transaction
from causeway.context import RequestContext
from causeway.crypto import DataKeys
from causeway.errors import (
    CausewayError,
    ConnectionFailed,
    IntegrationNotActive,
    InvalidCredentials,
    InvalidRequest,
    NotSupported,
    ProviderInactive,
    ProviderRejected,
    RateLimited,
    SecretsRequired,
    TemplateMoved,
    VersionMismatch,
)
from causeway.outbound import Attempt, CallFailed, Reply
from causeway.outbound.verdicts import Verdict, judge
from causeway.provider_calls import Account

logger = Logger(child=True)

# What a sync is answered until the engines are there.
_NO_ENGINE = "This provider's data cannot be synced yet"


# Verdicts that are about the credentials.
_REFUSED = ("INVALID_CREDENTIALS", "FORBIDDEN")


@cache
def keys() -> DataKeys:
    """Return the execution environment's data keys."""
    return DataKeys(credentials.StoredKeys(database.current()), settings.kms_key_id())


@dataclass(frozen=True, slots=True)
class Tested:
    """What a test came to. response_ms: for all of it, in milliseconds."""

    verdict: Verdict
    response_ms: int
    attempts: list[Attempt]

    def as_json(self) -> dict[str, Any]:
        """Return the result in the seed's names, with its cause and next action."""
        return {
            "success": self.verdict.success,
            "code": self.verdict.code,
            "message": self.verdict.message,
            "nextAction": self.verdict.next_action,
            "responseMs": self.response_ms,
        }

    def demand_success(self) -> None:
        """Raise InvalidCredentials or ConnectionFailed, with the verdict's words, where the test did not succeed."""
        if not self.verdict.success:
            raise (InvalidCredentials if self.verdict.code in _REFUSED else ConnectionFailed)(
                f"{self.verdict.message} {self.verdict.next_action}"
            )


def create(context: RequestContext, draft: Draft, idempotency_key: str | None) -> tuple[Connection, bool]:
    """Make a connection, test it, and return how it stands and whether it was made by this call.

    Args:
        context: who makes it.
        draft: as sent.
        idempotency_key: the caller's, None where he sent none.

    Raises:
        ProviderNotFound, ProviderInactive: there is no such template, or no new connections are made with it.
        ConfigSchemaInvalid: the config does not fit the template; its path is named.
        NameTaken, IdempotencyKeyReused: the name or the key is another's.
        KeyServiceUnavailable: nothing is stored.
    """
    with context.transaction() as transaction:
        provider = catalogue.find(transaction, draft.template_id)
    if not provider.is_active:
        raise ProviderInactive
    plain, secret = _checked(provider, draft.config)
    identity = uuid4()
    sealed = credentials.seal_all(keys(), context.caller.tenant, identity, secret)
    endpoints = Account(provider, draft.environment, plain, secret).endpoints
    with context.transaction() as transaction:
        found, made = connections.create(
            transaction, identity, draft, plain, endpoints, context.caller.subject, idempotency_key
        )
        if made:
            credentials.promote(transaction, identity, credentials.store(transaction, sealed))
        one = connections.find(transaction, found)
        if made:
            after = _shown(one) | {"secrets": _fingerprints(context, secret)}
            _record(context, transaction, Action.CONNECTION_CREATED, one, after=after)
    if not made:
        return one, False
    return _tested(context, one, provider, secret)[1], True


def change(context: RequestContext, identity: UUID, version: int, wanted: Change) -> Connection:
    """Change a connection. Its config is tested as it would be; one that fails replaces nothing.

    Args:
        context: who changes it.
        identity: the connection.
        version: the one its reader saw.
        wanted: what to change; a field of the config that is null is taken away, a secret left out stays.

    Raises:
        ConnectionNotFound, VersionMismatch, NameTaken, ConfigSchemaInvalid.
        SecretsRequired: the address would change, and a secret was left out.
        InvalidCredentials, ConnectionFailed: the new config does not work; nothing is changed.
    """
    with context.transaction() as transaction:
        one = connections.find(transaction, identity)
        provider = catalogue.find(transaction, one.provider_key)
    if one.version != version:
        raise VersionMismatch
    if wanted.config is None:
        with context.transaction() as transaction:
            changed = connections.update(transaction, identity, version, wanted)
            _record(context, transaction, Action.CONNECTION_CHANGED, one, before=_shown(one), after=_shown(changed))
        return changed
    return _reconfigured(context, one, provider, wanted, wanted.config, Action.CONNECTION_CHANGED)


def rotate(context: RequestContext, identity: UUID, fresh: NewSecrets) -> Connection:
    """Replace secrets by new ones that a test found working; the old stay beside them until they are retired.

    Raises:
        ConnectionNotFound, ConfigSchemaInvalid.
        InvalidRequest: a field is no secret.
        InvalidCredentials, ConnectionFailed: the new secrets do not work; the old stay in use.
    """
    with context.transaction() as transaction:
        one = connections.find(transaction, identity)
        provider = catalogue.find(transaction, one.provider_key)
    plain = sorted(set(fresh.config) - config_schema.secret_fields(provider.config_schema))
    if plain:
        raise InvalidRequest(f"{plain[0][:100]} is not a secret field of this template")
    nothing = Change(name=None, description=None, config=None)
    return _reconfigured(context, one, provider, nothing, fresh.config, Action.CREDENTIAL_ROTATED)


def _reconfigured(
    context: RequestContext, one: Connection, provider: Provider, wanted: Change, config: dict[str, Any], action: Action
) -> Connection:
    identity = UUID(one.connection_id)
    before = credentials.read(database.current(), keys(), context.caller.tenant, identity)
    merged = {name: value for name, value in (one.config | before | config).items() if value is not None}
    plain, secret = _checked(provider, merged)
    account = Account(provider, one.environment, plain, secret)
    # Or who may change an address could have the secrets sent to himself, and so read them.
    if account.endpoints != one.endpoints and not set(secret) <= set(config):
        raise SecretsRequired
    tested = _call(account)
    with context.transaction() as transaction:
        _keep_attempts(context, transaction, one, tested.attempts)
        if not tested.verdict.success:
            _record(context, transaction, Action.CONNECTION_TESTED, one, outcome="failed", after=tested.as_json())
    tested.demand_success()
    sealed = None
    if secret != before:
        sealed = credentials.seal_all(keys(), context.caller.tenant, identity, secret)
    with context.transaction() as transaction:
        changed = connections.update(transaction, identity, one.version, wanted, plain, account.endpoints)
        if sealed is not None:
            credentials.promote(transaction, identity, credentials.store(transaction, sealed))
        changed = connections.settle(transaction, identity, None)
        connections.note_health(transaction, identity, tested.verdict, tested.response_ms)
        _record(
            context,
            transaction,
            action,
            one,
            before=_shown(one) | {"secrets": _fingerprints(context, before)},
            after=_shown(changed) | {"secrets": _fingerprints(context, secret)},
        )
    return changed


def test(context: RequestContext, identity: UUID) -> Tested:
    """Call the provider with the credentials in use, and set the connection's state by what came of it.

    Raises:
        ConnectionNotFound.
        IntegrationNotActive: it is disabled; nothing is decrypted.
        TemplateMoved: the template's addresses are not those the connection was made for.
    """
    with context.transaction() as transaction:
        one = connections.find(transaction, identity)
        provider = catalogue.find(transaction, one.provider_key)
    if one.status == "disconnected":
        raise IntegrationNotActive
    secret = credentials.read(database.current(), keys(), context.caller.tenant, identity)
    return _tested(context, one, provider, secret)[0]


def _tested(
    context: RequestContext, one: Connection, provider: Provider, secret: dict[str, str]
) -> tuple[Tested, Connection]:
    tested = _call(_account(one, provider, secret))
    identity = UUID(one.connection_id)
    with context.transaction() as transaction:
        _keep_attempts(context, transaction, one, tested.attempts)
        verdict = tested.verdict
        error = None if verdict.success else f"{verdict.message} {verdict.next_action}"
        settled = connections.settle(transaction, identity, error)
        connections.note_health(transaction, identity, verdict, tested.response_ms)
        outcome = "done" if verdict.success else "failed"
        _record(context, transaction, Action.CONNECTION_TESTED, one, outcome=outcome, after=tested.as_json())
    return tested, settled


def _account(one: Connection, provider: Provider, secret: Mapping[str, str]) -> Account:
    """The connection ready to be called; raises TemplateMoved where its secrets would go elsewhere than agreed."""
    account = Account(provider, one.environment, one.config, secret)
    if account.endpoints != one.endpoints:
        raise TemplateMoved
    return account


def _call(account: Account) -> Tested:
    attempts: list[Attempt] = []
    verdict, milliseconds = provider_calls.test(account, attempts.append)
    return Tested(verdict, milliseconds, attempts)


def enable(context: RequestContext, identity: UUID) -> Connection:
    """Let a connection be used, if its test succeeds; returns how it stands then. Raises ConnectionNotFound."""
    with context.transaction() as transaction:
        before = connections.find(transaction, identity)
        provider = catalogue.find(transaction, before.provider_key)
        one = connections.enable(transaction, identity)
        _record(context, transaction, Action.CONNECTION_ENABLED, one, before=_shown(before), after=_shown(one))
    secret = credentials.read(database.current(), keys(), context.caller.tenant, identity)
    return _tested(context, one, provider, secret)[1]


def disable(context: RequestContext, identity: UUID) -> Connection:
    """Stop a connection from being used until it is enabled. Raises ConnectionNotFound."""
    with context.transaction() as transaction:
        before = connections.find(transaction, identity)
        one = connections.disable(transaction, identity)
        _record(context, transaction, Action.CONNECTION_DISABLED, one, before=_shown(before), after=_shown(one))
    return one


def delete(context: RequestContext, identity: UUID) -> None:
    """Take a connection away and destroy its credentials; its logs and its audit stay. Raises ConnectionNotFound."""
    with context.transaction() as transaction:
        one = connections.find(transaction, identity)
        credentials.destroy(transaction, identity)
        connections.delete(transaction, identity)
        _record(context, transaction, Action.CONNECTION_DELETED, one, before=_shown(one))


def sync(context: RequestContext, identity: UUID) -> tuple[str, str]:
    """Record a sync of an active connection; returns the run's id and why it ended.

    Raises:
        ConnectionNotFound.
        IntegrationNotActive: it is not to be used.
    """
    with context.transaction() as transaction:
        one = connections.find(transaction, identity)
        connections.demand_active(one)
        run_id = connections.start_sync(transaction, one, context.caller.subject, _NO_ENGINE)
        _record(context, transaction, Action.SYNC_REQUESTED, one, outcome="failed")
    return str(run_id), _NO_ENGINE


class Use:
    """A connection in use: calls made within a `with` block are logged when it ends."""

    def __init__(self, context: RequestContext, connection: Connection, account: Account) -> None:
        self.connection = connection
        self._context = context
        self._account = account
        self._attempts: list[Attempt] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if not self._attempts:
            return
        try:
            with self._context.transaction() as transaction:
                _keep_attempts(self._context, transaction, self.connection, self._attempts)
        except CausewayError as error:
            # The platform has done by now what it was asked for; a log that fails does not undo that.
            logger.warning("Calls could not be logged", extra={"reason": error.cause or error.sentence})

    def field(self, name: str) -> str:
        """Return a setting of the connection that is no secret."""
        return str(self.connection.config[name])

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        content: dict[str, Any] | None = None,
    ) -> Reply:
        """Call the provider with the connection's credentials and return its answer, if it is a good one.

        Args:
            path: appended to the base URL, encoded as it is to be sent.
            query: parameters, not encoded.
            headers: beside those that authenticate.
            content: the JSON body; None: no body.

        Raises:
            InvalidCredentials, RateLimited, ProviderRejected: what the platform answered.
            ConnectionFailed: it did not answer, or not as it should.
        """
        outcome: Reply | CallFailed
        try:
            body = None if content is None else {"type": "json", "content": content}
            outcome = provider_calls.request(
                self._account, method, path, self._attempts.append, query=query, headers=headers, body=body
            )
        except CallFailed as failure:
            outcome = failure
        verdict = judge(outcome, self.connection.provider_key)
        if isinstance(outcome, CallFailed):
            raise ConnectionFailed(f"{verdict.message} {verdict.next_action}")
        if verdict.code == "RATE_LIMITED":
            raise RateLimited(retry_after=verdict.retry_after)
        if verdict.code in _REFUSED:
            raise InvalidCredentials(verdict.message)
        if outcome.status in (400, 404, 409, 422):
            raise ProviderRejected
        if not verdict.success:
            raise ConnectionFailed(f"{verdict.message} {verdict.next_action}")
        return outcome


def use(context: RequestContext, identity: UUID, provider_key: str) -> Use:
    """Open an active connection's credentials to make calls that one provider alone has.

    Raises:
        ConnectionNotFound.
        IntegrationNotActive: it is not to be used; nothing is decrypted.
        NotSupported: it is another provider's; nothing is decrypted.
        TemplateMoved: the template's addresses are not those the connection was made for.
    """
    with context.transaction() as transaction:
        one = connections.find(transaction, identity)
        connections.demand_active(one)
        if one.provider_key != provider_key:
            raise NotSupported
        provider = catalogue.find(transaction, one.provider_key)
        _record(context, transaction, Action.CREDENTIAL_USED, one)
    secret = credentials.read(database.current(), keys(), context.caller.tenant, identity)
    return Use(context, one, _account(one, provider, secret))


def _checked(provider: Provider, config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    config_schema.validate(provider.config_schema, config)
    return config_schema.split(provider.config_schema, config)


def _keep_attempts(context: RequestContext, transaction: Transaction, one: Connection, attempts: list[Attempt]) -> None:
    for attempt in attempts:
        connections.log_attempt(transaction, UUID(one.connection_id), attempt, context.request_id)


def _record(
    context: RequestContext,
    transaction: Transaction,
    action: Action,
    one: Connection,
    *,
    outcome: Literal["done", "failed"] = "done",
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    about = {"object_kind": "connection", "object_id": one.connection_id, "outcome": outcome}
    record(transaction, context.entry(action, **about, before=before, after=after))


def _shown(one: Connection) -> dict[str, Any]:
    return one.as_json(with_config=True)


def _fingerprints(context: RequestContext, secret: Mapping[str, str]) -> dict[str, str]:
    """What the audit log keeps of secrets: whether they changed."""
    kept = stored_secrets.read(settings.audit_secret()) or {}
    key = fingerprint_key(str(kept.get("pepper", "")).encode(), context.caller.tenant)
    return {name: fingerprint(value, key) for name, value in secret.items()}
