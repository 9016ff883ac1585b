"""The table of all errors: the error class of a code that another part of the system answered."""

from collections.abc import Mapping
from importlib import import_module

from causeway import errors
from causeway.errors.service import Internal
from causeway.errors.tree import LOADED, CausewayError


def of_code(code: str, default: type[CausewayError] | None = None) -> type[CausewayError]:
    """Return the error class of a code that the database or the authorizer answered.

    A function loads the errors of what it does. The first code of another domain loads the other modules.

    Args:
        code: such as INSUFFICIENT_FUNDS.
        default: the class for a code that no error has, for example of a newer release.

    Raises:
        Internal: no error has the code, and there is no default; the cause names the code.
    """
    found = LOADED.get(code) or every().get(code, default)
    if found is None:
        raise Internal(cause=f"No error of this release has the code {code}")
    return found


def every() -> Mapping[str, type[CausewayError]]:
    """Return the error class of each code that there is; loads all modules of errors."""
    from pkgutil import iter_modules

    for module in iter_modules(errors.__path__):
        import_module(f"{errors.__name__}.{module.name}")
    return LOADED
