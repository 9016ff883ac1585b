"""Rules that every function of the template keeps."""

import json
import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
Functions = dict[str, dict[str, Any]]

# API Gateway's own limit for an HTTP API, in seconds.
INTEGRATION_LIMIT = 30


def kebab_name(logical_id: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", logical_id.removesuffix("Function")).lower()


def statements(properties: dict[str, Any]) -> list[dict[str, Any]]:
    """Every statement of a function's own policies, both branches of an If included."""
    found = []
    for policy in properties["Policies"]:
        for statement in policy["Statement"]:
            found += statement["Fn::If"][1:] if "Fn::If" in statement else [statement]
    return found


def test_function_names_its_service_after_itself(functions: Functions) -> None:
    for name, properties in functions.items():
        assert properties["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"] == kebab_name(name), name


def test_function_has_a_description_and_a_time_limit(template: dict[str, Any], functions: Functions) -> None:
    assert template["Globals"]["Function"]["MemorySize"] >= 128
    for name, properties in functions.items():
        assert properties["Description"], name
        assert properties["Timeout"] > 0, name


def test_function_behind_a_route_ends_before_the_gateway_gives_up(functions: Functions, routes: dict[str, str]) -> None:
    for route, name in routes.items():
        assert functions[name]["Timeout"] < INTEGRATION_LIMIT, route


def test_wallet_function_ends_within_five_seconds(functions: Functions) -> None:
    wallet = [name for name in functions if name.startswith("Wallet")]
    assert wallet
    assert {functions[name]["Timeout"] for name in wallet} == {5}


def test_function_writes_to_a_log_group_of_its_own_that_forgets(
    resources: dict[str, Any], functions: Functions
) -> None:
    groups = [properties["LoggingConfig"]["LogGroup"]["Ref"] for properties in functions.values()]
    assert len(set(groups)) == len(functions)
    for group in groups:
        assert resources[group]["Type"] == "AWS::Logs::LogGroup"
        assert resources[group]["Properties"]["RetentionInDays"], group


def test_function_has_an_alarm_for_its_errors(resources: dict[str, Any], functions: Functions) -> None:
    watched = set()
    for resource in resources.values():
        properties = resource.get("Properties", {})
        if resource["Type"] == "AWS::CloudWatch::Alarm" and properties["MetricName"] == "Errors":
            watched |= {dimension["Value"]["Ref"] for dimension in properties["Dimensions"]}
    assert watched == set(functions)


def test_parts_of_a_conditional_function_share_its_condition(resources: dict[str, Any], functions: Functions) -> None:
    for name in functions:
        condition = resources[name].get("Condition")
        stem = name.removesuffix("Function")
        assert resources[f"{stem}Logs"].get("Condition") == condition, name
        assert resources[f"{stem}Errors"].get("Condition") == condition, name


def test_policy_names_its_actions_and_resources(functions: Functions) -> None:
    for name, properties in functions.items():
        for statement in statements(properties):
            assert statement["Effect"] == "Allow", name
            assert "*" not in statement["Action"], name
            resource = statement["Resource"]["Fn::Sub"]
            assert resource.startswith("arn:${AWS::Partition}:"), name
            # A wildcard may end a name; it never stands for a whole one.
            assert "*" not in resource.removesuffix("/*"), name


def test_function_may_log_in_as_its_own_database_user_alone(functions: Functions) -> None:
    for name, properties in functions.items():
        user = properties["Environment"]["Variables"]["DATABASE_USER"]
        logins = [s["Resource"]["Fn::Sub"] for s in statements(properties) if s["Action"] == "rds-db:connect"]
        assert logins, name
        assert {login.rsplit("/", 1)[1] for login in logins} == {user}, name


def test_database_user_is_the_trust_zones(functions: Functions) -> None:
    zones = {"Wallet": "causeway_casino", "Game": "causeway_casino", "Provider": "causeway_provider"}
    zones["Schema"] = "causeway_owner"
    for name, properties in functions.items():
        family = kebab_name(name).split("-")[0].title()
        assert properties["Environment"]["Variables"]["DATABASE_USER"] == zones[family], name


def test_environment_holds_no_secret(template: dict[str, Any], functions: Functions) -> None:
    # Names of secrets, and how they are read; no values.
    allowed = {"DATABASE_SECRET", "GAME_PROVIDER_SECRETS", "SECRETS_EXTENSION_URL", "SECRETS_MANAGER_TTL"}
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


def test_sample_event_calls_its_functions_route(routes: dict[str, str]) -> None:
    for route, name in routes.items():
        event = json.loads((ROOT / "events" / f"{kebab_name(name)}.json").read_text())
        assert event["version"] == "2.0", name
        assert event["routeKey"] == route, name
        assert f"{event['requestContext']['http']['method']} {event['rawPath']}" == route, name


def test_game_simulate_round_is_deployed_for_demonstration_alone(resources: dict[str, Any]) -> None:
    assert resources["GameSimulateRoundFunction"]["Condition"] == "IsLocal"


def test_game_launch_asks_for_a_token(functions: Functions) -> None:
    call = functions["GameLaunchFunction"]["Events"]["Call"]["Properties"]
    assert call["Auth"] == {"Authorizer": "TokenAuthorizer"}
