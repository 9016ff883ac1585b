"""Rules for the template as a whole."""

import json
import re
import tomllib
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from causeway import settings
from causeway.vault import crypto, deployment_key
from local.services.cognito import ATTRIBUTES
from tests.findings import none_of
from tests.template import stacks

ROOT = Path(__file__).parents[2]


def names_used(value: object) -> Iterator[str]:
    """Logical ids that a part of the template refers to, in any way."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Ref":
                # SAM generates the resources Function.Alias and Function.Version from the function.
                yield str(inner).removesuffix(".Alias").removesuffix(".Version")
            elif key == "Fn::GetAtt":
                yield str(inner[0])
            elif key == "Fn::Sub":
                text = inner if isinstance(inner, str) else inner[0]
                yield from re.findall(r"\$\{(\w+)", text)
            elif key in {"DependsOn", "LogGroup"} and isinstance(inner, str):
                yield inner
            yield from names_used(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_used(inner)


def waits_for(resource: dict[str, Any]) -> set[str]:
    named = resource.get("DependsOn", [])
    return {named} if isinstance(named, str) else set(named)


def test_no_resource_waits_for_itself(template: dict[str, Any], resources: dict[str, Any]) -> None:
    shared = template["Globals"]["Function"]
    graph: dict[str, set[str]] = {name: set() for name in resources}
    for name, resource in resources.items():
        properties = dict(resource.get("Properties", {}))
        if resource["Type"] == "AWS::Serverless::Function":
            properties["Globals"] = shared
            # A version waits for its alarms, and these wait for the function: SAM moves this property to another
            # resource.
            properties.pop("DeploymentPreference", None)
            # SAM reverses events: the API's definition refers to the function.
            for event in properties.pop("Events", {}).values():
                if event["Type"] == "HttpApi":
                    graph[event["Properties"]["ApiId"]["Ref"]].add(name)
        graph[name] |= (set(names_used(properties)) | waits_for(resource)) & set(resources)
    assert len(list(TopologicalSorter(graph).static_order())) == len(resources)


@pytest.mark.parametrize("file", stacks.FILES)
def test_reference_exists(file: str) -> None:
    template = stacks.read(file)
    known = {name for part in ("Resources", "Parameters", "Conditions") for name in template.get(part, {})}
    used = {name for name in names_used(template) if not name.startswith("AWS")}
    assert used <= known


@pytest.mark.parametrize("file", stacks.FILES)
def test_condition_exists_and_is_used(file: str) -> None:
    template = stacks.read(file)
    assert set(conditions_used(template)) == set(template["Conditions"])


def conditions_used(value: object) -> Iterator[str]:
    """Names of conditions that a part of the template uses."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "Fn::If" and isinstance(inner, list):
                yield inner[0]
            elif key == "Condition" and isinstance(inner, str):
                yield inner
            yield from conditions_used(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from conditions_used(inner)


@pytest.mark.parametrize("file", stacks.FILES)
def test_parameter_is_used_and_described(file: str) -> None:
    template = stacks.read(file)
    # Functions is the collection of loops, which are unrolled here.
    used = {"Functions", *names_used({key: value for key, value in template.items() if key != "Parameters"})}
    for name, parameter in template["Parameters"].items():
        assert parameter["Description"], name
        assert name in used, f"{name} is used nowhere"


def test_nested_stack_gets_every_parameter() -> None:
    given = stacks.read(stacks.MAIN)["Resources"]["Around"]["Properties"]["Parameters"]
    assert set(given) == set(stacks.read(stacks.AROUND)["Parameters"]) - {"Functions"}


def test_output_of_the_foundation_is_a_parameter_or_for_people() -> None:
    main, foundation = stacks.read(stacks.MAIN), stacks.read(stacks.FOUNDATION)
    for_people = {"UserPoolId", "NatAddress", "NatAddressB"}
    assert set(foundation["Outputs"]) - for_people <= set(main["Parameters"])
    without = {name for name, parameter in main["Parameters"].items() if "Default" not in parameter}
    assert without <= set(foundation["Outputs"])


def test_parameter_of_two_files_is_the_same_in_both() -> None:
    """Make deploy gives both the same value. In the foundation a parameter may be empty where the template has none."""
    main, foundation = stacks.read(stacks.MAIN)["Parameters"], stacks.read(stacks.FOUNDATION)["Parameters"]
    for name in set(main) & set(foundation) - {"Stage", "TokenIssuer", "AlarmTopicArn"}:
        same = ("Type", "Default", "AllowedPattern", "AllowedValues", "MinValue", "MaxValue")
        assert [main[name].get(key) for key in same] == [foundation[name].get(key) for key in same], name


def test_route_is_declared_once(functions: dict[str, dict[str, Any]], routes: dict[str, str]) -> None:
    events = [event for properties in functions.values() for event in properties.get("Events", {}).values()]
    assert len(routes) == len([event for event in events if event["Type"] == "HttpApi"])


def test_failed_asynchronous_call_is_kept(
    resources: dict[str, Any],
    functions: dict[str, dict[str, Any]],
    roles: dict[str, list[dict[str, Any]]],
    rights: dict[str, list[str]],
) -> None:
    """Lambda sends it to the queue with the function's own role."""
    scheduled = {
        name
        for name, own in functions.items()
        if any(event["Type"].startswith("Schedule") for event in own.get("Events", {}).values())
    }
    keep = {"SchemaMigrateFunction"} | scheduled
    for name in keep:
        assert "EventInvokeConfig" in functions[name], f"{name} needs EventInvokeConfig: copy that of SyncSweep"
        on_failure = functions[name]["EventInvokeConfig"]["DestinationConfig"]["OnFailure"]
        queue = on_failure["Destination"]["Fn::GetAtt"][0]
        assert resources[queue]["Type"] == "AWS::SQS::Queue", name
        sent = [one["Resource"] for one in roles[name] if one["Action"] == "sqs:SendMessage"]
        assert {"Fn::GetAtt": [queue, "Arn"]} in sent, f"add {name}'s role to FailedInvocationsSend in template.yaml"
    assert {name for name, own in rights.items() if "FailedInvocationsSend" in own} == keep


def test_queue_leads_to_a_dead_letter_queue_or_is_one_and_is_watched(resources: dict[str, Any]) -> None:
    queues = {name: one["Properties"] for name, one in resources.items() if one["Type"] == "AWS::SQS::Queue"}
    alarms: dict[str, set[str]] = {name: set() for name in queues}
    for resource in resources.values():
        if resource["Type"] == "AWS::CloudWatch::Alarm" and resource["Properties"].get("Namespace") == "AWS/SQS":
            (dimension,) = resource["Properties"]["Dimensions"]
            queue = dimension["Value"]["Fn::Select"][1]["Fn::Split"][1]["Fn::GetAtt"][0]
            alarms[queue].add(resource["Properties"]["MetricName"])
    dead = {"FailedInvocations"} | {
        queue["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]
        for queue in queues.values()
        if "RedrivePolicy" in queue
    }
    for name, queue in queues.items():
        assert name in dead or "RedrivePolicy" in queue, name
        expected = "ApproximateNumberOfMessagesVisible" if name in dead else "ApproximateAgeOfOldestMessage"
        assert expected in alarms[name], name
        assert queue["KmsMasterKeyId"] == {"Fn::GetAtt": ["StorageKey", "Arn"]}, name


def test_alarm_goes_to_the_topic(resources: dict[str, Any]) -> None:
    for name, resource in resources.items():
        if resource["Type"] == "AWS::CloudWatch::Alarm":
            (action,) = resource["Properties"]["AlarmActions"]
            # In the foundation the topic may be one that is given.
            given = {"Fn::If": ["MakesAlarmTopic", {"Ref": "AlarmTopic"}, {"Ref": "AlarmTopicArn"}]}
            assert action in (given, {"Ref": "AlarmTopic"}), name


def test_alarm_is_quiet_while_nothing_happens(resources: dict[str, Any]) -> None:
    """No alarm rings while its subject is being created, except the schedules' alarms, whose fault is missing data."""
    for name, resource in resources.items():
        if resource["Type"] == "AWS::CloudWatch::Alarm" and resource["Properties"].get("MetricName") != "Invocations":
            assert resource["Properties"]["TreatMissingData"] == "notBreaching", name


def statements_in(value: object) -> Iterator[dict[str, Any]]:
    """Every statement of every policy in a part of the template."""
    if isinstance(value, dict):
        if "Effect" in value:
            yield value
        for inner in value.values():
            yield from statements_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from statements_in(inner)


def test_statement_for_all_resources_is_limited_to_this_account(resources: dict[str, Any]) -> None:
    for name, resource in resources.items():
        # In a key's policy, the resource * means this key only.
        if resource["Type"] == "AWS::KMS::Key":
            continue
        for statement in statements_in(resource):
            if statement.get("Resource") == "*" and statement["Effect"] == "Allow" and name != "StorageEndpoint":
                account = {"StringEquals": {"aws:PrincipalAccount": {"Ref": "AWS::AccountId"}}}
                assert statement.get("Condition") == account, name


def test_buckets_of_platforms_are_reached_through_the_endpoint(resources: dict[str, Any]) -> None:
    """A platform's media and signed URLs are in buckets of its own; the functions have no right on any bucket."""
    (statement,) = statements_in(resources["StorageEndpoint"])
    assert (set(statement["Action"]), statement["Resource"]) == ({"s3:GetObject", "s3:PutObject"}, "*")
    rights = [one for name, one in resources.items() if one["Type"].startswith("AWS::IAM::")]
    none_of(one for one in statements_in(rights) if re.search(r"'s3:", str(one.get("Action"))))


def test_service_may_use_roles_and_keys_for_this_account_only(resources: dict[str, Any]) -> None:
    for name, resource in resources.items():
        for statement in statements_in(resource):
            if re.search("vpc-flow-logs|cloudwatch", str(statement.get("Principal"))):
                same = statement["Condition"]["StringEquals"]
                assert same == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}, name


def test_network_has_a_flow_log(resources: dict[str, Any]) -> None:
    flows = resources["VpcFlows"]["Properties"]
    assert (flows["ResourceId"], flows["TrafficType"]) == ({"Ref": "Vpc"}, "REJECT")
    group = resources[flows["LogGroupName"]["Ref"]]
    assert group["Type"] == "AWS::Logs::LogGroup"
    role = resources[flows["DeliverLogsPermissionArn"]["Fn::GetAtt"][0]]
    (write,) = statements_in(role["Properties"]["Policies"])
    assert write["Resource"] == {"Fn::GetAtt": ["VpcFlowLogs", "Arn"]}
    assert {resources[name]["Condition"] for name in ("Vpc", "VpcFlows", "VpcFlowLogs", "VpcFlowsRole")} == {
        "MakesNetwork"
    }


def test_log_group_has_the_configured_retention(resources: dict[str, Any]) -> None:
    for name, resource in resources.items():
        if resource["Type"] == "AWS::Logs::LogGroup":
            assert resource["Properties"]["RetentionInDays"] == {"Ref": "LogRetentionDays"}, name


def test_resource_with_data_is_kept_when_the_stack_is_deleted(resources: dict[str, Any]) -> None:
    kept = {"AWS::KMS::Key", "AWS::Cognito::UserPool", "AWS::SecretsManager::Secret", "AWS::RDS::DBCluster"}
    assert {one["Type"] for one in resources.values()} >= kept
    for name, resource in resources.items():
        if resource["Type"] in kept:
            policies = (resource["DeletionPolicy"], resource["UpdateReplacePolicy"])
            # RetainExceptOnCreate: a first deployment that fails leaves nothing that would block the next one.
            expected = ("Snapshot",) * 2 if name == "DatabaseCluster" else ("RetainExceptOnCreate", "Retain")
            assert policies == expected, name


def test_secrets_extension_is_found_by_region_and_processor() -> None:
    """The names of the public parameters are in the Systems Manager user guide.

    https://docs.aws.amazon.com/systems-manager/latest/userguide/ps-integration-lambda-extensions.html
    """
    foundation = stacks.read(stacks.FOUNDATION)
    for parameter, processor in (("SecretsExtensionX86", "x86"), ("SecretsExtensionArm64", "arm64")):
        name = f"/aws/service/aws-parameters-and-secrets-lambda-extension/{processor}/latest"
        assert foundation["Parameters"][parameter]["Type"] == "AWS::SSM::Parameter::Value<String>"
        assert foundation["Parameters"][parameter]["Default"] == name
    found = foundation["Outputs"]["SecretsExtensionLayerArn"]["Value"]["Fn::If"]
    assert found == ["IsArm", {"Ref": "SecretsExtensionArm64"}, {"Ref": "SecretsExtensionX86"}]
    assert foundation["Conditions"]["IsArm"] == {"Fn::Equals": [{"Ref": "Architecture"}, "arm64"]}


def test_resource_with_data_is_encrypted_with_our_key(resources: dict[str, Any]) -> None:
    setting = {
        "AWS::Logs::LogGroup": "KmsKeyId",
        "AWS::SecretsManager::Secret": "KmsKeyId",
        "AWS::SQS::Queue": "KmsMasterKeyId",
        "AWS::SNS::Topic": "KmsMasterKeyId",
        "AWS::RDS::DBCluster": "KmsKeyId",
        "AWS::RDS::DBInstance": "PerformanceInsightsKMSKeyId",
    }
    for name, resource in resources.items():
        if resource["Type"] in setting:
            assert "StorageKey" in set(names_used(resource["Properties"][setting[resource["Type"]]])), name
    assert resources["DatabaseCluster"]["Properties"]["StorageEncrypted"] is True


def test_key_is_rotated_and_kept_when_the_stack_is_deleted(resources: dict[str, Any]) -> None:
    keys = {name: one for name, one in resources.items() if one["Type"] == "AWS::KMS::Key"}
    assert set(keys) == {"StorageKey", "TenantKey"}
    for key in keys.values():
        assert key["Properties"]["EnableKeyRotation"] is True


@pytest.mark.parametrize(("secret", "field"), [("AuditSecret", "pepper"), ("LedgerAuditSecret", "key")])
def test_audit_key_is_never_regenerated(resources: dict[str, Any], secret: str, field: str) -> None:
    """Old fingerprints and heads could not be compared: no rotation, and CloudFormation keeps the generated value."""
    rotated = [one for one in resources.values() if one["Type"] == "AWS::SecretsManager::RotationSchedule"]
    none_of(one for one in rotated if secret in set(names_used(one["Properties"])))
    # A change of any of these makes CloudFormation generate another value.
    assert resources[secret]["Properties"]["GenerateSecretString"] == {
        "SecretStringTemplate": "{}",
        "GenerateStringKey": field,
        "PasswordLength": 64,
        "ExcludePunctuation": True,
    }


def test_no_function_reads_the_ledgers_audit_key(resources: dict[str, Any]) -> None:
    """WALLET 48: with the key and write access to the database one could rewrite the past unnoticed."""
    users = [
        name
        for name, one in resources.items()
        if name != "LedgerAuditSecret"
        and ("LedgerAuditSecret" in set(names_used(one)) or "/ledger-audit" in json.dumps(one, default=str))
    ]
    none_of(users, "uses the ledger's audit key")


def test_data_key_is_refused_without_a_tenant_or_the_deployment(
    resources: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "staging")
    settings.stage.cache_clear()
    statements = resources["TenantKey"]["Properties"]["KeyPolicy"]["Statement"]
    (deny,) = [one for one in statements if one["Effect"] == "Deny"]
    # causeway.vault binds a data key to its tenant, or to the deployment, by these names. It is denied without both.
    names = ("tenant", "deployment")
    assert deny["Condition"] == {"Null": {f"kms:EncryptionContext:{name}": "true" for name in names}}
    assert {"kms:Decrypt", "kms:GenerateDataKey", "kms:ReEncryptFrom"} <= set(deny["Action"])
    assert (list(crypto.of_tenant(uuid4())), list(deployment_key.encryption_context())) == (["tenant"], ["deployment"])
    settings.stage.cache_clear()


def test_no_security_group_allows_an_address(resources: dict[str, Any]) -> None:
    """Security groups name each other as sources, so nothing outside can connect."""
    rules = []
    for resource in resources.values():
        if resource["Type"] == "AWS::EC2::SecurityGroup":
            rules += resource["Properties"].get("SecurityGroupIngress", [])
        elif resource["Type"] == "AWS::EC2::SecurityGroupIngress":
            rules.append(resource["Properties"])
    assert len(rules) == 3
    assert all("SourceSecurityGroupId" in rule for rule in rules)
    none_of(rule for rule in rules if {"CidrIp", "CidrIpv6", "SourcePrefixListId"} & set(rule))


def test_database_is_reached_by_the_proxy_with_iam_and_tls(resources: dict[str, Any]) -> None:
    proxy = resources["DatabaseProxy"]["Properties"]
    assert (proxy["RequireTLS"], proxy["DefaultAuthScheme"]) == (True, "IAM_AUTH")
    assert {one["IAMAuth"] for one in proxy["Auth"]} == {"REQUIRED"}
    cluster = resources["DatabaseCluster"]["Properties"]
    assert cluster["EnableIAMDatabaseAuthentication"] is True
    assert cluster["DeletionProtection"] is True
    assert resources["DatabaseParameters"]["Properties"]["Parameters"]["rds.force_ssl"] == "1"


def test_role_of_the_proxy_names_no_global_condition_key(resources: dict[str, Any]) -> None:
    """The Aurora user guide says that RDS Proxy supports none: with one, the proxy could not assume its role."""
    conditions = [one["Condition"] for one in statements_in(resources["DatabaseProxyRole"]) if "Condition" in one]
    assert conditions
    none_of(key for condition in conditions for keys in condition.values() for key in keys if key[:4] == "aws:")


def test_user_cannot_move_to_another_tenant(resources: dict[str, Any]) -> None:
    client = resources["UserPoolClient"]["Properties"]
    named = [attribute["Name"] for attribute in resources["UserPool"]["Properties"]["Schema"]]
    assert named == list(ATTRIBUTES)  # the local pool has the same attributes
    assert client["ReadAttributes"] == ["email", "name", *(f"custom:{name}" for name in named)]
    assert client["WriteAttributes"] == ["email", "name"]
    assert resources["UserPool"]["Properties"]["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}


def test_password_login_needs_aws_credentials(resources: dict[str, Any]) -> None:
    flows = set(resources["UserPoolClient"]["Properties"]["ExplicitAuthFlows"])
    assert flows == {"ALLOW_USER_SRP_AUTH", "ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_ADMIN_USER_PASSWORD_AUTH"}


def test_pool_has_a_group_for_each_role_of_people(resources: dict[str, Any]) -> None:
    groups = {one["Properties"]["GroupName"] for one in resources.values() if one["Type"].endswith("UserPoolGroup")}
    assert groups == {"super_admin", "tenant_admin", "regulator", "staff"}


def test_api_is_throttled_and_keeps_an_access_log(resources: dict[str, Any]) -> None:
    api = resources["HttpApi"]["Properties"]
    assert set(api["DefaultRouteSettings"]) == {"ThrottlingRateLimit", "ThrottlingBurstLimit"}
    assert api["AccessLogSettings"]["DestinationArn"] == {"Fn::GetAtt": ["HttpApiLogs", "Arn"]}


@pytest.mark.parametrize("stage", ["staging", "production"])
def test_samconfig_names_parameters_that_exist_and_the_right_stage(stage: str, template: dict[str, Any]) -> None:
    config = tomllib.loads((ROOT / "samconfig.toml").read_text())
    deploy = config[stage]["deploy"]["parameters"]
    given = dict(one.split("=", 1) for one in deploy["parameter_overrides"])
    assert set(given) <= set(template["Parameters"])
    assert given["Stage"] == stage
    for name, value in given.items():
        # Values in angle brackets must be filled in, and are refused until then.
        pattern = template["Parameters"][name].get("AllowedPattern", ".*")
        assert bool(re.fullmatch(pattern, value)) is not value.startswith("<"), name
    assert config[stage]["global"]["parameters"]["language_extensions"] is True
