"""Parameters that contradict each other are refused by a Rule, before anything changes."""

import pytest

from local.template.rules import refusals
from tests.findings import none_of
from tests.template import stacks

# What a deployment has from its foundation.
GIVEN = {
    "Stage": "staging",
    "DatabaseHost": "causeway.proxy-x.eu-central-1.rds.amazonaws.com",
    "DatabaseResourceId": "prx-0123456789abcdef0",
    "DatabaseCaFile": "/etc/pki/tls/certs/ca-bundle.crt",
    "SecretsExtensionLayerArn": "arn:aws:lambda:eu-central-1:123456789012:layer:extension:1",
    "SubnetIds": "subnet-0a,subnet-0b",
    "SecurityGroupIds": "sg-0a",
    "TokenIssuer": "https://cognito-idp.eu-central-1.amazonaws.com/eu-central-1_x",
    "StorageKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/1",
    "TenantKeyArn": "arn:aws:kms:eu-central-1:123456789012:key/2",
    "AuditSecret": "causeway-staging/audit",
    "AlarmTopicArn": "arn:aws:sns:eu-central-1:123456789012:alarms",
}
FOUNDATION = {"DeploymentName": "causeway-staging", "Stage": "staging", "AlarmEmail": "a@example.com"}

# What is changed, and a part of the sentence that refuses it.
CONTRADICTIONS: dict[str, list[tuple[dict[str, str], str]]] = {
    stacks.MAIN: [
        ({"Stage": "local"}, "The stage local opens routes for a demonstration"),
        ({"DefaultTenantId": "0b0e6b0a-0000-4000-8000-000000000000"}, "DefaultTenantId is for the stage local only"),
        ({"DatabaseHost": ""}, "DatabaseHost is needed"),
        ({"TokenIssuer": "https://issuer.invalid"}, "TokenIssuer is needed"),
        ({"AuditSecret": ""}, "AuditSecret is needed"),
        ({"SecretsExtensionLayerArn": ""}, "SecretsExtensionLayerArn is needed"),
        ({"DatabaseResourceId": ""}, "DatabaseResourceId is needed for IAM tokens"),
        ({"DatabaseSecretPrefix": "x"}, "exclude each other"),
        (
            {"DatabaseSecretPrefix": "x", "DatabaseResourceId": "", "DatabaseOwnerSecretArn": "arn:x"},
            "DatabaseSecretPrefix has the owner's password too",
        ),
        ({"SecurityGroupIds": ""}, "SecurityGroupIds is needed with SubnetIds"),
        ({"SubnetIds": ""}, "SubnetIds is needed with SecurityGroupIds"),
        ({"PauseDatabase": "true"}, "PauseDatabase needs the size small"),
    ],
    stacks.FOUNDATION: [
        ({"Stage": "local"}, "Stage cannot be 'local'"),
        ({"DeploymentName": "Causeway"}, "DeploymentName cannot be 'Causeway'"),
        ({"Size": "small", "ServiceEndpoints": "true"}, "ServiceEndpoints is for the size standard"),
        ({"Size": "small", "DatabaseMinimumCapacity": "1"}, "DatabaseMinimumCapacity is 0.5 in the size small"),
        ({"PauseDatabase": "true"}, "PauseDatabase needs the size small"),
        ({"Size": "small", "PauseDatabase": "true", "DatabaseHost": "db"}, "PauseDatabase is for a new database"),
        ({"DatabaseHost": "db", "VpcId": "vpc-0"}, "VpcId is for a new database"),
        ({"ExistingSubnetIds": "subnet-a"}, "VpcId is needed"),
        ({"VpcId": "vpc-0"}, "ExistingSubnetIds is needed with VpcId"),
        ({"OutboundNat": "false"}, "no function reaches Secrets Manager"),
        ({"AlarmTopicArn": "arn:x"}, "AlarmEmail is for a new topic"),
    ],
}


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"Stage": "production"},
        {"Size": "small", "PauseDatabase": "true", "DatabaseOwnerSecretArn": "arn:aws:secretsmanager:x"},
        {"Size": "small", "FunctionConcurrency": "0"},
        {"DatabaseResourceId": "", "DatabaseSecretPrefix": "causeway/logins"},
        {"SubnetIds": "", "SecurityGroupIds": ""},
    ],
)
def test_template_takes_what_fits(changed: dict[str, str]) -> None:
    assert refusals(stacks.read(stacks.MAIN), GIVEN | changed) == []


@pytest.mark.parametrize(("changed", "sentence"), CONTRADICTIONS[stacks.MAIN])
def test_template_refuses_a_contradiction(changed: dict[str, str], sentence: str) -> None:
    [refused] = refusals(stacks.read(stacks.MAIN), GIVEN | changed)
    assert sentence in refused


@pytest.mark.parametrize("missing", ["AlarmTopicArn", "StorageKeyArn", "TenantKeyArn"])
def test_template_refuses_a_missing_parameter(missing: str) -> None:
    given = {name: value for name, value in GIVEN.items() if name != missing}
    assert refusals(stacks.read(stacks.MAIN), given) == [f"{missing} has no value"]


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"Size": "small"},
        {"Size": "small", "PauseDatabase": "true"},
        {"ServiceEndpoints": "true"},
        {"ServiceEndpoints": "true", "OutboundNat": "false"},
        {"ExistingSubnetIds": "subnet-a,subnet-b", "VpcId": "vpc-0", "OutboundNat": "false"},
        {"DatabaseHost": "db.example.com"},
        {"AlarmTopicArn": "arn:x", "AlarmEmail": ""},
    ],
)
def test_foundation_takes_what_fits(changed: dict[str, str]) -> None:
    assert refusals(stacks.read(stacks.FOUNDATION), FOUNDATION | changed) == []


@pytest.mark.parametrize(("changed", "sentence"), CONTRADICTIONS[stacks.FOUNDATION])
def test_foundation_refuses_a_contradiction(changed: dict[str, str], sentence: str) -> None:
    [refused] = refusals(stacks.read(stacks.FOUNDATION), FOUNDATION | changed)
    assert sentence in refused


@pytest.mark.parametrize("file", [stacks.MAIN, stacks.FOUNDATION])
def test_every_assertion_has_a_case_here(file: str) -> None:
    sentences = [
        assertion["AssertDescription"]
        for rule in stacks.read(file)["Rules"].values()
        for assertion in rule["Assertions"]
    ]
    parts = [part for _, part in CONTRADICTIONS[file]]
    none_of(sentence for sentence in sentences if not any(part in sentence for part in parts))
