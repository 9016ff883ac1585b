"""The table of every error, for documents: it loads all modules of errors, which no function needs."""

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules

from causeway import errors
from causeway.errors.tree import BY_CODE, CausewayError


def every() -> Mapping[str, type[CausewayError]]:
    """Return the error class of each code that there is."""
    for module in iter_modules(errors.__path__):
        import_module(f"{errors.__name__}.{module.name}")
    return BY_CODE
