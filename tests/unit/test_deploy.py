"""make deploy: what it runs, in which order, with which parameters."""

import json
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from local.template.intrinsics import parse

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
    if {unanswered!r}:
        sys.exit({unanswered!r})
    if not (here / "deployed").exists():
        sys.exit("Error: " + {missing!r})
    print(json.dumps([{{"OutputKey": k, "OutputValue": v, "Description": ""}} for k, v in {outputs!r}.items()]))
if "stacks/foundation.yaml" in words and "--no-execute-changeset" not in words:
    (here / "deployed").touch()
"""
# What sam says while the foundation was never deployed.
MISSING = "The input stack causeway-staging-foundation does not exist on Cloudformation in the region eu-central-1"
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

    def run(
        *arguments: str,
        fails: str = "",
        unanswered: str = "",
        missing: str = MISSING,
        says: str = "y\ny\n",
        outputs: Mapping[str, str] = OUTPUTS,
    ) -> subprocess.CompletedProcess[str]:
        program_text = PROGRAM.format(
            python=sys.executable,
            folder=str(tmp_path),
            outputs=dict(outputs),
            fails=fails,
            unanswered=unanswered,
            missing=missing,
        )
        for program in (tmp_path / ".venv-check" / "bin" / "sam", tmp_path / "make"):
            program.write_text(program_text)
            program.chmod(0o755)
        path = os.pathsep.join([str(ROOT), str(ROOT / "layers" / "causeway" / "python")])
        return subprocess.run(
            [sys.executable, "-m", "tools.deploy", *arguments],
            cwd=tmp_path,
            env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
            input=says,
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
    """The parameters of a sam deploy, as sam reads them: a value that is empty or has a space needs quotes."""
    given = command[command.index("--parameter-overrides") + 1 :]
    assert not [one for one in given if one.endswith("=")]
    return dict(word.split("=", 1) for one in given for word in shlex.split(one))


def parameters_of(file: str) -> dict[str, dict[str, str]]:
    """The parameters that a template declares."""
    return parse((ROOT / file).read_text())["Parameters"]


def test_functions_are_deployed_after_the_foundation_with_its_outputs(checkout: Run, ran: Ran) -> None:
    done = checkout("staging", "AlarmEmail=a@example.com")

    assert (done.returncode, done.stderr) == (0, "")
    build, looked, *foundations, read, shown_functions, functions = ran()
    shown_foundation, foundation = foundations
    for shown, deployed in ((shown_foundation, foundation), (shown_functions, functions)):
        assert [word for word in shown if word != "--no-execute-changeset"] == [
            word for word in deployed if word != "--no-confirm-changeset"
        ]
        assert "--confirm-changeset" not in [*shown, *deployed]
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
    assert (overrides(foundation)["TokenIssuer"], "StorageKeyArn" in overrides(foundation)) == ("", False)


def test_every_parameter_is_given_because_cloudformation_would_keep_the_last_value(checkout: Run, ran: Ran) -> None:
    """From small to standard: the owner's password is no output any more."""
    standard = {name: value for name, value in OUTPUTS.items() if name != "DatabaseOwnerSecretArn"}
    checkout("staging", "AlarmEmail=a@example.com", "Size=standard", outputs=standard)

    *_, foundation, _, _, functions = ran()
    assert set(overrides(foundation)) == set(parameters_of("stacks/foundation.yaml"))
    assert set(overrides(functions)) == set(parameters_of("template.yaml"))
    assert overrides(functions)["DatabaseOwnerSecretArn"] == ""
    assert overrides(functions)["RequestsPerSecond"] == str(
        parameters_of("template.yaml")["RequestsPerSecond"]["Default"]
    )
    assert overrides(foundation)["DatabaseMinimumCapacity"] == "0.5"


def test_an_empty_value_clears_an_output(checkout: Run, ran: Ran) -> None:
    """But an empty TokenIssuer asks the foundation for a user pool, whose issuer the functions get."""
    done = checkout("staging", "AlarmEmail=a@example.com", "DatabaseOwnerSecretArn=", "TokenIssuer=")

    assert (done.returncode, done.stderr) == (0, "")
    given = overrides(ran()[-1])
    assert (given["DatabaseOwnerSecretArn"], given["TokenIssuer"]) == ("", OUTPUTS["TokenIssuer"])


@pytest.mark.parametrize("given", ["SubnetIds=subnet-x", "SecurityGroupIds=sg-x"])
def test_half_a_network_is_refused_before_anything_runs(checkout: Run, ran: Ran, given: str) -> None:
    """The foundation's security group cannot be used in the subnets of another network."""
    done = checkout("staging", "AlarmEmail=a@example.com", given)

    assert (done.returncode, ran()) == (1, [])
    assert "SubnetIds and SecurityGroupIds are of one network: give both" in done.stderr


def test_whole_network_replaces_the_foundations(checkout: Run, ran: Ran) -> None:
    done = checkout("staging", "AlarmEmail=a@example.com", "SubnetIds=subnet-x", "SecurityGroupIds=sg-x")

    assert (done.returncode, done.stderr) == (0, "")
    given = overrides(ran()[-1])
    assert (given["SubnetIds"], given["SecurityGroupIds"]) == ("subnet-x", "sg-x")


@pytest.mark.parametrize(
    ("given", "accepted"),
    [
        ("OAuthReturnOrigins=https://app.example,https://other.example:8443", True),
        ("OAuthReturnOrigins=https://app.example, https://other.example", True),
        ("OAuthReturnOrigins=http://app.example", False),
        ("OAuthReturnOrigins=https://app.example/path", False),
        ("OAuthReturnOrigins=*", False),
        ("OAuthReturnOrigins=app.example", False),
        ("EgressAllowedHosts=platform.internal,10.0.0.7:8080", True),
        ("EgressAllowedHosts=https://platform.internal", False),
        ("EgressAllowedHosts=*", False),
        ("EgressAllowedHosts=10.0.0.0/8", False),
    ],
)
def test_list_of_hosts_that_would_match_nothing_is_refused(checkout: Run, ran: Ran, given: str, accepted: bool) -> None:
    done = checkout("staging", "AlarmEmail=a@example.com", given)

    assert (done.returncode == 0) is accepted, done.stderr
    if not accepted:
        assert f"{given.partition('=')[0]} cannot be" in done.stderr
        assert ran() == []


def test_value_with_a_space_reaches_sam_whole(checkout: Run, ran: Ran) -> None:
    checkout("staging", "AlarmEmail=a@example.com", "TokenAudience=two words")

    assert overrides(ran()[-1])["TokenAudience"] == "two words"


def test_sam_unrolls_the_loops_without_a_setting_of_the_shell(checkout: Run, ran: Ran) -> None:
    checkout("staging", "AlarmEmail=a@example.com")

    assert ["--language-extensions" in command for command in ran() if "deploy" in command] == [True] * 4


@pytest.mark.parametrize("says", ["n\n", "\n", ""])
def test_foundation_that_a_person_does_not_want_is_not_deployed(checkout: Run, ran: Ran, says: str) -> None:
    done = checkout("staging", "AlarmEmail=a@example.com", says=says)

    assert (done.returncode, done.stderr) == (1, "Not deployed\n")
    assert done.stdout == "Deploy causeway-staging-foundation as shown, and go on to the functions? [y/N] "
    assert "--no-execute-changeset" in ran()[-1]


@pytest.mark.parametrize("says", ["y\nn\n", "y\n\n", "y\n"])
def test_functions_that_a_person_does_not_want_are_not_deployed(checkout: Run, ran: Ran, says: str) -> None:
    """A no to sam's own question would end with status 0, as if it had deployed."""
    done = checkout("staging", "AlarmEmail=a@example.com", says=says)

    said = "causeway-staging is not deployed; causeway-staging-foundation is\n"
    assert (done.returncode, done.stderr) == (1, said)
    assert done.stdout.endswith("Deploy causeway-staging as shown? [y/N] ")
    assert {"causeway-staging", "--no-execute-changeset"} <= set(ran()[-1])


def test_outputs_that_cannot_be_read_are_no_first_deployment(checkout: Run, ran: Ran) -> None:
    reason = "Error: An error occurred (ExpiredToken) when calling the DescribeStacks operation: token expired"
    done = checkout("staging", "AlarmEmail=a@example.com", unanswered=reason)

    assert (done.returncode, done.stderr) == (1, f"{reason}\n")
    assert "stack-outputs" in ran()[-1]


def test_foundation_that_was_never_complete_is_deployed_as_the_first_time(checkout: Run, ran: Ran) -> None:
    stack = "causeway-staging-foundation on Cloudformation in the region eu-central-1"
    checkout("staging", "AlarmEmail=a@example.com", missing=f"Outputs do not exist for the input stack {stack}")

    checkout("staging", "AlarmEmail=a@example.com", outputs={})

    foundations = [command for command in ran() if "stacks/foundation.yaml" in command]
    assert ["--disable-rollback" in command for command in foundations] == [True, True, True, True]


def test_first_deployment_of_the_foundation_is_not_rolled_back(checkout: Run, ran: Ran) -> None:
    """A rollback would fail: database and user pool are protected. A later deployment can be rolled back."""
    checkout("staging", "AlarmEmail=a@example.com")
    checkout("staging", "AlarmEmail=a@example.com")

    foundations = [command for command in ran() if "stacks/foundation.yaml" in command]
    assert ["--disable-rollback" in command for command in foundations] == [True, True, False, False]
    assert not [command for command in ran() if "causeway-staging" in command and "--disable-rollback" in command]


def test_what_exists_already_replaces_the_foundations_output(checkout: Run, ran: Ran) -> None:
    existing = ("TokenIssuer=https://people.example.com", "TokenAudience=casino")
    checkout("staging", "AlarmEmail=a@example.com", *existing)

    _, foundation, _, functions = (command for command in ran() if "deploy" in command)
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
        ([""], "no stage is named: send STAGE=staging or STAGE=production"),
        (["prod"], "samconfig.toml has no stage 'prod': it has staging, production"),
        (["staging", "Colour=red"], "Neither template has the parameter 'Colour'"),
        (["staging", "Size=large"], "stacks/foundation.yaml: Size cannot be 'large'"),
        (["staging", "Stage=local"], "stacks/foundation.yaml: Stage cannot be 'local'"),
        (["production", "PauseDatabase=true"], "PauseDatabase needs the size small"),
        (["staging", "DatabaseOwnerSecretArn=x"], "template.yaml: DatabaseOwnerSecretArn cannot be 'x'"),
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
        ".venv-check/bin/sam deploy \\",
        ".venv-check/bin/sam list stack-outputs",
        ".venv-check/bin/sam deploy \\",
        ".venv-check/bin/sam deploy \\",
    ]
    assert ("""'DatabaseOwnerSecretArn="<output DatabaseOwnerSecretArn>"'""" in done.stdout) is owner
    assert """'AlarmEmail="<e-mail address for alarms>"'""" in done.stdout
    assert "# Before a deployment fill in samconfig.toml: AlarmEmail" in done.stdout
