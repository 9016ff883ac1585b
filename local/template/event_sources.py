"""A function's event sources in the template: HTTP routes, queues and schedules."""

from collections.abc import Iterator, Mapping
from typing import Any

from local.errors import TemplateError
from local.template.resources import DEFAULT_ROUTE, QueueSource, Route, Schedule

# Lambda's own defaults and limits. Batches at a time: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
_BATCHES_AT_A_TIME = 5
# Messages of one ReceiveMessage:
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
_MOST_MESSAGES = 10

# Properties of a schedule that change nothing locally: the caller's role, and the queue of undelivered calls.
_IGNORED = {"Name", "Description", "RoleArn", "DeadLetterConfig"}


def routes(function: str, events: Mapping[str, Any], authorizers: Mapping[str, str | None]) -> tuple[Route, ...]:
    """Return the routes of a function.

    Args:
        function: its logical id.
        events: its resolved property Events.
        authorizers: for each HttpApi event, the name of its authorizer, or None.

    Raises:
        TemplateError: an event of a REST API.
    """
    if unserved := next((name for name, _ in of_kind(events, "Api")), None):
        raise TemplateError(f"{function}.Events.{unserved}.Type: the local stack serves HttpApi events, not Api")
    found = []
    for event, properties in of_kind(events, "HttpApi"):
        method = str(properties.get("Method", "ANY")).upper().replace("X-AMAZON-APIGATEWAY-ANY-METHOD", "ANY")
        found.append(Route(method, properties.get("Path", DEFAULT_ROUTE), authorizers[event]))
    return tuple(found)


def queue_sources(function: str, events: Mapping[str, Any]) -> tuple[QueueSource, ...]:
    """Return the queues that invoke a function; parameters as of routes.

    Raises:
        TemplateError: a queue without ARN, or a batch size that SQS cannot give in one call.
    """
    sources = []
    for event, properties in of_kind(events, "SQS"):
        where = f"{function}.Events.{event}"
        if not isinstance(properties.get("Queue"), str):
            raise TemplateError(f"{where}.Queue: the ARN of a queue is needed")
        batch_size = whole_number(properties.get("BatchSize", 10), f"{where}.BatchSize")
        if not 1 <= batch_size <= _MOST_MESSAGES:
            raise TemplateError(f"{where}.BatchSize: the local stack gives batches of 1 to {_MOST_MESSAGES} messages")
        concurrency = (properties.get("ScalingConfig") or {}).get("MaximumConcurrency", _BATCHES_AT_A_TIME)
        sources.append(
            QueueSource(
                arn=properties["Queue"],
                batch_size=batch_size,
                concurrency=whole_number(concurrency, f"{where}.ScalingConfig.MaximumConcurrency"),
                reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
            )
        )
    return tuple(sources)


def schedules(function: str, events: Mapping[str, Any]) -> tuple[Schedule, ...]:
    """Return the schedules of a function; parameters as of routes.

    Raises:
        TemplateError: a schedule has a property that the local stack does not support.
    """
    found = []
    for kind, key in (("ScheduleV2", "ScheduleExpression"), ("Schedule", "Schedule")):
        for event, properties in of_kind(events, kind):
            unknown = sorted(set(properties) - _IGNORED - {key, "State"})
            if unknown:
                raise TemplateError(f"{function}.Events.{event}.{unknown[0]}: the local stack does not support it")
            enabled = properties.get("State", "ENABLED") == "ENABLED"
            found.append(Schedule(f"{function}{event}", kind, str(properties.get(key, "")), enabled))
    return tuple(found)


def of_kind(events: Mapping[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the events of one type, by name, with their properties."""
    for event, definition in events.items():
        if definition.get("Type") == kind:
            yield event, definition.get("Properties") or {}


def whole_number(value: Any, where: str) -> int:
    """Return a value of the template as a whole number; raises TemplateError, naming the place."""
    try:
        return int(value)
    except (TypeError, ValueError):
        raise TemplateError(f"{where}: a whole number is needed, the template gives {value!r}") from None
