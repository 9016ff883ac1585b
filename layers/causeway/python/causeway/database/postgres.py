"""Postgres: one session per execution environment, every wait bounded, every driver error translated."""

import random
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass
from functools import cache
from time import sleep
from typing import Any, LiteralString, Self
from uuid import UUID

import psycopg
from psycopg import errors as pg
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row

from causeway import settings
from causeway.aws import rds_token, secrets
from causeway.database import connecting, failures
from causeway.errors.requests import InvalidRequest
from causeway.errors.service import Internal, Misconfigured, SchemaBehind, Unavailable
from causeway.errors.tree import CausewayError
from causeway.outbound.deadlines import Deadline

# A database connection with an open transaction.
Transaction = psycopg.Connection[Any]

# Seconds for a statement, with connecting and sending it again; a caller is promised an answer within 3.
BUDGET = 2.6
# Send a statement again only if this many seconds are left.
_ENOUGH = 0.2

_SEND_AGAIN = (pg.SerializationFailure, pg.DeadlockDetected, pg.UniqueViolation)
# CHECKs that call is_name(): a name has passed causeway.wire.names, but the server may know another Unicode version.
_NAMES = frozenset(
    (
        *("api_keys_channel_check", "api_keys_name_check", "integration_connections_name_check"),
        *("integration_providers_display_name_check", "tenants_display_name_check"),
    )
)
_SCHEMA_BEHIND = (pg.UndefinedFunction, pg.UndefinedTable, pg.UndefinedColumn, pg.UndefinedObject)


class _Session(psycopg.Connection[Any]):
    """A session whose every wait for the server ends with a deadline, even if the server is silent."""

    deadline: Deadline | None = None

    @classmethod
    def open(cls, **parameters: Any) -> Self:
        """Connect; a statement outside an explicit transaction is a transaction of its own."""
        # Prepared statements belong to a session, and a proxy shares sessions.
        session = cls.connect(**parameters, autocommit=True, prepare_threshold=None)
        session.row_factory = namedtuple_row
        return session

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        if self.deadline is not None:
            kwargs["timeout"] = self.deadline.left()
        return super().wait(gen, *args, **kwargs)


@dataclass
class _Current:
    """The session of an execution environment, shared by the copies of its Database. None: not connected."""

    session: _Session | None = None


class Database:
    """A database that is connected on first use, and connected again after its session is lost."""

    def __init__(self, **parameters: Any) -> None:
        """Store how to connect.

        Args:
            parameters: of psycopg.connect; without any, the function's settings, with a new password each time.
        """
        self._parameters = parameters
        self._current = _Current()
        # Of the call that uses this database, if it has one.
        self.deadline: Deadline | None = None

    def within(self, deadline: Deadline) -> "Database":
        """Return this database for one call: the same session, and no wait beyond the call's deadline."""
        bound = copy(self)
        bound.deadline = deadline
        return bound

    def one(self, statement: LiteralString, parameters: Sequence[Any] | Mapping[str, Any]) -> Any:
        """Run one statement as a transaction of its own; return its first row as a named tuple, None without rows.

        The statement must be safe to send twice: it is sent again after a deadlock, a serialization failure, a clash
        of unique keys and a lost session.

        Raises:
            Unavailable: no answer within BUDGET seconds; whether the statement took effect is unknown.
            SchemaBehind: the database lacks an object that the statement names.
        """
        deadline = Deadline(BUDGET, self.deadline)
        while True:
            try:
                return self._connected(deadline).execute(statement, parameters).fetchone()
            except _SEND_AGAIN as error:
                if deadline.left() < _ENOUGH:
                    raise _translated(error) from error
                sleep(random.SystemRandom().uniform(0.001, 0.01))
            except psycopg.Error as error:
                lost = self._is_lost()
                self.close()
                if not lost or isinstance(error, pg.QueryCanceled) or deadline.left() < _ENOUGH:
                    raise _translated(error) from error

    @contextmanager
    def transaction(self, tenant_id: UUID) -> Generator[Transaction]:
        """Open a transaction of a tenant. Raises as transaction_without_tenant does."""
        with self.transaction_without_tenant() as transaction:
            transaction.execute("SELECT enter_tenant_v1(%s)", [tenant_id])
            yield transaction

    @contextmanager
    def transaction_without_tenant(self, budget: float = BUDGET) -> Generator[Transaction]:
        """Open a transaction that sees no tenant's rows; committed at the end of the block, rolled back on any error.

        Args:
            budget: seconds in all. A statement's own time limit is its login's.

        Raises:
            Unavailable: the database cannot be reached, or took longer than the budget.
            SchemaBehind: the database lacks an object that a statement names.
        """
        deadline = Deadline(budget, self.deadline)
        begun = False
        while not begun:
            try:
                session = self._connected(deadline)
                with session.transaction():
                    begun = True
                    yield session
            except psycopg.Error as error:
                lost = self._is_lost()
                self.close()
                if begun or not lost or deadline.left() < _ENOUGH:
                    raise _translated(error) from error

    def close(self) -> None:
        """End the session; the next statement opens a new one."""
        if self._current.session is not None:
            self._current.session.close()
            self._current.session = None

    def _is_lost(self) -> bool:
        return self._current.session is not None and self._current.session.closed

    def _connected(self, deadline: Deadline) -> _Session:
        session = self._current.session
        if session is not None and session.info.transaction_status == TransactionStatus.ACTIVE:
            # An earlier call gave up in the middle of an answer.
            self.close()
            session = None
        if session is None or session.closed:
            parameters = self._parameters or connection_settings(deadline)
            session = self._current.session = connecting.connect(_Session.open, parameters, deadline)
        session.deadline = deadline
        return session


@cache
def current() -> Database:
    """Return the execution environment's database."""
    return Database()


def connection_settings(deadline: Deadline | None = None) -> dict[str, Any]:
    """Return psycopg.connect's parameters from the function's settings, with a password that is valid now.

    Args:
        deadline: of the call that needs them.

    Raises:
        Misconfigured: a setting is missing, or the secret holds no password.
        Unavailable: the secret cannot be read.
    """
    database = settings.database()
    if database.secret:
        password = secrets.read(database.secret, deadline=deadline).get("password")
        if not isinstance(password, str):
            raise Misconfigured(cause=f'The secret {database.secret} holds no password: store {{"password": ...}}')
    else:
        password = rds_token.make(database.host, database.port, database.user, settings.aws_credentials())
    tls = {"sslmode": "verify-full", "sslrootcert": database.ca_file} if database.ca_file else {}
    return {
        "host": database.host,
        "port": database.port,
        "dbname": database.name,
        "user": database.user,
        "password": password,
        **tls,
    }


def _translated(error: psycopg.Error) -> CausewayError:
    summary = f"{type(error).__name__} {error.sqlstate or ''}".strip()
    cause = f"{summary}: {failures.reason_of(error)}"
    if isinstance(error, pg.CheckViolation) and error.diag.constraint_name in _NAMES:
        return InvalidRequest("A name has a character that is not known here", cause=cause)
    if isinstance(error, _SCHEMA_BEHIND):
        return SchemaBehind(cause=f"The schema is behind the code ({cause}): run schema-migrate")
    if isinstance(error, (psycopg.OperationalError, *_SEND_AGAIN)):
        return Unavailable(
            cause=f"The database cannot be used ({cause}): check that it runs and has connections to spare"
        )
    return Internal(cause=cause)
