"""What the local stack needs from template.yaml: the functions, with all their settings resolved."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.errors import TemplateError
from local.services.moto import ACCOUNT_ID, REGION
from local.template.intrinsics import ABSENT, Resolver, parse

DEFAULT_ROUTE = "$default"

# What Lambda gives a function that says nothing:
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
_TIMEOUT_SECONDS = 3
_MEMORY_MB = 128
# Batches of a queue that say nothing: https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-scaling.html
_BATCHES_AT_A_TIME = 5
# What one ReceiveMessage gives: https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
_MOST_MESSAGES = 10

_QUEUE = "AWS::SQS::Queue"
_QUEUE_ATTRIBUTES = {"DelaySeconds", "MessageRetentionPeriod", "RedrivePolicy", "VisibilityTimeout"}


@dataclass(frozen=True)
class Route:
    """One route of the HTTP API: its method (upper case, or ANY) and path, or $default as path."""

    method: str
    path: str
    authorizer: str | None

    @property
    def key(self) -> str:
        """The route key as events name it, e.g. "POST /casino/debit"."""
        return DEFAULT_ROUTE if self.path == DEFAULT_ROUTE else f"{self.method} {self.path}"


@dataclass(frozen=True)
class Queue:
    """A queue of the template, called by its logical id, with the attributes that SQS is to make it with."""

    name: str
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class QueueSource:
    """A queue whose messages call a function, in batches of at most so many, so many batches at a time.

    reports_failures: the function answers which messages failed; else a batch fails as a whole or not at all.
    """

    arn: str
    batch_size: int
    concurrency: int
    reports_failures: bool


@dataclass(frozen=True)
class Schedule:
    """When a function is called without being asked; kind: ScheduleV2 or Schedule, whose events differ."""

    name: str
    kind: str
    expression: str


@dataclass(frozen=True)
class Function:
    """One Lambda function; timeout in seconds, memory in MB, concurrency None = no cap of its own."""

    logical_id: str
    name: str
    lambda_name: str
    code_folder: Path
    handler: str
    timeout: int
    memory: int
    concurrency: int | None
    log_format: str
    environment: Mapping[str, str]
    layers: tuple[Path, ...]
    routes: tuple[Route, ...]
    queues: tuple[QueueSource, ...] = ()
    schedules: tuple[Schedule, ...] = ()

    @property
    def arn(self) -> str:
        return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{self.lambda_name}"


def load(path: Path, parameters: Mapping[str, str], attributes: Mapping[str, str] | None = None) -> list[Function]:
    """The functions of a SAM template that exist under these parameter values, in the template's order.

    path: the template; code and layer folders are relative to its folder. parameters: values of its
    parameters (those it does not declare are ignored). attributes: what its other resources are locally, as
    Resolver takes them. Raises TemplateError, naming logical id and property, for whatever cannot be
    resolved.
    """
    return _Template(_parsed(path), path.resolve().parent, parameters, attributes or {}).functions()


def load_queues(path: Path, parameters: Mapping[str, str]) -> list[Queue]:
    """The queues of a template that exist under these parameter values, those first that others send dead letters to.

    Raises TemplateError as load.
    """
    return _Template(_parsed(path), path.resolve().parent, parameters, {}).queues()


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return parse(path.read_text())
    except OSError as error:
        raise TemplateError(f"the template {path} cannot be read: {error.strerror}") from error


def kebab(logical_id: str) -> str:
    """A function's short name: WalletDebitFunction -> wallet-debit."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", logical_id.removesuffix("Function")).lower()


def function_attributes(document: Mapping[str, Any]) -> dict[str, str]:
    """What a template's functions are locally, as Resolver takes it: names, ARNs, and those of SAM's aliases."""
    found = {}
    for name, resource in (document.get("Resources") or {}).items():
        if resource.get("Type") == "AWS::Serverless::Function":
            arn = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{kebab(name)}"
            found |= {name: kebab(name), f"{name}.Arn": arn, f"{name}.Alias": f"{arn}:live"}
    return found


class _Template:
    def __init__(
        self,
        document: dict[str, Any],
        folder: Path,
        parameters: Mapping[str, str],
        attributes: Mapping[str, str],
    ) -> None:
        self._folder = folder
        self._resources: dict[str, Any] = document.get("Resources") or {}
        self._globals: dict[str, Any] = document.get("Globals") or {}
        self._layer_ids = {_layer_arn(name): name for name in self._of_type("AWS::Serverless::LayerVersion")}
        apis = {name: name for name in self._of_type("AWS::Serverless::HttpApi")} | {"ServerlessHttpApi": "local"}
        layers = {name: arn for arn, name in self._layer_ids.items()}
        roles = {f"{name}.Arn": f"arn:aws:iam::{ACCOUNT_ID}:role/{name}" for name in self._of_type("AWS::IAM::Role")}
        self._resolver = Resolver(
            document,
            parameters,
            {**function_attributes(document), **_queue_attributes(document), **apis, **layers, **roles, **attributes},
        )

    def functions(self) -> list[Function]:
        """All functions whose condition holds."""
        return [self._function(name, resource) for name, resource in self._existing_of("AWS::Serverless::Function")]

    def queues(self) -> list[Queue]:
        """All queues whose condition holds, those without dead letters of their own first."""
        found = [self._queue(name, resource.get("Properties") or {}) for name, resource in self._existing_of(_QUEUE)]
        return sorted(found, key=lambda queue: "RedrivePolicy" in queue.attributes)

    def _existing_of(self, kind: str) -> Iterator[tuple[str, Any]]:
        for name, resource in self._of_type(kind).items():
            if "Condition" not in resource or self._resolver.holds(resource["Condition"], name):
                yield name, resource

    def _queue(self, name: str, properties: Mapping[str, Any]) -> Queue:
        if properties.get("FifoQueue"):
            raise TemplateError(f"{name}.FifoQueue: the local stack has standard queues alone")
        given = {
            key: self._resolver.resolve(properties[key], f"{name}.{key}") for key in _QUEUE_ATTRIBUTES & set(properties)
        }
        texts = {key: json.dumps(value) if isinstance(value, dict) else str(value) for key, value in given.items()}
        return Queue(name, texts)

    def _of_type(self, kind: str) -> dict[str, Any]:
        return {name: resource for name, resource in self._resources.items() if resource.get("Type") == kind}

    def _function(self, name: str, resource: Mapping[str, Any]) -> Function:
        shared = self._globals.get("Function") or {}
        own = resource.get("Properties") or {}

        def value(key: str, default: Any = None) -> Any:
            resolved = self._resolver.resolve(own.get(key, shared.get(key, default)), f"{name}.{key}")
            return default if resolved is ABSENT else resolved

        handler, code = value("Handler"), value("CodeUri")
        for key, given in (("Handler", handler), ("CodeUri", code)):
            if not isinstance(given, str):
                raise TemplateError(f"{name}.{key}: a text is needed, the template gives {given!r}")
        concurrency = value("ReservedConcurrentExecutions")
        return Function(
            logical_id=name,
            name=kebab(name),
            lambda_name=value("FunctionName", kebab(name)),
            code_folder=self._existing(code, f"{name}.CodeUri"),
            handler=handler,
            timeout=self._whole_number(value("Timeout", _TIMEOUT_SECONDS), f"{name}.Timeout"),
            memory=self._whole_number(value("MemorySize", _MEMORY_MB), f"{name}.MemorySize"),
            concurrency=concurrency
            if concurrency is None
            else self._whole_number(concurrency, f"{name}.ReservedConcurrentExecutions"),
            log_format=self._log_format(name, shared, own),
            environment=self._environment(name, shared, own),
            layers=self._layers(name, shared, own),
            routes=self._routes(name, value("Events", {})),
            queues=self._queue_sources(name, value("Events", {})),
            schedules=self._schedules(name, value("Events", {})),
        )

    def _log_format(self, name: str, shared: Mapping[str, Any], own: Mapping[str, Any]) -> str:
        settings = {**(shared.get("LoggingConfig") or {}), **(own.get("LoggingConfig") or {})}
        return str(self._resolver.resolve(settings.get("LogFormat", "Text"), f"{name}.LoggingConfig.LogFormat"))

    def _environment(self, name: str, shared: Mapping[str, Any], own: Mapping[str, Any]) -> dict[str, str]:
        merged = {}
        for properties in (shared, own):
            merged.update((properties.get("Environment") or {}).get("Variables") or {})
        where = f"{name}.Environment.Variables"
        variables = self._resolver.resolve(merged, where)
        for key, value in variables.items():
            if not isinstance(value, str | int | float):
                raise TemplateError(f"{where}.{key}: a text is needed, the template gives {value!r}")
        return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in variables.items()}

    def _layers(self, name: str, shared: Mapping[str, Any], own: Mapping[str, Any]) -> tuple[Path, ...]:
        """The content folders of the template's own layers; AWS's ready-made ones have no local folder."""
        arns = []
        for properties in (shared, own):
            arns += self._resolver.resolve(properties.get("Layers") or [], f"{name}.Layers")
        folders = []
        for layer in (self._layer_ids[arn] for arn in arns if arn in self._layer_ids):
            content = self._resources[layer]["Properties"].get("ContentUri")
            folders.append(
                self._existing(self._resolver.resolve(content, f"{layer}.ContentUri"), f"{layer}.ContentUri")
            )
        return tuple(folders)

    def _routes(self, name: str, events: Mapping[str, Any]) -> tuple[Route, ...]:
        routes = []
        for event, definition in events.items():
            if definition.get("Type") == "Api":
                raise TemplateError(f"{name}.Events.{event}.Type: the local stack serves HttpApi events, not Api")
            if definition.get("Type") != "HttpApi":
                continue
            properties = definition.get("Properties") or {}
            routes.append(
                Route(
                    method=str(properties.get("Method", "ANY"))
                    .upper()
                    .replace("X-AMAZON-APIGATEWAY-ANY-METHOD", "ANY"),
                    path=properties.get("Path", DEFAULT_ROUTE),
                    authorizer=self._authorizer(properties, f"{name}.Events.{event}"),
                )
            )
        return tuple(routes)

    def _queue_sources(self, name: str, events: Mapping[str, Any]) -> tuple[QueueSource, ...]:
        sources = []
        for event, properties in self._events(events, "SQS"):
            where = f"{name}.Events.{event}"
            if not isinstance(properties.get("Queue"), str):
                raise TemplateError(f"{where}.Queue: the ARN of a queue is needed")
            batch_size = self._whole_number(properties.get("BatchSize", 10), f"{where}.BatchSize")
            if not 1 <= batch_size <= _MOST_MESSAGES:
                raise TemplateError(
                    f"{where}.BatchSize: the local stack gives batches of 1 to {_MOST_MESSAGES} messages"
                )
            concurrency = (properties.get("ScalingConfig") or {}).get("MaximumConcurrency", _BATCHES_AT_A_TIME)
            sources.append(
                QueueSource(
                    arn=properties["Queue"],
                    batch_size=batch_size,
                    concurrency=self._whole_number(concurrency, f"{where}.ScalingConfig.MaximumConcurrency"),
                    reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
                )
            )
        return tuple(sources)

    def _schedules(self, name: str, events: Mapping[str, Any]) -> tuple[Schedule, ...]:
        schedules = []
        for kind, key in (("ScheduleV2", "ScheduleExpression"), ("Schedule", "Schedule")):
            for event, properties in self._events(events, kind):
                # By which role AWS calls, and where it leaves what it could not deliver: here nothing is in between.
                unknown = sorted(set(properties) - {key, "Name", "Description", "RoleArn", "DeadLetterConfig"})
                if unknown:
                    raise TemplateError(f"{name}.Events.{event}.{unknown[0]}: the local stack does not know it")
                schedules.append(Schedule(f"{name}{event}", kind, str(properties.get(key, ""))))
        return tuple(schedules)

    @staticmethod
    def _events(events: Mapping[str, Any], kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """The events of one type, by name, with their properties."""
        for event, definition in events.items():
            if definition.get("Type") == kind:
                yield event, definition.get("Properties") or {}

    def _authorizer(self, properties: Mapping[str, Any], where: str) -> str | None:
        """The authorizer of an event: its own, else the default of its API; NONE switches that off."""
        own = (properties.get("Auth") or {}).get("Authorizer")
        if own is None:
            api = properties.get("ApiId")
            definition = self._resources[api]["Properties"] if api in self._resources else self._globals.get("HttpApi")
            own = ((definition or {}).get("Auth") or {}).get("DefaultAuthorizer")
            own = self._resolver.resolve(own, f"{where}.ApiId.Auth.DefaultAuthorizer")
        return None if own in (None, ABSENT, "NONE") else own

    def _existing(self, uri: Any, where: str) -> Path:
        folder = (self._folder / str(uri)).resolve()
        if not folder.is_dir():
            raise TemplateError(f"{where}: there is no folder {folder}")
        return folder

    @staticmethod
    def _whole_number(value: Any, where: str) -> int:
        try:
            return int(value)
        except (TypeError, ValueError):
            raise TemplateError(f"{where}: a whole number is needed, the template gives {value!r}") from None


def queue_url(name: str) -> str:
    """The URL of a queue, as Ref gives it; what takes the request is the endpoint that AWS_ENDPOINT_URL names."""
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT_ID}/{name}"


def _queue_attributes(document: Mapping[str, Any]) -> dict[str, str]:
    """What a template's queues are locally, as Resolver takes it."""
    found = {}
    for name, resource in (document.get("Resources") or {}).items():
        if resource.get("Type") == _QUEUE:
            arn = f"arn:aws:sqs:{REGION}:{ACCOUNT_ID}:{name}"
            found |= {name: queue_url(name), f"{name}.Arn": arn, f"{name}.QueueName": name}
    return found


def _layer_arn(logical_id: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:layer:{logical_id}:1"
