"""The output of `sam build` runs in Lambda's own container, on the local stack's Postgres."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from local.account import REGION
from local.stack import Stack

ROOT = Path(__file__).parents[2]
SAM = ROOT / ".venv-check" / "bin" / "sam"
IMAGE = "public.ecr.aws/lambda/python:3.13-x86_64"


def reason_to_skip() -> str:
    """Return what this machine lacks for `sam local`; empty if nothing."""
    if not SAM.exists():
        return "sam is not installed here: `make build` installs it"
    docker = shutil.which("docker")
    if docker is None or not succeeds(docker, "info"):
        return "no Docker engine answers here"
    if not succeeds(docker, "image", "inspect", IMAGE):
        return f"the Docker engine has no image {IMAGE}"
    return ""


def succeeds(*command: str) -> bool:
    return subprocess.run(command, capture_output=True, timeout=30, check=False).returncode == 0


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template of a fresh `sam build`."""
    if reason := reason_to_skip():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("sam") / "build"
    sam("build", "--build-dir", str(folder))
    return folder / "template.yaml"


@pytest.fixture(scope="module")
def stack(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(state_folder=tmp_path_factory.mktemp("stack"), containers=True) as running:
        yield running


def sam(*arguments: str, **variables: str) -> str:
    """Run sam in the checkout and return its standard output; if sam fails, the test fails with sam's output."""
    python = subprocess.run(
        [ROOT / "requirements" / "find-python", "3.13"], capture_output=True, text=True, check=False
    )
    environment = os.environ | {
        "PATH": f"{SAM.parent}:{os.environ['PATH']}",
        "LAMBDA_PYTHON": python.stdout.strip() or "python3.13",
        "SAM_CLI_TELEMETRY": "0",
        # The template has loops. sam looks for samconfig.toml beside the built template, where there is none.
        "SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS": "1",
        "AWS_DEFAULT_REGION": REGION,
        **variables,
    }
    run = subprocess.run(
        [SAM, *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert run.returncode == 0, run.stderr[-4000:]
    return run.stdout


def test_sam_local_invoke_answers_the_sample_balance(built: Path, stack: Stack) -> None:
    answer = json.loads(
        sam(
            "local", "invoke", "WalletBalanceFunction",
            "--template", str(built),
            "--event", "events/wallet-balance.json",
            "--env-vars", str(stack.state_folder / "sam-env.json"),
            "--skip-pull-image",
            # sam passes its credentials to the function; the secrets extension requires the session token.
            AWS_ACCESS_KEY_ID="local",
            AWS_SECRET_ACCESS_KEY="local",
            AWS_SESSION_TOKEN=stack.info["aws_session_token"],
            AWS_ENDPOINT_URL=stack.info["aws_endpoint_url"],
        ).splitlines()[-1]
    )  # fmt: skip
    assert answer["statusCode"] == 200, answer
    body = json.loads(answer["body"])
    sent = json.loads(json.loads((ROOT / "events" / "wallet-balance.json").read_text())["body"])
    assert body["userId"] == sent["userId"]
    assert int(body["balance"]) > 0
