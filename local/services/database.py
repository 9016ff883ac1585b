"""The stack's database: a new one on a server, with a password for each login."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import psycopg
from psycopg import sql

from causeway.database import failures, urls
from local.errors import StartError

OWNER = "causeway_owner"

_LOGINS = "SELECT rolname FROM pg_roles WHERE rolcanlogin AND starts_with(rolname, 'causeway_') ORDER BY rolname"
_OTHER_ROLES = "SELECT rolname FROM pg_roles WHERE rolname <> %s AND starts_with(rolname, 'causeway_')"


@dataclass(frozen=True)
class Database:
    """A database of the stack.

    Attributes:
        urls: by login without prefix ("owner", "casino"), and "superuser".
    """

    name: str
    host: str
    port: int
    admin_url: str
    urls: dict[str, str]
    passwords: dict[str, str]

    def drop(self) -> None:
        """Remove the database, and end all connections to it."""
        with psycopg.connect(self.admin_url, autocommit=True) as server:
            server.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(self.name)))


def create(admin_url: str) -> Database:
    """Make the owner's role, and an empty database with a new name that belongs to it.

    admin_url: URL of a superuser. Raises StartError if it is no URL of Postgres, or the server cannot be used.
    """
    try:
        urls.check(admin_url)
    except urls.WrongUrl as error:
        raise _unusable(str(error)) from error
    name = f"causeway_{secrets.token_hex(4)}"
    password = _password(admin_url, OWNER)
    try:
        with psycopg.connect(admin_url, autocommit=True, connect_timeout=10) as server:
            owner = sql.Identifier(OWNER)
            if server.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (OWNER,)).fetchone() is None:
                server.execute(sql.SQL("CREATE ROLE {}").format(owner))
            server.execute(sql.SQL("ALTER ROLE {} LOGIN CREATEROLE PASSWORD {}").format(owner, sql.Literal(password)))
            # On a shared server the roles may exist already; the owner must be able to alter and grant them.
            for (role,) in server.execute(_OTHER_ROLES, (OWNER,)).fetchall():
                grant = sql.SQL("GRANT {} TO {} WITH ADMIN OPTION")
                server.execute(grant.format(sql.Identifier(role), owner))
            created = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0")
            server.execute(created.format(sql.Identifier(name), owner))
            host, port = server.info.host, server.info.port
    except psycopg.Error as error:
        raise _unusable(failures.reason_of(error)) from error
    logins = {"superuser": _url(admin_url, name), "owner": _url(admin_url, name, OWNER, password)}
    return Database(name, host, port, admin_url, logins, {OWNER: password})


def _unusable(reason: str) -> StartError:
    return StartError(
        f"the Postgres server of DATABASE_URL cannot be used: {reason}: give a superuser's URL, "
        "postgresql://user:password@host/database, or unset DATABASE_URL for the embedded Postgres"
    )


def give_passwords(database: Database) -> Database:
    """Set a password for every login that the migrations made; returns the database with their URLs."""
    logins, passwords = dict(database.urls), dict(database.passwords)
    with psycopg.connect(database.urls["superuser"]) as transaction:
        for (role,) in transaction.execute(_LOGINS).fetchall():
            password = passwords[role] = _password(database.admin_url, role)
            change = sql.SQL("ALTER ROLE {} PASSWORD {}")
            transaction.execute(change.format(sql.Identifier(role), sql.Literal(password)))
            logins[role.removeprefix("causeway_")] = _url(database.admin_url, database.name, role, password)
    return Database(database.name, database.host, database.port, database.admin_url, logins, passwords)


def _password(admin_url: str, role: str) -> str:
    """A role's password. All stacks on a server share its roles, so they derive the same passwords from its URL."""
    return hmac.new(admin_url.encode(), role.encode(), hashlib.sha256).hexdigest()


def _url(admin_url: str, database: str, role: str = "", password: str = "") -> str:
    """The admin's URL with another database, and another login if there is one."""
    parts = urlsplit(admin_url)
    place = parts.netloc.rpartition("@")[2]
    login = parts.netloc.rpartition("@")[0] if not role else f"{role}:{quote(password, safe='')}"
    return parts._replace(netloc=f"{login}@{place}" if login else place, path=f"/{database}").geturl()
