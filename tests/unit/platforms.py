"""A provider of the catalogue, for calls to a server that the test starts."""

from typing import Any

from causeway.catalogue.providers import Provider
from tests.platforms.providers import row


def platform(url: str, authentication: dict[str, Any], key: str = "platform") -> Provider:
    """A provider at this URL, with this authentication and the test call GET /me."""
    return row(
        key=key,
        kind="test",
        display_name="Platform",
        description="",
        icon=None,
        config_schema={},
        setup_instructions="",
        documentation_url=None,
        base_urls={"production": url},
        api_version=None,
        webhook_support=False,
        webhook_url=None,
        rate_limits={},
        authentication=authentication,
        health_call={"method": "GET", "path": "/me", "expect": [200]},
    )
