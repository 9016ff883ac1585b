"""Postgres: one connection per execution environment, every wait bounded, every driver error one of ours."""

import random
from collections.abc import Generator, Sequence
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
from causeway.database import connecting
from causeway.errors.requests import InvalidRequest
from causeway.errors.service import Internal, Misconfigured, SchemaBehind, Unavailable
from causeway.errors.tree import CausewayError
from causeway.outbound.deadlines import Deadline

# A database connection with an open transaction.
Transaction = psycopg.Connection[Any]

# Seconds for a statement in all, connecting and sending again included; a caller is promised an answer within 3.
BUDGET = 2.6
# Seconds that must be left for a statement to be sent again.
_ENOUGH = 0.2

_SEND_AGAIN = (pg.SerializationFailure, pg.DeadlockDetected, pg.UniqueViolation)
# The checks by is_name(): names have passed causeway.wire.names, and the server's Unicode may be another than Python's.
_NAMES = frozenset(
    (
        *("api_keys_channel_check", "api_keys_name_check", "integration_connections_name_check"),
        *("integration_providers_display_name_check", "tenants_display_name_check"),
    )
)
_SCHEMA_BEHIND = (pg.UndefinedFunction, pg.UndefinedTable, pg.UndefinedColumn, pg.UndefinedObject)


class _Connection(psycopg.Connection[Any]):
    """A connection that waits for the server until a deadline, also for one that is silent."""

    deadline: Deadline | None = None

    @classmethod
    def made(cls, **parameters: Any) -> Self:
        """Connect; every statement is a transaction of its own unless one is opened."""
        # Prepared statements belong to a session, and a proxy shares those.
        connection = cls.connect(**parameters, autocommit=True, prepare_threshold=None)
        connection.row_factory = namedtuple_row
        return connection

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        if self.deadline is not None:
            kwargs["timeout"] = self.deadline.left()
        return super().wait(gen, *args, **kwargs)


@dataclass
class _Link:
    """The connection of an execution environment, None where there is none at the moment."""

    live: _Connection | None = None


class Database:
    """A connection that is made when first needed and made again when it was lost."""

    def __init__(self, **connection: Any) -> None:
        """Remember how to connect.

        Args:
            connection: psycopg.connect's parameters; none: the function's settings, and a new password each time.
        """
        self._given = connection
        self._link = _Link()
        # Of the call that this database is used for, where it has one.
        self.deadline: Deadline | None = None

    def within(self, deadline: Deadline) -> "Database":
        """Return this database for one call: the same connection, and no wait beyond the call's deadline."""
        bound = copy(self)
        bound.deadline = deadline
        return bound

    def one(self, statement: LiteralString, parameters: Sequence[Any]) -> Any:
        """Run one statement as a transaction of its own and return its first row as a named tuple, None without rows.

        The statement must be safe to send twice: it is sent again after a deadlock, a serialization failure, a clash
        of unique keys and a lost connection.

        Raises:
            Unavailable: no answer within BUDGET seconds; whether the statement took effect is unknown.
            SchemaBehind: the database lacks what the statement names.
        """
        deadline = Deadline(BUDGET, self.deadline)
        while True:
            try:
                return self._connected(deadline).execute(statement, parameters).fetchone()
            except _SEND_AGAIN as error:
                if deadline.left() < _ENOUGH:
                    raise _translated(error) from error
                sleep(random.uniform(0.001, 0.01))  # noqa: S311 - spreads callers, guards nothing
            except psycopg.Error as error:
                lost = self._link.live is not None and self._link.live.closed
                self.close()
                if not lost or isinstance(error, pg.QueryCanceled) or deadline.left() < _ENOUGH:
                    raise _translated(error) from error

    @contextmanager
    def transaction(self, tenant_id: UUID) -> Generator[psycopg.Connection[Any]]:
        """Open a transaction as a tenant. Raises as transaction_without_tenant does."""
        with self.transaction_without_tenant() as connection:
            connection.execute("SELECT enter_tenant_v1(%s)", [tenant_id])
            yield connection

    @contextmanager
    def transaction_without_tenant(self) -> Generator[psycopg.Connection[Any]]:
        """Open a transaction of no tenant; committed at the end of the block, rolled back on any exception.

        A connection that was lost since it was last used is made again.

        Raises:
            Unavailable: the database cannot be reached, or took longer than BUDGET seconds in all.
            SchemaBehind: the database lacks what a statement names.
        """
        deadline = Deadline(BUDGET, self.deadline)
        begun = False
        while not begun:
            try:
                connection = self._connected(deadline)
                with connection.transaction():
                    begun = True
                    yield connection
            except psycopg.Error as error:
                lost = self._link.live is not None and self._link.live.closed
                self.close()
                if begun or not lost or deadline.left() < _ENOUGH:
                    raise _translated(error) from error

    def close(self) -> None:
        """Close the connection; the next statement makes a new one."""
        if self._link.live is not None:
            self._link.live.close()
            self._link.live = None

    def _connected(self, deadline: Deadline) -> _Connection:
        if self._link.live is not None and self._link.live.info.transaction_status == TransactionStatus.ACTIVE:
            # It was given up in the middle of an answer.
            self.close()
        if self._link.live is None or self._link.live.closed:
            self._link.live = connecting.connect(
                _Connection.made, self._given or connection_settings(deadline), deadline
            )
        self._link.live.deadline = deadline
        return self._link.live


@cache
def current() -> Database:
    """Return this execution environment's database; it connects when first used."""
    return Database()


def connection_settings(deadline: Deadline | None = None) -> dict[str, Any]:
    """Return psycopg.connect's parameters from the function's settings, with a password that is good now.

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
    message = str(error).strip().splitlines()[:1]
    cause = f"{summary}: {message[0] if message else ''}"
    if isinstance(error, pg.CheckViolation) and error.diag.constraint_name in _NAMES:
        return InvalidRequest("A name has a character that is not known here", cause=cause)
    if isinstance(error, _SCHEMA_BEHIND):
        return SchemaBehind(cause=f"The schema is behind the code ({cause}): run schema-migrate")
    if isinstance(error, (psycopg.OperationalError, *_SEND_AGAIN)):
        return Unavailable(
            cause=f"The database cannot be used ({cause}): check that it runs and has connections to spare"
        )
    return Internal(cause=cause)
