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
from causeway.connections import Change, Claim, Connection, Draft, NewSecrets, Transaction
from causeway.context import RequestContext
from causeway.credentials import Secrets
from causeway.crypto import DataKeys
from causeway.errors import (
    CausewayError,
    ConnectionFailed,
    CredentialUnreadable,
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
from causeway.strict_json import shown_name

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
        InvalidRequest: the key is empty or too long.
        KeyServiceUnavailable: nothing is stored.
    """
    key = _fingerprint_key(context)
    claim = None if idempotency_key is None else Claim.of(idempotency_key, draft, key)
    with context.transaction() as transaction:
        provider = catalogue.find(transaction, draft.template_id)
    if not provider.is_active:
        raise ProviderInactive
    plain, secret = _checked(provider, draft.config)
    identity = uuid4()
    sealed = credentials.seal_all(keys(), context.caller.tenant, identity, secret)
    terms = provider_calls.terms(provider, draft.environment)
    with context.transaction() as transaction:
        found, made = connections.create(transaction, identity, draft, plain, terms, context.caller.subject, claim)
        if made:
            credentials.promote(transaction, identity, credentials.store(transaction, sealed))
        one = connections.find(transaction, found)
        if made:
            after = _shown(one) | {"secrets": _fingerprints(key, secret)}
            _record(context, transaction, Action.CONNECTION_CREATED, one, after=after)
    if not made:
        return one, False
    return _tested(context, Account(provider, one.environment, plain, secret), one)[1], True


def change(context: RequestContext, identity: UUID, version: int, wanted: Change) -> Connection:
    """Change a connection. Its config is tested as it would be; one that fails replaces nothing.

    Args:
        context: who changes it.
        identity: the connection.
        version: the one its reader saw.
        wanted: what to change; a field of the config that is null is taken away, a secret left out stays.

    Raises:
        ConnectionNotFound, VersionMismatch, NameTaken, ConfigSchemaInvalid.
        IntegrationNotActive: the config of a disabled connection; nothing is decrypted.
        SecretsRequired: the address would change, and a secret was left out.
        InvalidCredentials, ConnectionFailed: the new config does not work; nothing is changed.
    """
    if wanted.config is not None:
        return _reconfigured(context, identity, version, wanted, wanted.config)
    with context.transaction() as transaction:
        one = connections.find(transaction, identity)
        changed = connections.update(transaction, identity, version, wanted)
        _record(context, transaction, Action.CONNECTION_CHANGED, one, before=_shown(one), after=_shown(changed))
    return changed


def rotate(context: RequestContext, identity: UUID, fresh: NewSecrets) -> Connection:
    """Replace secrets by new ones that a test found working; the old stay beside them until they are retired.

    Raises:
        ConnectionNotFound, ConfigSchemaInvalid.
        IntegrationNotActive: it is disabled; nothing is decrypted.
        InvalidRequest: a field is no secret, or nothing would change.
        InvalidCredentials, ConnectionFailed: the new secrets do not work; the old stay in use.
    """
    nothing = Change(name=None, description=None, config=None)
    return _reconfigured(context, identity, None, nothing, fresh.config)


def _reconfigured(
    context: RequestContext, identity: UUID, version: int | None, wanted: Change, config: dict[str, Any]
) -> Connection:
    """Change settings and secrets; version None: a rotation, of secrets alone and of whatever version it finds."""
    one, provider = _found(context, identity)
    if version is None:
        _demand_secrets(provider, config)
    elif version != one.version:
        raise VersionMismatch
    # A template that is not the agreed one gets no kept secret: neither its calls, nor its schema's judgement.
    before = _secrets(context, one) if _agreed(one, provider) else {}
    merged = {name: value for name, value in (one.config | before | config).items() if value is not None}
    plain, secret = _checked(provider, merged)
    if version is None and secret == before:
        raise InvalidRequest("These are the secrets in use: send new ones")
    account = Account(provider, one.environment, plain, secret)
    # Or who may change an address could have the secrets sent to himself, and so read them.
    moved = account.endpoints != Account(provider, one.environment, one.config, before).endpoints
    if moved and not set(secret) <= set(config):
        raise SecretsRequired
    tested = _call(account)
    _keep_attempts(context, one, tested.attempts)
    if not tested.verdict.success:
        with context.transaction() as transaction:
            _record(context, transaction, Action.CONNECTION_TESTED, one, outcome="failed", after=tested.as_json())
    tested.demand_success()
    key = _fingerprint_key(context)
    sealed = credentials.seal_all(keys(), context.caller.tenant, identity, secret) if secret != before else None
    with context.transaction() as transaction:
        terms = provider_calls.terms(provider, one.environment)
        changed = connections.update(transaction, identity, one.version, wanted, plain, terms)
        if sealed is not None:
            credentials.promote(transaction, identity, credentials.store(transaction, sealed))
        connections.settle(transaction, identity, changed.version, tested.verdict, tested.response_ms)
        changed = connections.find(transaction, identity)
        action = Action.CREDENTIAL_ROTATED if version is None else Action.CONNECTION_CHANGED
        _record(
            context,
            transaction,
            action,
            one,
            before=_shown(one) | {"secrets": _fingerprints(key, before)},
            after=_shown(changed) | {"secrets": _fingerprints(key, secret)},
        )
    return changed


def _demand_secrets(provider: Provider, config: dict[str, Any]) -> None:
    if not config:
        raise InvalidRequest("config must have at least one secret field")
    plain = sorted(set(config) - config_schema.secret_fields(provider.config_schema))
    if plain:
        raise InvalidRequest(f"{shown_name(plain[0])} is not a secret field of this template")


def test(context: RequestContext, identity: UUID) -> Tested:
    """Call the provider with the credentials in use, and set the connection's state by what came of it.

    Raises:
        ConnectionNotFound.
        IntegrationNotActive: it is disabled; nothing is decrypted.
        TemplateMoved: the template is not the one the connection was made for; nothing is decrypted.
    """
    one, provider = _found(context, identity)
    return _tested(context, _account(context, one, provider), one)[0]


def _tested(context: RequestContext, account: Account, one: Connection) -> tuple[Tested, Connection]:
    tested = _call(account)
    identity = UUID(one.connection_id)
    _keep_attempts(context, one, tested.attempts)
    with context.transaction() as transaction:
        connections.settle(transaction, identity, one.version, tested.verdict, tested.response_ms)
        outcome = "done" if tested.verdict.success else "failed"
        _record(context, transaction, Action.CONNECTION_TESTED, one, outcome=outcome, after=tested.as_json())
    with context.transaction() as transaction:
        return tested, connections.find(transaction, identity)


def _found(context: RequestContext, identity: UUID, *, disabled: bool = False) -> tuple[Connection, Provider]:
    """A connection about to be used, and its provider; its use is written down before anything is decrypted."""
    with context.transaction() as transaction:
        one = connections.find(transaction, identity)
        if one.status == "disconnected" and not disabled:
            raise IntegrationNotActive
        provider = catalogue.find(transaction, one.provider_key)
        _record(context, transaction, Action.CREDENTIAL_USED, one)
    return one, provider


def _agreed(one: Connection, provider: Provider) -> bool:
    """Whether the template is as the tenant's admin knew it, or as a release made it: what asks where secrets go."""
    return not provider.changed_by_admin or provider_calls.terms(provider, one.environment) == one.terms


def _account(context: RequestContext, one: Connection, provider: Provider) -> Account:
    if not _agreed(one, provider):
        raise TemplateMoved
    return Account(provider, one.environment, one.config, _secrets(context, one))


def _secrets(context: RequestContext, one: Connection) -> Secrets:
    try:
        return credentials.read(database.current(), keys(), context.caller.tenant, UUID(one.connection_id))
    except CredentialUnreadable:
        with context.transaction() as transaction:
            _record(context, transaction, Action.CREDENTIAL_UNREADABLE, one, outcome="failed")
        raise


def _call(account: Account) -> Tested:
    attempts: list[Attempt] = []
    verdict, milliseconds = provider_calls.test(account, attempts.append)
    return Tested(verdict, milliseconds, attempts)


def enable(context: RequestContext, identity: UUID) -> Connection:
    """Let a connection be used, if its test succeeds; returns how it stands then.

    Raises:
        ConnectionNotFound.
        TemplateMoved: as for test; the connection stays as it was.
    """
    before, provider = _found(context, identity, disabled=True)
    account = _account(context, before, provider)
    if before.status == "disconnected":
        with context.transaction() as transaction:
            one = connections.enable(transaction, identity)
            _record(context, transaction, Action.CONNECTION_ENABLED, one, before=_shown(before), after=_shown(one))
        before = one
    return _tested(context, account, before)[1]


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
        _keep_attempts(self._context, self.connection, self._attempts)

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
    return Use(context, one, _account(context, one, provider))


def _checked(provider: Provider, config: dict[str, Any]) -> tuple[dict[str, Any], dict[str, str]]:
    config_schema.validate(provider.config_schema, config)
    return config_schema.split(provider.config_schema, config)


def _keep_attempts(context: RequestContext, one: Connection, attempts: list[Attempt]) -> None:
    """Log calls that were made. The platform has done by now what it was asked for: a log that fails undoes nothing."""
    if not attempts:
        return
    try:
        with context.transaction() as transaction:
            for attempt in attempts:
                connections.log_attempt(transaction, UUID(one.connection_id), attempt, context.request_id)
    except CausewayError as error:
        logger.warning("Calls could not be logged", extra={"reason": error.cause or error.sentence})


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


def _fingerprint_key(context: RequestContext) -> bytes:
    kept = stored_secrets.read(settings.audit_secret()) or {}
    return fingerprint_key(str(kept.get("pepper", "")).encode(), context.caller.tenant)


def _fingerprints(key: bytes, secret: Mapping[str, str]) -> dict[str, str]:
    """What the audit log keeps of secrets: whether they changed."""
    return {name: fingerprint(value, key) for name, value in secret.items()}
