"""The HTTP endpoint of the AWS Parameters and Secrets Lambda extension: secrets for functions without an SDK."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Literal

from aiohttp import web

from local.services.moto import Moto, secrets_manager

_PATH = "/secretsmanager/get"
_HEADER = "X-Aws-Parameters-Secrets-Token"
_REFUSED = "an unexpected error occurred while executing request"
_STARTING = "not ready to serve traffic, please wait"

# Seconds for which a silent extension does not answer: longer than any caller waits.
_SILENCE = 60.0

# Faults of the extension: 400 as under load, 400 as during its start, no answer.
Fault = Literal["busy", "starting", "silent"]


class SecretsExtension:
    """One endpoint for all execution environments, which it distinguishes by their session tokens.

    Like the real extension: the token header must hold the caller's AWS_SESSION_TOKEN, no secret is served before the
    function's first event (400), and every refusal of Secrets Manager is a 400 with the same text. Unlike it, nothing
    is cached, so a test sees a rotated secret at once. AWS does not document the answer to a wrong token: 403 here.
    Sources: AWS Lambda developer guide, "Use Secrets Manager secrets in Lambda functions"; recorded answers in the
    project fedonev/lambda-params-secrets.

    Args:
        moto: has the secrets.
        token: one more accepted token, for functions that run elsewhere (in a container of sam local).
    """

    def __init__(self, moto: Moto, token: str) -> None:
        self._moto = moto
        self._token = token
        self._initialised: Callable[[str], bool | None] = lambda _: None
        self._fault: Fault | None = None
        self._runner = web.ServerRunner(web.Server(self._serve, access_log=None), shutdown_timeout=0.1)
        self.port = 0

    def accept(self, initialised: Callable[[str], bool | None]) -> None:
        """Accept the session tokens of environments.

        initialised: returns whether the environment of a token is initialised; None if there is no such environment.
        """
        self._initialised = initialised

    def play(self, fault: Fault | None) -> None:
        """Answer every call with a fault from now on; with None, answer normally again."""
        self._fault = fault

    async def listen(self, addresses: tuple[str, ...]) -> None:
        """Start serving on one free port of all these addresses."""
        await self._runner.setup()
        for address in addresses:
            await web.TCPSite(self._runner, address, self.port).start()
            self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Stop serving."""
        await self._runner.cleanup()

    async def _serve(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method != "GET" or request.path != _PATH:
            return web.Response(status=404, text="404 page not found")
        if self._fault == "silent":
            await asyncio.sleep(_SILENCE)
        if self._fault is not None:
            return web.Response(status=400, text=_REFUSED if self._fault == "busy" else _STARTING)
        refusal = self._refusal(request.headers.get(_HEADER, ""))
        if refusal is not None:
            return refusal
        query = request.query
        if "secretId" not in query:
            return web.Response(status=400, text=_REFUSED)
        parameters = {"SecretId": query["secretId"]}
        for given, name in (("versionStage", "VersionStage"), ("versionId", "VersionId")):
            if given in query:
                parameters[name] = query[given]
        status, answer = await asyncio.to_thread(
            secrets_manager, self._moto.address, self._moto.port, "GetSecretValue", parameters
        )
        if status != 200:
            return web.Response(status=400, text=_REFUSED)
        return web.json_response(_as_extension(answer))

    def _refusal(self, token: str) -> web.Response | None:
        if token == self._token:
            return None
        initialised = self._initialised(token)
        if initialised is None:
            return web.Response(status=403, text="the token is not the function's AWS_SESSION_TOKEN")
        if not initialised:
            return web.Response(status=400, text=_STARTING)
        return None


def _as_extension(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer of GetSecretValue in the extension's form: dates as text, absent values as null."""
    created = datetime.fromtimestamp(answer["CreatedDate"], UTC).isoformat(timespec="milliseconds")
    return {
        "ARN": answer["ARN"],
        "CreatedDate": created.replace("+00:00", "Z"),
        "Name": answer["Name"],
        "SecretBinary": answer.get("SecretBinary"),
        "SecretString": answer.get("SecretString"),
        "VersionId": answer["VersionId"],
        "VersionStages": answer["VersionStages"],
        "ResultMetadata": {},
    }
