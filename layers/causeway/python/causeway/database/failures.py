"""What a driver's error says, in one line."""

import psycopg


def reason_of(error: psycopg.Error) -> str:
    """Return the first line of an error's message, which has the failure, place and reason; hints follow it.

    A refused connection, for example, says host, port and reason first, and asks whether a server runs there after it.
    """
    return str(error).strip().partition("\n")[0] or type(error).__name__
