"""A connection's account at its platform: the settings and secrets that a call is filled with, and where it is made."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from causeway.catalogue.document_rules import FIELD_REFERENCE
from causeway.catalogue.providers import Provider
from causeway.outbound.client import check_url
from causeway.outbound.failures import AddressInvalid, CallFailed
from causeway.platforms.failures import SettingMissing
from causeway.platforms.verdicts import judge

# What a field may put into the host of a base URL.
_HOST_PART = re.compile(r"[0-9A-Za-z.-]{1,200}")


@dataclass(frozen=True, slots=True)
class Account:
    """A connection ready to be called: its provider, its environment, its settings, and its secrets."""

    provider: Provider
    environment: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Account({self.provider.key}, {self.environment})"

    def filled(self, template: str, encode: Callable[[str], str] = str) -> str:
        """Return a text with the account's fields in the place of {names}.

        Raises:
            SettingMissing: the configuration lacks a field that the call needs.
        """
        return FIELD_REFERENCE.sub(lambda found: encode(self._field(found[1])), template)

    def _field(self, name: str) -> str:
        value = self.secrets.get(name, self.settings.get(name))
        if value is None:
            value = self.provider.config_schema.get("properties", {}).get(name, {}).get("default")
        if value is None:
            action = f"Give config.{name}; the template's set-up text says where to find it."
            raise SettingMissing(f"config.{name} is missing, which this call needs", action)
        return value if isinstance(value, str) else json.dumps(value)

    @property
    def endpoints(self) -> list[str]:
        """The addresses the account's secrets are sent to; none where the configuration lacks what they need."""
        token_url = self.provider.authentication.get("token_url")
        try:
            base_url = self.base_url
        except CallFailed:
            return []
        return [base_url] if token_url is None else [base_url, token_url]

    @property
    def address(self) -> str:
        """Name of the setting that holds the base URL, for messages."""
        if self.provider.health_call.get("configured_url"):
            return "config.base_url"
        return f"the template's {self.environment} address"

    @property
    def unused_secrets(self) -> tuple[str, ...]:
        """Names of the secrets that the test call does not use, and so does not prove."""
        provider = self.provider
        texts = json.dumps([provider.base_urls, provider.authentication, provider.health_call])
        used = set(FIELD_REFERENCE.findall(texts))
        return tuple(sorted(self.secrets.keys() - used))

    @property
    def base_url(self) -> str:
        """The URL that paths are appended to; raises SettingMissing, AddressInvalid, AddressBlocked if none is."""
        if self.provider.health_call.get("configured_url"):
            try:
                return _checked(self.filled("{base_url}"))
            except SettingMissing as failure:
                lacks = f"config.base_url is missing: {self.provider.display_name} has no public address"
                action = "Give config.base_url, the address that the platform's partner team named."
                raise SettingMissing(lacks, action) from failure
        template = self.provider.base_urls.get(self.environment)
        if not template:
            offered = " or ".join(sorted(name for name, url in self.provider.base_urls.items() if url))
            raise SettingMissing(
                f"environment: {self.provider.display_name} has no {self.environment} environment, but {offered}",
                f"Send environment {offered}, and a config that gives every secret.",
            )
        return _checked(self.filled(template, _host_part))


def demand_address(account: Account) -> None:
    """Raise ConfigInvalid or a subclass, which names the field, where an account has no address to call."""
    try:
        account.base_url  # noqa: B018 - it raises
    except CallFailed as failure:
        raise judge(failure, address=account.address).error() from failure


def _checked(url: str) -> str:
    check_url(url)
    return url.rstrip("/")


def _host_part(value: str) -> str:
    if not _HOST_PART.fullmatch(value):
        raise AddressInvalid("gets a field of the configuration that has characters which no host's name has")
    return value
