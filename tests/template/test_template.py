"""Rules of the template as a whole."""

import re
from collections.abc import Iterator
from graphlib import TopologicalSorter
from typing import Any


def names_used(value: object) -> Iterator[str]:
    """Logical ids that a part of the template refers to, however it does."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                yield str(inner)
            elif key == "Fn::GetAtt":
                yield str(inner[0])
            elif key == "Fn::Sub":
                text = inner if isinstance(inner, str) else inner[0]
                yield from re.findall(r"\$\{(\w+)", text)
            elif key in {"DependsOn", "LogGroup"} and isinstance(inner, str):
                yield inner
            yield from names_used(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_used(inner)


def test_no_resource_waits_for_itself(template: dict[str, Any], resources: dict[str, Any]) -> None:
    shared = template["Globals"]["Function"]
    graph: dict[str, set[str]] = {name: set() for name in resources}
    for name, resource in resources.items():
        properties = dict(resource.get("Properties", {}))
        if resource["Type"] == "AWS::Serverless::Function":
            properties["Globals"] = shared
            # SAM turns events round: the API's definition refers to the function.
            for event in properties.pop("Events", {}).values():
                graph[event["Properties"]["ApiId"]["Ref"]].add(name)
        graph[name] |= set(names_used(properties)) & set(resources)
    assert len(list(TopologicalSorter(graph).static_order())) == len(resources)


def test_reference_leads_somewhere(template: dict[str, Any], resources: dict[str, Any]) -> None:
    known = set(resources) | set(template["Parameters"])
    used = {name for name in names_used(template) if not name.startswith("AWS")}
    assert used <= known


def test_parameter_is_used_and_described(template: dict[str, Any]) -> None:
    used = set(names_used({key: value for key, value in template.items() if key != "Parameters"}))
    for name, parameter in template["Parameters"].items():
        assert parameter["Description"], name
        assert name in used, f"{name} is used nowhere"


def test_route_is_declared_once(functions: dict[str, dict[str, Any]], routes: dict[str, str]) -> None:
    events = [event for properties in functions.values() for event in properties.get("Events", {}).values()]
    assert len(routes) == len(events)
