"""Who acts in a tenant, as the rules see it, and in which transactions: a call's caller, or a job of the hub's own."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from uuid import UUID, uuid4

import psycopg

from causeway.audit_log import entries
from causeway.database.idempotency import Attempt, Kept
from causeway.database.postgres import Database, current
from causeway.errors.tenancy import Forbidden
from causeway.tenancy import identity
from causeway.tenancy.identity import Caller
from causeway.tenancy.permissions import ALLOWED, Permission


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Who calls, from where, and under which id it is logged."""

    caller: Caller
    source_ip: str
    request_id: str
    database: Database = field(default_factory=current)
    # Of a call with an Idempotency-Key, and what is kept of the answer that a result of its work gets.
    attempt: Attempt | None = None
    kept_of: Callable[[Any], Kept] | None = None

    @property
    def resumed(self) -> bool:
        """Whether an earlier attempt of the same call has committed a part of its work."""
        return self.attempt is not None and self.attempt.resumed

    def new_id(self) -> UUID:
        """Return an id for what the call makes; at each attempt of a call it is the same."""
        return uuid4() if self.attempt is None else self.attempt.object_id

    def begun(self, transaction: psycopg.Connection[Any]) -> None:
        """Tell that the transaction commits a part of the call's work; raises InProgress."""
        if self.attempt is not None:
            self.attempt.begin(transaction)

    def done(self, transaction: psycopg.Connection[Any], result: Any) -> None:
        """Tell that the transaction commits the call's work, by its result: the answer is kept with it.

        Every function that changes something for a caller ends its last transaction by this, or a call sent again
        with its Idempotency-Key would be refused for what it did itself.

        Raises:
            InProgress: another attempt of the call has taken over.
        """
        if self.attempt is not None and self.kept_of is not None:
            self.attempt.keep(transaction, self.kept_of(result))

    @property
    def tenant(self) -> UUID:
        """The tenant the call is about; raises TenantRequired."""
        return self.caller.tenant

    def may(self, permission: Permission) -> bool:
        """Return whether the caller has a permission."""
        return permission in ALLOWED[self.caller.role]

    @contextmanager
    def transaction(self) -> Generator[psycopg.Connection[Any]]:
        """Open a transaction of the caller's tenant; its last entry tells of a role that is new to the tenant.

        Raises:
            TenantRequired, TenantNotFound: a super admin named no tenant, or one that is not there.
            Forbidden: the caller's membership is suspended.
        """
        with self.database.begun() as transaction:
            new_role = identity.admit(transaction, self.caller)
            yield transaction
            if new_role is not None:
                entries.record(transaction, self._new_role(new_role))

    @contextmanager
    def platform_transaction(self) -> Generator[psycopg.Connection[Any]]:
        """Open a transaction that sees no tenant's rows: for the catalogue, and the platform's own audit log."""
        with self.database.begun() as transaction:
            identity.enter_platform(transaction, self.caller)
            yield transaction

    def note_attempt(self, entry: entries.Entry) -> None:
        """Write down what was refused or failed, in a transaction of its own; it is answered as that though this fails.

        What a super admin tries without a tenant stands in the platform's own log.
        """
        begun = self.platform_transaction if self.caller.tenant_id is None else self.transaction
        with entries.logged_if_unavailable(entry):
            try:
                with begun() as transaction:
                    entries.record(transaction, entry)
            except Forbidden:
                # A suspended membership is let into no transaction, and its attempts are written down all the same.
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
    def actor_kind(self) -> str:
        """What acts: a person or a machine."""
        return self.caller.kind

    @property
    def actor(self) -> str:
        """Who acts: a person's subject, a key's id."""
        return self.caller.subject

    def reading(self) -> AbstractContextManager[psycopg.Connection[Any]]:
        """Open a transaction to read what is everybody's; a super admin needs no tenant for it."""
        return self.platform_transaction() if self.caller.tenant_id is None else self.transaction()

    def entry(self, action: entries.Action, **about: Any) -> entries.Entry:
        """Return an entry for the audit log: who, from where and in which call are filled in."""
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
    """A job of the hub's own at work in a tenant: nobody called it, and it asks for no permission.

    Attributes:
        job: its name, which the audit log keeps in an actor's place.
        tenant: the tenant.
        request_id: of the invocation, under which it is logged.
        database: of the job's login.
    """

    job: str
    tenant: UUID
    request_id: str
    database: Database
    actor_kind: ClassVar[str] = "system"
    source_ip: ClassVar[None] = None

    @property
    def actor(self) -> str:
        """Who acts: the job."""
        return self.job

    def transaction(self) -> AbstractContextManager[psycopg.Connection[Any]]:
        """Open a transaction of the tenant."""
        return self.database.transaction(self.tenant)

    def entry(self, action: entries.Action, **about: Any) -> entries.Entry:
        """Return an entry for the audit log: which job, and in which invocation, are filled in."""
        return entries.Entry(
            action=action,
            actor_kind="system",
            actor=self.job,
            actor_role=None,
            request_id=self.request_id,
            **about,
        )


# A rule that opens a connection works for a caller and for a job alike.
Context = RequestContext | JobContext
