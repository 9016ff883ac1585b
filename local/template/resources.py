"""The resources of a template: functions, their routes, queues and schedules."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from local.account import arn

DEFAULT_ROUTE = "$default"


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
    """A queue of the template.

    Attributes:
        name: its logical id.
        attributes: as SQS's CreateQueue takes them.
    """

    name: str
    attributes: Mapping[str, str]


@dataclass(frozen=True)
class QueueSource:
    """A queue whose messages invoke a function.

    Attributes:
        batch_size: messages in a batch, at most.
        concurrency: batches at a time, at most.
        reports_failures: the function returns the messages that failed; otherwise a batch fails as a whole or not
            at all.
    """

    arn: str
    batch_size: int
    concurrency: int
    reports_failures: bool


@dataclass(frozen=True)
class Schedule:
    """A schedule that invokes a function.

    Attributes:
        kind: ScheduleV2 or Schedule, whose events differ.
        enabled: whether it calls by itself.
    """

    name: str
    kind: str
    expression: str
    enabled: bool = True


@dataclass(frozen=True)
class Function:
    """One Lambda function; timeout in seconds, memory in MB, concurrency None = no limit of its own."""

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
        """The function's ARN."""
        return arn("lambda", f"function:{self.lambda_name}")
