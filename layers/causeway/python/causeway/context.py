"""Who acts in a tenant, as the rules see it, and in which transactions: a call's caller, or a job of the hub's own."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import psycopg

from causeway import audit_log, identity
from causeway.database import Database, current
from causeway.identity import Caller
from causeway.permissions import ALLOWED, Permission


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Who calls, from where, and under which id it is logged."""

    caller: Caller
    source_ip: str
    request_id: str
    database: Database = field(default_factory=current)

    @property
    def tenant(self) -> str:
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
                audit_log.record(transaction, self._new_role(new_role))

    @contextmanager
    def platform_transaction(self) -> Generator[psycopg.Connection[Any]]:
        """Open a transaction that sees no tenant's rows: for the catalogue, and the platform's own audit log."""
        with self.database.begun() as transaction:
            identity.enter_platform(transaction, self.caller)
            yield transaction

    def _new_role(self, new: identity.NewRole) -> audit_log.Entry:
        first = new.before is None
        return self.entry(
            audit_log.Action.MEMBERSHIP_GRANTED if first else audit_log.Action.MEMBERSHIP_CHANGED,
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

    def entry(self, action: audit_log.Action, **about: Any) -> audit_log.Entry:
        """Return an entry for the audit log: who, from where and in which call are filled in."""
        return audit_log.Entry(
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
    tenant: str
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

    def entry(self, action: audit_log.Action, **about: Any) -> audit_log.Entry:
        """Return an entry for the audit log: which job, and in which invocation, are filled in."""
        return audit_log.Entry(
            action=action,
            actor_kind="system",
            actor=self.job,
            actor_role=None,
            request_id=self.request_id,
            **about,
        )


# Whoever opens a connection, and what its audit log tells of: nothing else of a context is asked for there.
Context = RequestContext | JobContext
