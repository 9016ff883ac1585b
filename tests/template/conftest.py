"""The template as data, and by kind."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.template import stacks


@pytest.fixture(scope="session")
def template() -> dict[str, Any]:
    """The three files as one template, intrinsic functions in their long forms and loops unrolled."""
    return stacks.as_one()


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
        pytest.fail(f"{', '.join(without)}: add each deployed function to Functions in stacks/around.yaml")
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
            # Two rights may contain the same statement: two queues use one key.
            found[name] += [one for one in branches_of(policy["PolicyDocument"]["Statement"]) if one not in found[name]]
    return found


def branches_of(statements: list[Any]) -> Iterator[dict[str, Any]]:
    """Each statement of a policy, in every branch of its conditions."""
    for statement in statements:
        if "Fn::If" in statement:
            yield from branches_of(statement["Fn::If"][1:])
        elif "Effect" in statement:
            yield statement


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
