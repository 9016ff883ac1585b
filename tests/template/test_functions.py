"""Rules for every function of the template."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end import sample_events
from tests.findings import none_of
from tests.template import stacks

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "layers" / "causeway" / "python" / "causeway"
Functions = dict[str, dict[str, Any]]

# API Gateway's time limit for an HTTP API's integration, in milliseconds.
INTEGRATION_LIMIT = 30_000


def kebab_name(logical_id: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", logical_id.removesuffix("Function")).lower()


def text_of(resource: dict[str, Any]) -> str:
    """A statement's Resource as text: the text of its Sub, or the logical id of a resource."""
    if "Ref" in resource:
        return resource["Ref"]
    if "Fn::GetAtt" in resource:
        return ".".join(resource["Fn::GetAtt"])
    text = resource["Fn::Sub"]
    return text if isinstance(text, str) else text[0]


def alarms(resources: dict[str, Any]) -> list[dict[str, Any]]:
    """The properties of every alarm."""
    return [one["Properties"] for one in resources.values() if one["Type"] == "AWS::CloudWatch::Alarm"]


def watched(resources: dict[str, Any], metric: str) -> dict[str, dict[str, Any]]:
    """The alarm on a Lambda metric of a function, by the logical id of the function."""
    return {
        alarm["Dimensions"][0]["Value"]["Fn::Sub"].removeprefix("${AWS::StackName}-") + "Function": alarm
        for alarm in alarms(resources)
        if alarm.get("Namespace") == "AWS/Lambda" and alarm["MetricName"] == metric and "Dimensions" in alarm
    }


def counted(resources: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """The alarm on each metric that functions count, over all services, by the name of both; no ManyUnavailable."""
    found = {
        alarm["AlarmName"]["Fn::Sub"].removeprefix("${AWS::StackName}-"): alarm
        for alarm in alarms(resources)
        if "Metrics" in alarm
    }
    many = found.pop("ManyUnavailable")
    assert many["Metrics"] == found["Unavailable"]["Metrics"]
    return found


def limits_of(template: dict[str, Any], mapping: str, function: str) -> dict[str, Any]:
    """A function's line in a mapping of the template."""
    name, limits = function.removesuffix("Function"), template["Mappings"][mapping]
    assert name in limits, f"add a line for {name} to the mapping {mapping} in stacks/around.yaml"
    return limits[name]


def differ(found: set[str], expected: set[str], place: str) -> str:
    """The message where a list of the template differs from its functions."""
    missing, superfluous = sorted(expected - found), sorted(found - expected)
    return f"{place} in stacks/around.yaml lacks {missing}, and has {superfluous} too many"


def test_function_names_its_service_after_itself(functions: Functions) -> None:
    for name, properties in functions.items():
        assert properties["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == kebab_name(name), name


def test_function_has_a_description_and_a_time_limit(template: dict[str, Any], functions: Functions) -> None:
    assert template["Globals"]["Function"]["MemorySize"] >= 128
    for name, properties in functions.items():
        assert properties["Description"], name
        assert properties["Timeout"] > 0, name


def test_function_behind_a_route_ends_before_the_gateway_gives_up(functions: Functions) -> None:
    """Each route states the gateway's time limit: the documentations of SAM and API Gateway name different defaults."""
    for name, properties in functions.items():
        for event in properties.get("Events", {}).values():
            if event["Type"] == "HttpApi":
                waits = event["Properties"]["TimeoutInMillis"]
                assert properties["Timeout"] * 1000 < waits <= INTEGRATION_LIMIT, name


def test_wallet_function_ends_within_five_seconds(functions: Functions) -> None:
    wallet = [name for name in functions if name.startswith("Wallet")]
    assert wallet
    assert {functions[name]["Timeout"] for name in wallet} == {5}


def test_function_has_its_own_encrypted_log_group_with_retention(
    resources: dict[str, Any], deployed: Functions
) -> None:
    for name, properties in deployed.items():
        group = f"{name.removesuffix('Function')}Logs"
        assert resources[group]["Type"] == "AWS::Logs::LogGroup"
        assert properties["LoggingConfig"]["LogGroup"] == resources[group]["Properties"]["LogGroupName"], name
        assert resources[group]["Properties"]["RetentionInDays"], group
        assert resources[group]["Properties"]["KmsKeyId"], group


def test_function_that_ends_without_an_answer_rings(resources: dict[str, Any], deployed: Functions) -> None:
    found = set(watched(resources, "Errors"))
    assert found == set(deployed), differ(found, set(deployed), "Functions")


def test_throttled_call_of_a_function_rings_its_own_alarm(resources: dict[str, Any], deployed: Functions) -> None:
    """The concurrency is the account's, or in the size small the function's. Those of another stack ring no alarm."""
    found = watched(resources, "Throttles")
    assert set(found) == set(deployed), differ(set(found), set(deployed), "Functions")
    none_of(one for one in alarms(resources) if one.get("MetricName") == "Throttles" and "Dimensions" not in one)
    for name, alarm in found.items():
        assert (alarm["Statistic"], alarm["Threshold"]) == ("Sum", 1)
        for word in (name.removesuffix("Function"), "FunctionConcurrency", "Service Quotas"):
            assert word in str(alarm["AlarmDescription"]), word


def test_snapshot_cleanup_reaches_lambda_without_a_nat_gateway(functions: Functions) -> None:
    """The network has endpoints for three services, and Lambda's API is none of them. With SnapStart it must answer."""
    inside = {name for name, own in functions.items() if own.get("VpcConfig") != {"Ref": "AWS::NoValue"}}
    assert set(functions) - inside == {"SnapshotCleanupFunction"}
    assert "DATABASE_HOST" not in functions["SnapshotCleanupFunction"]["Environment"]["Variables"]


def test_function_has_the_name_that_its_role_alarms_and_schedule_use(deployed: Functions) -> None:
    for name, properties in deployed.items():
        assert properties["FunctionName"] == {"Fn::Sub": "${AWS::StackName}-" + name.removesuffix("Function")}


def scheduled(functions: Functions) -> dict[str, list[dict[str, Any]]]:
    """The schedules of each function that has schedules."""
    found = {
        name: [one["Properties"] for one in own.get("Events", {}).values() if one["Type"] == "ScheduleV2"]
        for name, own in functions.items()
    }
    return {name: own for name, own in found.items() if own}


# What functions count and an alarm reads, and where it is counted. causeway/aws/counts.py publishes it.
COUNTED = {
    "Unavailable": ["edge/answers.py", '"Unavailable"'],
    "INTERNAL": ["edge/answers.py", "Internal.code"],
    "NearTimeLimit": ["aws/counts.py", '"NearTimeLimit"'],
    "JobNearTimeLimit": ["jobs/invocations.py", '"JobNearTimeLimit"'],
    "CredentialUnreadable": ["vault/crypto.py", 'count("CredentialUnreadable")'],
    "CredentialsFailed": ["../../../../functions/maintenance/key_rotation.py", 'reported("Credentials")'],
    "DataKeysFailed": ["../../../../functions/maintenance/key_rotation.py", 'reported("DataKeys")'],
    "TokensFailed": ["../../../../functions/oauth/refresh.py", 'reported("Tokens")'],
    "CallsUnlogged": ["connections/access.py", '"CallsUnlogged"'],
    "RateLimitsExceeded": ["rate_limits/limiter.py", '"RateLimitsExceeded"'],
    "PartitionsOverflowed": ["../../../../functions/maintenance/partitions.py", 'reported("Partitions")'],
    "SyncsSweptFailed": ["../../../../functions/sync/sweep.py", 'reported("SyncsSwept")'],
}


def test_count_of_any_function_rings(resources: dict[str, Any]) -> None:
    """One alarm covers all services of the deployment; in an alarm a query needs GROUP BY and ORDER BY."""
    found = counted(resources)

    assert set(found) == set(COUNTED)
    for metric, alarm in found.items():
        file, text = COUNTED[metric]
        assert text in (PACKAGE / file).read_text(), metric
        (query,) = alarm["Metrics"]
        beginning, _, services = query["Expression"]["Fn::Sub"].partition(" FROM ")
        assert beginning == f"SELECT SUM({metric})"
        assert services == 'SCHEMA("${AWS::StackName}", service) GROUP BY service ORDER BY SUM() DESC'
        assert alarm["AlarmName"] == {"Fn::Sub": "${AWS::StackName}-" + metric}
        # One count rings. A slow call of a route must not: a platform may be slow once. The database may be, too.
        minutes = {"NearTimeLimit": (2, 3), "Unavailable": (3, 5)}.get(metric, (1, 1))
        assert (alarm.get("DatapointsToAlarm", 1), alarm["EvaluationPeriods"]) == minutes
        assert (alarm["Threshold"], alarm["ComparisonOperator"]) == (1, "GreaterThanOrEqualToThreshold")


def test_deployment_counts_in_its_own_namespace(template: dict[str, Any]) -> None:
    """With a shared one, INTERNAL of staging would ring production's alarm and roll its new version back."""
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    assert variables["POWERTOOLS_METRICS_NAMESPACE"] == {"Ref": "AWS::StackName"}


# Seconds between two calls of a schedule.
BETWEEN = {"rate(5 minutes)": 5 * 60, "rate(15 minutes)": 15 * 60, "rate(1 hour)": 3600}
BETWEEN |= dict.fromkeys(("cron(17 3 * * ? *)", "cron(43 2 * * ? *)", "cron(23 4 * * ? *)"), 24 * 3600)


def expressions(schedule: dict[str, Any]) -> tuple[str, str]:
    """A schedule's expression while the database may pause, and otherwise."""
    match schedule["ScheduleExpression"]:
        case {"Fn::If": ["PausesDatabase", paused, awake]}:
            return paused, awake
        case expression:
            return expression, expression


def test_paused_database_is_left_alone_for_longer_than_it_needs_to_pause(
    resources: dict[str, Any], deployed: Functions
) -> None:
    scaling = resources["DatabaseCluster"]["Properties"]["ServerlessV2ScalingConfiguration"]
    assert scaling["MinCapacity"]["Fn::If"][:2] == ["PausesDatabase", 0]
    pauses_after = scaling["SecondsUntilAutoPause"]["Fn::If"][1]
    _, session_ends, _ = resources["DatabaseParameters"]["Properties"]["Parameters"]["idle_session_timeout"]["Fn::If"]
    assert pauses_after == 300
    for name, schedules in scheduled(deployed).items():
        paused, _ = expressions(schedules[0])
        assert BETWEEN[paused] > 2 * (pauses_after + int(session_ends) / 1000), name


def test_schedule_has_the_stacks_name(deployed: Functions) -> None:
    """SAM would name it after the function alone: a second stage of the account could not be deployed."""
    for name, schedules in scheduled(deployed).items():
        for schedule in schedules:
            assert schedule["Name"] == {"Fn::Sub": "${AWS::StackName}-" + name.removesuffix("Function")}


def test_stopped_schedule_rings(template: dict[str, Any], resources: dict[str, Any], deployed: Functions) -> None:
    """A stopped schedule counts no error, so the alarm is on missing calls."""
    schedules, found = scheduled(deployed), watched(resources, "Invocations")

    assert set(found) == set(schedules), differ(set(found), set(schedules), "ScheduleWatch")
    for name, alarm in found.items():
        (schedule,) = schedules[name]
        limits = limits_of(template, "ScheduleLimits", name)
        condition, paused, awake = alarm["Period"]["Fn::If"]
        assert (condition, alarm["EvaluationPeriods"]["Fn::FindInMap"][2]) == ("PausesDatabase", "Times")
        for expression, seconds in zip(expressions(schedule), (paused, awake), strict=True):
            period = limits[seconds["Fn::FindInMap"][2]]
            assert expression in BETWEEN, f"{name}: add its schedule, in seconds, to BETWEEN here"
            assert BETWEEN[expression] < period * limits["Times"] <= 3 * BETWEEN[expression], name
            # CloudWatch looks back one day, or seven if a period is an hour or longer.
            assert period * limits["Times"] <= (86_400 if period < 3600 else 7 * 86_400), name
        assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == ("Sum", "LessThanThreshold", 1)
        assert alarm["TreatMissingData"] == "breaching", name


def test_old_snapshots_are_deleted_by_schedule_with_snapstart_only(
    template: dict[str, Any], resources: dict[str, Any], deployed: Functions
) -> None:
    """Without it nothing is to be deleted, and a network without a NAT gateway has no way to Lambda's API."""
    states = {name: own[0].get("State") for name, own in scheduled(deployed).items()}
    conditions = {name: resources[name.removesuffix("Function") + "Missed"].get("Condition") for name in states}
    none = dict.fromkeys(states)

    assert states == none | {"SnapshotCleanupFunction": {"Fn::If": ["HasSnapStart", "ENABLED", "DISABLED"]}}
    assert conditions == none | {"SnapshotCleanupFunction": "HasSnapStart"}
    on = {"Fn::Equals": [{"Ref": "SnapStart"}, "on"]}
    assert template["Conditions"]["HasSnapStart"] == on
    assert stacks.read(stacks.AROUND)["Conditions"]["HasSnapStart"] == on


def test_undeliverable_call_of_a_schedule_is_kept(resources: dict[str, Any], deployed: Functions) -> None:
    """The role may call the functions, and use the queue and its key."""
    schedules = scheduled(deployed)
    for name, own in schedules.items():
        for schedule in own:
            assert schedule["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["FailedInvocations", "Arn"]}}, name
            assert schedule["RoleArn"] == {"Fn::GetAtt": ["ScheduleRole", "Arn"]}, name
    role = resources["ScheduleRole"]["Properties"]
    calls, *leaves = role["Policies"][0]["PolicyDocument"]["Statement"]

    called = {text_of(one).rpartition("-")[2].replace(":live", "Function") for one in calls["Resource"]}
    assert called == set(schedules), differ(called, set(schedules), "Resource of ScheduleRole")
    assert leaves == resources["FailedInvocationsSend"]["Properties"]["PolicyDocument"]["Statement"]


def test_concurrency_is_reserved_in_the_size_small_only(template: dict[str, Any], deployed: Functions) -> None:
    """A new account has ten concurrent executions and none to reserve: a reservation makes the deployment fail."""
    none_of((name for name, own in deployed.items() if "ReservedConcurrentExecutions" in own), "reserves concurrency")
    reserved = template["Globals"]["Function"]["ReservedConcurrentExecutions"]
    assert reserved == {"Fn::If": ["BoundsConcurrency", {"Ref": "FunctionConcurrency"}, {"Ref": "AWS::NoValue"}]}
    assert {"Fn::Equals": [{"Ref": "Size"}, "small"]} in template["Conditions"]["BoundsConcurrency"]["Fn::And"]


def test_local_only_function_is_marked_and_never_deployed(functions: Functions, deployed: Functions) -> None:
    assert set(functions) - set(deployed) == {"GameSimulateRoundFunction"}


def test_new_version_is_a_canary(template: dict[str, Any], functions: Functions, routes: dict[str, str]) -> None:
    """A function without a route has no callers who could wait, and its alarms do not see a tenth of its calls."""
    shared = template["Globals"]["Function"]
    assert shared["AutoPublishAlias"] == "live"
    canary = {"Fn::If": ["IsLocal", "AllAtOnce", "Canary10Percent5Minutes"]}
    assert shared["DeploymentPreference"] == {"Type": canary}
    at_once = {name for name, own in functions.items() if own.get("DeploymentPreference") == {"Enabled": False}}
    assert at_once == set(functions) - callable_by_the_api(routes)


def callable_by_the_api(routes: dict[str, str]) -> set[str]:
    """The functions whose new version is a canary."""
    return {*routes.values(), "CallerAuthorizerFunction"} - {"GameSimulateRoundFunction"}


def test_canary_rolls_back_on_its_functions_errors_and_on_the_shared_alarms(
    resources: dict[str, Any], functions: Functions, routes: dict[str, str]
) -> None:
    """A version that fails at import counts no INTERNAL, and a quiet function answers no three calls in a minute."""
    known = [alarm.get("AlarmName") for alarm in alarms(resources)]
    for name in callable_by_the_api(routes):
        own = name.removesuffix("Function") + "Errors"
        named = [{"Fn::Sub": f"${{AWS::StackName}}-{one}"} for one in (own, "ManyUnavailable", "INTERNAL")]
        none_of((alarm for alarm in named if alarm not in known), "no alarm has this name")
        watching = {"Fn::If": ["RollsBackOnAlarms", named, [{"Ref": "AWS::NoValue"}]]}
        assert functions[name].get("DeploymentPreference") == {"Alarms": watching}, name


def test_platforms_failure_rings_no_alarm(resources: dict[str, Any]) -> None:
    """HUB 54: API Gateway's 5xx also counts a platform's answer that the proxy passes on, so no alarm reads it.

    What API Gateway answers without a function is told from it by the access log, and counted as a function counts.
    """
    assert [one for one in alarms(resources) if one.get("Namespace") == "AWS/ApiGateway"] == []
    own = resources["HttpApiOwnErrors"]["Properties"]
    logged = json.loads(resources["HttpApi"]["Properties"]["AccessLogSettings"]["Format"])
    read = set(re.findall(r"\$\.(\w+)", own["FilterPattern"]))
    assert read == {"status", "integrationError", "error"} <= set(logged)
    (made,) = own["MetricTransformations"]
    assert (made["MetricName"], made["MetricNamespace"]) == ("Unavailable", {"Ref": "AWS::StackName"})
    assert made["Dimensions"] == [{"Key": "service", "Value": "$.service"}]
    assert logged["service"] == "http-api"


def test_alarm_of_a_canary_is_quick(resources: dict[str, Any]) -> None:
    """A canary takes five minutes."""
    for quick in (resources["ManyUnavailable"]["Properties"], counted(resources)["INTERNAL"]):
        assert (quick["Metrics"][0]["Period"], quick["EvaluationPeriods"]) == (60, 1)


def test_change_of_a_layer_makes_a_new_version(functions: Functions) -> None:
    for name, properties in functions.items():
        assert properties["AutoPublishAliasAllProperties"] is True, name


def test_function_changes_after_the_schema(resources: dict[str, Any], deployed: Functions) -> None:
    for name in set(deployed) - {"SchemaMigrateFunction"}:
        assert resources[name]["DependsOn"] == "SchemaMigration", name


def test_function_waits_for_its_rights(rights: dict[str, list[str]]) -> None:
    """A reference to a role does not wait for the role's policies; an output of a nested stack waits for the stack."""
    main, around = stacks.read(stacks.MAIN)["Resources"], stacks.read(stacks.AROUND)["Resources"]
    for name, policies in rights.items():
        role = name.removesuffix("Function") + "Role"
        assert main[name]["Properties"]["Role"] == {"Fn::GetAtt": ["Around", f"Outputs.{role}"]}
        assert {role, *policies} <= set(around)


def test_policy_of_a_right_is_used_and_has_a_unique_name(
    resources: dict[str, Any], rights: dict[str, list[str]]
) -> None:
    """Of two policies with the same name, a role keeps only the later."""
    policies = {
        name: one["Properties"]["PolicyName"] for name, one in resources.items() if one["Type"] == "AWS::IAM::Policy"
    }
    used = {policy for own in rights.values() for policy in own}
    none_of(policies.keys() - used, "no role has this right: add one to its Roles in stacks/around.yaml")
    assert len(set(policies.values())) == len(policies)


def test_function_has_its_own_role_that_only_lambda_assumes(resources: dict[str, Any], deployed: Functions) -> None:
    for name, properties in deployed.items():
        role = properties["Role"]["Fn::GetAtt"][0]
        assert role == f"{name.removesuffix('Function')}Role"
        (trust,) = resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"]
        assert trust["Principal"] == {"Service": "lambda.amazonaws.com"}, name


def test_role_names_its_actions_and_resources(roles: dict[str, list[dict[str, Any]]]) -> None:
    for name, statements in roles.items():
        for statement in statements:
            if statement["Effect"] == "Deny":
                continue
            actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            assert all("*" not in action for action in actions), name
            resource = text_of(statement["Resource"])
            assert resource.startswith("arn:${AWS::Partition}:") or "Fn::Sub" not in statement["Resource"], name
            # A wildcard may be the end of a name (a log stream, a secret below a prefix), never a whole name. Versions
            # have numbers.
            assert "*" not in re.sub("(/|:log-stream:|-Wallet)\\*(:\\*)?$", "", resource), name


def test_functions_code_cannot_touch_network_interfaces(roles: dict[str, list[dict[str, Any]]]) -> None:
    """Lambda connects the function with the function's role, whose AWS policy covers every interface of the account."""
    for name, statements in roles.items():
        [deny] = [statement for statement in statements if statement["Effect"] == "Deny"]
        assert {"ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface"} < set(deny["Action"])
        own = deny["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"]["Fn::Sub"]
        assert own.endswith(":function:${AWS::StackName}-" + name.removesuffix("Function"))


def test_old_versions_are_deleted_of_the_functions_with_snapshots(functions: Functions) -> None:
    """Each version's snapshot costs. A name without a version's number would delete the whole function."""
    with_snapshots = {name for name, own in functions.items() if "SnapStart" in own}
    separator, names = functions["SnapshotCleanupFunction"]["Environment"]["Variables"]["SNAPSHOT_FUNCTIONS"][
        "Fn::Join"
    ]
    assert with_snapshots
    assert {name["Fn::Sub"].removeprefix("${AWS::StackName}-") + "Function" for name in names} == with_snapshots
    assert separator == ","
    for name in with_snapshots:
        assert functions[name]["SnapStart"] == {"ApplyOn": {"Fn::If": ["HasSnapStart", "PublishedVersions", "None"]}}
    statements = stacks.read(stacks.AROUND)["Resources"]["SnapshotsDelete"]["Properties"]["PolicyDocument"]["Statement"]
    [delete] = [one for one in statements if one["Action"] == "lambda:DeleteFunction"]
    assert text_of(delete["Resource"]).endswith(":function:${DeploymentName}-Wallet*:*")


def test_extension_starts_only_where_a_secret_is_read(deployed: Functions) -> None:
    """It starts with each environment of a function that has it. With passwords for logins every function reads one."""
    extension = {"Ref": "SecretsExtensionLayerArn"}
    nothing = {"Ref": "AWS::NoValue"}
    if_passwords = {"Fn::If": ["EverybodyReadsSecrets", extension, nothing]}
    assert if_passwords in stacks.read(stacks.MAIN)["Globals"]["Function"]["Layers"]
    secrets = {"GAME_PROVIDER_SECRETS", "AUDIT_SECRET"}
    reads = {name for name, own in deployed.items() if secrets & set(own["Environment"]["Variables"])}
    has = {name for name, own in deployed.items() if "ReadsOwnSecrets" in str(own.get("Layers"))}
    assert reads
    assert has == reads
    assert "ReadsOwnerSecret" in str(deployed["SchemaMigrateFunction"]["Layers"])


def test_role_has_aws_policies_only_for_actions_without_a_resource(
    resources: dict[str, Any], deployed: Functions
) -> None:
    allowed = {"AWSXRayDaemonWriteAccess", "service-role/AWSLambdaENIManagementAccess"}
    for properties in deployed.values():
        role = resources[properties["Role"]["Fn::GetAtt"][0]]["Properties"]
        assert {one["Fn::Sub"].partition("policy/")[2] for one in role["ManagedPolicyArns"]} == allowed


def test_role_writes_only_to_the_log_group_of_its_function(
    resources: dict[str, Any], roles: dict[str, list[dict[str, Any]]]
) -> None:
    for name, statements in roles.items():
        group = resources[f"{name.removesuffix('Function')}Logs"]["Properties"]["LogGroupName"]["Fn::Sub"]
        logs = [text_of(one["Resource"]) for one in statements if "logs:PutLogEvents" in one["Action"]]
        assert [one.partition(":log-group:")[2] for one in logs] == [f"{group}:log-stream:*"], name


def test_function_may_log_in_only_as_its_own_database_user(
    deployed: Functions, roles: dict[str, list[dict[str, Any]]]
) -> None:
    for name, properties in deployed.items():
        user = properties["Environment"]["Variables"].get("DATABASE_USER")
        logins = [text_of(one["Resource"]) for one in roles[name] if one["Action"] == "rds-db:connect"]
        assert {login.rsplit("/", 1)[1] for login in logins} == ({user} if user else set()), name


# The environment variable that configures a function to use a right.
TOLD_BY = {
    "GameProviderSecretsUse": "GAME_PROVIDER_SECRETS",
    "TenantKeyUse": "KMS_KEY_ID",
    "DeploymentSecretsEncrypt": "CALLBACK_KEY_ID",
    "AuditSecretUse": "AUDIT_SECRET",
    "SyncQueueSend": "SYNC_QUEUE_URL",
    "SnapshotsDelete": "SNAPSHOT_FUNCTIONS",
}


@pytest.mark.parametrize("right", TOLD_BY)
def test_right_belongs_to_the_functions_that_are_configured_for_it(
    right: str, deployed: Functions, rights: dict[str, list[str]]
) -> None:
    told = {name for name, own in deployed.items() if TOLD_BY[right] in own["Environment"]["Variables"]}
    assert told
    assert {name for name, policies in rights.items() if right in policies} == told


# Functions whose login differs from their folder's login.
OWN_LOGINS = {
    "SchemaMigrateFunction": "causeway_owner",
    "IntegrationConnectionsFunction": "causeway_credentials",
    "IntegrationCalendarsFunction": "causeway_credentials",
    "KeyRotationFunction": "causeway_credentials",
    "ApiProxyFunction": "causeway_credentials",
    "OauthAuthorizeFunction": "causeway_credentials",
    "TokenRefreshFunction": "causeway_credentials",
}


def test_database_user_is_the_trust_zones(functions: Functions) -> None:
    zones = {"wallet": "causeway_casino", "games": "causeway_casino", "game_provider": "causeway_provider"}
    for name, properties in functions.items():
        family = properties["CodeUri"].split("/")[1]
        expected = OWN_LOGINS.get(name, zones.get(family, "causeway_hub"))
        assert properties["Environment"]["Variables"].get("DATABASE_USER", expected) == expected, name


def test_environment_holds_no_secret(template: dict[str, Any], functions: Functions) -> None:
    # Names of secrets, the URL to read them, and the issuer of tokens; no secret values.
    allowed = {
        "AUDIT_SECRET",
        "CALLBACK_KEY_ID",
        "DATABASE_SECRET",
        "GAME_PROVIDER_SECRETS",
        "KMS_KEY_ID",
        "SECRETS_EXTENSION_URL",
        "SECRETS_MANAGER_TTL",
        "TOKEN_AUDIENCE",
        "TOKEN_ISSUER",
        "TOKEN_KEYS_URL",
    }
    shared = template["Globals"]["Function"]["Environment"]["Variables"]
    for name, properties in functions.items():
        for variable in {**shared, **properties["Environment"]["Variables"]}:
            if re.search("SECRET|PASSWORD|TOKEN|KEY", variable):
                assert variable in allowed, f"{name}: {variable}"


def test_handler_exists_where_the_template_says(functions: Functions) -> None:
    for name, properties in functions.items():
        module, attribute = properties["Handler"].split(".")
        source = ROOT / properties["CodeUri"] / f"{module}.py"
        assert source.is_file(), f"{name}: {source} is missing"
        assert re.search(rf"^(def {attribute}\(|{attribute}\b.*=)", source.read_text(), re.MULTILINE), name


def test_every_file_of_a_family_is_a_function(functions: Functions) -> None:
    declared = {
        ROOT / properties["CodeUri"] / f"{properties['Handler'].split('.')[0]}.py" for properties in functions.values()
    }
    files = set((ROOT / "functions").glob("*/*.py"))
    none_of((path.relative_to(ROOT) for path in files - declared), "template.yaml has no function with this file")
    assert files == declared


def test_handler_knows_neither_sql_nor_the_environment() -> None:
    for source in (ROOT / "functions").glob("*/*.py"):
        imported = re.findall(r"^\s*(?:from|import) ([\w.]+)", source.read_text(), re.MULTILINE)
        assert not {"psycopg", "os", "boto3", "requests"} & {name.split(".")[0] for name in imported}, source


def test_function_has_a_sample_event(functions: Functions) -> None:
    for name in functions:
        sample = ROOT / "events" / f"{kebab_name(name)}.json"
        assert sample.is_file(), f"{sample} is missing"
        assert isinstance(json.loads(sample.read_text()), dict), sample


def test_sample_event_is_tested() -> None:
    found = {path.stem for path in (ROOT / "events").glob("*.json")}
    assert found == sample_events.EVERY, (
        f"list each file of events/ in tests/end_to_end/sample_events.py: {sorted(found ^ sample_events.EVERY)}"
    )


def test_sample_event_calls_a_route_of_its_function(routes: dict[str, str]) -> None:
    for name in set(routes.values()):
        event = json.loads((ROOT / "events" / f"{kebab_name(name)}.json").read_text())
        assert event["version"] == "2.0", name
        assert routes.get(event["routeKey"]) == name, name
        method, path = event["routeKey"].split(" ")
        assert event["requestContext"]["http"]["method"] == method, name
        assert re.fullmatch(re.sub(r"\{[^}]+\}", "[^/]+", path), event["rawPath"]), name


def test_game_simulate_round_is_not_deployed(resources: dict[str, Any]) -> None:
    assert resources["GameSimulateRoundFunction"]["Condition"] == "IsLocal"
