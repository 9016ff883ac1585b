"""The context of a domain function: a caller's call, or a job; its transactions and its audit entries."""

from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID, uuid4

from causeway.audit_log import entries
from causeway.database.idempotency import Lease, StoredAnswer
from causeway.database.postgres import Database, Transaction, current
from causeway.errors.tenancy import Forbidden
from causeway.rate_limits.subjects import Subject
from causeway.tenancy import identity, machine_limits
from causeway.tenancy.identity import Caller
from causeway.tenancy.permissions import ALLOWED, Permission


@dataclass(frozen=True, slots=True)
class RequestContext:
    """A call of a caller.

    Attributes:
        request_id: logs and audit entries carry it.
        counted: whether a machine's call was counted in the limits of its key and its tenant when it was admitted.
        lease: of the call's Idempotency-Key; None: the call has none.
        answer_of: converts the work's result into the stored answer.
    """

    caller: Caller
    source_ip: str
    request_id: str
    database: Database = field(default_factory=current)
    lease: Lease | None = None
    answer_of: Callable[[Any], StoredAnswer] | None = None
    counted: bool = True

    @property
    def resumed(self) -> bool:
        """Whether an earlier call with the same Idempotency-Key has committed a part of the work."""
        return self.lease is not None and self.lease.resumed

    def new_id(self) -> UUID:
        """Return an id for the object that the call creates; the same in every call with the same Idempotency-Key."""
        return uuid4() if self.lease is None else self.lease.object_id

    def checkpoint(self, transaction: Transaction) -> None:
        """Mark that the transaction commits a part of the call's work; raises InProgress."""
        if self.lease is not None:
            self.lease.checkpoint(transaction)

    def finish(self, transaction: Transaction, result: Any) -> None:
        """Store the answer to the call in the transaction that completes its work.

        Every function that changes something for a caller must call this in its last transaction. Otherwise a call that
        is sent again with its Idempotency-Key would be refused because of its own work.

        Raises:
            InProgress: another call with the key has taken it over.
        """
        if self.lease is not None and self.answer_of is not None:
            self.lease.store(transaction, self.answer_of(result))

    @property
    def tenant(self) -> UUID:
        """The tenant that the call is about; raises TenantRequired."""
        return self.caller.tenant

    def may(self, permission: Permission) -> bool:
        """Return whether the caller has a permission."""
        return permission in ALLOWED[self.caller.role]

    @contextmanager
    def transaction(self) -> Generator[Transaction]:
        """Open a transaction of the caller's tenant. If the caller's role is new, write an audit entry at the end.

        Raises:
            TenantRequired, TenantNotFound: a super admin named no tenant, or one that does not exist.
            Forbidden: the caller's membership is suspended.
        """
        with self.database.transaction_without_tenant() as transaction:
            new_role = identity.admit(transaction, self.caller)
            yield transaction
            if new_role is not None:
                entries.record(transaction, self._new_role(new_role))

    @contextmanager
    def deployment_transaction(self) -> Generator[Transaction]:
        """Open a transaction that sees no tenant's rows: for the catalogue, and for the deployment's audit log."""
        with self.database.transaction_without_tenant() as transaction:
            identity.enter_deployment(transaction, self.caller)
            yield transaction

    def shared_transaction(self) -> AbstractContextManager[Transaction]:
        """Open a transaction to read what all tenants share; a super admin needs no tenant for it."""
        return self.deployment_transaction() if self.caller.tenant_id is None else self.transaction()

    def record_refusal(self, entry: entries.Entry) -> None:
        """Record a refusal or a failure, in a transaction of its own. The refusal is answered even if this fails.

        The attempt of a super admin without a tenant is recorded in the deployment's log.
        """
        with entries.logged_if_unavailable(entry):
            try:
                with self.shared_transaction() as transaction:
                    entries.record(transaction, entry)
            except Forbidden:
                # A suspended person gets no transaction; the attempt is recorded all the same.
                entries.record_in_own_transaction(self.database, self.tenant, entry)

    def _new_role(self, new: identity.NewRole) -> entries.Entry:
        first = new.before is None
        return self.entry(
            entries.Action.MEMBERSHIP_GRANTED if first else entries.Action.MEMBERSHIP_CHANGED,
            object_kind="membership",
            object_id=self.caller.subject,
            before=None if first else {"role": new.before},
            after={"role": self.caller.role},
        )

    @property
    def uncounted(self) -> list[Subject]:
        """The subjects for which the call is still to be counted, if it calls a platform."""
        if self.counted or self.caller.kind == "person":
            return []
        return machine_limits.subjects(self.tenant, self.caller.subject)

    @property
    def actor_kind(self) -> str:
        """Person or machine."""
        return self.caller.kind

    @property
    def actor(self) -> str:
        """A person's subject, or the id of a machine's key."""
        return self.caller.subject

    def entry(self, action: entries.Action, **about: Any) -> entries.Entry:
        """Return an entry for the audit log with the caller, the address and the request id filled in."""
        return entries.Entry(
            action=action,
            actor_kind=self.caller.kind,
            actor=self.caller.subject,
            actor_role=self.caller.role,
            source_ip=self.source_ip,
            request_id=self.request_id,
            **about,
        )


@dataclass(frozen=True, slots=True)
class JobContext:
    """A job of the hub that works in a tenant: it has no caller and needs no permission.

    Attributes:
        job: its name, which the audit log stores as the actor.
        request_id: of the invocation; logs and audit entries carry it.
        database: of the job's login.
    """

    job: str
    tenant: UUID
    request_id: str
    database: Database
    actor_kind: ClassVar[str] = "system"
    uncounted: ClassVar[Sequence[Subject]] = ()
    source_ip: ClassVar[None] = None

    @property
    def actor(self) -> str:
        """The job's name."""
        return self.job

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Open a transaction of the tenant."""
        return self.database.transaction(self.tenant)

    def entry(self, action: entries.Action, **about: Any) -> entries.Entry:
        """Return an entry for the audit log with the job and the request id filled in."""
        return entries.Entry(
            action=action,
            actor_kind="system",
            actor=self.job,
            actor_role=None,
            request_id=self.request_id,
            **about,
        )


# Of a function that works for callers and for jobs alike.
Context = RequestContext | JobContext
