"""make audit: known vulnerabilities of the locked packages, and the licences of those that are deployed."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import distributions, version
from pathlib import Path
from typing import Any

import pytest

from local import ROOT
from tests.findings import none_of
from tools.package_audit import licences, lock_files

PIP_AUDIT = ROOT / ".venv-check" / "bin" / "pip-audit"
# Stands in for pip-audit: notes the packages it is asked for, and answers as it does.
PROGRAM = """#!{python}
import json, pathlib, sys
[file] = [word.partition("=")[2] for word in sys.argv if word.startswith("--requirement=")]
names = dict(line.split("==") for line in pathlib.Path(file).read_text().split())
with open({asked!r}, "a") as asked:
    asked.write(json.dumps([*names.items()]) + "\\n")
if {dies!r}:
    sys.exit("Traceback (most recent call last):\\n" + {dies!r})
answers = [
    {{"name": name, "skip_reason": "Dependency not found on PyPI and could not be audited"}}
    if name in {skipped!r}
    else {{"name": name, "version": number, "vulns": {vulnerable!r}.get(name, [])}}
    for name, number in names.items()
]
print(json.dumps({{"dependencies": answers, "fixes": []}}))
sys.exit(any(answer.get("vulns") for answer in answers))
"""
IDNA = f"idna=={version('idna')}"
ADVISORY = {"id": "PYSEC-2026-1", "fix_versions": ["3.2", "4.0"], "aliases": ["CVE-2026-1"]}


def locked(folder: Path, files: dict[str, list[str]]) -> None:
    for name, packages in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("".join(f"{package} \\\n    --hash=sha256:0\n" for package in packages))


def audit(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "causeway" / "python")])
    return subprocess.run(
        [sys.executable, "-m", "tools.package_audit", *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "HOME": str(folder), "PYTHONPATH": path, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def audited(tmp_path: Path) -> Run:
    """Runs the audit of lock files with idna and two versions of numpy, with a stand-in of pip-audit."""
    files = {
        lock_files.DEPLOYED: [IDNA],
        "requirements/test.txt": [IDNA, "numpy==2.4.6 ; python_full_version < '3.12'", "numpy==2.5.5"],
    }
    locked(tmp_path, files)
    program = tmp_path / ".venv-check" / "bin" / "pip-audit"
    program.parent.mkdir(parents=True)

    def run(
        *, skipped: tuple[str, ...] = (), vulnerable: dict[str, Any] | None = None, dies: str = ""
    ) -> subprocess.CompletedProcess[str]:
        text = PROGRAM.format(
            python=sys.executable,
            asked=str(tmp_path / "asked.jsonl"),
            skipped=skipped,
            vulnerable=vulnerable or {},
            dies=dies,
        )
        program.write_text(text)
        program.chmod(0o755)
        return audit(tmp_path)

    return run


# ---- Vulnerabilities ----


def test_every_version_of_every_lock_file_is_asked_for_once(audited: Run, tmp_path: Path) -> None:
    """Two versions of a package are in two questions: pip-audit refuses both in one."""
    done = audited()

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("3 locked packages: 3 looked up, 0 known vulnerabilities\n")
    asked = [json.loads(line) for line in (tmp_path / "asked.jsonl").read_text().splitlines()]
    assert asked == [[IDNA.split("=="), ["numpy", "2.4.6"]], [["numpy", "2.5.5"]]]


def test_vulnerability_fails_the_audit_and_names_package_and_lock_files(audited: Run) -> None:
    done = audited(vulnerable={"idna": [ADVISORY], "numpy": [{"id": "X", "fix_versions": [], "aliases": []}]})

    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.splitlines()[1:] == [
        (
            f"{IDNA.replace('==', ' ')}: PYSEC-2026-1, CVE-2026-1, repaired in 3.2 or 4.0 "
            "(layers/vendor/requirements.txt, requirements/test.txt)"
        ),
        "numpy 2.4.6: X, no version repairs it (requirements/test.txt)",
        "numpy 2.5.5: X, no version repairs it (requirements/test.txt)",
        "3 locked packages: 3 looked up, 3 known vulnerabilities",
    ]


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"skipped": ("idna", "numpy")}, "not answer for 3 of 3 packages, so nothing is known of them. Dependency not"),
        ({"skipped": ("idna",)}, "not answer for 1 of 3 packages"),
        ({"dies": "requests.exceptions.ConnectionError: no"}, "requests.exceptions.ConnectionError: no"),
    ],
)
def test_database_of_advisories_that_does_not_answer_is_no_clean_audit(
    audited: Run, answer: dict[str, Any], said: str
) -> None:
    """pip-audit ends with 0, and with "No known vulnerabilities found", where it could look up no package."""
    done = audited(**answer)

    assert done.returncode == 2
    assert done.stderr.startswith("NOT AUDITED: the database of advisories (pypi) did not answer")
    assert said in done.stderr


def test_vulnerability_counts_also_if_another_package_was_not_looked_up(audited: Run) -> None:
    done = audited(skipped=("numpy",), vulnerable={"idna": [ADVISORY]})

    assert done.returncode == 1
    assert "NOT AUDITED" in done.stderr


@pytest.mark.skipif(not PIP_AUDIT.exists(), reason="pip-audit is installed by make check or make audit")
@pytest.mark.parametrize("service", ["pypi", "osv"])
def test_pip_audit_without_a_network_is_no_clean_audit(tmp_path: Path, service: str) -> None:
    locked(tmp_path, {lock_files.DEPLOYED: [IDNA]})
    (tmp_path / ".venv-check").symlink_to(PIP_AUDIT.parents[1])

    done = audit(tmp_path, "--service", service, HTTPS_PROXY="http://127.0.0.1:9")

    assert done.returncode == 2
    assert done.stdout.endswith("1 locked packages: 0 looked up, 0 known vulnerabilities\n")
    assert done.stderr.startswith(f"NOT AUDITED: the database of advisories ({service}) did not answer for 1 of 1")
    assert "Traceback" not in done.stderr


def test_lock_file_without_a_package_is_refused(tmp_path: Path) -> None:
    locked(tmp_path, {"requirements/run.txt": []})

    with pytest.raises(ValueError, match=r"run[.]txt locks no package"):
        lock_files.packages(tmp_path / "requirements" / "run.txt")


def test_every_lock_file_of_the_project_is_audited() -> None:
    assert lock_files.every(ROOT) == [
        lock_files.DEPLOYED,
        *(f"requirements/{name}.txt" for name in ("bench", "check", "checkov", "run", "test")),
    ]


# ---- Licences ----


def of(folder: Path, *metadata: str, lock: str = "pkg==1.0") -> licences.Licence:
    """The licence of a package that is installed with these lines of metadata."""
    locked(folder, {lock_files.DEPLOYED: [lock]})
    information = folder / "pkg-1.0.dist-info"
    (information / "licenses").mkdir(parents=True)
    (information / "METADATA").write_text("\n".join(["Metadata-Version: 2.4", "Name: Pkg", "Version: 1.0", *metadata]))
    (information / "licenses" / "LICENSE").write_text("Permission is granted\n")
    (information / "RECORD").write_text("pkg-1.0.dist-info/licenses/LICENSE,,\npkg/LICENSE,,\n")
    [licence] = licences.deployed(folder, distributions(path=[str(folder)]))
    return licence


@pytest.mark.parametrize(
    ("metadata", "shown"),
    [
        (["License-Expression: MIT", "License: GPL"], "MIT"),
        (["License-Expression: Apache-2.0 OR BSD-3-Clause"], "Apache-2.0 OR BSD-3-Clause"),
        (["License-Expression: (MIT AND MPL-2.0) OR ISC"], "(MIT AND MPL-2.0) OR ISC"),
        (["License: Apache", "Classifier: License :: OSI Approved :: Apache Software License"], "Apache"),
        (["License:  ", "Classifier: License :: OSI Approved :: BSD License"], "BSD License"),
        (["License: " + "Permission " * 20, "Classifier: License :: OSI Approved :: MIT License"], "MIT License"),
    ],
)
def test_licence_is_the_expression_or_else_the_field_and_the_classifiers(
    tmp_path: Path, metadata: list[str], shown: str
) -> None:
    licence = of(tmp_path, *metadata)

    assert (licence.shown, licences.problems([licence])) == (shown, [])


@pytest.mark.parametrize(
    ("metadata", "problem"),
    [
        ([], "pkg 1.0: states no licence"),
        (["License: UNKNOWN"], "pkg 1.0: its licence UNKNOWN is not among those allowed"),
        (["License: " + "Permission " * 20], "pkg 1.0: states no licence"),
        (["License-Expression: AGPL-3.0-only"], "pkg 1.0: its licence AGPL-3.0-only is not among those allowed"),
        (["License-Expression: MIT AND GPL-2.0-only"], "MIT AND GPL-2.0-only is not among those allowed"),
        (["License-Expression: MIT WITH Something"], "MIT WITH Something is not among those allowed"),
        (
            ["License: MIT", "Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)"],
            "its licence GNU General Public License v3 (GPLv3) is not among those allowed",
        ),
    ],
)
def test_licence_that_is_not_known_or_not_allowed_fails_with_the_packages_name(
    tmp_path: Path, metadata: list[str], problem: str
) -> None:
    [found] = licences.problems([of(tmp_path, *metadata)])

    assert problem in found


def test_licence_of_another_version_or_of_no_package_is_not_known(tmp_path: Path) -> None:
    [found] = licences.problems([of(tmp_path, "License-Expression: MIT", lock="pkg==1.1")])
    assert found == "pkg 1.1: is not installed here in this version, so its licence is not known"

    locked(tmp_path, {lock_files.DEPLOYED: ["missing==1", "windows-only==1 ; sys_platform == 'win32'"]})
    [licence] = licences.deployed(tmp_path, [])
    assert licence.package.name == "missing"
    assert licence.problem


def test_licences_text_is_named_by_its_place_in_the_layer(tmp_path: Path) -> None:
    licence = of(tmp_path, "License-Expression: MIT", "License-File: LICENSE")

    assert list(licence.texts) == ["pkg-1.0.dist-info/licenses/LICENSE"]
    assert "| pkg | 1.0 | MIT | `pkg-1.0.dist-info/licenses/LICENSE` |\n" in licences.as_markdown([licence])


def test_audit_fails_with_a_licence_that_is_not_allowed(tmp_path: Path, audited: Run) -> None:
    locked(tmp_path, {lock_files.DEPLOYED: ["idna==0.1"]})
    done = audited()

    assert done.returncode == 1
    assert done.stdout.startswith("idna 0.1: is not installed here")


def test_licences_of_what_is_deployed_are_known_and_written_down() -> None:
    deployed = licences.deployed(ROOT, distributions())

    none_of(licences.problems(deployed))
    assert (ROOT / licences.FILE).read_text(encoding="utf-8") == licences.as_markdown(deployed)
