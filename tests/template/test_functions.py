"""Rules for every function of the template."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end import sample_events
from tests.findings import none_of

ROOT = Path(__file__).parents[2]
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


def watched(resources: dict[str, Any], metric: str) -> dict[str, dict[str, Any]]:
    """The alarm on a Lambda metric, by the logical id of its function."""
    return {
        resource["Properties"]["Dimensions"][0]["Value"]["Ref"]: resource["Properties"]
        for resource in resources.values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
        and resource["Properties"].get("Namespace") == "AWS/Lambda"
        and resource["Properties"]["MetricName"] == metric
    }


def limits_of(template: dict[str, Any], mapping: str, function: str) -> dict[str, Any]:
    """A function's line in a mapping of the template."""
    name, limits = function.removesuffix("Function"), template["Mappings"][mapping]
    assert name in limits, f"add a line for {name} to the mapping {mapping} in template.yaml"
    return limits[name]


def differ(found: set[str], expected: set[str], place: str) -> str:
    """The message where a list of the template differs from its functions."""
    return f"{place} in template.yaml lacks {sorted(expected - found)}, and has {sorted(found - expected)} too many"


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
        group = properties["LoggingConfig"]["LogGroup"]["Ref"]
        assert group == f"{name.removesuffix('Function')}Logs"
        assert resources[group]["Type"] == "AWS::Logs::LogGroup"
        assert resources[group]["Properties"]["RetentionInDays"], group
        assert resources[group]["Properties"]["KmsKeyId"], group


@pytest.mark.parametrize("metric", ["Errors", "Throttles", "Duration"])
def test_function_has_an_alarm(metric: str, resources: dict[str, Any], deployed: Functions) -> None:
    found = set(watched(resources, metric))
    assert found == set(deployed), differ(found, set(deployed), "EveryFunction")


def test_duration_alarm_rings_at_four_fifths_of_the_time_limit(
    template: dict[str, Any], resources: dict[str, Any], deployed: Functions
) -> None:
    for name, alarm in watched(resources, "Duration").items():
        mapping, key, value = alarm["Threshold"]["Fn::FindInMap"]
        assert (mapping, value) == ("FunctionLimits", "NearMilliseconds")
        assert limits_of(template, mapping, name)[value] == deployed[name]["Timeout"] * 800, name
        assert key["Fn::Sub"] == name.removesuffix("Function")
    limited = {f"{name}Function" for name in template["Mappings"]["FunctionLimits"]}
    assert limited == set(deployed), differ(limited, set(deployed), "the mapping FunctionLimits")


def scheduled(functions: Functions) -> dict[str, list[dict[str, Any]]]:
    """The schedules of each function that has schedules."""
    found = {
        name: [one["Properties"] for one in own.get("Events", {}).values() if one["Type"] == "ScheduleV2"]
        for name, own in functions.items()
    }
    return {name: own for name, own in found.items() if own}


def test_one_slow_call_of_a_schedule_rings(
    template: dict[str, Any], resources: dict[str, Any], deployed: Functions
) -> None:
    """A schedule calls every five minutes or every day, so never in two minutes of three: one slow minute must ring."""
    for name, alarm in watched(resources, "Duration").items():
        mapping, key, value = alarm["DatapointsToAlarm"]["Fn::FindInMap"]
        assert (mapping, key["Fn::Sub"], value) == ("FunctionLimits", name.removesuffix("Function"), "NearMinutes")
        assert limits_of(template, mapping, name)[value] == (1 if "EventInvokeConfig" in deployed[name] else 2), name


def test_stopped_schedule_rings(template: dict[str, Any], resources: dict[str, Any], deployed: Functions) -> None:
    """A stopped schedule counts no error, so the alarm is on missing calls."""
    schedules, alarms = scheduled(deployed), watched(resources, "Invocations")
    between = {"rate(5 minutes)": 5 * 60, "cron(17 3 * * ? *)": 24 * 3600}

    assert set(alarms) == set(schedules), differ(set(alarms), set(schedules), "ScheduleWatch")
    for name, alarm in alarms.items():
        (schedule,) = schedules[name]
        limits = limits_of(template, "ScheduleLimits", name)
        assert schedule["ScheduleExpression"] in between, f"{name}: add its schedule, in seconds, to `between` here"
        waits, longest = between[schedule["ScheduleExpression"]], limits["Seconds"] * limits["Times"]
        assert waits < longest <= 3 * waits, name
        assert [alarm[key]["Fn::FindInMap"][2] for key in ("Period", "EvaluationPeriods")] == ["Seconds", "Times"]
        # CloudWatch looks back one day, or seven if a period is an hour or longer.
        assert longest <= (86_400 if limits["Seconds"] < 3600 else 7 * 86_400), name
        assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == ("Sum", "LessThanThreshold", 1)
        assert alarm["TreatMissingData"] == "breaching", name


def test_undeliverable_call_of_a_schedule_is_kept(resources: dict[str, Any], deployed: Functions) -> None:
    """The role may call the functions, and use the queue and its key."""
    schedules = scheduled(deployed)
    for name, own in schedules.items():
        for schedule in own:
            assert schedule["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["FailedInvocations", "Arn"]}}, name
            assert schedule["RoleArn"] == {"Fn::GetAtt": ["ScheduleRole", "Arn"]}, name
    role = resources["ScheduleRole"]["Properties"]
    calls, *leaves = role["Policies"][0]["PolicyDocument"]["Statement"]

    called = {one["Ref"].removesuffix(".Alias") for one in calls["Resource"]}
    assert called == set(schedules), differ(called, set(schedules), "Resource of ScheduleRole")
    assert leaves == resources["FailedInvocationsSend"]["Properties"]["PolicyDocument"]["Statement"]


# It passes an error of ours on as a code and counts it; any other exception fails its invocation, and Errors rings.
AUTHORIZER = "CallerAuthorizerFunction"


def test_internal_error_rings(
    template: dict[str, Any], resources: dict[str, Any], deployed: Functions, routes: dict[str, str]
) -> None:
    services = {
        name: resource["Properties"]["Dimensions"][0]["Value"]["Fn::FindInMap"]
        for name, resource in resources.items()
        if resource["Type"] == "AWS::CloudWatch::Alarm" and resource["Properties"].get("MetricName") == "INTERNAL"
    }
    answering = {name.removesuffix("Function") for name in {*routes.values(), AUTHORIZER} & set(deployed)}
    faults = {f"{name}Faults" for name in answering}
    assert set(services) == faults, differ(set(services), faults, "AnswerWatch")
    for name in answering:
        mapping, key, value = services[f"{name}Faults"]
        assert (mapping, key["Fn::Sub"], value) == ("FunctionLimits", name, "Service")
    # The functions count metrics under these names (causeway.edge.answers): an alarm on another name would never ring.
    for name, limits in template["Mappings"]["FunctionLimits"].items():
        assert limits["Service"] == kebab_name(name), name


def test_credential_that_cannot_be_decrypted_rings(
    resources: dict[str, Any], roles: dict[str, list[dict[str, Any]]]
) -> None:
    opening = {name for name, own in roles.items() if any(text_of(one["Resource"]) == "TenantKey.Arn" for one in own)}
    watched_for = {
        resource["Properties"]["Dimensions"][0]["Value"]["Fn::FindInMap"][1]["Fn::Sub"]
        for resource in resources.values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
        and resource["Properties"].get("MetricName") == "CredentialUnreadable"
    }
    assert opening
    found = {f"{name}Function" for name in watched_for}
    assert found == opening, differ(found, opening, "CredentialWatch")


@pytest.mark.parametrize("subject", ["Credentials", "DataKeys"])
def test_failed_upkeep_of_a_night_rings(resources: dict[str, Any], subject: str) -> None:
    """functions/maintenance/key_rotation.py counts these metrics under the name of its service."""
    source = (ROOT / "functions" / "maintenance" / "key_rotation.py").read_text()
    alarm = resources[f"{subject}Failed"]["Properties"]

    assert f'reported("{subject}")' in source
    assert (alarm["Namespace"], text_of(alarm["MetricName"])) == ("Causeway", f"{subject}Failed")
    assert alarm["Dimensions"] == [
        {"Name": "service", "Value": {"Fn::FindInMap": ["FunctionLimits", "KeyRotation", "Service"]}}
    ]


def test_function_takes_no_concurrency_from_the_others(deployed: Functions) -> None:
    """A new account has ten concurrent executions and none to reserve: a reservation would make the deployment fail."""
    none_of((name for name, own in deployed.items() if "ReservedConcurrentExecutions" in own), "reserves concurrency")


def test_local_only_function_is_marked_and_never_deployed(functions: Functions, deployed: Functions) -> None:
    assert set(functions) - set(deployed) == {"GameSimulateRoundFunction"}


def test_new_version_is_a_canary_that_rolls_back_on_its_alarm(
    template: dict[str, Any], functions: Functions, deployed: Functions, routes: dict[str, str]
) -> None:
    shared = template["Globals"]["Function"]
    assert shared["AutoPublishAlias"] == "live"
    assert shared["DeploymentPreference"]["Type"] == {"Fn::If": ["IsLocal", "AllAtOnce", "Canary10Percent5Minutes"]}
    for name, properties in deployed.items():
        if name != "SchemaMigrateFunction":
            alarms = [alarm["Ref"] for alarm in properties["DeploymentPreference"]["Alarms"]]
            watched_for = ["Errors", "Faults"] if name in {*routes.values(), AUTHORIZER} else ["Errors"]
            assert alarms == [name.removesuffix("Function") + kind for kind in watched_for], name
    at_once = {name for name, own in functions.items() if own["DeploymentPreference"] == {"Enabled": False}}
    assert at_once == {"SchemaMigrateFunction", *functions} - (set(deployed) - {"SchemaMigrateFunction"})


def test_change_of_a_layer_makes_a_new_version(functions: Functions) -> None:
    for name, properties in functions.items():
        assert properties["AutoPublishAliasAllProperties"] is True, name


def test_function_changes_after_the_schema(resources: dict[str, Any], deployed: Functions) -> None:
    for name in set(deployed) - {"SchemaMigrateFunction"}:
        assert resources[name]["DependsOn"] == "SchemaMigration", name


def test_function_waits_for_its_rights(resources: dict[str, Any], rights: dict[str, list[str]]) -> None:
    """A reference to a role does not wait for the role's policies: the first call could come before they exist."""
    own = set(resources["SchemaMigrateFunction"]["DependsOn"])
    # A function that waits for SchemaMigration also waits for the function that SchemaMigration calls.
    everybodys = own | set(resources["SchemaMigration"]["DependsOn"])
    for name, policies in rights.items():
        assert set(policies) <= (own if name == "SchemaMigrateFunction" else everybodys), name


def test_policy_of_a_right_is_used_and_has_a_unique_name(
    resources: dict[str, Any], rights: dict[str, list[str]]
) -> None:
    """Of two policies with the same name, a role keeps only the later."""
    policies = {
        name: one["Properties"]["PolicyName"] for name, one in resources.items() if one["Type"] == "AWS::IAM::Policy"
    }
    assert set(policies) == {policy for own in rights.values() for policy in own}
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
            assert statement["Effect"] == "Allow", name
            actions = [statement["Action"]] if isinstance(statement["Action"], str) else statement["Action"]
            assert all("*" not in action for action in actions), name
            resource = text_of(statement["Resource"])
            assert resource.startswith("arn:${AWS::Partition}:") or "Fn::Sub" not in statement["Resource"], name
            # A wildcard may be the end of a name (a log stream, a secret below a prefix), never a whole name.
            assert "*" not in re.sub("(/|:log-stream:)\\*$", "", resource), name


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
    "AuditSecretUse": "AUDIT_SECRET",
    "SyncQueueSend": "SYNC_QUEUE_URL",
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
    assert set((ROOT / "functions").glob("*/*.py")) == declared


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
