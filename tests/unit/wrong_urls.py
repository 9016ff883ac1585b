"""Database URLs that are refused before anything connects."""

# A part of the password in each of them.
SECRET = "s3cret"
FORM = "the URL does not begin with postgresql:// or postgres://"
UNREADABLE = "the URL cannot be read: its host, port or query is malformed, or user or password has a character .*"
IN_QUERY = "the URL has user, password or dbname after the question mark"

# By URL the reason; {place} is host and port.
WRONG_URLS = {
    "s3cret": FORM,
    "{place}/db s3cret": FORM,
    "host=127.0.0.1 user=u password=s3cret": FORM,
    "host=127.0.0.1 user=u password='s3cret": FORM,
    "postgres//u:s3cret@{place}/db": FORM,
    "postgresql+psycopg://u:s3cret@{place}/db": FORM,
    " postgresql://u:s3cret@{place}/db": FORM,
    "postgresql://u:s3cret s3cret@{place}/db": UNREADABLE,
    "postgresql://u:s3cret%zz@{place}/db": UNREADABLE,
    "postgresql://u:x@s3cret@{place}/db": UNREADABLE,
    "postgresql://u:s3cret/x@{place}/db": UNREADABLE,
    "postgresql://u:1/s3cret@{place}/db": UNREADABLE,
    "postgresql://u:1?s3cret@{place}/db": UNREADABLE,
    "postgresql://u:x#s3cret@{place}/db": UNREADABLE,
    "postgresql://u:[s3cret@{place}/db": UNREADABLE,
    "postgresql://u:s3cret": UNREADABLE,
    "postgresql://u:x@s3cret%40{place}/db": UNREADABLE,
    "postgresql://u:s3cret@a..b/db": UNREADABLE,
    "postgresql://u:s3cret@" + "a" * 64 + "/db": UNREADABLE,
    "postgresql://u:s3cret@{place}/db?s3cret=1": UNREADABLE,
    "postgresql://{place}/db?user=u&password=s3cret": IN_QUERY,
    "postgresql://u:s3cret@{place}/db?dbname=other": IN_QUERY,
}
