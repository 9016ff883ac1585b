"""The output of `sam build` runs in Lambda's own container, on the local stack's Postgres."""

import json
import os
import re
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local.account import REGION
from local.network import LOOPBACK, reserve
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
    run = subprocess.run(
        [SAM, *arguments],
        cwd=ROOT,
        env=environment(**variables),
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-4000:]
    return run.stdout


def environment(**variables: str) -> dict[str, str]:
    """Return sam's environment."""
    python = subprocess.run(
        [ROOT / "requirements" / "find-python", "3.13"], capture_output=True, text=True, check=False
    )
    return os.environ | {
        "PATH": f"{SAM.parent}:{os.environ['PATH']}",
        "LAMBDA_PYTHON": python.stdout.strip() or "python3.13",
        "SAM_CLI_TELEMETRY": "0",
        # stacks/around.yaml has loops. sam looks for samconfig.toml beside the built template, where there is none.
        "SAM_CLI_ENABLE_LANGUAGE_EXTENSIONS": "1",
        "AWS_DEFAULT_REGION": REGION,
        **variables,
    }


def credentials(stack: Stack) -> dict[str, str]:
    """Return the variables with which sam uses this stack. sam passes its credentials to the function.

    The secrets extension requires the session token.
    """
    return {
        "AWS_ACCESS_KEY_ID": "local",
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": stack.info["aws_session_token"],
        "AWS_ENDPOINT_URL": stack.info["aws_endpoint_url"],
    }


def test_sam_local_invoke_answers_the_sample_balance(built: Path, stack: Stack) -> None:
    answer = json.loads(
        sam(
            "local", "invoke", "WalletBalanceFunction",
            "--template", str(built),
            "--event", "events/wallet-balance.json",
            "--env-vars", str(stack.state_folder / "sam-env.json"),
            "--skip-pull-image",
            **credentials(stack),
        ).splitlines()[-1]
    )  # fmt: skip
    assert answer["statusCode"] == 200, answer
    is_the_balance(json.loads(answer["body"]))


def is_the_balance(body: dict[str, Any]) -> None:
    sent = json.loads(json.loads((ROOT / "events" / "wallet-balance.json").read_text())["body"])
    assert body["userId"] == sent["userId"]
    assert int(body["balance"]) > 0


@contextmanager
def started_api(built: Path, stack: Stack, output: Path) -> Generator[str]:
    """Run sam local start-api; gives its URL."""
    [listener] = reserve((LOOPBACK,), 0)
    port = listener.getsockname()[1]
    listener.close()
    command = [SAM, "local", "start-api", "--template", str(built), "--port", str(port), "--skip-pull-image"]
    command += ["--env-vars", str(stack.state_folder / "sam-env.json"), "--warm-containers", "LAZY"]
    with output.open("w") as log:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(**credentials(stack)), stdout=log, stderr=subprocess.STDOUT
        )
    try:
        url = f"http://{LOOPBACK}:{port}"
        deadline = time.monotonic() + 120
        while "Press CTRL+C to quit" not in output.read_text() and "Running on" not in output.read_text():
            assert process.poll() is None, output.read_text()[-4000:]
            assert time.monotonic() < deadline, output.read_text()[-4000:]
            time.sleep(0.5)
        yield url
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def test_sam_local_start_api_serves_the_routes_of_the_template(built: Path, stack: Stack, tmp_path: Path) -> None:
    """The functions are in template.yaml; their roles, in the nested stack, are not needed here."""
    event = json.loads((ROOT / "events" / "wallet-balance.json").read_text())
    output = tmp_path / "start-api.log"
    with started_api(built, stack, output) as url:
        mounted = set(re.findall(r"Mounting .* at \S+?:\d+(\S+) \[(.*)\]", output.read_text()))
        balance = urllib.request.Request(  # noqa: S310 - our own address
            url + event["rawPath"], event["body"].encode(), headers=event["headers"], method="POST"
        )
        with urllib.request.urlopen(balance, timeout=120) as answer:  # noqa: S310
            is_the_balance(json.loads(answer.read()))
        with pytest.raises(urllib.error.HTTPError, match="401"):
            urllib.request.urlopen(f"{url}/tenants", timeout=120)  # noqa: S310 - nobody is authenticated
    assert len({path for path, _ in mounted}) > 25, output.read_text()[-4000:]
