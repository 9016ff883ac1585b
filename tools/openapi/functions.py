"""The routes of the function files: it imports each file and reads what its routes declare."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from inspect import getdoc
from pathlib import Path
from types import ModuleType

from causeway.edge.routes import App, Declaration, DeclaredTwice

# The docstring of a module with one route: GET /audit: the tenant's audit log.
_ROUTE_DOCSTRING = re.compile(r"[A-Z]+ /\S+(?: \((?P<note>[^)]*)\))?: (?P<text>.+)")


class Undeclared(Exception):
    """A file has no App called app, declares a route twice, or names a schema or an error that does not exist."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A route of a function file.

    Attributes:
        of_any: it is one method of a route that takes any.
    """

    family: str
    module: ModuleType
    declaration: Declaration
    of_any: bool = False

    @property
    def operation_id(self) -> str:
        """A name that no other route has: integrations_connections_create."""
        module = self.module.__name__.rpartition(".")[2]
        names = [self.family, *([] if module == self.family else [module]), self.declaration.function.__name__]
        return "_".join([*names, *([self.declaration.method.lower()] if self.of_any else [])])

    @property
    def summary(self) -> str:
        """The route's sentence, from the docstring of its module or its function, without the full stop."""
        own = _ROUTE_DOCSTRING.fullmatch((getdoc(self.module) or "").splitlines()[0])
        if own is None:
            return (getdoc(self.declaration.function) or "").splitlines()[0].rstrip(".")
        text = own["text"].rstrip(".")
        return text[0].upper() + text[1:] + (f" ({own['note']})" if own["note"] else "")


def every(functions: Path) -> list[Operation]:
    """Return the operations of all function files, in the order of family, path and method.

    Args:
        functions: the folder with a folder of function files per family.

    Raises:
        Undeclared: a file has no App called app, or a route has two declarations; the message names the file.
    """
    found = [operation for file in sorted(functions.glob("*/*.py")) for operation in _of_file(file)]
    return sorted(found, key=lambda one: (one.family, one.declaration.path, one.declaration.method))


def _of_file(file: Path) -> Iterator[Operation]:
    module = _imported(file)
    for name, value in vars(module).items():
        if isinstance(value, App) != (name == "app"):
            raise Undeclared(f"{file}: {name}: a function file has one App of causeway.edge.routes, called app")
    # A function that is not behind the HTTP API has no app.
    if hasattr(module, "app"):
        for declaration in module.app.declarations:
            yield Operation(file.parent.name, module, declaration)


def _imported(file: Path) -> ModuleType:
    name = f"functions.{file.parent.name}.{file.stem}"
    spec = spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise Undeclared(f"{file} cannot be imported")
    module = module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except DeclaredTwice as error:
        raise Undeclared(f"{file}: {error}") from error
    return module
