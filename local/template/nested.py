"""Nested stacks: puts their resources into the template that nests them, as if they were written there."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local.errors import TemplateError
from local.template.intrinsics import parse

# AWS::Serverless::Application nests a template of this repository by its path.
_NESTED = "AWS::Serverless::Application"
_VARIABLE = re.compile(r"\$\{([^!}]+)\}")


def inlined(document: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    """Return a template with the resources of its nested stacks, and without the stacks themselves.

    In the nested resources, the nested template's parameters are replaced by the values that the nesting template gives
    them; in the nesting template, `Fn::GetAtt: [Stack, Outputs.Name]` is replaced by the output's value.

    Args:
        document: the template, parsed.
        folder: of the template; a nested stack's Location is relative to it.

    Raises:
        TemplateError: a nested template cannot be read, or has a name that the template has too.
    """
    made = dict(document)
    made["Resources"] = dict(document.get("Resources") or {})
    outputs: dict[str, Any] = {}
    for name, resource in (document.get("Resources") or {}).items():
        if resource.get("Type") != _NESTED:
            continue
        properties = made["Resources"].pop(name)["Properties"]
        nested = with_values(_read(folder / str(properties["Location"]), name), properties.get("Parameters") or {})
        for part in ("Resources", "Conditions", "Mappings"):
            made[part] = _joined(made.get(part) or {}, nested.get(part) or {}, name)
        for output, definition in (nested.get("Outputs") or {}).items():
            outputs[f"{name}.Outputs.{output}"] = definition["Value"]
    return _with_attributes(made, outputs) if outputs else made


def with_values(document: Mapping[str, Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return a template in which parameters are replaced by values, which may be intrinsic functions themselves."""
    made: dict[str, Any] = _with_parameters(document, values)
    made["Parameters"] = {
        name: parameter for name, parameter in (document.get("Parameters") or {}).items() if name not in values
    }
    return made


def _read(path: Path, name: str) -> dict[str, Any]:
    try:
        return parse(path.read_text())
    except OSError as error:
        raise TemplateError(f"{name}.Location: {path} cannot be read: {error.strerror}") from error


def _joined(outer: Mapping[str, Any], inner: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Both mappings in one. A name may be in both with the same content, such as a condition on a shared parameter."""
    for key in set(outer) & set(inner):
        if outer[key] != inner[key]:
            raise TemplateError(f"{name}: its template has {key} too, with another content")
    return {**outer, **inner}


def _with_parameters(value: Any, values: Mapping[str, Any]) -> Any:
    match value:
        case {"Ref": str(name)} if name in values:
            return values[name]
        case {"Fn::Sub": str() | list() as argument}:
            return _with_variables(argument, values)
        case dict():
            return {key: _with_parameters(inner, values) for key, inner in value.items()}
        case list():
            return [_with_parameters(inner, values) for inner in value]
    return value


def _with_variables(argument: Any, values: Mapping[str, Any]) -> dict[str, Any]:
    """A Fn::Sub whose parameters are replaced: by a name in the text where possible, otherwise by a variable."""
    text, own = argument if isinstance(argument, list) else (argument, {})
    variables = {name: _with_parameters(inner, values) for name, inner in own.items()}

    def replace(match: re.Match[str]) -> str:
        name = match.group(1)
        if name in own or name not in values:
            return match.group(0)
        match values[name]:
            case str(literal):
                return literal
            case {"Ref": str(other)}:
                return "${" + other + "}"
            case {"Fn::GetAtt": [str(resource), str(attribute)]}:
                return "${" + f"{resource}.{attribute}" + "}"
        variables[name] = values[name]
        return match.group(0)

    turned = _VARIABLE.sub(replace, text)
    return {"Fn::Sub": [turned, variables] if variables else turned}


def _with_attributes(value: Any, outputs: Mapping[str, Any]) -> Any:
    match value:
        case {"Fn::GetAtt": [str(name), str(attribute)]} if f"{name}.{attribute}" in outputs:
            return outputs[f"{name}.{attribute}"]
        case dict():
            return {key: _with_attributes(inner, outputs) for key, inner in value.items()}
        case list():
            return [_with_attributes(inner, outputs) for inner in value]
    return value
