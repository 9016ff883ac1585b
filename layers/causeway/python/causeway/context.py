"""A call to the hub, as the rules see it: who makes it, from where, and the tenant's transactions it may open."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any

import psycopg

from causeway import audit_log, database, identity
from causeway.identity import Caller
from causeway.permissions import ALLOWED, Permission


@dataclass(frozen=True, slots=True)
class RequestContext:
    """Who calls, from where, and under which id it is logged."""

    caller: Caller
    source_ip: str
    request_id: str

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
        with database.current().transaction(self.caller.tenant) as transaction:
            new_role = identity.admit(transaction, self.caller)
            yield transaction
            if new_role is not None:
                audit_log.record(transaction, self._new_role(new_role))

    @contextmanager
    def platform_transaction(self) -> Generator[psycopg.Connection[Any]]:
        """Open a transaction that sees no tenant's rows: for the catalogue, and the platform's own audit log."""
        with database.current().transaction(audit_log.PLATFORM) as transaction:
            identity.introduce(transaction, self.caller)
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
