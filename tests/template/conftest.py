"""The template as data, and by kind."""

from pathlib import Path
from typing import Any

import pytest

from local.template.intrinsics import parse

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """The template, its intrinsic functions in their long forms and its loops unrolled."""
    return parse((ROOT / "template.yaml").read_text())


@pytest.fixture(scope="session")
def resources(template: dict[str, Any]) -> dict[str, Any]:
    return template["Resources"]


@pytest.fixture(scope="session")
def functions(resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Properties of each function, by logical id."""
    return {
        name: resource["Properties"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::Serverless::Function"
    }


@pytest.fixture(scope="session")
def deployed(resources: dict[str, Any], functions: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The functions that are for more than the stage local."""
    found = {name: own for name, own in functions.items() if resources[name].get("Condition") != "IsLocal"}
    without = [name for name in (one.removesuffix("Function") for one in found) if f"{name}Role" not in resources]
    if without:
        pytest.fail(f"{', '.join(without)}: add each deployed function to EveryFunction in template.yaml")
    return found


@pytest.fixture(scope="session")
def roles(resources: dict[str, Any], deployed: dict[str, dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """Every policy statement of each deployed function's role, once, with both branches of an If."""
    found: dict[str, list[dict[str, Any]]] = {}
    for name, properties in deployed.items():
        role = properties["Role"]["Fn::GetAtt"][0]
        own = resources[role]["Properties"]["Policies"]
        found[name] = []
        for policy in [*own, *(resources[right]["Properties"] for right in rights_of(role, resources))]:
            for statement in policy["PolicyDocument"]["Statement"]:
                branches = statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
                # Two rights may contain the same statement: two queues use one key.
                found[name] += [one for one in branches if one not in found[name]]
    return found


@pytest.fixture(scope="session")
def rights(resources: dict[str, Any], deployed: dict[str, dict[str, Any]]) -> dict[str, list[str]]:
    """The policies attached to each deployed function's role, by their logical ids."""
    return {name: rights_of(own["Role"]["Fn::GetAtt"][0], resources) for name, own in deployed.items()}


def rights_of(role: str, resources: dict[str, Any]) -> list[str]:
    """The policies attached to a role."""
    return [
        name
        for name, resource in resources.items()
        if resource["Type"] == "AWS::IAM::Policy" and {"Ref": role} in resource["Properties"]["Roles"]
    ]


@pytest.fixture(scope="session")
def routes(functions: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The logical id of the function behind each "METHOD /path"."""
    return {
        f"{event['Properties']['Method']} {event['Properties']['Path']}": name
        for name, properties in functions.items()
        for event in properties.get("Events", {}).values()
        if event["Type"] == "HttpApi"
    }
