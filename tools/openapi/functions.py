"""The routes of the function files: it imports each file and reads what its routes declare."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from inspect import getdoc
from pathlib import Path
from types import ModuleType

from aws_lambda_powertools.event_handler.api_gateway import BaseRouter

from causeway.edge.routes import Declaration, DeclaredTwice, declared

# A parameter of a path, as Powertools writes it.
_VARIABLE = re.compile(r"<(\w+)>")
# The docstring of a module with one route: GET /audit: the tenant's audit log.
_ROUTE_DOCSTRING = re.compile(r"[A-Z]+ /\S+(?: \((?P<note>[^)]*)\))?: (?P<text>.+)")


class Undeclared(Exception):
    """A route has no declaration or two, or its declaration names a schema or an error that does not exist."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A route of a function file."""

    family: str
    module: ModuleType
    declaration: Declaration

    @property
    def operation_id(self) -> str:
        """A name that no other route has: integrations_connections_create."""
        module = self.module.__name__.rpartition(".")[2]
        names = [self.family, *([] if module == self.family else [module]), self.declaration.function.__name__]
        return "_".join(names)

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
        Undeclared: a route has no declaration, or two; the message names the file.
    """
    found = [operation for file in sorted(functions.glob("*/*.py")) for operation in _of_file(file)]
    return sorted(found, key=lambda one: (one.family, one.declaration.path, one.declaration.method))


def _of_file(file: Path) -> Iterator[Operation]:
    module = _imported(file)
    resolvers = {name: value for name, value in vars(module).items() if isinstance(value, BaseRouter)}
    app = resolvers.pop("app", None)
    for name in resolvers:
        raise Undeclared(f"{file}: {name} is a resolver: a function file has one, called app")
    if app is None:
        return  # not behind the HTTP API
    declarations = declared(app)
    # Powertools has no public list of its routes.
    for route in [*app._static_routes, *app._dynamic_routes]:  # noqa: SLF001
        if route.func not in declarations:
            path = _VARIABLE.sub(r"{\1}", route.path)
            raise Undeclared(
                f"{file}: {route.method} {path} has no declaration: use the @route of a module of causeway.edge"
            )
        yield Operation(file.parent.name, module, declarations[route.func])


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
