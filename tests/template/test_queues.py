"""Rules for queues and for the functions that consume them."""

from typing import Any

import pytest

Functions = dict[str, dict[str, Any]]
TAKES = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"}
KEY_BY_QUEUES = {"StringEquals": {"kms:ViaService": {"Fn::Sub": "sqs.${AWS::Region}.amazonaws.com"}}}


@pytest.fixture(scope="module")
def consumers(functions: Functions) -> dict[str, dict[str, Any]]:
    """The event source of a queue, by the logical id of its function."""
    return {
        name: event["Properties"]
        for name, own in functions.items()
        for event in own.get("Events", {}).values()
        if event["Type"] == "SQS"
    }


def actions_of(statement: dict[str, Any]) -> set[str]:
    return {statement["Action"]} if isinstance(statement["Action"], str) else set(statement["Action"])


def on_queues(statements: list[dict[str, Any]]) -> dict[str, set[str]]:
    """A role's allowed actions on queues, by the queue's logical id."""
    found: dict[str, set[str]] = {}
    for statement in statements:
        actions = {action for action in actions_of(statement) if action.startswith("sqs:")}
        if actions:
            found.setdefault(statement["Resource"]["Fn::GetAtt"][0], set()).update(actions)
    return found


def test_visibility_timeout_is_six_times_the_functions_timeout(
    resources: dict[str, Any], functions: Functions, consumers: dict[str, dict[str, Any]]
) -> None:
    """The Lambda developer guide (services-sqs-configure) recommends this, and at least five receives."""
    assert consumers
    for name, event in consumers.items():
        queue = resources[event["Queue"]["Fn::GetAtt"][0]]["Properties"]
        assert queue["VisibilityTimeout"] >= 6 * functions[name]["Timeout"], name
        assert queue["RedrivePolicy"]["maxReceiveCount"] >= 5, name


def test_message_fails_alone_and_concurrency_is_limited(consumers: dict[str, dict[str, Any]]) -> None:
    for name, event in consumers.items():
        assert event["FunctionResponseTypes"] == ["ReportBatchItemFailures"], name
        assert 2 <= event["ScalingConfig"]["MaximumConcurrency"] <= 10, name


def test_dead_letters_are_kept_for_14_days(resources: dict[str, Any]) -> None:
    for name, resource in resources.items():
        if resource["Type"] == "AWS::SQS::Queue" and "RedrivePolicy" not in resource["Properties"]:
            assert resource["Properties"]["MessageRetentionPeriod"] == 14 * 24 * 3600, name


def test_consumer_may_receive_only_from_its_queue(
    roles: dict[str, list[dict[str, Any]]], consumers: dict[str, dict[str, Any]]
) -> None:
    for name, event in consumers.items():
        assert on_queues(roles[name]) == {event["Queue"]["Fn::GetAtt"][0]: TAKES}, name


def test_role_may_send_only_to_configured_queues(
    functions: Functions, roles: dict[str, list[dict[str, Any]]], consumers: dict[str, dict[str, Any]]
) -> None:
    """An environment variable names the queue, or it is the destination of the function's failed calls."""
    for name in set(roles) - set(consumers):
        told = {value["Ref"] for value in functions[name]["Environment"]["Variables"].values() if "Ref" in value}
        failed = functions[name].get("EventInvokeConfig", {}).get("DestinationConfig", {}).get("OnFailure")
        told |= {failed["Destination"]["Fn::GetAtt"][0]} if failed else set()
        for queue, actions in on_queues(roles[name]).items():
            assert (queue in told, actions) == (True, {"sqs:SendMessage"}), name


def test_role_that_uses_a_queue_may_use_its_key_only_through_sqs(
    roles: dict[str, list[dict[str, Any]]], consumers: dict[str, dict[str, Any]]
) -> None:
    for name, statements in roles.items():
        if not on_queues(statements):
            continue
        (key,) = [one for one in statements if one.get("Condition") == KEY_BY_QUEUES]
        assert key["Resource"] == {"Fn::GetAtt": ["StorageKey", "Arn"]}, name
        assert actions_of(key) == {"kms:Decrypt"} | (set() if name in consumers else {"kms:GenerateDataKey"}), name


def test_function_that_requests_syncs_cannot_decrypt_credentials(
    functions: Functions, roles: dict[str, list[dict[str, Any]]]
) -> None:
    for name in ("IntegrationSyncsFunction", "SyncRunFunction", "SyncSweepFunction"):
        assert functions[name]["Environment"]["Variables"]["DATABASE_USER"] == "causeway_hub"
        assert "TenantKey" not in str(roles[name])
        assert "AuditSecret" not in str(roles[name])


def queue_of(name: dict[str, Any]) -> str:
    """The queue whose name is the last part of its ARN, arn:aws:sqs:<region>:<account>:<name>."""
    place, parts = name["Fn::Select"]
    separator, queue = parts["Fn::Split"]
    assert (place, separator, queue["Fn::GetAtt"][1]) == (5, ":", "Arn")
    return queue["Fn::GetAtt"][0]


def test_queue_alarms_use_the_queues_own_dimension(resources: dict[str, Any]) -> None:
    """An alarm with another dimension would never ring."""
    watched = {
        (one["Properties"]["MetricName"], queue_of(one["Properties"]["Dimensions"][0]["Value"]))
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
            assert dimension["Name"] == "QueueName"


def test_queue_is_reached_through_an_endpoint(resources: dict[str, Any]) -> None:
    services = {
        str(one["Properties"]["ServiceName"]) for one in resources.values() if one["Type"] == "AWS::EC2::VPCEndpoint"
    }
    assert any(".sqs" in service for service in services), services


def test_sweeper_runs_every_few_minutes(functions: Functions) -> None:
    (event,) = functions["SyncSweepFunction"]["Events"].values()
    assert event["Properties"]["ScheduleExpression"] == {
        "Fn::If": ["PausesDatabase", "rate(1 hour)", "rate(5 minutes)"]
    }


@pytest.mark.parametrize("outcome", ["Refused", "Left"])
def test_syncs_that_are_swept_in_vain_again_and_again_ring(resources: dict[str, Any], outcome: str) -> None:
    """A refused run is tried again by one of the next two sweeps, so each period sees it.

    The first and the last of four periods in a row have two between them: the half an hour of the description.
    """
    assert resources[f"SyncsSwept{outcome}"]["Properties"] == {
        "AlarmName": {"Fn::Sub": "${AWS::StackName}-SyncsSwept" + outcome},
        "AlarmDescription": "Lost syncs could not be queued again for half an hour; the log of SyncSweep has the cause",
        "Namespace": {"Ref": "AWS::StackName"},
        "MetricName": {"Fn::Sub": f"SyncsSwept{outcome}"},
        "Dimensions": [{"Name": "service", "Value": "sync-sweep"}],
        "Statistic": "Sum",
        # An hour between two sweeps where the database may pause.
        "Period": {"Fn::If": ["PausesDatabase", 60 * 60, 15 * 60]},
        "EvaluationPeriods": 4,
        "DatapointsToAlarm": 4,
        "Threshold": 1,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "AlarmActions": resources["SyncQueueAge"]["Properties"]["AlarmActions"],
    }
