"""The sandbox's platforms: one Python file each, named after the platform's key.

A platform's file has three parts:
- CREDENTIALS: the demo credentials, in the fields of the catalogue's config_schema. They are made up and public.
- routes(): the platform's routes, with new state.
- problem(status): the platform's response to a request that fails with this status.

And these parts where the vendor documents more:
- FAULTS: name of a fault -> the platform's response, made from the seconds to wait. `throttled` is its response to too
  many requests; without it that is problem(429) without Retry-After.
- exhausted(seconds): the headers of a good response after which no request is left.
- OAUTH_APP, if its connections are authorized by OAuth: the id and the secret of the app that it knows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from local.errors import StartError
from local.sandbox.problems import Exhausted, Problem, Refusal, no_headers
from local.sandbox.routes import Route

FOLDER = Path(__file__).parent / "platforms"
# The page for a developer whose file is missing.
HOW_TO_ADD = "docs/development.md, Add a platform"
_PARTS = ("CREDENTIALS", "routes", "problem")


@dataclass(frozen=True, slots=True)
class Platform:
    """The parts of a platform's file."""

    credentials: Mapping[str, str]
    routes: Callable[[], list[Route]]
    problem: Problem
    faults: Mapping[str, Refusal]
    exhausted: Exhausted


def platforms(folder: Path = FOLDER) -> dict[str, Platform]:
    """Return the platforms of a folder by their keys.

    Raises:
        StartError: a file lacks one of its parts; the sentence names the file and the part.
    """
    return {file.stem: _load(file) for file in sorted(folder.glob("[!_]*.py"))}


def demo_credentials(key: str) -> dict[str, str]:
    """Return the credentials that the sandbox accepts for a platform of the catalogue.

    Raises:
        StartError: the platform has no file, or it lacks one of its parts; the sentence names the file.
    """
    return dict(_load(FOLDER / f"{key}.py").credentials)


def oauth_app(key: str) -> dict[str, str]:
    """Return client_id and client_secret of the app that the sandbox's platform knows; empty for one without OAuth."""
    file = FOLDER / f"{key}.py"
    return dict(getattr(_module(file), "OAUTH_APP", {}))


def _load(file: Path) -> Platform:
    module = _module(file)
    missing = [part for part in _PARTS if not hasattr(module, part)]
    if missing:
        raise StartError(f"{file}: {', '.join(missing)} missing; a platform's file has {', '.join(_PARTS)}")
    parts = (getattr(module, part) for part in _PARTS)
    return Platform(*parts, getattr(module, "FAULTS", {}), getattr(module, "exhausted", no_headers))


def _module(file: Path) -> ModuleType:
    if not file.exists():
        raise StartError(f"{file} is missing: {HOW_TO_ADD}")
    spec = spec_from_file_location(f"local.sandbox.platforms.{file.stem}", file)
    if spec is None or spec.loader is None:
        raise StartError(f"{file}: not a Python file")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
