"""What the local stack needs from template.yaml: the functions, with all their settings resolved."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local.aws import ACCOUNT_ID, REGION
from local.errors import TemplateError
from local.intrinsics import ABSENT, Resolver, parse

DEFAULT_ROUTE = "$default"

# What Lambda gives a function that says nothing:
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
_TIMEOUT_SECONDS = 3
_MEMORY_MB = 128


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
    try:
        document = parse(path.read_text())
    except OSError as error:
        raise TemplateError(f"the template {path} cannot be read: {error.strerror}") from error
    return _Template(document, path.resolve().parent, parameters, attributes or {}).functions()


def kebab(logical_id: str) -> str:
    """A function's short name: WalletDebitFunction -> wallet-debit."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", logical_id.removesuffix("Function")).lower()


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
        names = {name: kebab(name) for name in self._of_type("AWS::Serverless::Function")}
        arns = {f"{name}.Arn": f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{kebab(name)}" for name in names}
        apis = {name: name for name in self._of_type("AWS::Serverless::HttpApi")} | {"ServerlessHttpApi": "local"}
        layers = {name: arn for arn, name in self._layer_ids.items()}
        self._resolver = Resolver(document, parameters, {**names, **arns, **apis, **layers, **attributes})

    def functions(self) -> list[Function]:
        """All functions whose condition holds."""
        return [
            self._function(name, resource)
            for name, resource in self._of_type("AWS::Serverless::Function").items()
            if "Condition" not in resource or self._resolver.holds(resource["Condition"], name)
        ]

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
        )

    def _log_format(self, name: str, shared: Mapping[str, Any], own: Mapping[str, Any]) -> str:
        settings = own.get("LoggingConfig", shared.get("LoggingConfig")) or {}
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


def _layer_arn(logical_id: str) -> str:
    return f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:layer:{logical_id}:1"
