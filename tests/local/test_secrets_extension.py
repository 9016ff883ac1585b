"""The endpoint of the Parameters and Secrets extension, with a real moto server."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import aiohttp
import pytest

from local.services.moto import Moto
from local.services.secrets_extension import SecretsExtension

TOKEN = "session-token"
REFUSED = "an unexpected error occurred while executing request"


@pytest.fixture(scope="module")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Moto]:
    server = Moto(tmp_path_factory.mktemp("moto"))
    server.start()
    server.put_secret("causeway/local/database/causeway_casino", {"password": "p"})
    yield server
    server.stop()


# Two execution environments by their tokens; "early" still initialises.
INITIALISED = {"early": False, "running": True}


def _get(moto: Moto, query: str, token: str | None = TOKEN) -> tuple[int, str]:
    async def get() -> tuple[int, str]:
        extension = SecretsExtension(moto, TOKEN)
        extension.accept(INITIALISED.get)
        await extension.listen(("127.0.0.1",))
        headers = {} if token is None else {"X-Aws-Parameters-Secrets-Token": token}
        try:
            url = f"http://127.0.0.1:{extension.port}{query}"
            async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as response:
                return response.status, await response.text()
        finally:
            await extension.close()

    return asyncio.run(get())


@pytest.mark.parametrize("more", ["", "&versionStage=AWSCURRENT"])
def test_secret_is_served_by_name(moto: Moto, more: str) -> None:
    status, body = _get(moto, f"/secretsmanager/get?secretId=causeway%2Flocal%2Fdatabase%2Fcauseway_casino{more}")

    secret = json.loads(body)
    assert status == 200
    assert json.loads(secret["SecretString"]) == {"password": "p"}
    assert secret["Name"] == "causeway/local/database/causeway_casino"
    assert secret["SecretBinary"] is None
    assert secret["VersionStages"] == ["AWSCURRENT"]
    assert secret["CreatedDate"].endswith("Z")


@pytest.mark.parametrize(
    "query", ["?secretId=absent", "?secretId=causeway/local/database/causeway_casino&versionStage=OTHER", ""]
)
def test_unknown_secret_is_a_bad_request(moto: Moto, query: str) -> None:
    assert _get(moto, f"/secretsmanager/get{query}") == (400, REFUSED)


@pytest.mark.parametrize("token", [None, "", "another"])
def test_wrong_token_is_refused(moto: Moto, token: str | None) -> None:
    assert _get(moto, "/secretsmanager/get?secretId=causeway/local/database/causeway_casino", token)[0] == 403


def test_execution_environment_is_served_once_it_is_initialised(moto: Moto) -> None:
    query = "/secretsmanager/get?secretId=causeway/local/database/causeway_casino"

    assert _get(moto, query, "early") == (400, "not ready to serve traffic, please wait")
    assert _get(moto, query, "running")[0] == 200


def test_other_paths_are_not_found(moto: Moto) -> None:
    assert _get(moto, "/systemsmanager/parameters/get?name=a")[0] == 404


def test_moto_leaves_no_process(tmp_path: Path) -> None:
    server = Moto(tmp_path)
    server.start()
    pid = server.pid
    server.stop()

    assert not Path(f"/proc/{pid}").exists()
