"""The whole local stack: starts all parts in order, writes stack.json, and stops all parts."""

import asyncio
import json
import os
import secrets
import signal
import time
from collections.abc import Callable, Coroutine, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from local import ROOT, state_files
from local.event_loop import EventLoop
from local.gateway import schedules_route
from local.gateway.authorizers import Authorizers
from local.gateway.players_route import PlayersRoute
from local.gateway.routes import RouteTable
from local.gateway.server import Gateway, LocalRoute, Runs
from local.gateway.translation import Answer
from local.network import LOOPBACK, bridge_address, reserve
from local.runtime.environment_variables import EnvironmentVariables
from local.runtime.functions import EnvironmentStatus, Functions
from local.services import demo_data
from local.services.cognito import UserPool
from local.services.postgres import Postgres
from local.services.queues import EventSourceMappings
from local.services.schedules import Schedules
from local.services.secrets_extension import SecretsExtension
from local.services.services import Services
from local.startable import Startable
from local.state_files import as_json, sam_environment, sam_shell, write_private
from local.template.reading import load
from local.template.resources import Function
from tools.openapi import page

if TYPE_CHECKING:
    import socket

Result = TypeVar("Result")

# Requests that a function runs at a time, unless the template reserves a number.
CONCURRENCY = 100


class Stack(Startable):
    """The local stack, as a context manager: started on entry, stopped with all its child processes on exit.

    Args:
        state_folder: for stack.json, sam-env.json and logs/; one stack at a time uses it.
        port: of the gateway, 0 = any free port.
        template: the SAM template.
        admin_url: URL of a superuser on a running Postgres server; then no server is started, and the stack's
            database is dropped at the end.
        containers: also listen on Docker's bridge.
        bare: start only the gateway and the functions, without Postgres, AWS services and data.
        progress: called with a line at each step.
    """

    def __init__(
        self,
        *,
        state_folder: Path,
        port: int = 0,
        template: Path = ROOT / "template.yaml",
        admin_url: str | None = None,
        containers: bool = False,
        bare: bool = False,
        progress: Callable[[str], None] | None = None,
    ) -> None:
        self.state_folder = state_folder.absolute()
        self.base_url = ""
        self.database_urls: dict[str, str] = {}
        self.info: dict[str, Any] = {}
        self.functions: list[Function] = []
        self._port = port
        self._template = template
        self._admin_url = admin_url
        self._containers = containers
        self._bare = bare
        self._progress = progress
        self._session_token = secrets.token_urlsafe(24)
        self._undo = ExitStack()
        self._addresses: tuple[str, ...] = (LOOPBACK,)
        self._sockets: list[socket.socket] = []
        self._loop: EventLoop | None = None
        self._services: Services | None = None
        self._extension: SecretsExtension | None = None
        self._variables: EnvironmentVariables | None = None
        self._running: Functions | None = None
        self._mappings: EventSourceMappings | None = None
        self._schedules: Schedules | None = None
        self._gateway: Gateway | None = None

    @property
    def postgres(self) -> Postgres:
        """The embedded server, with its pid, kill() and restart()."""
        if self._services is None or self._services.postgres is None:
            raise RuntimeError("this stack runs no Postgres server of its own")
        return self._services.postgres

    @property
    def secrets_extension(self) -> SecretsExtension:
        """The stand-in for the secrets extension, which can play faults."""
        if self._extension is None:
            raise RuntimeError("this stack runs no secrets extension")
        return self._extension

    @property
    def user_pool(self) -> UserPool:
        """The user pool where people log in."""
        if self._services is None:
            raise RuntimeError("this stack runs no services")
        return self._services.user_pool

    def start(self) -> None:
        """Start everything. If a step fails, stop what was started. Raises StartError."""
        started = time.monotonic()
        try:
            if self._containers:
                self._addresses = (LOOPBACK, bridge_address())
            self._undo.enter_context(state_files.locked(self.state_folder))
            self._sockets = reserve(self._addresses, self._port)
            for listener in self._sockets:
                self._undo.callback(listener.close)
            self.base_url = self._url(LOOPBACK)
            if not self._bare:
                self._make_page()
                services = self._services = Services(self.state_folder, self._addresses, self._say)
                self._undo.callback(services.stop)
                # Functions in containers can reach the API only on the bridge.
                api_url = self._url(self._addresses[-1])
                services.start(self._template, api_url, self._admin_url)
                self.database_urls = services.database.urls
            self._start_loop()
            self._await(self._serve())
            self._write_state()
            self._say(f"ready after {time.monotonic() - started:.1f} s: {self.base_url}")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop everything; no child process is left when it returns."""
        self._undo.close()

    def environments(self, function: str | None = None) -> list[EnvironmentStatus]:
        """Return the running execution environments, of all functions or of one (e.g. wallet-debit)."""
        if self._running is None:
            return []
        return [status for status in self._running.statuses() if function in (None, status.function)]

    def kill_environment(self, function: str) -> int | None:
        """End an environment of a function with SIGKILL, a busy one if possible; returns its pid, None if none runs."""
        for status in sorted(self.environments(function), key=lambda status: not status.busy):
            os.kill(status.pid, signal.SIGKILL)
            return status.pid
        return None

    def invoke(self, function: str, event: object) -> Any:
        """Run a function with an event, as `aws lambda invoke` does; returns its decoded result.

        function: its short name. Raises FunctionError or Throttled if it returns no result, KeyError if there is no
        function of this name.
        """
        if self._running is None or function not in self._running:
            raise KeyError(function)
        return json.loads(self._await(self._running.invoke(function, json.dumps(event).encode())))

    def variables(self, function: Function) -> dict[str, str]:
        """Return the environment variables of a function's environments, without the Runtime API's address."""
        if self._variables is None:
            raise RuntimeError("the stack is not running")
        return self._variables.of(function, "", self._session_token)

    def log(self, function: str) -> Path:
        """Return the log file of a function."""
        return self.state_folder / "logs" / f"{function}.log"

    async def _serve(self) -> None:
        endpoint_url, port = "", 0
        if self._services is not None:
            endpoint_url = self._services.moto.url
            self._extension = SecretsExtension(self._services.moto, self._session_token)
            await self._extension.listen(self._addresses)
            port = self._extension.port
        self.functions = load(self._template, self._parameters(LOOPBACK))
        variables = self._variables = EnvironmentVariables(
            endpoint_url, port, self.state_folder / "tmp", {"SCHEMA_FOLDER": str(ROOT / "schema")}
        )
        self._running = Functions(self.functions, variables, self.state_folder / "logs", CONCURRENCY)
        if self._extension is not None:
            self._extension.accept(self._running.initialised)
        if self._services is not None:
            self._mappings = EventSourceMappings(self.functions, self._running.invoke, self._services.moto.call)
        self._schedules = Schedules(self.functions, self._running.invoke)
        self._gateway = self.gateway(self._running, self._local_routes(self._schedules))
        await self._gateway.listen(self._sockets)

    def gateway(self, functions: Runs, local_routes: Mapping[str, LocalRoute] | None = None) -> Gateway:
        """Return a gateway with the template's routes and authorizers that runs these functions and does not listen."""
        routes = [route for function in self.functions for route in function.routes]
        parameters = self._parameters(LOOPBACK)
        authorizers = Authorizers(self._template, parameters, routes, self._signing_keys, functions.invoke)
        return Gateway(RouteTable(self.functions), functions, local_routes or {}, authorizers)

    def _signing_keys(self, issuer: str) -> dict[str, Any]:
        """The signing keys of a token issuer; raises ValueError if it is not the stack's user pool."""
        if self._services is None or issuer != self.user_pool.issuer:
            raise ValueError(f"the local stack has no signing keys of {issuer}")
        return self.user_pool.signing_keys()

    def _parameters(self, address: str) -> dict[str, str]:
        """The template's parameter values. address: of the servers, as the functions reach them."""
        if self._services is None or self._extension is None:
            return {"Stage": "local", "TokenIssuer": "https://issuer.invalid", "TokenAudience": "nobody"}
        extension = {"SecretsExtensionUrl": f"http://{address}:{self._extension.port}"}
        return self._services.parameters(address) | extension

    def _local_routes(self, schedules: Schedules) -> dict[str, LocalRoute]:
        if self._bare:
            return {}
        superuser_url = self.database_urls["superuser"]
        players = PlayersRoute(partial(demo_data.create_player, superuser_url))
        starts: dict[str, LocalRoute] = {
            f"POST /_local/schedules/{function.name}": partial(
                schedules_route.start, partial(schedules.start, function.name, function.schedules[0])
            )
            for function in self.functions
            if function.schedules
        }
        return starts | {"POST /_local/players": players, "POST /_local/tokens": self._renew_tokens}

    async def _renew_tokens(self, _body: bytes, _request_id: str) -> Answer:
        """POST /_local/tokens: log everybody in again, because tokens expire after an hour; returns the tokens."""
        self.info["tokens"] = await asyncio.to_thread(demo_data.tokens, self.user_pool)
        write_private(self.state_folder / state_files.STACK, as_json(self.info))
        return Answer(200, json.dumps(self.info["tokens"]).encode(), {"content-type": "application/json"})

    def _write_state(self) -> None:
        """Write stack.json (where everything is), and sam-env.json and sam.sh for `sam local`."""
        self.info = {"base_url": self.base_url}
        if self._services is not None:
            self.info |= self._services.info() | {"aws_session_token": self._session_token}
        write_private(self.state_folder / state_files.STACK, as_json(self.info))
        in_containers = load(self._template, self._parameters(self._addresses[-1]))
        write_private(self.state_folder / state_files.SAM_ENVIRONMENT, as_json(sam_environment(in_containers)))
        if self._services is not None:
            shell = sam_shell(self._services.moto.url, self._session_token)
            write_private(self.state_folder / state_files.SAM_SHELL, shell)

    def _make_page(self) -> None:
        try:
            page.write(self._template.parent / "functions" / "console")
        except page.Unmade as error:
            # Only GET /docs needs the page.
            self._say(str(error))

    def _start_loop(self) -> None:
        loop = self._loop = EventLoop()
        self._undo.callback(loop.stop)
        self._undo.callback(lambda: loop.run(self._close()))

    async def _close(self) -> None:
        for part in (self._schedules, self._mappings, self._gateway, self._running, self._extension):
            if part is not None:
                await part.close()

    def _await(self, work: Coroutine[Any, Any, Result]) -> Result:
        if self._loop is None:
            raise RuntimeError("the stack is not running")
        return self._loop.run(work)

    def _url(self, address: str) -> str:
        return f"http://{address}:{self._sockets[0].getsockname()[1]}"

    def _say(self, line: str) -> None:
        if self._progress is not None:
            self._progress(line)
