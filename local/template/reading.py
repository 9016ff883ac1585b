"""Reads functions and queues from template.yaml, with all their settings resolved."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from local.errors import TemplateError
from local.template import event_sources, names
from local.template.event_sources import whole_number
from local.template.intrinsics import ABSENT, Resolver, parse
from local.template.nested import inlined
from local.template.resources import Function, Queue

# Lambda's defaults:
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
_TIMEOUT_SECONDS = 3
_MEMORY_MB = 128

_QUEUE_ATTRIBUTES = {"DelaySeconds", "MessageRetentionPeriod", "RedrivePolicy", "VisibilityTimeout"}


def load(path: Path, parameters: Mapping[str, str]) -> list[Function]:
    """Return the functions of a SAM template that exist under these parameter values, in the template's order.

    Args:
        path: the template; code and layer folders are relative to its folder.
        parameters: values of its parameters. Values of parameters that it does not declare are ignored.

    Raises:
        TemplateError: something cannot be resolved; names the logical id and the property.
    """
    return _Template(_parsed(path), path.resolve().parent, parameters).functions()


def load_queues(path: Path, parameters: Mapping[str, str]) -> list[Queue]:
    """Return the queues of a template that exist under these parameter values, dead-letter queues first.

    Raises TemplateError as load does.
    """
    return _Template(_parsed(path), path.resolve().parent, parameters).queues()


def _parsed(path: Path) -> dict[str, Any]:
    try:
        return inlined(parse(path.read_text()), path.resolve().parent)
    except OSError as error:
        raise TemplateError(f"the template {path} cannot be read: {error.strerror}") from error


class _Template:
    def __init__(
        self,
        document: dict[str, Any],
        folder: Path,
        parameters: Mapping[str, str],
    ) -> None:
        self._document = document
        self._folder = folder
        self._resources: dict[str, Any] = document.get("Resources") or {}
        self._globals: dict[str, Any] = document.get("Globals") or {}
        layers = names.of_type(document, "AWS::Serverless::LayerVersion")
        self._layer_ids = {names.layer_arn(name): name for name in layers}
        self._resolver = Resolver(document, parameters, names.attributes(document))

    def functions(self) -> list[Function]:
        """Return all functions whose condition holds."""
        return [self._function(name, resource) for name, resource in self._existing_of(names.FUNCTION)]

    def queues(self) -> list[Queue]:
        """Return all queues whose condition holds, first those that have no dead-letter queue themselves."""
        found = [
            self._queue(name, resource.get("Properties") or {}) for name, resource in self._existing_of(names.QUEUE)
        ]
        return sorted(found, key=lambda queue: "RedrivePolicy" in queue.attributes)

    def _existing_of(self, kind: str) -> Iterator[tuple[str, Any]]:
        for name, resource in names.of_type(self._document, kind).items():
            if "Condition" not in resource or self._resolver.holds(resource["Condition"], name):
                yield name, resource

    def _queue(self, name: str, properties: Mapping[str, Any]) -> Queue:
        if properties.get("FifoQueue"):
            raise TemplateError(f"{name}.FifoQueue: the local stack has standard queues only")
        given = {
            key: self._resolver.resolve(properties[key], f"{name}.{key}") for key in _QUEUE_ATTRIBUTES & set(properties)
        }
        texts = {key: json.dumps(value) if isinstance(value, dict) else str(value) for key, value in given.items()}
        return Queue(name, texts)

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
        concurrency, events = value("ReservedConcurrentExecutions"), value("Events", {})
        return Function(
            logical_id=name,
            name=names.short_name(name),
            lambda_name=value("FunctionName", names.short_name(name)),
            code_folder=self._existing(code, f"{name}.CodeUri"),
            handler=handler,
            timeout=whole_number(value("Timeout", _TIMEOUT_SECONDS), f"{name}.Timeout"),
            memory=whole_number(value("MemorySize", _MEMORY_MB), f"{name}.MemorySize"),
            concurrency=concurrency
            if concurrency is None
            else whole_number(concurrency, f"{name}.ReservedConcurrentExecutions"),
            log_format=self._log_format(name, shared, own),
            environment=self._environment(name, shared, own),
            layers=self._layers(name, shared, own),
            routes=event_sources.routes(name, events, self._authorizers(name, events)),
            queues=event_sources.queue_sources(name, events),
            schedules=event_sources.schedules(name, events),
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
        """The content folders of the template's own layers. Layers of AWS have no local folder and are left out."""
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

    def _authorizers(self, function: str, events: Mapping[str, Any]) -> dict[str, str | None]:
        """The authorizer of each HttpApi event: its own, or the default of its API. NONE switches the default off."""
        found: dict[str, str | None] = {}
        for event, properties in event_sources.of_kind(events, "HttpApi"):
            name = (properties.get("Auth") or {}).get("Authorizer")
            if name is None:
                api = properties.get("ApiId")
                shared = self._globals.get("HttpApi")
                definition = self._resources[api]["Properties"] if api in self._resources else shared
                default = ((definition or {}).get("Auth") or {}).get("DefaultAuthorizer")
                name = self._resolver.resolve(default, f"{function}.Events.{event}.ApiId.Auth.DefaultAuthorizer")
            found[event] = None if name in (None, ABSENT, "NONE") else name
        return found

    def _existing(self, uri: Any, where: str) -> Path:
        folder = (self._folder / str(uri)).resolve()
        if not folder.is_dir():
            raise TemplateError(f"{where}: there is no folder {folder}")
        return folder
