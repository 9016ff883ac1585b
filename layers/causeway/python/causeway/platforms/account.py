"""A connection's account at its platform: where it is called, and the settings and secrets that fill a call."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from causeway.catalogue import oauth_fields
from causeway.catalogue.document_rules import FIELD_REFERENCE
from causeway.catalogue.providers import Provider
from causeway.outbound.attempts import Attempt
from causeway.outbound.client import check_url
from causeway.outbound.failures import AddressInvalid, CallFailed, RequestInvalid
from causeway.outbound.request_rules import path_fault
from causeway.platforms.failures import AuthorizationMissing, SettingMissing

# Takes the redacted record of each attempt of a call.
Log = Callable[[Attempt], object]

# The values that a field may have in the host of a base URL.
_HOST_PART = re.compile(r"[0-9A-Za-z.-]{1,200}")


@dataclass(frozen=True, slots=True)
class Account:
    """All that a call needs: the platform's catalogue entry, the environment, the settings and the secrets."""

    provider: Provider
    environment: str
    settings: Mapping[str, Any]
    secrets: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Account({self.provider.key}, {self.environment})"

    def filled(self, template: str, encode: Callable[[str], str] = str) -> str:
        """Return a text with each {name} replaced by the account's field.

        Raises:
            SettingMissing: the configuration lacks a field that the call needs.
        """
        return FIELD_REFERENCE.sub(lambda found: encode(self._field(found[1])), template)

    def filled_path(self, template: str) -> str:
        """Return a path with each {name} replaced by the account's field, encoded; raises SettingMissing."""
        return self.filled(template, lambda value: quote(value, safe="/"))

    def filled_within(self, value: Any) -> Any:
        """Return a JSON value with each {name} in its texts replaced by the account's field; raises SettingMissing."""
        match value:
            case str():
                return self.filled(value)
            case dict():
                return {name: self.filled_within(inner) for name, inner in value.items()}
            case list():
                return [self.filled_within(inner) for inner in value]
        return value

    def has_fields(self, template: str) -> bool:
        """Return whether the account has a value for each {name} in a text; an empty text is no value."""
        return all(self._value(name) not in (None, "") for name in FIELD_REFERENCE.findall(template))

    def _value(self, name: str) -> Any:
        value = self.secrets.get(name, self.settings.get(name))
        if value is None:
            value = self.provider.config_schema.get("properties", {}).get(name, {}).get("default")
        return value

    def _field(self, name: str) -> str:
        value = self._value(name)
        if value is None and name in oauth_fields.fields_filled(self.provider.oauth):
            raise AuthorizationMissing(f"config.{name} is missing, which an authorization fills", "")
        if value is None:
            action = f"Give config.{name}; the template's set-up text says where to find it."
            raise SettingMissing(f"config.{name} is missing, which this call needs", action)
        return value if isinstance(value, str) else json.dumps(value)

    @property
    def base_url(self) -> str:
        """The URL that paths are appended to; raises SettingMissing, AddressInvalid, AddressBlocked."""
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

    def url(self, path: str) -> str:
        """Return the URL of a path, which is encoded already.

        Raises:
            RequestInvalid: the path would leave the base URL.
            SettingMissing, AddressInvalid, AddressBlocked: as base_url.
        """
        base_url = self.base_url
        fault = path_fault(path)
        if fault is not None:
            raise RequestInvalid(f"the path {fault}")
        return base_url + path

    @property
    def endpoints(self) -> list[str]:
        """The addresses that the account's secrets are sent to; empty if the configuration gives no valid address."""
        wanted = self.provider.authentication
        try:
            token_url = self.filled(wanted.get("token_url", ""))
            base_url = self.base_url
        except CallFailed:
            return []
        renewal_url = wanted.get("self_renewal", {}).get("url")
        return [url for url in (base_url, token_url, renewal_url) if url]

    @property
    def address(self) -> str:
        """The name of the setting that holds the base URL, for messages."""
        if self.provider.health_call.get("configured_url"):
            return "config.base_url"
        return f"the template's {self.environment} address"

    @property
    def untested_secrets(self) -> tuple[str, ...]:
        """Names of the secrets that the test call does not use, and therefore does not test."""
        provider = self.provider
        texts = json.dumps([provider.base_urls, provider.authentication, provider.health_call])
        used = set(FIELD_REFERENCE.findall(texts))
        return tuple(sorted(self.secrets.keys() - used))


def _checked(url: str) -> str:
    check_url(url)
    return url.rstrip("/")


def _host_part(value: str) -> str:
    if not _HOST_PART.fullmatch(value):
        raise AddressInvalid("gets a field of the configuration that has characters which no host's name has")
    return value
