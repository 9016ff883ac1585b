"""Old versions of the functions with SnapStart."""

import io
import json
import os
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from moto import mock_aws

from causeway.aws import clients, function_versions

NAME = "causeway-staging-WalletDebit"


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """Lambda with a function of five versions, as moto plays it."""
    for name, value in (
        ("AWS_ACCESS_KEY_ID", "x"),
        ("AWS_SECRET_ACCESS_KEY", "x"),
        ("AWS_DEFAULT_REGION", "eu-central-1"),
    ):
        monkeypatch.setenv(name, value)
    clients.client.cache_clear()
    with mock_aws():
        iam = clients.client("iam")
        trust = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": "*"}],
        }
        role = iam.create_role(RoleName="x", AssumeRolePolicyDocument=json.dumps(trust))["Role"]["Arn"]
        made = clients.client("lambda")
        made.create_function(
            FunctionName=NAME, Runtime="python3.13", Role=role, Handler="a.b", Code={"ZipFile": code(0)}
        )
        for number in range(1, 6):
            made.update_function_code(FunctionName=NAME, ZipFile=code(number))
            made.publish_version(FunctionName=NAME)
        yield made
    clients.client.cache_clear()


def code(number: int) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("a.py", str(number) + os.linesep)
    return packed.getvalue()


def versions(service: Any) -> list[str]:
    return [one["Version"] for one in service.list_versions_by_function(FunctionName=NAME)["Versions"]]


def test_newest_versions_are_kept(service: Any) -> None:
    service.create_alias(FunctionName=NAME, Name="live", FunctionVersion="5")

    assert [function_versions.delete_one(NAME) for _ in range(3)] == [True, True, False]
    assert versions(service) == ["$LATEST", "3", "4", "5"]


def test_version_that_an_alias_uses_is_kept(service: Any) -> None:
    """Also where it gets only a part of the calls."""
    weights = {"AdditionalVersionWeights": {"2": 0.1}}
    service.create_alias(FunctionName=NAME, Name="live", FunctionVersion="1", RoutingConfig=weights)

    assert function_versions.delete_one(NAME) is False
    assert versions(service) == ["$LATEST", "1", "2", "3", "4", "5"]
