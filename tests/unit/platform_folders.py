"""The folders of the platforms, the product's and the toy's, and their modules."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

from causeway.platforms import registry

_ROOT = Path(__file__).parents[2]
PLATFORMS = _ROOT / "layers" / "causeway" / "python" / "causeway" / "platforms"
TOY = _ROOT / "tests" / "toy_platform" / PLATFORMS.relative_to(_ROOT)


def folders(root: Path) -> list[Path]:
    """The platforms' folders."""
    return [folder for folder in sorted(root.glob("[a-z]*/")) if folder.name not in registry.RESERVED]


def loaded(file: Path) -> ModuleType:
    spec = spec_from_file_location(f"checked_{file.parent.name}_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
