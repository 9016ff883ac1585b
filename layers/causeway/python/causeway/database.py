"""Postgres: one connection per execution environment, every wait bounded, every driver error one of ours."""

import random
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from functools import cache
from time import monotonic, sleep
from typing import Any, LiteralString

import psycopg
from psycopg import errors as pg
from psycopg.rows import namedtuple_row

from causeway import rds_token, secrets, settings
from causeway.errors import CausewayError, Misconfigured, SchemaBehind, Unavailable

# Seconds for a statement in all, connecting and sending again included; a caller is promised an answer within 3.
BUDGET = 2.6
# Seconds for connecting; the driver's least.
_CONNECT_TIMEOUT = 2

_SEND_AGAIN = (pg.SerializationFailure, pg.DeadlockDetected, pg.UniqueViolation)
_SCHEMA_BEHIND = (pg.UndefinedFunction, pg.UndefinedTable, pg.UndefinedColumn, pg.UndefinedObject)


class _Connection(psycopg.Connection[Any]):
    """A connection that waits for the server until a deadline, also for one that is silent."""

    deadline: float = float("inf")

    def wait(self, gen: Any, *args: Any, **kwargs: Any) -> Any:
        left = self.deadline - monotonic()
        if left != float("inf"):
            kwargs["timeout"] = max(left, 0.0)
        return super().wait(gen, *args, **kwargs)


class Database:
    """A connection that is made when first needed and made again when it was lost."""

    def __init__(self, **connection: Any) -> None:
        """Remember how to connect.

        Args:
            connection: psycopg.connect's parameters; none: the function's settings, and a new password each time.
        """
        self._given = connection
        self._live: _Connection | None = None

    def one(self, statement: LiteralString, parameters: Sequence[Any]) -> Any:
        """Run one statement as a transaction of its own and return its first row as a named tuple, None without rows.

        The statement must be safe to send twice: it is sent again after a deadlock, a serialization failure, a clash
        of unique keys and a lost connection.

        Raises:
            Unavailable: no answer within BUDGET seconds; whether the statement took effect is unknown.
            SchemaBehind: the database lacks what the statement names.
        """
        deadline = monotonic() + BUDGET
        while True:
            try:
                return self._connected(deadline).execute(statement, parameters).fetchone()
            except _SEND_AGAIN as error:
                if monotonic() > deadline - 0.2:
                    raise _translated(error) from error
                sleep(random.uniform(0.001, 0.01))  # noqa: S311 - spreads callers, guards nothing
            except psycopg.Error as error:
                lost = self._live is not None and self._live.closed
                self.close()
                if not lost or isinstance(error, pg.QueryCanceled) or monotonic() > deadline - 0.2:
                    raise _translated(error) from error

    @contextmanager
    def transaction(self, tenant_id: str) -> Generator[psycopg.Connection[Any]]:
        """Open a transaction as a tenant. Raises as begun does."""
        with self.begun() as connection:
            connection.execute("SELECT enter_tenant_v1(%s)", [tenant_id])
            yield connection

    @contextmanager
    def begun(self) -> Generator[psycopg.Connection[Any]]:
        """Open a transaction of no tenant; committed at the end of the block, rolled back on any exception.

        A connection that was lost since it was last used is made again.

        Raises:
            Unavailable: the database cannot be reached, or took longer than BUDGET seconds in all.
            SchemaBehind: the database lacks what a statement names.
        """
        deadline = monotonic() + BUDGET
        begun = False
        while not begun:
            try:
                connection = self._connected(deadline)
                with connection.transaction():
                    begun = True
                    yield connection
            except psycopg.Error as error:
                lost = self._live is not None and self._live.closed
                self.close()
                if begun or not lost or monotonic() > deadline - 0.2:
                    raise _translated(error) from error

    def close(self) -> None:
        """Close the connection; the next statement makes a new one."""
        if self._live is not None:
            self._live.close()
            self._live = None

    def _connected(self, deadline: float) -> _Connection:
        if self._live is None or self._live.closed:
            self._live = _Connection.connect(
                **(self._given or connection_settings()),
                autocommit=True,
                # Prepared statements belong to a session, and a proxy shares those.
                prepare_threshold=None,
                connect_timeout=_CONNECT_TIMEOUT,
                row_factory=namedtuple_row,
            )
        self._live.deadline = deadline
        return self._live


@cache
def current() -> Database:
    """Return this execution environment's database; it connects when first used."""
    return Database()


def connection_settings() -> dict[str, Any]:
    """Return psycopg.connect's parameters from the function's settings, with a password that is good now.

    Raises:
        Misconfigured: a setting or the secret is missing.
        Unavailable: the secret cannot be read.
    """
    database = settings.database()
    if database.secret:
        secret = secrets.read(database.secret)
        if secret is None:
            raise Misconfigured(
                cause=f"No secret {database.secret} that the role may read: create it, or empty DATABASE_SECRET for IAM"
            )
        password = secret["password"]
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
    if isinstance(error, _SCHEMA_BEHIND):
        return SchemaBehind(cause=f"The schema is behind the code ({cause}): run schema-migrate")
    if isinstance(error, (psycopg.OperationalError, *_SEND_AGAIN)):
        return Unavailable(
            cause=f"The database cannot be used ({cause}): check that it runs and has connections to spare"
        )
    return CausewayError(cause=cause)
