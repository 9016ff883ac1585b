"""CloudFormation takes 500 resources in a stack. SAM's transform is in the environment of `make check`."""

import json
import subprocess

import pytest

from tests.template import stacks

PYTHON = stacks.ROOT / ".venv-check" / "bin" / "python"


@pytest.fixture(scope="module")
def sizes() -> dict[str, tuple[int, int]]:
    """Each stack's number of resources after the transform, now and with 60 functions."""
    if not PYTHON.exists():
        pytest.skip("SAM's translator is not installed here: `make check` installs it")
    counted = subprocess.run(
        [PYTHON, "-m", "tools.stack_sizes"], cwd=stacks.ROOT, capture_output=True, text=True, check=False
    )
    assert counted.returncode == 0, counted.stderr
    lines = [line.split() for line in counted.stdout.splitlines()[1:]]
    return {file: (int(now), int(later)) for file, now, later in lines}


@pytest.mark.parametrize("file", stacks.FILES)
def test_stack_has_under_450_resources(sizes: dict[str, tuple[int, int]], file: str) -> None:
    now, _ = sizes[file]
    assert 30 < now < 450


@pytest.mark.parametrize("file", stacks.FILES)
def test_stack_has_under_450_resources_with_60_functions(sizes: dict[str, tuple[int, int]], file: str) -> None:
    now, later = sizes[file]
    assert now <= later < 450


def test_stack_with_too_many_resources_fails_the_check(sizes: dict[str, tuple[int, int]]) -> None:
    most = max(later for _, later in sizes.values()) - 1
    program = f"from tools import stack_sizes; stack_sizes.MOST = {most}; stack_sizes.main()"
    counted = subprocess.run([PYTHON, "-c", program], cwd=stacks.ROOT, capture_output=True, text=True, check=False)
    assert (counted.returncode, f"more than {most} resources" in counted.stderr) == (1, True)


# Prints the routes that SAM's transform lets the API call their functions for, as JSON.
_PERMITTED = """
import json, logging
from pathlib import Path
from local.template.intrinsics import parse
from tools.stack_sizes import resources_of
logging.disable(logging.WARNING)
made = resources_of(parse(Path("template.yaml").read_text())).values()
arns = [one["Properties"]["SourceArn"]["Fn::Sub"][0] for one in made
    if one["Type"] == "AWS::Lambda::Permission" and "SourceArn" in one["Properties"]]
print(json.dumps(arns))
"""


def test_the_api_may_call_a_function_for_every_path_of_its_route() -> None:
    """SAM writes * for {name} and {proxy+}; it leaves another greedy parameter, and AWS then refuses each call."""
    if not PYTHON.exists():
        pytest.skip("SAM's translator is not installed here: `make check` installs it")
    made = subprocess.run([PYTHON, "-c", _PERMITTED], cwd=stacks.ROOT, capture_output=True, text=True, check=False)
    assert made.returncode == 0, made.stderr
    permitted = [arn.replace("${__ApiId__}", "").replace("${__Stage__}", "") for arn in json.loads(made.stdout)]
    routes = [one for one in permitted if ":execute-api:" in one]
    assert len(routes) > 50
    assert [arn for arn in routes if "{" in arn.split("/", 1)[1]] == []


# Prints the names of the resources of a file, as SAM unrolls its loops; reads it also as sam package does.
_UNROLLED = """
import sys
from samcli.lib.cfn_language_extensions.sam_integration import expand_language_extensions
from samcli.lib.providers.sam_stack_provider import SamLocalStackProvider
from samcli.yamlhelper import yaml_parse
template = yaml_parse(open(sys.argv[1]).read())
made = expand_language_extensions(template, parameter_values={"AWS::Region": "eu-central-1"}, enabled=True)
SamLocalStackProvider.get_stacks(sys.argv[1], language_extensions_enabled=True)
print(*made.expanded_template["Resources"])
"""


@pytest.mark.parametrize("file", stacks.FILES)
def test_sam_unrolls_the_loops_as_the_tests_do(file: str) -> None:
    """SAM cannot read a loop that is called like a parameter, or an output that is called like a list of parameters.

    It says so only when it deploys.
    """
    if not PYTHON.exists():
        pytest.skip("SAM is not installed here: `make check` installs it")
    unrolled = subprocess.run(
        [PYTHON, "-c", _UNROLLED, file], cwd=stacks.ROOT, capture_output=True, text=True, check=False
    )
    assert unrolled.returncode == 0, unrolled.stderr
    assert set(unrolled.stdout.split()) == set(stacks.read(file)["Resources"])
