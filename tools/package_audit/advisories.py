"""Known vulnerabilities of locked packages, by pip-audit."""

import json
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tools.package_audit import lock_files

PIP_AUDIT = ".venv-check/bin/pip-audit"
# Both are databases that pip-audit can ask: that of the package index, and https://osv.dev.
SERVICES = ("pypi", "osv")
_OPTIONS = (
    *("--no-deps", "--disable-pip"),  # the packages are as they are locked: nothing is to be resolved
    *("--format=json", "--aliases=on", "--desc=off", "--progress-spinner=off"),
)


@dataclass(slots=True)
class Result:
    """What pip-audit found.

    Attributes:
        vulnerable: a line for each known vulnerability of a package.
        unknown: "name version" of each package that the database did not answer for.
        reason: what pip-audit said about the first of them, or why it ended.
        asked: the number of packages, each version counted.
    """

    vulnerable: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    reason: str = ""
    asked: int = 0


def find(root: Path, service: str) -> Result:
    """Ask a database of advisories for every package of every lock file.

    Markers are ignored, so packages for other systems and versions of Python are asked for too.

    Args:
        root: the repository's folder.
        service: one of SERVICES.
    """
    files: dict[tuple[str, str], list[str]] = {}
    for file in lock_files.every(root):
        for package in lock_files.packages(root / file):
            files.setdefault((package.name, package.version), []).append(file)
    result = Result(asked=len(files))
    for group in _groups(files):
        _ask(root, service, group, files, result)
    return result


def _groups(packages: Iterable[tuple[str, str]]) -> list[list[tuple[str, str]]]:
    """Return the packages in lists with one version of each name: pip-audit refuses a list with two."""
    groups: list[dict[str, str]] = []
    for name, version in packages:
        group = next((group for group in groups if name not in group), None)
        if group is None:
            groups.append({name: version})
        else:
            group[name] = version
    return [list(group.items()) for group in groups]


def _ask(
    root: Path,
    service: str,
    group: Sequence[tuple[str, str]],
    files: dict[tuple[str, str], list[str]],
    result: Result,
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        listed = Path(folder) / "packages.txt"
        listed.write_text("".join(f"{name}=={version}\n" for name, version in group), encoding="utf-8")
        done = subprocess.run(
            [root / PIP_AUDIT, *_OPTIONS, f"--vulnerability-service={service}", f"--requirement={listed}"],
            capture_output=True,
            text=True,
            check=False,
        )
    answers = _answers(done.stdout)
    # pip-audit leaves out what it does not know, and ends with 0: each package must have its answer.
    for name, version in group:
        answer = answers.get(name, {})
        if "vulns" not in answer:
            result.unknown.append(f"{name} {version}")
            result.reason = result.reason or answer.get("skip_reason") or _last_line(done.stderr)
        places = ", ".join(files[name, version])
        result.vulnerable += [f"{name} {version}: {_described(one)} ({places})" for one in answer.get("vulns", [])]


def _answers(text: str) -> dict[str, Any]:
    """Return pip-audit's answer for each name; none if it ended without one."""
    try:
        return {answer["name"]: answer for answer in json.loads(text)["dependencies"]}
    except ValueError:
        return {}


def _described(vulnerability: dict[str, Any]) -> str:
    names = ", ".join([vulnerability["id"], *vulnerability["aliases"]])
    repaired = " or ".join(vulnerability["fix_versions"])
    return f"{names}, {f'repaired in {repaired}' if repaired else 'no version repairs it'}"


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1] if lines else "pip-audit gave no reason"
