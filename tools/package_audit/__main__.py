"""python -m tools.package_audit, in the repository's folder: licences of what is deployed, and known vulnerabilities.

Exits 0 if nothing is wrong, 1 after printing what is wrong, 2 if nothing else is wrong and the database of advisories
did not answer for every package.
"""

import argparse
import sys
from importlib.metadata import distributions
from pathlib import Path

from tools.package_audit import advisories, licences


def main() -> int:
    """Run the audit; returns the process's exit status."""
    parser = argparse.ArgumentParser(prog="make audit", description=__doc__)
    parser.add_argument(
        "--service",
        choices=advisories.SERVICES,
        default=advisories.SERVICES[0],
        help="the database of advisories: the package index's own, or that of osv.dev",
    )
    service = parser.parse_args().service
    statuses = [_licences(Path()), _vulnerabilities(Path(), service)]
    return 1 if 1 in statuses else max(statuses)


def _licences(root: Path) -> int:
    found = licences.deployed(root, distributions())
    problems = licences.problems(found)
    for problem in problems:
        print(problem)
    print(f"{len(found)} deployed packages: {len(problems)} with a licence that is not known or not allowed")
    return 1 if problems else 0


def _vulnerabilities(root: Path, service: str) -> int:
    result = advisories.find(root, service)
    for line in result.vulnerable:
        print(line)
    answered = result.asked - len(result.unknown)
    print(f"{result.asked} locked packages: {answered} looked up, {len(result.vulnerable)} known vulnerabilities")
    if result.unknown:
        print(
            f"NOT AUDITED: the database of advisories ({service}) did not answer for {len(result.unknown)} of "
            f"{result.asked} packages, so nothing is known of them. {result.reason}",
            file=sys.stderr,
        )
    if result.vulnerable:
        return 1
    return 2 if result.unknown else 0


if __name__ == "__main__":
    sys.exit(main())
