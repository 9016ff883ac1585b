"""Rules for queues and the functions that their messages call."""

from typing import Any

import pytest

Functions = dict[str, dict[str, Any]]
TAKES = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
KEY_BY_QUEUES = {"StringEquals": {"kms:ViaService": {"Fn::Sub": "sqs.${AWS::Region}.amazonaws.com"}}}


@pytest.fixture(scope="module")
def consumers(functions: Functions) -> dict[str, dict[str, Any]]:
    """The event by which a queue calls a function, by the function's logical id."""
    return {
        name: event["Properties"]
        for name, own in functions.items()
        for event in own.get("Events", {}).values()
        if event["Type"] == "SQS"
    }


def actions_of(statement: dict[str, Any]) -> set[str]:
    return {statement["Action"]} if isinstance(statement["Action"], str) else set(statement["Action"])


def on_queues(statements: list[dict[str, Any]]) -> dict[str, set[str]]:
    """What a role may do with queues: actions by the queue's logical id."""
    found: dict[str, set[str]] = {}
    for statement in statements:
        actions = {action for action in actions_of(statement) if action.startswith("sqs:")}
        if actions:
            found.setdefault(statement["Resource"]["Fn::GetAtt"][0], set()).update(actions)
    return found


def test_message_is_hidden_for_six_times_the_time_limit_of_its_function(
    resources: dict[str, Any], functions: Functions, consumers: dict[str, dict[str, Any]]
) -> None:
    """As the Lambda developer guide asks for (services-sqs-configure); five tries, says it too, before it is dead."""
    assert consumers
    for name, event in consumers.items():
        queue = resources[event["Queue"]["Fn::GetAtt"][0]]["Properties"]
        assert queue["VisibilityTimeout"] >= 6 * functions[name]["Timeout"], name
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5, name


def test_message_that_fails_fails_alone_and_no_flood_takes_all_there_is(consumers: dict[str, dict[str, Any]]) -> None:
    for name, event in consumers.items():
        assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
        assert 2 <= event["ScalingConfig"]["MaximumConcurrency"] <= 10, name


def test_dead_letters_outlive_a_holiday(resources: dict[str, Any]) -> None:
    for name, resource in resources.items():
        if resource["Type"] == "AWS::SQS::Queue" and "RedrivePolicy" not in resource["Properties"]:
            assert resource["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600, name


def test_consumer_takes_from_its_queue_alone(
    roles: dict[str, list[dict[str, Any]]], consumers: dict[str, dict[str, Any]]
) -> None:
    for name, event in consumers.items():
        assert on_queues(roles[name]) == {event["Queue"]["Fn::GetAtt"][0]: TAKES}, name


def test_role_sends_to_a_queue_only_where_its_function_is_told_of_it(
    functions: Functions, roles: dict[str, list[dict[str, Any]]], consumers: dict[str, dict[str, Any]]
) -> None:
    """By a variable, or as the place of its own failed calls."""
    for name in set(roles) - set(consumers):
        told = {value["Ref"] for value in functions[name]["Environment"]["Variables"].values() if "Ref" in value}
        failed = functions[name].get("EventInvokeConfig", {}).get("DestinationConfig", {}).get("OnFailure")
        told |= {failed["Destination"]["Fn::GetAtt"][0]} if failed else set()
        for queue, actions in on_queues(roles[name]).items():
            assert (queue in told, actions) == (True, {"sqs:SendMessage"}), name


def test_role_that_uses_a_queue_may_use_its_key_through_queues_alone(
    roles: dict[str, list[dict[str, Any]]], consumers: dict[str, dict[str, Any]]
) -> None:
    for name, statements in roles.items():
        if not on_queues(statements):
            continue
        (key,) = [one for one in statements if one.get("Condition") == KEY_BY_QUEUES]
        assert key["Resource"] == {"Fn::GetAtt": ["StorageKey", "Arn"]}, name
        assert actions_of(key) == {"kms:Decrypt"} | (set() if name in consumers else {"kms:GenerateDataKey"}), name


def test_what_asks_for_syncs_opens_no_credential(functions: Functions, roles: dict[str, list[dict[str, Any]]]) -> None:
    for name in ("IntegrationSyncsFunction", "SyncRunFunction", "SyncSweepFunction"):
        assert functions[name]["Environment"]["Variables"]["DATABASE_USER"] == "causeway_hub"
        assert "TenantKey" not in str(roles[name])
        assert "AuditSecret" not in str(roles[name])


def test_alarms_of_queues_look_where_their_figures_are(resources: dict[str, Any]) -> None:
    """By its dimension's very value: an alarm on another never rings."""
    watched = {
        (one["Properties"]["MetricName"], one["Properties"]["Dimensions"][0]["Value"]["Fn::GetAtt"][0])
        for one in resources.values()
        if one["Type"] == "AWS::CloudWatch::Alarm" and one["Properties"].get("Namespace") == "AWS/SQS"
    }
    dead = {
        one["Properties"]["RedrivePolicy"]["deadLetterTargetArn"]["Fn::GetAtt"][0]: name
        for name, one in resources.items()
        if one["Type"] == "AWS::SQS::Queue" and "RedrivePolicy" in one["Properties"]
    }
    assert dead
    for letters, queue in dead.items():
        assert ("ApproximateAgeOfOldestMessage", queue) in watched
        assert ("ApproximateNumberOfMessagesVisible", letters) in watched
    for one in resources.values():
        if one["Type"] == "AWS::CloudWatch::Alarm" and one["Properties"].get("Namespace") == "AWS/SQS":
            (dimension,) = one["Properties"]["Dimensions"]
            assert (dimension["Name"], dimension["Value"]["Fn::GetAtt"][1]) == ("QueueName", "QueueName")


def test_queue_is_reached_without_a_way_to_the_outside(resources: dict[str, Any]) -> None:
    services = {
        str(one["Properties"]["ServiceName"]) for one in resources.values() if one["Type"] == "AWS::EC2::VPCEndpoint"
    }
    assert any(".sqs" in service for service in services), services


def test_what_the_queue_loses_is_found_within_minutes(functions: Functions) -> None:
    (event,) = functions["SyncSweepFunction"]["Events"].values()
    assert event["Properties"]["ScheduleExpression"] == "rate(5 minutes)"


def test_run_that_is_given_up_rings(resources: dict[str, Any]) -> None:
    """functions/sync/sweep.py counts them under this name, and the name of its service."""
    alarm = resources["SyncsGivenUp"]["Properties"]
    assert (alarm["Namespace"], alarm["MetricName"]) == ("Causeway", "SyncsSweptFailed")
    assert alarm["Dimensions"] == [
        {"Name": "service", "Value": {"Fn::FindInMap": ["FunctionLimits", "SyncSweep", "Service"]}}
    ]
