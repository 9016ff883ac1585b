"""Nested stacks and loops over a list of the template, as the local stack reads them."""

from pathlib import Path
from typing import Any

import pytest

from local.errors import TemplateError
from local.template.intrinsics import parse
from local.template.nested import inlined
from local.template.reading import load

NESTED = """
Parameters:
  Functions: {Type: CommaDelimitedList, Default: "One, Two"}
  Stack: {Type: String}
  Queue: {Type: String}
Conditions:
  IsLocal: !Equals [!Ref Stage, local]
Resources:
  Fn::ForEach::EveryFunction:
    - Name
    - !Ref Functions
    - ${Name}Role:
        Type: AWS::IAM::Role
        Properties:
          RoleName: !Sub "${Stack}-${Name}"
          Queue: !Sub "${Queue}/*"
          Both: !Sub ["${A} ${Stack}", {A: !Ref Queue}]
Outputs:
  Fn::ForEach::Roles:
    - Name
    - !Ref Functions
    - ${Name}Role: {Value: !GetAtt [!Sub "${Name}Role", Arn]}
"""
MAIN = """
Parameters:
  Stage: {Type: String, Default: local}
Conditions:
  IsLocal: !Equals [!Ref Stage, local]
Resources:
  Queue: {Type: AWS::SQS::Queue, Properties: {}}
  Around:
    Type: AWS::Serverless::Application
    Properties:
      Location: nested.yaml
      Parameters: {Stack: !Ref AWS::StackName, Queue: !GetAtt Queue.Arn}
  OneFunction:
    Type: AWS::Serverless::Function
    Properties: {CodeUri: ., Handler: a.b, Environment: {Variables: {ROLE: !GetAtt Around.Outputs.OneRole}}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "nested.yaml").write_text(NESTED)
    (tmp_path / "template.yaml").write_text(MAIN)
    return tmp_path


def resources(folder: Path) -> dict[str, Any]:
    return inlined(parse((folder / "template.yaml").read_text()), folder)["Resources"]


def test_loop_over_a_parameter_takes_its_default(folder: Path) -> None:
    assert {"OneRole", "TwoRole"} <= set(resources(folder))


def test_nested_resources_have_what_the_template_gives_them(folder: Path) -> None:
    assert resources(folder)["TwoRole"]["Properties"] == {
        "RoleName": {"Fn::Sub": "${AWS::StackName}-Two"},
        "Queue": {"Fn::Sub": "${Queue.Arn}/*"},
        "Both": {"Fn::Sub": ["${A} ${AWS::StackName}", {"A": {"Fn::GetAtt": ["Queue", "Arn"]}}]},
    }


def test_output_of_a_nested_stack_is_its_value(folder: Path) -> None:
    (function,) = load(folder / "template.yaml", {})

    assert function.environment == {"ROLE": "arn:aws:iam::123456789012:role/OneRole"}
    assert "Around" not in resources(folder)


@pytest.mark.parametrize(
    ("text", "replaced", "told"),
    [
        (MAIN, ("nested.yaml", "absent.yaml"), "Around.Location: .*absent.yaml cannot be read"),
        (MAIN, ("Queue: {", "TwoRole: {Type: X}\n  Queue: {"), "Around: its template has TwoRole too"),
        (MAIN, ("!Equals [!Ref Stage, local]", "!Equals [!Ref Stage, x]"), "Around: its template has IsLocal too"),
    ],
)
def test_what_cannot_be_nested_is_told(folder: Path, text: str, replaced: tuple[str, str], told: str) -> None:
    (folder / "template.yaml").write_text(text.replace(*replaced, 1))

    with pytest.raises(TemplateError, match=told):
        load(folder / "template.yaml", {})


def test_loop_over_an_unknown_parameter_is_told() -> None:
    with pytest.raises(TemplateError, match="a name, a list of texts and a mapping are needed"):
        parse("Resources: {'Fn::ForEach::Each': [Name, !Ref Names, {'${Name}': {Type: X}}]}")
