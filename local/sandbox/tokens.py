"""The OAuth 2.0 access tokens of a platform: the token endpoint, and the authentication with a token (RFC 6749)."""

from collections.abc import Mapping
from typing import Any

from local.sandbox.exchange import Request, Response


class Tokens:
    """The access tokens that one platform has issued.

    Args:
        prefix: the beginning of each token.
        seconds: the tokens' life, as the platform's response has it.
        more: further fields of the token response.
    """

    def __init__(self, prefix: str, seconds: int, **more: Any) -> None:
        self._prefix = prefix
        self._seconds = seconds
        self._more = more
        self._issued: list[str] = []

    def issue(self, request: Request, _: Mapping[str, str]) -> Response:
        """Answer the token endpoint with a new token; it refuses grant types other than these two with 400."""
        grant = request.form.get("grant_type", "client_credentials")
        if grant not in ("client_credentials", "refresh_token"):
            return Response(400, {"error": "unsupported_grant_type", "error_description": "Unsupported grant_type"})
        self._issued.append(f"sandbox-{self._prefix}-token-{len(self._issued) + 1}")
        content = {"access_token": self._issued[-1], "token_type": "Bearer", "expires_in": self._seconds}
        return Response(200, {**content, **self._more})

    def authenticate(self, request: Request) -> bool:
        """Return whether the request has a token that was issued."""
        return request.bearer in self._issued
