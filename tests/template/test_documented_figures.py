"""The numbers of docs/costs.md and docs/deploy.md are those of the template."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local.template.intrinsics import Resolver
from tests.template import stacks
from tests.template.test_functions import COUNTED
from tests.template.test_stack_sizes import PYTHON

COSTS = (stacks.ROOT / "docs" / "costs.md").read_text()
DEPLOY = (stacks.ROOT / "docs" / "deploy.md").read_text()
ALARM = "AWS::CloudWatch::Alarm"


def row(beginning: str) -> list[str]:
    """The cells of the row of the first table of docs/costs.md that begins like this."""
    [found] = [line for line in COSTS.splitlines() if line.startswith(f"| {beginning}")]
    return [cell.strip(" |*") for cell in found.split(" | ")]


def alarms(template: dict[str, Any], **given: str) -> int:
    """How many alarms a deployment with these parameters has."""
    values = {name: str(one.get("Default", "given")) for name, one in template["Parameters"].items()}
    resolver = Resolver(template, values | given, {"AWS::StackName": "causeway"})
    return sum(
        one["Type"] == ALARM and ("Condition" not in one or resolver.holds(one["Condition"], name))
        for name, one in template["Resources"].items()
    )


def test_alarms_are_as_many_as_the_page_says(template: dict[str, Any]) -> None:
    small, standard = (alarms(template, Size=size, SnapStart="off") for size in ("small", "standard"))
    name, _, *costs = row("Alarms: ")

    assert name == f"Alarms: {small} in small, {standard} in standard"
    assert costs == [f"{number / 10:.2f}" for number in (small, standard, standard, small)]
    assert alarms(template, Size="small", SnapStart="on") == small + 1


def test_metrics_of_schedules_are_as_many_as_the_page_says(template: dict[str, Any]) -> None:
    """A schedule also counts that nothing failed; other functions count faults only."""
    queried = sum(text.startswith("reported(") for _, text in COUNTED.values())
    own = [one["Properties"] for one in template["Resources"].values() if one["Type"] == ALARM]
    named = sum(one.get("Namespace") == {"Ref": "AWS::StackName"} for one in own)
    name, _, *costs = row("Metrics that schedules count")

    assert name.endswith(f": {queried + named}")
    assert set(costs) == {f"{(queried + named) * 0.3:.2f}"}
    queries = sum("Metrics" in one for one in own)
    assert f"at rest the {queries} alarms read {queried} metrics" in COSTS


def test_sums_are_those_of_their_columns() -> None:
    table = COSTS[COSTS.index("| Aurora capacity") : COSTS.index("| **in all**")].splitlines()
    costs = [[0.0 if cell == "-" else float(cell) for cell in line.strip("| ").split(" | ")[2:]] for line in table]
    sums = [int(round(sum(column), 2) + 0.5) for column in zip(*costs, strict=True)]

    assert "| **in all** | | " + " | ".join(f"**about {number}**" for number in sums) + " |" in COSTS
    small, standard, production, paused = sums
    assert f"about {small} USD a month, with `PauseDatabase=true` about {paused} |" in DEPLOY
    assert f"about {standard} USD, in production about {production} ([costs.md]" in DEPLOY


# Prints the number of AWS's types of resources, as SAM's transform makes them.
_TYPES = """
import logging
from pathlib import Path
from local.template.intrinsics import parse
from tools.stack_sizes import FILES, transformed
logging.disable(logging.WARNING)
made = {one for file in FILES for one in transformed(parse(Path(file).read_text()))}
print(len([one for one in made if one.startswith("AWS::")]))
"""


def checked(*arguments: str | Path) -> str:
    """The output of a program in the environment of `make check`."""
    if not PYTHON.exists():
        pytest.skip("SAM's translator is not installed here: `make check` installs it")
    done = subprocess.run([PYTHON, *arguments], cwd=stacks.ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_sizes_of_the_stacks_are_those_of_the_page() -> None:
    head, *lines = checked("-m", "tools.stack_sizes").splitlines()
    functions = re.findall(r"(\d+) functions", head)

    assert f"| | {functions[0]} functions | {functions[1]} functions |" in DEPLOY
    for line in lines:
        file, now, later = line.split()
        assert f"| `{file}` | {now} | {later} |" in DEPLOY


def test_types_of_resources_are_as_many_as_the_page_says() -> None:
    assert f"all {checked('-c', _TYPES).strip()} of AWS's types of resources" in DEPLOY
