"""Requests about authorizations and OAuth apps."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field

from causeway import settings
from causeway.wire.field_types import Omittable, Text, checked_by
from causeway.wire.models import Request


def _return_fault(url: str) -> str | None:
    try:
        parts = urlsplit(url)
    except ValueError:
        return "cannot be read as a URL"
    if f"{parts.scheme}://{parts.netloc}".lower() not in settings.oauth_return_origins():
        return "must be of a site on the deployment's list (OAUTH_RETURN_ORIGINS)"
    return None


class AuthorizationDraft(Request):
    """How an authorization is begun."""

    return_url: Omittable[Annotated[str, Text(pattern="https?://[!-\\[\\]-~]{1,2000}"), checked_by(_return_fault)]] = (
        Field(
            None,
            description="Where the person comes back to; its site is on the deployment's list. Absent: a plain page.",
        )
    )


class OAuthAppDraft(Request):
    """The deployment's own OAuth app at a platform."""

    client_id: Annotated[str, Text(pattern="[!-~]{1,255}")] = Field(examples=["causeway.apps.platform.example"])
    client_secret: Annotated[str, Text(pattern="[!-~]{1,4096}")] = Field(
        description="Write-only: no answer shows it.", examples=["made-up-app-secret"]
    )
