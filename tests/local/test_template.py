"""What the local stack reads from a SAM template."""

from pathlib import Path

import pytest

from local import ROOT
from local.errors import TemplateError
from local.state_files import sam_environment
from local.template.intrinsics import parse
from local.template.reading import load
from local.template.resources import Function, Route, Schedule

HEAD = """
Parameters:
  Stage: {Type: String, Default: production}
  Port: {Type: Number, Default: 5432}
  Subnets: {Type: CommaDelimitedList, Default: ""}
  Secret: {Type: String}
Conditions:
  IsLocal: !Equals [!Ref Stage, local]
  IsDeployed: !Not [!Condition IsLocal]
  IsEither: !Or [!Condition IsLocal, !Equals [!Ref Stage, production]]
  IsBoth: !And [!Condition IsLocal, !Condition IsEither]
  HasNetwork: !Not [!Equals [!Join ["", !Ref Subnets], ""]]
Globals:
  Function:
    CodeUri: code/
    Runtime: python3.13
    MemorySize: 512
    LoggingConfig: {LogFormat: JSON}
    Layers: [!Ref SharedLayer, !If [IsLocal, !Ref AWS::NoValue, "arn:aws:lambda:eu-central-1:1:layer:x:1"]]
    Environment: {Variables: {STAGE: !Ref Stage, PORT: !Ref Port, LEVEL: INFO}}
Resources:
  SharedLayer:
    Type: AWS::Serverless::LayerVersion
    Properties: {ContentUri: layer/}
  HttpApi:
    Type: AWS::Serverless::HttpApi
    Properties: {Auth: {DefaultAuthorizer: TokenAuthorizer}}
"""


def _load(tmp_path: Path, resources: str, **parameters: str) -> list[Function]:
    for folder in ("code", "own", "layer"):
        (tmp_path / folder).mkdir(exist_ok=True)
    template = tmp_path / "template.yaml"
    template.write_text(HEAD + resources)
    return load(template, {"Stage": "local", **parameters})


def test_function_gets_globals_overlaid_with_its_own_properties(tmp_path: Path) -> None:
    (function,) = _load(
        tmp_path,
        """
  WalletDebitFunction:
    Type: AWS::Serverless::Function
    Properties:
      FunctionName: !Sub "causeway-${Stage}-debit"
      CodeUri: own/
      Handler: debit.handler
      Timeout: 5
      ReservedConcurrentExecutions: 7
      LoggingConfig: {LogGroup: !Ref Logs}
      Environment: {Variables: {LEVEL: DEBUG, NAME: !Sub ["${Prefix}/x/${!Kept}", {Prefix: !Ref Stage}]}}
      Events:
        Open:
          Type: HttpApi
          Properties: {ApiId: !Ref HttpApi, Path: /a, Method: post, Auth: {Authorizer: NONE}}
        Shut: {Type: HttpApi, Properties: {ApiId: !Ref HttpApi, Path: "/b/{id}", Method: get}}
        Own: {Type: HttpApi, Properties: {Path: /c, Method: any}}
        Rest: {Type: HttpApi}
        Nightly: {Type: Schedule, Properties: {Schedule: rate(1 day)}}
        Idle: {Type: Schedule, Properties: {Schedule: rate(1 hour), State: DISABLED}}
""",
    )

    assert function == Function(
        logical_id="WalletDebitFunction",
        name="wallet-debit",
        lambda_name="causeway-local-debit",
        code_folder=tmp_path / "own",
        handler="debit.handler",
        timeout=5,
        memory=512,
        concurrency=7,
        log_format="JSON",
        environment={"STAGE": "local", "PORT": "5432", "LEVEL": "DEBUG", "NAME": "local/x/${Kept}"},
        layers=(tmp_path / "layer",),
        routes=(
            Route("POST", "/a", None),
            Route("GET", "/b/{id}", "TokenAuthorizer"),
            Route("ANY", "/c", None),
            Route("ANY", "$default", None),
        ),
        schedules=(
            Schedule("WalletDebitFunctionNightly", "Schedule", "rate(1 day)"),
            Schedule("WalletDebitFunctionIdle", "Schedule", "rate(1 hour)", enabled=False),
        ),
    )


def test_function_gets_the_defaults_of_lambda(tmp_path: Path) -> None:
    (function,) = _load(
        tmp_path,
        """
  OneFunction:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, MemorySize: !Ref AWS::NoValue}
""",
    )

    assert (function.timeout, function.memory, function.concurrency, function.routes) == (3, 128, None, ())


@pytest.mark.parametrize(
    ("condition", "stage", "exists"),
    [
        ("IsLocal", "local", True),
        ("IsLocal", "staging", False),
        ("IsDeployed", "staging", True),
        ("IsEither", "production", True),
        ("IsEither", "staging", False),
        ("IsBoth", "local", True),
        ("HasNetwork", "local", False),
    ],
)
def test_function_exists_where_its_condition_holds(tmp_path: Path, condition: str, stage: str, exists: bool) -> None:
    functions = _load(
        tmp_path,
        f"""
  OneFunction:
    Type: AWS::Serverless::Function
    Condition: {condition}
    Properties: {{Handler: a.b}}
""",
        Stage=stage,
    )

    assert bool(functions) is exists


def test_resources_have_local_names_and_arns(tmp_path: Path) -> None:
    (function,) = _load(
        tmp_path,
        """
  Work: {Type: AWS::SQS::Queue}
  OneFunction:
    Type: AWS::Serverless::Function
    Properties:
      Handler: a.b
      Environment: {Variables: {QUEUE: !Ref Work, ARN: !GetAtt Work.Arn, BOTH: !Sub "${Work} ${Work.Arn}", ME:
      !GetAtt OneFunction.Arn}}
""",
    )

    url, arn = "https://sqs.eu-central-1.amazonaws.com/123456789012/Work", "arn:aws:sqs:eu-central-1:123456789012:Work"
    assert function.environment["QUEUE"] == url
    assert function.environment["ARN"] == arn
    assert function.environment["BOTH"] == f"{url} {arn}"
    assert function.environment["ME"] == "arn:aws:lambda:eu-central-1:123456789012:function:one"


def test_every_function_of_the_deployment_resolves_locally() -> None:
    values = {
        "Stage": "local",
        "DatabaseHost": "127.0.0.1",
        "DatabaseSecretPrefix": "causeway/local/database",
    }

    functions = load(ROOT / "template.yaml", values)

    assert {"wallet-debit", "schema-migrate"} <= {function.name for function in functions}
    for function in functions:
        environment = function.environment
        assert environment["POWERTOOLS_SERVICE_NAME"] == function.name
        if user := environment.get("DATABASE_USER"):
            assert environment["DATABASE_SECRET"] == f"causeway/local/database/{user}"
        assert (function.code_folder / f"{function.handler.rpartition('.')[0]}.py").is_file()


def test_env_file_of_sam_local_separates_the_variables_of_all_functions(tmp_path: Path) -> None:
    functions = _load(
        tmp_path,
        """
  OneFunction:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Environment: {Variables: {OWN: 1}}}
  TwoFunction:
    Type: AWS::Serverless::Function
    Properties: {Handler: a.b, Environment: {Variables: {OWN: 2}}}
""",
    )

    assert sam_environment(functions) == {
        "Parameters": {"LEVEL": "INFO", "PORT": "5432", "STAGE": "local"},
        "OneFunction": {"OWN": "1"},
        "TwoFunction": {"OWN": "2"},
    }


@pytest.mark.parametrize(
    ("properties", "sentence"),
    [
        (
            "{Handler: a.b, Timeout: soon}",
            "OneFunction.Timeout: a whole number is needed, the template gives 'soon'",
        ),
        ("{Handler: a.b, CodeUri: missing/}", "OneFunction.CodeUri: there is no folder"),
        ("{CodeUri: own/}", "OneFunction.Handler: a text is needed"),
        (
            "{Handler: a.b, Environment: {Variables: {A: !Ref Secret}}}",
            "OneFunction.Environment.Variables.A: .* Secret",
        ),
        ("{Handler: a.b, Environment: {Variables: {A: !GetAtt Queue.Arn}}}", "Variables.A: .* Queue.Arn"),
        ("{Handler: a.b, Environment: {Variables: {A: !ImportValue x}}}", "Variables.A: .* Fn::ImportValue"),
        ("{Handler: a.b, Environment: {Variables: {A: [1]}}}", "Variables.A: a text is needed"),
        (
            "{Handler: a.b, Environment: {Variables: {A: !If [IsLocl, 1, 2]}}}",
            "Variables.A: there is no condition IsLocl",
        ),
        (
            "{Handler: a.b, Events: {Call: {Type: Api, Properties: {Path: /, Method: get}}}}",
            "OneFunction.Events.Call.Type",
        ),
    ],
)
def test_unresolvable_property_is_named(tmp_path: Path, properties: str, sentence: str) -> None:
    with pytest.raises(TemplateError, match=sentence):
        _load(tmp_path, f"  OneFunction: {{Type: AWS::Serverless::Function, Properties: {properties}}}")


def test_loop_makes_its_fragment_for_each_item(tmp_path: Path) -> None:
    functions = _load(
        tmp_path,
        """
  Fn::ForEach::Both:
    - Name
    - [Debit, Credit]
    - ${Name}Function:
        Type: AWS::Serverless::Function
        Properties:
          Handler: !Sub ${Name}.handler
          Environment:
            Variables: {NAME: !Ref Name, OTHER: !Ref {"Fn::Sub": "${Name}Function"}, STAGED: !Sub "${Stage}/${Name}"}
""",
    )

    assert [(one.logical_id, one.handler) for one in functions] == [
        ("DebitFunction", "Debit.handler"),
        ("CreditFunction", "Credit.handler"),
    ]
    assert functions[1].environment.items() >= {"NAME": "Credit", "OTHER": "credit", "STAGED": "local/Credit"}.items()


def test_inner_loop_has_both_variables() -> None:
    document = parse("""
Fn::ForEach::Outer:
  - A
  - [X, Y]
  - Fn::ForEach::Inner:
      - B
      - [Z]
      - ${A}${B}: {Value: [!Ref A, !Ref B]}
""")
    assert document == {"XZ": {"Value": ["X", "Z"]}, "YZ": {"Value": ["Y", "Z"]}}


@pytest.mark.parametrize(
    ("loop", "sentence"),
    [
        ("Fn::ForEach::L: [A, !Ref Names, {x: 1}]", "Fn::ForEach::L: a name, a list of texts and a mapping are needed"),
        ("{One: 1, 'Fn::ForEach::L': [A, [One], {'${A}': 2}]}", "a loop makes One, which exists already"),
    ],
)
def test_loop_that_cannot_be_unrolled_is_named(loop: str, sentence: str) -> None:
    with pytest.raises(TemplateError, match=sentence):
        parse(loop)


def test_template_that_is_not_yaml_is_refused(tmp_path: Path) -> None:
    template = tmp_path / "template.yaml"
    template.write_text("a: [")

    with pytest.raises(TemplateError, match="not YAML"):
        load(template, {})
