"""make deploy: what it runs, in which order, with which parameters."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Stands in for sam and make: notes its arguments, and answers the foundation's outputs once it is deployed.
PROGRAM = """#!{python}
import json, pathlib, sys
here = pathlib.Path({folder!r})
words = sys.argv
with (here / "ran.jsonl").open("a") as ran:
    ran.write(json.dumps(words[1:]) + "\\n")
if {fails!r} in words:
    sys.exit(3)
if words[1:3] == ["list", "stack-outputs"]:
    if not (here / "deployed").exists():
        sys.exit(1)
    print(json.dumps([{{"OutputKey": k, "OutputValue": v, "Description": ""}} for k, v in {outputs!r}.items()]))
if "stacks/foundation.yaml" in words:
    (here / "deployed").touch()
"""
OUTPUTS = {
    "DatabaseHost": "causeway.cluster-x.eu-central-1.rds.amazonaws.com",
    "DatabaseResourceId": "cluster-ABC",
    "DatabaseCaFile": "/etc/pki/tls/certs/ca-bundle.crt",
    "DatabaseOwnerSecretArn": "arn:aws:secretsmanager:owner",
    "SubnetIds": "subnet-a,subnet-b",
    "SecurityGroupIds": "sg-a",
    "TokenIssuer": "https://cognito-idp.eu-central-1.amazonaws.com/x",
    "TokenAudience": "client",
    "UserPoolId": "pool",
    "AlarmTopicArn": "arn:aws:sns:alarms",
    "StorageKeyArn": "arn:aws:kms:storage",
    "TenantKeyArn": "arn:aws:kms:tenants",
    "AuditSecret": "causeway-staging/audit",
    "SecretsExtensionLayerArn": "arn:aws:lambda:extension:1",
    "NatAddress": "192.0.2.1",
}


@pytest.fixture
def checkout(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """A checkout whose sam and make note what they are called with; runs tools.deploy there."""
    for name in ("template.yaml", "stacks", "samconfig.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / ".venv-check" / "bin").mkdir(parents=True)

    def run(*arguments: str, fails: str = "") -> subprocess.CompletedProcess[str]:
        for program in (tmp_path / ".venv-check" / "bin" / "sam", tmp_path / "make"):
            program.write_text(
                PROGRAM.format(python=sys.executable, folder=str(tmp_path), outputs=OUTPUTS, fails=fails)
            )
            program.chmod(0o755)
        path = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "causeway" / "python")])
        return subprocess.run(
            [sys.executable, "-m", "tools.deploy", *arguments],
            cwd=tmp_path,
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
        )

    return run


@pytest.fixture
def ran(tmp_path: Path) -> Callable[[], list[list[str]]]:
    """The commands that were run."""

    def read() -> list[list[str]]:
        file = tmp_path / "ran.jsonl"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    return read


Run = Callable[..., subprocess.CompletedProcess[str]]
Ran = Callable[[], list[list[str]]]


def overrides(command: list[str]) -> dict[str, str]:
    """The parameters of a sam deploy."""
    given = command[command.index("--parameter-overrides") + 1 :]
    return dict(one.split("=", 1) for one in given)


def test_functions_are_deployed_after_the_foundation_with_its_outputs(checkout: Run, ran: Ran) -> None:
    done = checkout("staging", "AlarmEmail=a@example.com")

    assert (done.returncode, done.stderr) == (0, "")
    build, looked, foundation, read, functions = ran()
    assert build == ["build", "ARCHITECTURE=x86_64"]
    assert looked == read
    assert "causeway-staging-foundation" in foundation
    assert "causeway-staging" in functions
    given = overrides(functions)
    for_people = {"UserPoolId", "NatAddress"}
    assert {name: given[name] for name in set(OUTPUTS) - for_people} == {
        name: value for name, value in OUTPUTS.items() if name not in for_people
    }
    assert not for_people & set(given)
    assert (given["Stage"], given["Size"]) == ("staging", "small")
    assert overrides(foundation)["DeploymentName"] == "causeway-staging"
    assert set(overrides(foundation)) & {"TokenIssuer", "StorageKeyArn"} == set()


def test_first_deployment_of_the_foundation_is_not_rolled_back(checkout: Run, ran: Ran) -> None:
    """A rollback would fail: database and user pool are protected. A later deployment can be rolled back."""
    checkout("staging", "AlarmEmail=a@example.com")
    checkout("staging", "AlarmEmail=a@example.com")

    foundations = [command for command in ran() if "stacks/foundation.yaml" in command]
    assert ["--disable-rollback" in command for command in foundations] == [True, False]
    assert not [command for command in ran() if "causeway-staging" in command and "--disable-rollback" in command]


def test_what_exists_already_replaces_the_foundations_output(checkout: Run, ran: Ran) -> None:
    existing = ("TokenIssuer=https://people.example.com", "TokenAudience=casino")
    checkout("staging", "AlarmEmail=a@example.com", *existing)

    foundation, functions = (command for command in ran() if "deploy" in command)
    assert overrides(foundation)["TokenIssuer"] == "https://people.example.com"
    assert (overrides(functions)["TokenIssuer"], overrides(functions)["TokenAudience"]) == (
        "https://people.example.com",
        "casino",
    )


def test_nothing_follows_a_command_that_fails(checkout: Run, ran: Ran) -> None:
    done = checkout("staging", "AlarmEmail=a@example.com", fails="stacks/foundation.yaml")

    assert done.returncode == 3
    assert "stacks/foundation.yaml" in ran()[-1]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["staging"], "Fill in samconfig.toml: AlarmEmail"),
        (["prod"], "samconfig.toml has no stage 'prod': it has staging, production"),
        (["staging", "Colour=red"], "Neither template has the parameter 'Colour'"),
        (["staging", "Size=large"], "stacks/foundation.yaml: Size cannot be 'large'"),
        (["staging", "Stage=local"], "stacks/foundation.yaml: Stage cannot be 'local'"),
        (["production", "PauseDatabase=true"], "PauseDatabase needs the size small"),
        (["staging", "DefaultTenantId=x"], "template.yaml: DefaultTenantId is for the stage local only"),
    ],
)
def test_what_cloudformation_would_refuse_is_told_before_anything_runs(
    checkout: Run, ran: Ran, arguments: list[str], sentence: str
) -> None:
    done = checkout(*arguments)

    assert (done.returncode, done.stdout, ran()) == (1, "", [])
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(("stage", "owner"), [("staging", True), ("production", False)])
def test_dry_run_prints_every_command_and_runs_none(checkout: Run, ran: Ran, stage: str, owner: bool) -> None:
    """Staging has the size small, in which causeway_owner has a password."""
    done = checkout("--dry-run", stage)

    assert (done.returncode, done.stderr, ran()) == (0, "", [])
    commands = [line for line in done.stdout.splitlines() if line and line[0] not in " #"]
    assert [" ".join(command.split()[:3]) for command in commands] == [
        "make build ARCHITECTURE=x86_64",
        ".venv-check/bin/sam list stack-outputs",
        ".venv-check/bin/sam deploy \\",
        ".venv-check/bin/sam list stack-outputs",
        ".venv-check/bin/sam deploy \\",
    ]
    assert ("DatabaseOwnerSecretArn=<output DatabaseOwnerSecretArn>" in done.stdout) is owner
    assert "'AlarmEmail=<e-mail address for alarms>'" in done.stdout
    assert "# Before a deployment fill in samconfig.toml: AlarmEmail" in done.stdout
