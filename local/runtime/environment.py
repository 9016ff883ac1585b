"""One execution environment: a process under AWS's runtime client, and the Lambda Runtime API that it calls."""

import asyncio
import json
import secrets
import signal
import sys
import time
import uuid
from collections.abc import Callable
from contextlib import suppress

from aiohttp import web

from local.errors import FunctionError
from local.processes import children
from local.processes.children import Child
from local.runtime.environment_variables import EnvironmentVariables
from local.runtime.function_log import FunctionLog
from local.runtime.invocation import PAYLOAD_LIMIT
from local.template.resources import Function

# The limit of the Init phase: https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
INIT_SECONDS = 10.0

_PREFIX = "/2018-06-01/runtime"
_CLOSE_SECONDS = 0.1
_ACCEPTED = b'{"status":"OK"}'
# Lambda allows 100 bytes more than 6 MB: the message of its 413 names 6291556 bytes.
_RESULT_LIMIT = PAYLOAD_LIMIT + 100


class ExecutionEnvironment:
    """A process that runs one function, one request at a time, and is frozen between requests.

    The Runtime API (next, response, error, init/error) is served on a loopback port of its own. Use it only in the
    event loop. Source: AWS Lambda developer guide, "Using the Lambda runtime API for custom runtimes" (runtimes-api).

    Args:
        function: the function that it runs.
        variables: makes its environment variables.
        log: where its output goes.
        when_idle: called whenever the process asks for its next event; returns whether an event is about to come.
        when_gone: called once, when the process has ended.
    """

    def __init__(
        self,
        function: Function,
        variables: EnvironmentVariables,
        log: FunctionLog,
        when_idle: Callable[["ExecutionEnvironment"], bool],
        when_gone: Callable[["ExecutionEnvironment"], None],
    ) -> None:
        self.function = function
        self.session_token = secrets.token_urlsafe(24)
        self.initialised = False
        self.idle_since = time.monotonic()
        self._variables = variables
        self._log = log
        self._when_idle = when_idle
        self._when_gone = when_gone
        self._loop = asyncio.get_running_loop()
        self._child: Child | None = None
        self._api = web.Server(self._serve, access_log=None)
        self._server: asyncio.Server | None = None
        self._ready: asyncio.Future[None] = self._loop.create_future()
        self._event: asyncio.Future[web.Response] | None = None
        self._result: asyncio.Future[bytes] | None = None
        self._request_id = ""
        self._frozen = False
        self._end: FunctionError | None = None
        self._closing: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int | None:
        """The process id; None before the process exists."""
        return None if self._child is None else self._child.pid

    @property
    def busy(self) -> bool:
        """Whether it runs a request."""
        return self._result is not None

    @property
    def usable(self) -> bool:
        """Whether the process runs and can take a request."""
        return self._child is not None and not self._child.exited and self._end is None

    async def start(self) -> None:
        """Start the process and return when it asks for its first event.

        Raises FunctionError if its initialisation fails or takes more than INIT_SECONDS.
        """
        self._server = await self._loop.create_server(self._api, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        self._child = self._started(f"127.0.0.1:{port}")
        self._child.when_exited(lambda: _from_thread(self._loop, self._gone))
        try:
            await asyncio.wait_for(asyncio.shield(self._ready), INIT_SECONDS)
        except TimeoutError:
            error = FunctionError("Sandbox.Timedout", f"the initialisation took more than {INIT_SECONDS:.0f} seconds")
            self._finish(error)
            raise error from None

    async def invoke(self, event: bytes) -> bytes:
        """Run one request; returns the JSON text of its result.

        Raises FunctionError if the function raises, crashes, returns too much or exceeds its time limit. After a
        time-out the process is killed. The time limit counts from this call.
        """
        if self._end is not None:
            raise self._end
        if self._event is None or self._result is not None:
            raise RuntimeError("the execution environment is not idle")
        self._request_id = str(uuid.uuid4())
        result = self._result = self._loop.create_future()
        clock = self._loop.call_later(self.function.timeout, self._time_out)
        started = time.perf_counter()
        self._log.start(self._request_id)
        self._thaw()
        delivery, self._event = self._event, None
        if not delivery.done():
            delivery.set_result(web.Response(body=event, headers=self._event_headers()))
        try:
            return await result
        except FunctionError as error:
            self._log.failure(self._request_id, error)
            raise
        finally:
            clock.cancel()
            self._result = None
            self._log.end(self._request_id, time.perf_counter() - started, self.function.memory)

    def kill(self) -> None:
        """End the process with SIGKILL; a waiting request gets a FunctionError."""
        if self._child is not None:
            self._child.send(signal.SIGKILL)

    async def close(self) -> None:
        """End the process and its Runtime API; returns when both are gone."""
        self.kill()
        if self._child is not None:
            await self._loop.run_in_executor(None, self._child.wait)
        await self._close_api()

    def _started(self, address: str) -> Child:
        return children.start(
            [sys.executable, "-m", "awslambdaric", self.function.handler],
            folder=self.function.code_folder,
            output=self._log.descriptor,
            environment=self._variables.of(self.function, address, self.session_token),
        )

    def _event_headers(self) -> dict[str, str]:
        deadline = int((time.time() + self.function.timeout) * 1000)
        root = f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"
        return {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": self._request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline),
            "Lambda-Runtime-Invoked-Function-Arn": self.function.arn,
            "Lambda-Runtime-Trace-Id": f"Root={root};Parent={secrets.token_hex(8)};Sampled=0",
        }

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        path = request.path
        if path == f"{_PREFIX}/invocation/next" and request.method == "GET":
            return await self._next()
        body = await request.content.read() if (request.content_length or 0) <= _RESULT_LIMIT else None
        if path == f"{_PREFIX}/init/error":
            self._finish(_reported(body or b""))
        elif path == f"{_PREFIX}/invocation/{self._request_id}/response":
            if body is None:
                size = f"Response payload size exceeded maximum allowed payload size ({_RESULT_LIMIT} bytes)."
                self._settle(FunctionError("Function.ResponseSizeTooLarge", size))
                return web.Response(status=413, body=b'{"errorType":"RequestEntityTooLarge"}')
            self._settle(body)
        elif path == f"{_PREFIX}/invocation/{self._request_id}/error":
            self._settle(_reported(body or b""))
        else:
            return web.Response(status=404, body=b'{"errorType":"NotFound"}')
        return web.Response(status=202, body=_ACCEPTED)

    async def _next(self) -> web.Response:
        """Wait for the next event; the process is frozen until it arrives."""
        event = self._event = self._loop.create_future()
        self.idle_since = time.monotonic()
        self.initialised = True
        if not self._ready.done():
            self._ready.set_result(None)
        if not self._when_idle(self):
            self._freeze()
        return await event

    def _freeze(self) -> None:
        if self._child is not None and not self._frozen:
            self._frozen = True
            self._child.send(signal.SIGSTOP)

    def _thaw(self) -> None:
        if self._child is not None and self._frozen:
            self._frozen = False
            self._child.send(signal.SIGCONT)

    def _time_out(self) -> None:
        self._finish(FunctionError("Sandbox.Timedout", f"Task timed out after {self.function.timeout:.2f} seconds"))

    def _gone(self) -> None:
        status = self._child.exit_status if self._child is not None else None
        reason = "exited without providing a reason"
        if status is not None:
            reason = f"exited with error: {f'signal {-status}' if status < 0 else f'exit status {status}'}"
        self._finish(FunctionError("Runtime.ExitError", f"Runtime {reason}"))
        self._closing = self._loop.create_task(self._close_api())
        self._when_gone(self)

    async def _close_api(self) -> None:
        if self._server is not None:
            self._server.close()
        await self._api.shutdown(_CLOSE_SECONDS)

    def _finish(self, error: FunctionError) -> None:
        """The environment takes no more requests: pass the error to the waiting request, and end the process."""
        if self._end is None:
            self._end = error
            if not self._ready.done():
                self._log.failure("", error)
                self._ready.set_exception(error)
                self._ready.exception()  # retrieve it, otherwise asyncio logs that it never was
            self._settle(error)
            if self._event is not None and not self._event.done():
                self._event.set_result(web.Response(status=410))
            self.kill()

    def _settle(self, outcome: bytes | FunctionError) -> None:
        if self._result is not None and not self._result.done():
            if isinstance(outcome, FunctionError):
                self._result.set_exception(outcome)
            else:
                self._result.set_result(outcome)


def _reported(body: bytes) -> FunctionError:
    """The error that a runtime reports in its JSON."""
    try:
        report = json.loads(body)
        return FunctionError(str(report["errorType"]), str(report["errorMessage"]))
    except (ValueError, KeyError, TypeError):
        return FunctionError("Runtime.Unknown", body.decode(errors="replace"))


def _from_thread(loop: asyncio.AbstractEventLoop, callback: Callable[[], None]) -> None:
    """Run a callback in the loop; nothing happens if the stack has stopped and the loop is closed."""
    with suppress(RuntimeError):
        loop.call_soon_threadsafe(callback)
