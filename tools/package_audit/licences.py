"""`python -m tools.package_audit.licences`, in the repository's folder: writes docs/licences.md, and checks it.

It exits 1 and names each deployed package whose licence is not known or not allowed.
"""

import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import Distribution, distributions
from pathlib import Path

from tools import made_files
from tools.package_audit import lock_files
from tools.package_audit.lock_files import Locked

FILE = Path("docs/licences.md")
# SPDX identifiers and, for packages without one, what they write instead. All permit use in a closed product. LGPL and
# MPL ask that changes of the package itself are published: we change none, and each has its own folder in the layer.
ALLOWED = frozenset(
    {
        *("0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "MIT-0", "PSF-2.0", "Unlicense"),
        *("LGPL-3.0-only", "MPL-2.0"),
        *("Apache", "Apache Software License", "BSD License", "MIT License"),
        *("MIT No Attribution License (MIT-0)", "Mozilla Public License 2.0 (MPL 2.0)"),
    }
)
# No Lambda function runs on Windows: the layer never has these.
_ELSEWHERE = "sys_platform == 'win32'"
_CLASSIFIER = "License :: "
# Some packages have the whole text of a licence where its name belongs.
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Licence:
    """The licence of a deployed package, as its metadata state it.

    Attributes:
        package: what is locked.
        shown: the licence in a person's words; empty if the package states none.
        stated: every statement, each of which must be allowed.
        texts: the paths of its texts inside the layer's folder python.
        problem: why the check fails; empty if it does not.
    """

    package: Locked
    shown: str = ""
    stated: Sequence[str] = ()
    texts: Sequence[str] = ()
    problem: str = ""


def deployed(root: Path, installed: Iterable[Distribution]) -> list[Licence]:
    """Return the licence of each package that is deployed.

    Args:
        root: the repository's folder.
        installed: the packages of an environment that has them, of which the metadata are read.
    """
    found = {_normalized(one.name): one for one in installed}
    packages = lock_files.packages(root / lock_files.DEPLOYED)
    return [_licence(package, found.get(package.name)) for package in packages if package.marker != _ELSEWHERE]


def problems(licences: Sequence[Licence]) -> list[str]:
    """Return a sentence for each package whose licence is not known or not allowed."""
    return [f"{one.package.name} {one.package.version}: {one.problem}" for one in licences if one.problem]


def as_markdown(licences: Sequence[Licence]) -> str:
    """Return docs/licences.md."""
    lines = [
        "# Licences of what is deployed",
        "",
        "Made from the packages' metadata by `make docs`; `make check` compares the two. These third-party packages",
        "(`layers/vendor/requirements.txt`) go to Lambda, in one layer. No function has packages of its own. The layer",
        "has each licence's text, under the path named here. What runs only on a laptop is not listed.",
        "",
        "A new licence fails `make check` and `make audit` until somebody has read it and added it to `ALLOWED` in",
        "`tools/package_audit/licences.py`, which says why each is allowed. Without an SPDX identifier the word is the",
        "package's own. Some packages contain compiled libraries whose licences their metadata do not name: libpq and",
        "OpenSSL in `psycopg-binary`, OpenSSL in `cryptography`, Rust crates in `cryptography`, `jsonschema-rs` and",
        "`pydantic-core`.",
        "",
        "| package | version | licence | text |",
        "|---|---|---|---|",
    ]
    for one in licences:
        texts = ", ".join(f"`{path}`" for path in one.texts) or "none in the package"
        lines.append(f"| {one.package.name} | {one.package.version} | {one.shown or 'not known'} | {texts} |")
    return "\n".join(lines) + "\n"


def _licence(package: Locked, installed: Distribution | None) -> Licence:
    if installed is None or installed.version != package.version:
        return Licence(package, problem="is not installed here in this version, so its licence is not known")
    stated = _field(installed, "License-Expression") or _stated(installed)
    refused = [one for one in stated if not _is_allowed(one)]
    problem = f"its licence {', '.join(refused)} is not among those allowed" if refused else ""
    return Licence(
        package,
        shown=stated[0] if stated else "",
        stated=stated,
        texts=_texts(installed),
        problem=problem if stated else "states no licence",
    )


def _stated(installed: Distribution) -> list[str]:
    """Return what a package without an SPDX expression (PEP 639) states: the field License, then its classifiers."""
    names = [one.strip() for one in _field(installed, "License")]
    classifiers = [one for one in _field(installed, "Classifier") if one.startswith(_CLASSIFIER)]
    return [
        *(one for one in names if one and "\n" not in one and len(one) <= _LONGEST_NAME),
        *(one.rpartition(" :: ")[2] for one in classifiers),
    ]


def _is_allowed(statement: str) -> bool:
    """Return whether a statement is in the list, or, as an SPDX expression, has only identifiers of the list."""
    identifiers = [part.strip("() ") for part in re.split(r" (?:AND|OR) ", statement)]
    return statement in ALLOWED or all(one in ALLOWED for one in identifiers)


def _texts(installed: Distribution) -> list[str]:
    named = {Path(path).name for path in _field(installed, "License-File")}
    paths = [str(path) for path in installed.files or [] if ".dist-info/" in str(path) and path.name in named]
    return sorted(paths)


def _field(installed: Distribution, name: str) -> list[str]:
    return installed.metadata.get_all(name) or []


def _normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _main() -> int:
    options = made_files.parser("tools.package_audit.licences", __doc__).parse_args()
    licences = deployed(Path(), distributions())
    for problem in problems(licences):
        sys.stderr.write(f"{problem}\n")
    return made_files.keep(FILE, as_markdown(licences), check=options.check) or int(bool(problems(licences)))


if __name__ == "__main__":
    sys.exit(_main())
