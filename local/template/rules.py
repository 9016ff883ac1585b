"""What CloudFormation checks before it changes anything: the values of parameters, and the template's Rules."""

import re
from collections.abc import Collection, Iterator, Mapping
from typing import Any

from local.template.intrinsics import Resolver


def refusals(document: Mapping[str, Any], values: Mapping[str, str], unknown: Collection[str] = ()) -> list[str]:
    """Return why CloudFormation would refuse these values, a sentence each; empty if it would not.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/rules-section-structure.html

    Args:
        document: the template, parsed.
        values: parameter values; a parameter without a value takes its Default.
        unknown: parameters whose values are not known yet: they only count as given.
    """
    parameters = document.get("Parameters") or {}
    found = []
    for name, parameter in parameters.items():
        value = values.get(name, parameter.get("Default"))
        if value is None:
            found.append(f"{name} has no value")
        elif name in values and name not in unknown and not _allows(parameter, str(value)):
            found.append(f"{name} cannot be {value!r}")
    return found or list(_broken_rules(document, values))


def _allows(parameter: Mapping[str, Any], value: str) -> bool:
    if parameter.get("Type") == "Number":
        try:
            number = float(value)
        except ValueError:
            return False
        if not parameter.get("MinValue", number) <= number <= parameter.get("MaxValue", number):
            return False
    allowed = [str(one) for one in parameter.get("AllowedValues", [value])]
    return (
        value in allowed
        and re.fullmatch(parameter.get("AllowedPattern", ".*"), value, re.DOTALL) is not None
        and len(value) >= parameter.get("MinLength", 0)
    )


def _broken_rules(document: Mapping[str, Any], values: Mapping[str, str]) -> Iterator[str]:
    resolver = Resolver(document, values, {})
    for name, rule in (document.get("Rules") or {}).items():
        if "RuleCondition" in rule and not resolver.resolve(rule["RuleCondition"], f"Rules.{name}"):
            continue
        for assertion in rule["Assertions"]:
            if not resolver.resolve(assertion["Assert"], f"Rules.{name}"):
                yield assertion["AssertDescription"]
