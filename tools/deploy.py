"""`make deploy STAGE=staging`: builds, deploys the foundation, and then the functions with its outputs.

DRY=1 prints every command instead, and needs no AWS account. The settings are those of the stage in samconfig.toml;
ARGS="Size=small" gives or replaces single parameters.
"""

import argparse
import json
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.template.intrinsics import Resolver, parse
from local.template.rules import refusals

MAIN, FOUNDATION = "template.yaml", "stacks/foundation.yaml"
SAM = ".venv-check/bin/sam"
# Parameters of template.yaml of one network: a security group of another VPC cannot be used in these subnets.
NETWORK = ("SubnetIds", "SecurityGroupIds")


class Refused(Exception):
    """The deployment cannot begin; the message says why."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """One deployment of samconfig.toml.

    Attributes:
        stage: the name of its section.
        name: of the stack of the functions, and the beginning of every other name.
        confirms: whether a person sees the changes of each stack and agrees before they are made.
        options: of `sam deploy`, for both stacks.
        parameters: values of parameters of template.yaml, the foundation or both.
    """

    stage: str
    name: str
    region: str
    confirms: bool
    options: Sequence[str]
    parameters: Mapping[str, str]

    @property
    def foundation_name(self) -> str:
        """The name of the foundation's stack."""
        return f"{self.name}-foundation"

    @property
    def unfilled(self) -> list[str]:
        """Parameters that samconfig.toml leaves to a person, as <what is needed>."""
        return [name for name, value in self.parameters.items() if value.startswith("<")]


def main(arguments: Sequence[str] | None = None) -> None:
    """Deploy; exits 1 with a sentence if the settings are refused, or with the status of the command that failed."""
    parser = argparse.ArgumentParser(prog="make deploy", description=__doc__)
    parser.add_argument("stage")
    parser.add_argument("parameters", nargs="*", metavar="Name=value")
    parser.add_argument("--dry-run", action="store_true")
    given = parser.parse_args(arguments)
    try:
        deployment = configured(Path.cwd(), given.stage, given.parameters)
        (print_commands if given.dry_run else deploy)(deployment, Path.cwd())
    except Refused as refused:
        sys.exit(str(refused))
    except subprocess.CalledProcessError as failed:
        sys.exit(failed.returncode)


def configured(root: Path, stage: str, extra: Sequence[str]) -> Deployment:
    """Return the deployment of a stage.

    Args:
        root: the repository's folder.
        stage: a section of samconfig.toml.
        extra: parameters as Name=value, which replace those of samconfig.toml.

    Raises:
        Refused: there is no such stage, or a parameter that neither template has.
    """
    sections = tomllib.loads((root / "samconfig.toml").read_text())
    stages = [name for name, section in sections.items() if isinstance(section, dict) and "deploy" in section]
    if stage not in stages:
        if not stage:
            raise Refused(f"no stage is named: send {' or '.join(f'STAGE={name}' for name in stages)}")
        raise Refused(f"samconfig.toml has no stage {stage!r}: it has {', '.join(stages)}")
    settings = sections[stage]["deploy"]["parameters"]
    parameters = dict(one.partition("=")[::2] for one in [*settings["parameter_overrides"], *extra])
    known = {*_read(root, MAIN)["Parameters"], *_read(root, FOUNDATION)["Parameters"]}
    if unknown := sorted(set(parameters) - known):
        raise Refused(f"Neither template has the parameter {unknown[0]!r}")
    # sam looks for samconfig.toml beside each template, so its options are given one by one.
    options = ["--region", settings["region"], "--resolve-s3", "--language-extensions", "--no-fail-on-empty-changeset"]
    options += ["--capabilities", *settings["capabilities"].split()]
    name, region, confirms = settings["stack_name"], settings["region"], settings["confirm_changeset"]
    return Deployment(stage, name, region, confirms, options, parameters)


def print_commands(deployment: Deployment, root: Path) -> None:
    """Print what deploy would run. Raises Refused for settings that CloudFormation would refuse."""
    foundation = foundation_parameters(deployment, root)
    outputs = {name: f"<output {name}>" for name in expected_outputs(root, foundation)}
    parameters = main_parameters(deployment, root, outputs)
    shown_foundation = deploy_foundation(deployment, foundation, first=True, execute=False)
    shown_functions = deploy_functions(deployment, parameters, execute=False)
    for step, command in (
        ("Build the functions and the layers", build(deployment)),
        ("Is this the first deployment? If so, the foundation gets --disable-rollback", outputs_of(deployment)),
        *([("Show the foundation's changes, and ask", shown_foundation)] if deployment.confirms else []),
        ("Deploy the foundation", deploy_foundation(deployment, foundation, first=True)),
        ("Read its outputs", outputs_of(deployment)),
        *([("Show the functions' changes, and ask", shown_functions)] if deployment.confirms else []),
        ("Deploy the functions with them", deploy_functions(deployment, parameters)),
    ):
        print(f"# {step}\n{shown(command)}\n")
    if deployment.unfilled:
        print(f"# Before a deployment fill in samconfig.toml: {', '.join(deployment.unfilled)}")


def deploy(deployment: Deployment, root: Path) -> None:
    """Run the commands.

    Raises:
        Refused: CloudFormation would refuse the settings, a parameter is not filled in, or a person does not agree to
            the changes of a stack.
        subprocess.CalledProcessError: a command failed; nothing after it was run.
    """
    foundation = foundation_parameters(deployment, root)
    # So that nothing is deployed whose second half is refused.
    main_parameters(deployment, root, {name: f"<output {name}>" for name in expected_outputs(root, foundation)})
    if deployment.unfilled:
        raise Refused(f"Fill in samconfig.toml: {', '.join(deployment.unfilled)}")
    subprocess.run(build(deployment), cwd=root, check=True)
    first = is_first(deployment, root)
    if deployment.confirms:
        subprocess.run(deploy_foundation(deployment, foundation, first=first, execute=False), cwd=root, check=True)
        _ask(f"Deploy {deployment.foundation_name} as shown, and go on to the functions?", "Not deployed")
    subprocess.run(deploy_foundation(deployment, foundation, first=first), cwd=root, check=True)
    read = subprocess.run(outputs_of(deployment), cwd=root, stdout=subprocess.PIPE, check=True)
    outputs = {output["OutputKey"]: output["OutputValue"] for output in json.loads(read.stdout)}
    parameters = main_parameters(deployment, root, outputs)
    if deployment.confirms:
        subprocess.run(deploy_functions(deployment, parameters, execute=False), cwd=root, check=True)
        refusal = f"{deployment.name} is not deployed; {deployment.foundation_name} is"
        _ask(f"Deploy {deployment.name} as shown?", refusal)
    subprocess.run(deploy_functions(deployment, parameters), cwd=root, check=True)


def is_first(deployment: Deployment, root: Path) -> bool:
    """Return whether the foundation was never deployed as a whole.

    Raises subprocess.CalledProcessError if AWS does not answer that; its reason is printed.
    """
    looked = subprocess.run(outputs_of(deployment), cwd=root, capture_output=True, text=True, check=False)
    if looked.returncode == 0:
        return not json.loads(looked.stdout)
    stack = f"input stack {deployment.foundation_name} "
    if f"The {stack}does not exist" in looked.stderr or f"Outputs do not exist for the {stack}" in looked.stderr:
        return True
    sys.stderr.write(looked.stderr)
    raise subprocess.CalledProcessError(looked.returncode, looked.args)


def foundation_parameters(deployment: Deployment, root: Path) -> dict[str, str]:
    """Return all of the foundation's parameters; raises Refused if CloudFormation would refuse them."""
    document = _read(root, FOUNDATION)
    values = _values(document, {**deployment.parameters, "DeploymentName": deployment.name})
    _check(FOUNDATION, refusals(document, values, deployment.unfilled))
    return values


def main_parameters(deployment: Deployment, root: Path, outputs: Mapping[str, str]) -> dict[str, str]:
    """Return all parameters of template.yaml: the foundation's outputs, and over them those of samconfig.toml.

    An empty value of samconfig.toml clears an output, unless the foundation has that parameter too: there an empty
    value asks for what the output then names.

    Raises:
        Refused: CloudFormation would refuse them, or would mix our network with the foundation's.
    """
    document = _read(root, MAIN)
    ours = [name for name in NETWORK if deployment.parameters.get(name)]
    if len(ours) == 1:
        raise Refused(f"{' and '.join(NETWORK)} are of one network: give both, or none for the foundation's")
    asked = {name for name in _read(root, FOUNDATION)["Parameters"] if not deployment.parameters.get(name)}
    taken = {name for name in outputs if name in asked or name not in deployment.parameters}
    values = _values(document, {**deployment.parameters, **{name: outputs[name] for name in taken}})
    # Outputs come from CloudFormation itself.
    _check(MAIN, refusals(document, values, {*taken, *deployment.unfilled}))
    return values


def expected_outputs(root: Path, values: Mapping[str, str]) -> list[str]:
    """Return the names of the outputs that the foundation has with these parameters."""
    document = _read(root, FOUNDATION)
    resolver = Resolver(document, values, {})
    return [
        name
        for name, output in document["Outputs"].items()
        if "Condition" not in output or resolver.holds(output["Condition"], f"Outputs.{name}")
    ]


def build(deployment: Deployment) -> list[str]:
    """Return the command that builds functions and layers."""
    return ["make", "build", f"ARCHITECTURE={deployment.parameters.get('Architecture', 'x86_64')}"]


def outputs_of(deployment: Deployment) -> list[str]:
    """Return the command that prints the foundation's outputs as JSON; it fails while there are none."""
    place = ["--stack-name", deployment.foundation_name, "--region", deployment.region]
    return [SAM, "list", "stack-outputs", *place, "--output", "json"]


def deploy_foundation(
    deployment: Deployment, parameters: Mapping[str, str], *, first: bool, execute: bool = True
) -> list[str]:
    """Return the command that deploys the foundation.

    Args:
        deployment: whose settings in samconfig.toml it uses.
        parameters: of the foundation.
        first: a first deployment that fails is left as it is, to be repaired and continued: rolling it back would fail
            too, because the database and the user pool are protected from deletion.
        execute: false only shows the changes.
    """
    options = [*(["--disable-rollback"] if first else []), _execution(execute=execute), *deployment.options]
    return _sam_deploy(FOUNDATION, deployment.foundation_name, options, parameters)


def deploy_functions(deployment: Deployment, parameters: Mapping[str, str], *, execute: bool = True) -> list[str]:
    """Return the command that deploys the stack of template.yaml, as it was built, or only shows its changes."""
    options = [_execution(execute=execute), *deployment.options]
    return _sam_deploy(".aws-sam/build/template.yaml", deployment.name, options, parameters)


def shown(command: Sequence[str]) -> str:
    """Return a command as a shell takes it, with a line for each option and each parameter."""
    lines = [""]
    for word in map(shlex.quote, command):
        if word.startswith("--"):
            lines.append(f"  {word}")
        elif "=" in word and len(lines) > 1:
            lines.append(f"    {word}")
        else:
            lines[-1] = f"{lines[-1]} {word}" if lines[-1] else word
    return " \\\n".join(lines)


def _execution(*, execute: bool) -> str:
    # sam itself must not ask: its status is 0 after a no, too.
    return "--no-confirm-changeset" if execute else "--no-execute-changeset"


def _sam_deploy(template: str, stack: str, options: Sequence[str], parameters: Mapping[str, str]) -> list[str]:
    # sam refuses an empty value without quotation marks, and cuts a value at a space.
    overrides = [
        f'{name}="{value}"' if not value or " " in value else f"{name}={value}" for name, value in parameters.items()
    ]
    return [
        *(SAM, "deploy", "--template-file", template, "--stack-name", stack, *options),
        *("--parameter-overrides", *overrides),
    ]


def _values(document: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    """Return every parameter of a template, with its Default if it is not given.

    Without a value CloudFormation would keep that of the last deployment.
    """
    defaults = {name: parameter.get("Default") for name, parameter in document["Parameters"].items()}
    values = {name: given.get(name, default) for name, default in defaults.items()}
    return {name: str(value) for name, value in values.items() if value is not None}


def _ask(question: str, refusal: str) -> None:
    print(f"{question} [y/N] ", end="", flush=True)
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise Refused(refusal)


def _check(file: str, found: Sequence[str]) -> None:
    if found:
        raise Refused("\n".join(f"{file}: {sentence}" for sentence in found))


def _read(root: Path, name: str) -> dict[str, Any]:
    return parse((root / name).read_text())


if __name__ == "__main__":
    main()
