"""The whole local stack: starts everything in order, says where it is, leaves nothing behind."""

import asyncio
import fcntl
import json
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any, Self, TypeVar

from local import ROOT
from local.aws import Moto
from local.database import Database, create, give_passwords
from local.errors import StartError
from local.functions import EnvironmentStatus, Functions
from local.gateway import Gateway, LocalRoute
from local.network import LOOPBACK, bridge_address, reserve
from local.players import PlayersRoute
from local.postgres import Postgres
from local.routes import RouteTable
from local.runtime import Surroundings
from local.secrets_extension import SecretsExtension
from local.template import Function, load

if TYPE_CHECKING:
    import socket

Result = TypeVar("Result")

CONCURRENCY = 100
DATABASE_PASSWORDS = "causeway/local/database"
GAME_PROVIDERS = "causeway/local/game-providers"


class Stack:
    """The local stack, as a context manager: started on entry, stopped with all its children on exit.

    port: of the gateway, 0 = any free one. state_folder: where stack.json, sam-env.json and logs/ go; one
    stack at a time. template: the SAM template. admin_url: URL of a superuser on a running Postgres server;
    then no server is started, and the stack's database is dropped at the end. containers: listen on Docker's
    bridge too. concurrency: requests a function runs at a time, unless the template reserves a number.
    postgres_settings: postgresql.conf settings for the embedded server. bare: only the gateway and the
    functions, no Postgres, no AWS services, no data. progress: called with a line at each step.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        state_folder: Path = ROOT / ".local",
        template: Path = ROOT / "template.yaml",
        admin_url: str | None = None,
        containers: bool = False,
        concurrency: int = CONCURRENCY,
        postgres_settings: Mapping[str, str] | None = None,
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
        self._concurrency = concurrency
        self._postgres_settings = postgres_settings
        self._bare = bare
        self._progress = progress
        self._session_token = secrets.token_urlsafe(24)
        self._lock: IO[bytes] | None = None
        self._sockets: list[socket.socket] = []
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._postgres: Postgres | None = None
        self._moto: Moto | None = None
        self._database: Database | None = None
        self._extension: SecretsExtension | None = None
        self._running: Functions | None = None
        self._gateway: Gateway | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def postgres(self) -> Postgres:
        """The embedded server, with its pid, kill() and restart()."""
        if self._postgres is None:
            raise RuntimeError("this stack runs no Postgres server of its own")
        return self._postgres

    def start(self) -> None:
        """Starts everything; what was started is stopped again when a step fails. Raises StartError."""
        started = time.monotonic()
        try:
            addresses = (LOOPBACK, bridge_address()) if self._containers else (LOOPBACK,)
            self._take_state_folder()
            self._sockets = reserve(addresses, self._port)
            self.base_url = f"http://{LOOPBACK}:{self._sockets[0].getsockname()[1]}"
            if not self._bare:
                self._start_services(addresses)
            self._start_loop()
            self._await(self._serve(addresses))
            self._write_state(addresses[-1])
            self._say(f"ready after {time.monotonic() - started:.1f} s: {self.base_url}")
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stops everything that runs; no child process is left when it returns."""
        if self._loop is not None and self._thread is not None:
            self._await(self._close())
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join()
            self._loop.close()
            self._loop = None
        for listener in self._sockets:
            listener.close()
        if self._moto is not None:
            self._moto.stop()
        if self._postgres is not None:
            self._postgres.stop()
        elif self._database is not None:
            self._database.drop()
        self._database = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def environments(self, function: str | None = None) -> list[EnvironmentStatus]:
        """The living execution environments, of all functions or of one (e.g. wallet-debit)."""
        if self._running is None:
            return []
        return [status for status in self._running.statuses() if function in (None, status.function)]

    def kill_environment(self, function: str | None = None) -> int | None:
        """Ends an execution environment with SIGKILL, a busy one if possible; its pid, None if none is."""
        for status in sorted(self.environments(function), key=lambda status: not status.busy):
            os.kill(status.pid, signal.SIGKILL)
            return status.pid
        return None

    def invoke(self, function: str, event: object) -> Any:
        """Runs a function with an event, as `aws lambda invoke` does, and returns its decoded result.

        function: its short name. Raises FunctionError or Throttled when it gives none, KeyError when there is
        no such.
        """
        if self._running is None or function not in self._running:
            raise KeyError(function)
        return json.loads(self._await(self._running.invoke(function, json.dumps(event).encode())))

    def log(self, function: str) -> Path:
        """The log file of a function."""
        return self.state_folder / "logs" / f"{function}.log"

    def _take_state_folder(self) -> None:
        (self.state_folder / "logs").mkdir(parents=True, exist_ok=True)
        (self.state_folder / "tmp").mkdir(exist_ok=True)
        self._lock = (self.state_folder / "lock").open("ab")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise StartError(
                f"a local stack is running already with the state folder {self.state_folder}"
            ) from None

    def _start_services(self, addresses: tuple[str, ...]) -> None:
        """Postgres with the migrated database and the AWS services, side by side; then the secrets."""
        moto = self._moto = Moto(self.state_folder, addresses[-1])
        with ThreadPoolExecutor(2) as pool:
            aws = pool.submit(self._timed, "AWS services (moto)", moto.start)
            database = pool.submit(self._start_database, addresses)
            for step in (aws, database):
                step.result()
        self._timed("secrets", lambda: self._put_secrets(moto))

    def _start_database(self, addresses: tuple[str, ...]) -> None:
        # Only a whole stack needs the project's schema and demonstration data.
        from causeway import schema
        from local import demo_data

        admin_url = self._admin_url
        if admin_url is None:
            postgres = self._postgres = Postgres(
                self.state_folder, settings=self._postgres_settings, addresses=addresses
            )
            self._timed("Postgres", postgres.start)
            admin_url = postgres.url()
        database = self._database = create(admin_url)
        self._timed("migrations", lambda: schema.migrate(database.urls["owner"], ROOT / "schema"))
        self._database = give_passwords(database)
        self.database_urls = self._database.urls
        self._timed("demo data", lambda: demo_data.load(database.urls["superuser"], self.base_url))

    def _put_secrets(self, moto: Moto) -> None:
        from local import demo_data

        if self._database is None:
            raise RuntimeError("the database comes before its secrets")
        for role, password in self._database.passwords.items():
            moto.put_secret(f"{DATABASE_PASSWORDS}/{role}", {"password": password})
        moto.put_secret(
            f"{GAME_PROVIDERS}/{demo_data.GAME_PROVIDER_CODE}",
            {
                "tenant_id": demo_data.TENANT_ID,
                "casino_secrets": [demo_data.CASINO_SECRET],
                "provider_secrets": [demo_data.PROVIDER_SECRET],
            },
        )

    async def _serve(self, addresses: tuple[str, ...]) -> None:
        endpoint_url, port = "", 0
        if self._moto is not None:
            endpoint_url = self._moto.endpoint_url
            self._extension = SecretsExtension(self._moto, self._session_token)
            await self._extension.listen(addresses)
            port = self._extension.port
        self.functions = load(self._template, self._parameters())
        surroundings = Surroundings(
            endpoint_url, port, self.state_folder / "tmp", {"SCHEMA_FOLDER": str(ROOT / "schema")}
        )
        self._running = Functions(self.functions, surroundings, self.state_folder / "logs", self._concurrency)
        if self._extension is not None:
            self._extension.serve_for(self._running)
        self._gateway = Gateway(RouteTable(self.functions), self._running, self._local_routes())
        await self._gateway.listen(self._sockets)

    def _parameters(self, address: str = LOOPBACK) -> dict[str, str]:
        """The template's parameter values; address is where the servers are, as seen by the functions."""
        if self._database is None or self._extension is None:
            return {"Stage": "local"}
        from local import demo_data

        return {
            "Stage": "local",
            "DatabaseHost": address if self._database.host == LOOPBACK else self._database.host,
            "DatabasePort": str(self._database.port),
            "DatabaseName": self._database.name,
            "DatabaseSecretPrefix": DATABASE_PASSWORDS,
            "DatabaseCaFile": "",
            "SecretsExtensionUrl": f"http://{address}:{self._extension.port}",
            "DefaultTenantId": demo_data.TENANT_ID,
        }

    def _local_routes(self) -> dict[str, LocalRoute]:
        if self._bare:
            return {}
        from local import demo_data

        superuser_url = self.database_urls["superuser"]
        players = PlayersRoute(
            lambda balance, currency: demo_data.create_player(superuser_url, balance, currency)
        )
        return {"POST /_local/players": players}

    def _write_state(self, address: str) -> None:
        """stack.json says where everything is; sam-env.json is for `sam local --env-vars`."""
        self.info = {"base_url": self.base_url}
        if self._moto is not None:
            from local import demo_data

            self.info |= {
                "database_url": self.database_urls["owner"],
                "database_urls": self.database_urls,
                "aws_endpoint_url": self._moto.endpoint_url,
                "aws_session_token": self._session_token,
                "casino_secret": demo_data.CASINO_SECRET,
                "provider_secret": demo_data.PROVIDER_SECRET,
            }
        _write_private(self.state_folder / "stack.json", self.info)
        functions = load(self._template, self._parameters(address))
        environment = {function.logical_id: dict(function.environment) for function in functions}
        shared = {
            name: value
            for name, value in (dict(functions[0].environment) if functions else {}).items()
            if all(variables.get(name) == value for variables in environment.values())
        }
        _write_private(self.state_folder / "sam-env.json", {"Parameters": shared, **environment})

    async def _close(self) -> None:
        for part in (self._gateway, self._running, self._extension):
            if part is not None:
                await part.close()
        self._gateway = self._running = self._extension = None
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    def _start_loop(self) -> None:
        loop = self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=loop.run_forever, name="stack", daemon=True)
        self._thread.start()

    def _await(self, work: Coroutine[Any, Any, Result]) -> Result:
        if self._loop is None:
            raise RuntimeError("the stack is not running")
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def _timed(self, step: str, work: Callable[[], object]) -> None:
        started = time.monotonic()
        work()
        self._say(f"{step}: {time.monotonic() - started:.1f} s")

    def _say(self, line: str) -> None:
        if self._progress is not None:
            self._progress(line)


def _write_private(path: Path, value: object) -> None:
    """Writes JSON to a file only its owner reads; it holds the passwords of this run."""
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(json.dumps(value, indent=2) + "\n")
