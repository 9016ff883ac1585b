"""Errors of proxied calls, beside those of connections and platforms."""

from causeway.errors.requests import InvalidRequest, PayloadTooLarge
from causeway.errors.tree import CausewayError

# Bytes of a proxied body, of a request and of an answer. AWS Lambda takes and gives 6 MB, in which a body is base64.
MOST_BYTES = 4 * 1024 * 1024


class HeaderNotAllowed(InvalidRequest):
    """A header is not passed to the platform"""

    code = "HEADER_NOT_ALLOWED"
    action = "Leave the header out that the error names; the hub authenticates the call and sends it."


class PathNotAllowed(InvalidRequest):
    """The path or the query may not be called"""

    code = "PATH_NOT_ALLOWED"
    action = (
        "Send a path below the connection's base URL, percent-encoded, without query; if it has encoded characters, "
        "use POST /functions/v1/api-proxy."
    )


class MethodNotAllowed(CausewayError):
    """The method is not passed to platforms"""

    code = "METHOD_NOT_ALLOWED"
    status = 405
    action = "Use GET, HEAD, OPTIONS, POST, PUT, PATCH or DELETE."


class ProxiedBodyTooLarge(PayloadTooLarge):
    """The body is larger than the 4 MiB that are passed to a platform"""

    action = "Send at most 4 MiB; send larger files to the platform itself, by an address that it gives for uploads."


class SecretInAnswer(CausewayError):
    """The platform's answer has a secret of the connection, and secrets are not read back"""

    code = "SECRET_IN_ANSWER"
    status = 502
    action = (
        "Ask the platform for less: by its parameter for fields, or by another call. The API log has the beginning of "
        "the answer without the secret."
    )


class AnswerTooLarge(CausewayError):
    """The platform's answer is larger than the 4 MiB, or its headers than the 8 KiB, that are passed on"""

    code = "ANSWER_TOO_LARGE"
    status = 502
    action = "Ask the platform for less: a smaller page, fewer fields, or a part of the file by the header Range."
