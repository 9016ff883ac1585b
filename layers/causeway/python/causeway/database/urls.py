"""The URL of a database as a person gives it, checked before anything connects."""

from urllib.parse import parse_qs, urlsplit

from psycopg import Error, conninfo

_SCHEMES = ("postgresql://", "postgres://")
# They would replace what stands before the question mark, where the programs that take a URL look and write.
_NOT_IN_QUERY = {"user", "password", "dbname"}


class WrongUrl(ValueError):
    """The URL cannot be used; the message says why, and has no part of the URL: it may be one of the password."""


def check(url: str) -> None:
    """Raise WrongUrl unless the URL is one of Postgres that every reader of URLs reads in the same way.

    A reader that splits at another `@`, `/`, `?` or `#` of a password takes a part of it for the host, port or
    database, and its error would quote it. The form `key=value` is refused too.
    """
    if not url.startswith(_SCHEMES):
        raise WrongUrl("the URL does not begin with postgresql:// or postgres://")
    if not _is_readable(url):
        raise WrongUrl(
            "the URL cannot be read: its host, port or query is malformed, or user or password has a character that "
            "must be escaped (@ is written %40, / %2F, : %3A, ? %3F, # %23, % %25, [ %5B, a space %20)"
        )
    if _NOT_IN_QUERY & parse_qs(urlsplit(url).query, keep_blank_values=True).keys():
        raise WrongUrl("the URL has user, password or dbname after the question mark")


def _is_readable(url: str) -> bool:
    try:
        parts, info = urlsplit(url), conninfo.conninfo_to_dict(url)
        hosts = str(info.get("host", "")).split(",")
        for host in hosts:
            if not host.startswith("/"):
                # As the resolver does; it refuses an empty or too long part of a name.
                host.encode("idna")
    except (Error, ValueError):
        return False
    ports = str(info.get("port", "")).split(",")
    return (
        "#" not in url
        and parts.netloc.count("@") <= 1
        and "@" not in parts.path + parts.query + "".join(hosts)
        and all(port.isdecimal() or not port for port in ports)
    )
