"""All functions of a stack: chooses an execution environment for each request, starts and ends environments."""

import asyncio
import os
import time
from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from local.errors import FunctionError, Throttled
from local.runtime.environment import ExecutionEnvironment
from local.runtime.environment_variables import EnvironmentVariables
from local.runtime.function_log import FunctionLog
from local.runtime.invocation import PAYLOAD_LIMIT
from local.template.resources import Function

IDLE_SECONDS = 300.0


@dataclass(frozen=True)
class EnvironmentStatus:
    """The state of one execution environment at one moment."""

    function: str
    pid: int
    busy: bool


class FunctionPool:
    """The execution environments of one function.

    An environment is started if a request finds no idle one, but no more start at a time than there are cores. The
    request takes the first that is free. Use it only in the event loop.

    Args:
        function: as the template declares it.
        variables: make the environment variables of its environments.
        log: where its output goes.
        concurrency: requests that run at a time, unless the function reserves a number of its own; more are
            throttled.
    """

    def __init__(self, function: Function, variables: EnvironmentVariables, log: FunctionLog, concurrency: int) -> None:
        self.function = function
        self.environments: list[ExecutionEnvironment] = []
        self.log = log
        self._limit = concurrency if function.concurrency is None else function.concurrency
        self._variables = variables
        self._idle: list[ExecutionEnvironment] = []
        self._waiting: deque[asyncio.Future[ExecutionEnvironment]] = deque()
        self._in_flight = 0
        self._starting: set[asyncio.Task[None]] = set()
        self._closed = False

    async def invoke(self, event: bytes) -> bytes:
        """Run one request; returns the JSON text of its result.

        Raises Throttled above the limit of concurrency, FunctionError if the function returns no result.
        """
        if len(event) > PAYLOAD_LIMIT:
            raise FunctionError("RequestTooLarge", f"an event may have {PAYLOAD_LIMIT} bytes")
        if self._in_flight >= self._limit:
            raise Throttled(self.function.name)
        self._in_flight += 1
        try:
            environment = self._take_idle()
            if environment is None:
                turn = asyncio.get_running_loop().create_future()
                self._waiting.append(turn)
                self._start_environments()
                environment = await turn
            return await environment.invoke(event)
        finally:
            self._in_flight -= 1

    def reap(self, idle_seconds: float) -> None:
        """End the environments that have been idle for so many seconds."""
        before = time.monotonic() - idle_seconds
        for environment in [idle for idle in self._idle if idle.idle_since <= before]:
            self._idle.remove(environment)
            environment.kill()

    async def close(self) -> None:
        """End all environments; requests that still run get a FunctionError."""
        self._closed = True
        for task in self._starting:
            task.cancel()
        await asyncio.gather(*self._starting, return_exceptions=True)
        await asyncio.gather(*(environment.close() for environment in list(self.environments)))
        self.log.close()

    def _take_idle(self) -> ExecutionEnvironment | None:
        while self._idle:
            environment = self._idle.pop()
            if environment.usable:
                return environment
        return None

    def _start_environments(self) -> None:
        wanted = min(len(self._waiting), os.cpu_count() or 1)
        while not self._closed and len(self._starting) < wanted and len(self.environments) < self._in_flight:
            task = asyncio.create_task(self._start_environment())
            self._starting.add(task)
            task.add_done_callback(self._started)

    async def _start_environment(self) -> None:
        environment = ExecutionEnvironment(self.function, self._variables, self.log, self._offer, self._forget)
        self.environments.append(environment)
        try:
            await environment.start()
        except FunctionError as error:
            if self._waiting:
                self._waiting.popleft().set_exception(error)

    def _started(self, task: asyncio.Task[None]) -> None:
        self._starting.discard(task)
        self._start_environments()

    def _offer(self, environment: ExecutionEnvironment) -> bool:
        """Give an idle environment to the request that has waited longest; returns whether one waits."""
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(environment)
                return True
        self._idle.append(environment)
        return False

    def _forget(self, environment: ExecutionEnvironment) -> None:
        if environment in self.environments:
            self.environments.remove(environment)
        if environment in self._idle:
            self._idle.remove(environment)
        self._start_environments()


class Functions:
    """The functions of a stack by name; ends environments that are idle for long."""

    def __init__(
        self, functions: Iterable[Function], variables: EnvironmentVariables, log_folder: Path, concurrency: int
    ) -> None:
        self._pools = {
            function.name: FunctionPool(
                function, variables, FunctionLog(log_folder / f"{function.name}.log"), concurrency
            )
            for function in functions
        }
        self._reaper = asyncio.create_task(self._reap())

    def __contains__(self, name: str) -> bool:
        return name in self._pools

    async def invoke(self, name: str, event: bytes) -> bytes:
        """Run a request of the function with this short name; raises as FunctionPool.invoke."""
        return await self._pools[name].invoke(event)

    def initialised(self, session_token: str) -> bool | None:
        """Return whether the environment with this AWS session token has asked for its first event.

        None if no running environment has the token.
        """
        for pool in self._pools.values():
            for environment in pool.environments:
                if environment.session_token == session_token:
                    return environment.initialised
        return None

    def statuses(self) -> list[EnvironmentStatus]:
        """Return the state of all running environments."""
        return [
            EnvironmentStatus(name, environment.pid, environment.busy)
            for name, pool in self._pools.items()
            for environment in list(pool.environments)
            if environment.usable and environment.pid is not None
        ]

    async def close(self) -> None:
        """End all environments."""
        self._reaper.cancel()
        await asyncio.gather(*(pool.close() for pool in self._pools.values()))

    async def _reap(self) -> None:
        while True:
            await asyncio.sleep(IDLE_SECONDS / 10)
            for pool in self._pools.values():
                pool.reap(IDLE_SECONDS)
