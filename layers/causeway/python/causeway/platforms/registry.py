"""Finds a platform's code by the platform's key: the folder causeway/platforms/<key>/ and the modules in it."""

from importlib import import_module
from importlib.util import find_spec
from typing import TypeVar, cast

from causeway.catalogue.keys import KEY

_PACKAGE = __name__.rpartition(".")[0]
# Folders beside the platforms' that hold no platform.
RESERVED = frozenset(("kinds", "vendors"))

Kind = TypeVar("Kind")


def find(key: str, kind: type[Kind]) -> Kind | None:
    """Return a platform's module of a kind of work; None if the platform has none. It is imported on first use.

    Args:
        key: the platform's, as in the catalogue; no platform has a key of another form.
        kind: a Protocol of causeway.platforms.kinds. The platform's module has the file name of the
            Protocol's module.
    """
    if key in RESERVED or not KEY.fullmatch(key):
        return None
    folder = find_spec(f"{_PACKAGE}.{key}")
    if folder is None or folder.submodule_search_locations is None:
        return None
    name = f"{_PACKAGE}.{key}.{kind.__module__.rpartition('.')[2]}"
    return None if find_spec(name) is None else cast("Kind", import_module(name))
