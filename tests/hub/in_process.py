"""The hub's API without HTTP and runtime: real events, authorizers and handlers in the test's own process.

Routes, authorizers, events, database, KMS, queues and secrets are the stack's.
"""

import asyncio
import json
import os
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from importlib.util import module_from_spec, spec_from_file_location
from secrets import token_hex
from types import SimpleNamespace
from typing import Any, Self

from aws_lambda_powertools import Metrics

from causeway import settings
from causeway.aws import clients, secrets
from causeway.database import postgres
from causeway.vault import data_keys, deployment_key
from local.gateway.server import Gateway
from local.gateway.translation import Request
from local.stack import Stack
from local.template.resources import Function
from tests.hub.client import Hub, Reply

Handler = Callable[[dict[str, Any], Any], Any]


class InProcess:
    """Runs functions in this process, each with its own environment variables and database connection.

    Everything else that functions cache is shared by all of them: AWS clients, data keys, the issuer's keys.
    """

    def __init__(self, stack: Stack, changes: Mapping[str, str | None]) -> None:
        """Create it; changes: settings that replace the template's, None for a setting that is missing."""
        self._functions = {function.name: function for function in stack.functions}
        self._variables = {
            function.name: {
                name: value for name, value in {**stack.variables(function), **changes}.items() if value is not None
            }
            for function in stack.functions
        }
        self._handlers: dict[str, Handler] = {}
        # Each function's database connection while another function runs.
        self._connections: dict[str, Any] = {}
        # Earlier cached values may hold a database connection that nobody would close.
        forget()

    async def invoke(self, name: str, event: bytes) -> bytes:
        """Run a request in the function with this short name; its exceptions reach the test."""
        function = self._functions[name]
        context = SimpleNamespace(
            function_name=function.lambda_name,
            memory_limit_in_mb=function.memory,
            invoked_function_arn=function.arn,
            aws_request_id=token_hex(16),
            get_remaining_time_in_millis=lambda: int(function.timeout * 1000),
        )
        with self._entered(name):
            if name not in self._handlers:
                self._handlers[name] = _handler(function)
            return json.dumps(self._handlers[name](json.loads(event), context)).encode()

    def close(self) -> None:
        """Close the functions' database connections and clear the caches."""
        for connection in self._connections.values():
            if connection is not None:
                connection.close()
        forget()

    @contextmanager
    def _entered(self, name: str) -> Generator[None]:
        before = dict(os.environ)
        os.environ.clear()
        os.environ.update(self._variables[name])
        _forget_settings()
        postgres.current()._current.session = self._connections.pop(name, None)
        try:
            yield
        finally:
            self._connections[name], postgres.current()._current.session = postgres.current()._current.session, None
            os.environ.clear()
            os.environ.update(before)


class InProcessHub(Hub):
    """A client of the hub's API whose calls stay in this process; a context manager."""

    def __init__(self, stack: Stack, tokens: Mapping[str, Any], **changes: str) -> None:
        """Create it; changes: settings that replace the template's."""
        super().__init__(stack.base_url, tokens)
        self._functions = InProcess(stack, changes)
        self._loop = asyncio.Runner()
        self._gateway = self._loop.run(self._made(stack))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.close()
        self._functions.close()

    async def _made(self, stack: Stack) -> Gateway:
        # A gateway belongs to the event loop in which it is created.
        return stack.gateway(self._functions)

    def send(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Reply:
        """Send a request to the gateway."""
        request = Request(method, path, (("host", "localhost"), *headers.items()), body or b"", "127.0.0.1")
        answer = self._loop.run(self._gateway.answer(request, token_hex(8)))
        return Reply(answer.status, answer.headers, answer.body)


def _handler(function: Function) -> Handler:
    file, _, name = function.handler.partition(".")
    path = function.code_folder / f"{file}.py"
    spec = spec_from_file_location(f"in_process_{path.parent.name}_{file}", path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return getattr(module, name)


def forget() -> None:
    """Clear everything that this process caches as an execution environment would."""
    postgres.current().close()
    for kept in (postgres.current, data_keys.current, deployment_key.current, clients.client, secrets.current):
        kept.cache_clear()
    _forget_settings()
    # Powertools keeps the metrics of all functions in one place until a handler returns.
    Metrics().clear_metrics()


def _forget_settings() -> None:
    for setting in vars(settings).values():
        if hasattr(setting, "cache_clear"):
            setting.cache_clear()
