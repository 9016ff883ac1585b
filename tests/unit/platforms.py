"""A provider of the catalogue, for calls to a server of a test's own."""

from typing import Any

from causeway.catalogue.providers import Provider


def platform(url: str, authentication: dict[str, Any], key: str = "platform") -> Provider:
    """A provider there, which asks for this proof and is tested by GET /me."""
    return Provider(
        key=key,
        kind="test",
        display_name="Platform",
        description="",
        config_schema={},
        setup_instructions="",
        documentation_url=None,
        base_urls={"production": url},
        api_version=None,
        webhook_support=False,
        rate_limits={},
        authentication=authentication,
        health_call={"method": "GET", "path": "/me", "expect": [200]},
    )
