"""A platform that is added to the product by its files alone; this folder has them in their four places."""

import json
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest

from causeway import platforms
from causeway.catalogue.secret_fields import split
from causeway.platforms import registry
from causeway.platforms.account import Account
from causeway.platforms.call_terms import CallTerms
from causeway.platforms.kinds.errors import ErrorReader
from causeway.platforms.open_account import OpenAccount
from local.sandbox import registry as sandboxed
from local.sandbox.process import Sandbox
from local.sandbox.redirection import redirected
from tests.platforms.providers import released

KEY = "pigeon_post"
CHECKOUT = Path(__file__).parent
_PLATFORMS = CHECKOUT / "layers" / "causeway" / "python" / "causeway" / "platforms"

Kind = TypeVar("Kind")


@dataclass(frozen=True)
class Toy:
    """The toy platform, and a sandbox that plays it."""

    sandbox: Sandbox

    @property
    def document(self) -> dict[str, Any]:
        """The catalogue's document, with the sandbox's address."""
        return _document(self.sandbox.url)

    def catalogue(self, folder: Path) -> Path:
        """Write a catalogue with this document alone into a new folder, and return the folder."""
        made = folder / "catalogue"
        made.mkdir()
        (made / f"{KEY}.json").write_text(json.dumps(self.document))
        return made

    @property
    def credentials(self) -> dict[str, str]:
        """The demo credentials."""
        return dict(sandboxed.platforms(CHECKOUT / "local" / "sandbox" / "platforms")[KEY].credentials)

    def module(self, kind: type[Kind]) -> Kind:
        """Return its module of a kind."""
        module = registry.find(KEY, kind)
        assert module is not None
        return module

    def account(self, url: str | None = None, **changes: str) -> OpenAccount:
        """Return an account with the demo credentials and these changes. url: a server in place of the sandbox."""
        platform = released(_document(url or self.sandbox.url))
        settings, secrets = split(platform.config_schema, self.credentials | changes)
        account = Account(platform, "production", settings, secrets)
        return OpenAccount(account, CallTerms(lambda _: None, errors=self.module(ErrorReader)), lambda _: None)


def _document(url: str) -> dict[str, Any]:
    return redirected(json.loads((CHECKOUT / "schema" / "catalogue" / f"{KEY}.json").read_bytes()), url)


@contextmanager
def added(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Generator[Toy]:
    """Add the toy platform to this process, and start its sandbox. folder: where the sandbox's log goes."""
    monkeypatch.setattr(platforms, "__path__", [*platforms.__path__, str(_PLATFORMS)])
    sandbox = Sandbox(folder, platforms=CHECKOUT / "local" / "sandbox" / "platforms")
    sandbox.start()
    try:
        yield Toy(sandbox)
    finally:
        sandbox.stop()
        for name in [name for name in sys.modules if name.startswith(f"{platforms.__name__}.{KEY}")]:
            del sys.modules[name]
