"""CloudFormation's intrinsic functions: reads them from YAML and resolves them."""

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from local.account import ACCOUNT_ID, REGION
from local.errors import TemplateError

ABSENT = object()  # the value of AWS::NoValue: the property is left out

_PSEUDO = {
    "AWS::AccountId": ACCOUNT_ID,
    "AWS::NoValue": ABSENT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": "causeway-local",
    "AWS::URLSuffix": "amazonaws.com",
}
# The functions whose arguments are resolved first; each takes the list of arguments.
_OF_VALUES: dict[str, Callable[[list[Any]], Any]] = {
    "Fn::Equals": lambda values: str(values[0]) == str(values[1]),
    "Fn::Not": lambda values: not values[0],
    "Fn::And": all,
    "Fn::Or": any,
    "Fn::EachMemberEquals": lambda values: all(str(item) == str(values[1]) for item in values[0]),
    "Fn::Join": lambda values: values[0].join(str(item) for item in values[1]),
    "Fn::Select": lambda values: values[1][int(values[0])],
    "Fn::Split": lambda values: values[1].split(values[0]),
}
_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")
_LOOP = "Fn::ForEach::"


# Reads YAML with CloudFormation's short tags as their long forms. PyYAML's C loader is ten times as fast.
_Loader: Any = type("_Loader", (getattr(yaml, "CSafeLoader", yaml.SafeLoader),), {})


def _tag(loader: yaml.SafeLoader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tag)


def parse(text: str) -> dict[str, Any]:
    """Return a parsed template, with short intrinsics (!Ref, !Sub) in their long forms and loops unrolled.

    Raises TemplateError.
    """
    try:
        document = yaml.load(text, Loader=_Loader)  # noqa: S506 (a SafeLoader)
    except yaml.YAMLError as error:
        raise TemplateError(f"the template is not YAML: {error}") from error
    if not isinstance(document, dict):
        raise TemplateError("the template is not a mapping")
    return unrolled(document, _list_defaults(document))


def _list_defaults(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """The Defaults of the parameters that are lists."""
    parameters = document.get("Parameters") or {}
    return {
        name: [item.strip() for item in str(parameter["Default"]).split(",")]
        for name, parameter in parameters.items()
        if parameter.get("Type") == "CommaDelimitedList" and "Default" in parameter
    }


def unrolled(value: Any, lists: Mapping[str, list[str]] | None = None) -> Any:
    """Return the value with every Fn::ForEach replaced by its output.

    Args:
        value: a template, or a part of one.
        lists: by parameter. A loop's collection is a literal list, or a Ref to one of these parameters.

    Raises:
        TemplateError: a loop is malformed, or makes a name twice.

    Source:
    https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference-foreach.html
    """
    if isinstance(value, list):
        return [unrolled(item, lists) for item in value]
    if not isinstance(value, dict):
        return value
    made: dict[str, Any] = {}
    for name, content in _entries(value, lists or {}):
        if name in made:
            raise TemplateError(f"a loop makes {name}, which exists already")
        made[name] = unrolled(content, lists)
    return made


def _entries(mapping: Mapping[str, Any], lists: Mapping[str, list[str]]) -> Iterator[tuple[str, Any]]:
    """A mapping's keys and values, including those that its loops make."""
    for key, value in mapping.items():
        if not str(key).startswith(_LOOP):
            yield key, value
            continue
        match value:
            case [str(variable), {"Ref": str(name)}, dict(fragment)] if name in lists:
                collection = lists[name]
            case [str(variable), list(collection), dict(fragment)] if all(isinstance(item, str) for item in collection):
                pass
            case _:
                raise TemplateError(f"{key}: a name, a list of texts and a mapping are needed")
        for item in collection:
            yield from _entries(_with(fragment, variable, item), lists)


def _with(value: Any, variable: str, item: str) -> Any:
    """A loop's fragment for one item."""
    if value == {"Ref": variable}:
        return item
    if isinstance(value, dict):
        turned = {_with(key, variable, item): _with(inner, variable, item) for key, inner in value.items()}
        match turned:
            # LanguageExtensions allow a Ref and a GetAtt with Fn::Sub inside: make them plain for Resolver.
            case {"Ref": {"Fn::Sub": str(name)}}:
                return {"Ref": name}
            case {"Fn::GetAtt": [{"Fn::Sub": str(name)}, str(attribute)]}:
                return {"Fn::GetAtt": [name, attribute]}
        return turned
    if isinstance(value, list):
        return [_with(inner, variable, item) for inner in value]
    return value.replace("${" + variable + "}", item) if isinstance(value, str) else value


class Resolver:
    """Resolves the intrinsic functions of one template.

    Args:
        document: the template.
        values: parameter values; a declared parameter without a value takes its Default.
        attributes: what resources are locally, by "LogicalId" (for Ref) and "LogicalId.Attribute" (for Fn::GetAtt).
    """

    def __init__(self, document: Mapping[str, Any], values: Mapping[str, str], attributes: Mapping[str, str]) -> None:
        self._attributes = attributes
        self._conditions = document.get("Conditions") or {}
        self._parameters: dict[str, Any] = {}
        for name, parameter in (document.get("Parameters") or {}).items():
            value = values.get(name, parameter.get("Default"))
            if value is not None:
                lists = parameter.get("Type") == "CommaDelimitedList" or parameter.get("Type", "").startswith("List<")
                self._parameters[name] = str(value).split(",") if lists else str(value)

    def resolve(self, value: Any, where: str) -> Any:
        """Return the value with all intrinsics resolved. where: "LogicalId.Property", named in a TemplateError."""
        if isinstance(value, list):
            return [item for item in (self.resolve(item, where) for item in value) if item is not ABSENT]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            name, argument = next(iter(value.items()))
            if name == "Ref" or name == "Condition" or name.startswith("Fn::"):
                return self._call(name, argument, where)
        resolved = {key: self.resolve(item, f"{where}.{key}") for key, item in value.items()}
        return {key: item for key, item in resolved.items() if item is not ABSENT}

    def holds(self, condition: str, where: str) -> bool:
        """Return whether a named condition is true."""
        if condition not in self._conditions:
            raise TemplateError(f"{where}: there is no condition {condition}")
        return bool(self.resolve(self._conditions[condition], f"Conditions.{condition}"))

    def _call(self, name: str, argument: Any, where: str) -> Any:
        match name:
            case "Ref":
                return self._reference(argument, where)
            case "Condition":
                return self.holds(argument, where)
            case "Fn::GetAtt":
                return self._attribute(".".join(self.resolve(argument, where)), where)
            case "Fn::Sub":
                return self._substitute(argument, where)
            case "Fn::If":
                condition, then, otherwise = argument
                return self.resolve(then if self.holds(condition, where) else otherwise, where)
        if name not in _OF_VALUES:
            raise TemplateError(f"{where}: the local stack does not support {name}")
        return _OF_VALUES[name](self.resolve(argument, where))

    def _reference(self, name: str, where: str) -> Any:
        for known in (self._parameters, _PSEUDO, self._attributes):
            if name in known:
                return known[name]
        raise TemplateError(f"{where}: nothing local stands for {name} (a parameter without a value, or a resource)")

    def _attribute(self, name: str, where: str) -> str:
        if name not in self._attributes:
            raise TemplateError(f"{where}: nothing local stands for the attribute {name}")
        return self._attributes[name]

    def _substitute(self, argument: Any, where: str) -> str:
        text, variables = argument if isinstance(argument, list) else (argument, {})

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return "${" + name + "}"
            if name in variables:
                return str(self.resolve(variables[name], where))
            return str(self._attribute(name, where) if "." in name else self._reference(name, where))

        return _VARIABLE.sub(replace, text)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(parse(Path(sys.argv[1]).read_text()), indent=1) + "\n")
