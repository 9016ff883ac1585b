"""The function schema-migrate in a separate process, configured as on Lambda; and the codes in the schema."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import psycopg
import pytest
from psycopg import sql

from causeway.errors import table
from local.services.database import create
from tests.database.answer_server import AnswerServer
from tests.database.cutting_proxy import CuttingProxy
from tests.database.world import Casino
from tests.unit.secrets_server import SecretsServer

ROOT = Path(__file__).parents[2]
SCHEMA = ROOT / "schema"
HANDLER = ROOT / "functions" / "maintenance" / "schema_migrate.py"
FILES = sorted(path.stem for path in SCHEMA.glob("*.sql"))
SECRET = "causeway/staging/database/causeway_owner"

# What Lambda's runtime does: import the handler's file, call the handler, print the result or fail.
_INVOKE = """
import json, sys
from importlib.util import module_from_spec, spec_from_file_location
from types import SimpleNamespace

spec = spec_from_file_location("schema_migrate", sys.argv[1])
module = module_from_spec(spec)
spec.loader.exec_module(module)
context = SimpleNamespace(
    function_name="schema-migrate", memory_limit_in_mb=256, invoked_function_arn="arn", aws_request_id="request",
    log_group_name="/causeway/SchemaMigrate", get_remaining_time_in_millis=lambda: 300_000,
)
result = module.handler(json.loads(sys.argv[2]), context)
print()
print(json.dumps(result))
"""

# Codes of refused calls: they leave no row, and Python has their sentence.
REFUSALS = {
    "SIGNATURE_INVALID",
    "SESSION_NOT_FOUND",
    "PLAYER_NOT_FOUND",
    "DUPLICATE_TRANSACTION",
    "TRANSACTION_ALREADY_PROCESSED",
    "GAME_PROVIDER_INACTIVE",
    "INVALID_AMOUNT",
    "WRONG_CURRENCY",
}


@pytest.fixture
def extension() -> Iterator[SecretsServer]:
    """The secrets extension."""
    with SecretsServer() as server:
        yield server


@pytest.fixture
def answers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[AnswerServer]:
    """The server that receives answers for CloudFormation."""
    with AnswerServer(tmp_path_factory.mktemp("tls")) as server:
        yield server


@pytest.fixture
def empty(admin_url: str) -> Iterator[str]:
    """The owner's URL of an empty database."""
    made = create(admin_url)
    yield made.urls["owner"]
    made.drop()


Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def start(extension: SecretsServer) -> Start:
    """Starts the function for a database and a folder of migrations; the password comes from a secret."""

    def run(url: str, folder: Path, event: object = None, **variables: str) -> subprocess.Popen[str]:
        parts = urlsplit(url)
        with psycopg.connect(url) as database:
            password, user = database.info.password, database.info.user
        extension.secrets[SECRET] = {"password": password}
        environment = {
            "PATH": os.defpath,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "AWS_SESSION_TOKEN": "session-token",
            "SECRETS_EXTENSION_URL": extension.url,
            "DATABASE_HOST": parts.hostname or "",
            "DATABASE_PORT": str(parts.port),
            "DATABASE_NAME": unquote(parts.path.removeprefix("/")),
            "DATABASE_USER": user,
            "DATABASE_SECRET": SECRET,
            "SCHEMA_FOLDER": str(folder),
            **variables,
        }
        return subprocess.Popen(
            [sys.executable, "-c", _INVOKE, str(HANDLER), json.dumps(event or {})],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return run


def applied(process: subprocess.Popen[str]) -> list[str]:
    """Wait for an invocation that must succeed; returns the applied migrations."""
    out, err = process.communicate(timeout=120)
    assert (process.returncode, err) == (0, ""), out + err
    result = json.loads(out.splitlines()[-1])
    assert result.keys() == {"applied"}
    return result["applied"]


def test_function_applies_what_is_missing_and_then_nothing(empty: str, start: Start) -> None:
    assert applied(start(empty, SCHEMA)) == FILES
    assert applied(start(empty, SCHEMA)) == []


def test_two_concurrent_deployments_apply_everything_once(empty: str, start: Start) -> None:
    both = [start(empty, SCHEMA), start(empty, SCHEMA)]

    assert sorted(applied(process) for process in both) == [[], FILES]
    with psycopg.connect(empty) as database:
        rows = database.execute("SELECT migration_id FROM _yoyo_migration ORDER BY migration_id").fetchall()
    assert [name for (name,) in rows] == FILES


def test_failed_migration_fails_the_invocation_and_the_next_can_continue(
    empty: str, start: Start, tmp_path: Path
) -> None:
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (n int);")
    second = tmp_path / "0002_second.sql"
    second.write_text("CREATE TABLE second (n int); SELECT 1 / 0;")

    process = start(empty, tmp_path)
    _, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "DivisionByZero" in err

    second.write_text("CREATE TABLE second (n int);")
    assert applied(start(empty, tmp_path)) == ["0002_second"]


def test_login_works_with_any_characters_in_names_and_password(admin_url: str, start: Start, tmp_path: Path) -> None:
    """They become part of a URL."""
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (n int);")
    name, password = "causeway test: 100%/?#&@\u00e9", "p@ss/w:rd?#[]&=+ %41\u00e9'\"\\"
    names = {"name": sql.Identifier(name), "password": sql.Literal(password)}
    place = urlsplit(admin_url)
    url = (
        f"postgresql://{quote(name, safe='')}:{quote(password, safe='')}@{place.hostname}:{place.port}"
        f"/{quote(name, safe='')}"
    )
    with psycopg.connect(admin_url, autocommit=True) as database:
        database.execute(sql.SQL("CREATE ROLE {name} LOGIN PASSWORD {password}").format(**names))
        try:
            database.execute(sql.SQL("CREATE DATABASE {name} OWNER {name} TEMPLATE template0").format(**names))
            assert applied(start(url, tmp_path)) == ["0001_first"]
        finally:
            database.execute(sql.SQL("DROP DATABASE IF EXISTS {name} WITH (FORCE)").format(**names))
            database.execute(sql.SQL("DROP ROLE {name}").format(**names))


def test_missing_secret_fails_the_invocation_with_what_to_do(
    empty: str, start: Start, extension: SecretsServer
) -> None:
    extension.fixed = (400, b"an unexpected error occurred while executing request")

    process = start(empty, SCHEMA)
    _, err = process.communicate(timeout=120)

    assert process.returncode != 0
    assert f"The secrets extension answered 400 for the secret {SECRET}" in err.splitlines()[-1]
    assert "if it lasts, create the secret and allow the role to read it" in err.splitlines()[-1]


def test_migration_waits_until_a_paused_database_is_awake(empty: str, start: Start, tmp_path: Path) -> None:
    """The deployment would fail, and be rolled back."""
    (tmp_path / "0001_first.sql").write_text("CREATE TABLE first (n int);")
    with CuttingProxy(empty) as proxy:
        place = urlsplit(proxy.url)
        proxy.silent = 1

        process = start(empty, tmp_path, DATABASE_HOST=str(place.hostname), DATABASE_PORT=str(place.port))
        assert applied(process) == ["0001_first"]
        assert proxy.silent == 0


def test_cloudformation_gets_success_after_the_migrations(empty: str, start: Start, answers: AnswerServer) -> None:
    process = start(empty, SCHEMA, answers.request("Create"), SSL_CERT_FILE=str(answers.certificate))

    assert applied(process) == FILES
    assert answers.put == [
        (
            answers.target,
            "",
            {
                "Status": "SUCCESS",
                "Reason": "",
                "PhysicalResourceId": "schema",
                "StackId": "arn:stack",
                "RequestId": "request-1",
                "LogicalResourceId": "SchemaMigration",
            },
        )
    ]


def test_cloudformation_and_lambda_get_a_failure(
    empty: str, start: Start, answers: AnswerServer, tmp_path: Path
) -> None:
    (tmp_path / "0001_first.sql").write_text("SELECT 1 / 0;")
    process = start(empty, tmp_path, answers.request("Update"), SSL_CERT_FILE=str(answers.certificate))
    process.communicate(timeout=120)

    assert process.returncode != 0
    ((_, _, answer),) = answers.put
    assert answer["Status"] == "FAILED"
    assert "DivisionByZero" in answer["Reason"]
    assert "/causeway/SchemaMigrate" in answer["Reason"]
    assert answer["PhysicalResourceId"] == "schema"


VERSION = "arn:aws:lambda:eu-central-1:123456789012:function:causeway-staging-SchemaMigrate:"


@pytest.mark.parametrize(
    ("before", "after", "status"),
    [
        (f"{VERSION}8", f"{VERSION}7", "SUCCESS"),
        (f"{VERSION}10", f"{VERSION}9", "SUCCESS"),
        (f"{VERSION}9", f"{VERSION}10", "FAILED"),
        (f"{VERSION}9", f"{VERSION}9", "FAILED"),
        # Another function, whose versions begin at 1 again.
        (VERSION.replace("staging", "old") + "9", f"{VERSION}1", "FAILED"),
        ("", f"{VERSION}1", "FAILED"),
    ],
)
def test_rollback_succeeds_whatever_the_migrations_are(
    empty: str, start: Start, answers: AnswerServer, tmp_path: Path, before: str, after: str, status: str
) -> None:
    """FAILED during a rollback would leave the stack in UPDATE_ROLLBACK_FAILED, which a person must repair."""
    (tmp_path / "0001_first.sql").write_text("SELECT 1 / 0;")
    update = answers.request("Update")
    update |= {"OldResourceProperties": {"Version": before}, "ResourceProperties": {"Version": after}}
    process = start(empty, tmp_path, update, SSL_CERT_FILE=str(answers.certificate))
    process.communicate(timeout=120)

    assert [answer["Status"] for _, _, answer in answers.put] == [status]


@pytest.mark.parametrize("kind", ["Update", "Delete"])
def test_rollback_succeeds_although_the_database_cannot_be_reached(
    empty: str, start: Start, answers: AnswerServer, kind: str
) -> None:
    """That may be why the deployment failed. The rollback of a first deployment deletes the resource."""
    request = answers.request(kind)
    request |= {"OldResourceProperties": {"Version": f"{VERSION}8"}, "ResourceProperties": {"Version": f"{VERSION}7"}}
    process = start(empty, SCHEMA, request, SSL_CERT_FILE=str(answers.certificate), DATABASE_PORT="9")

    assert applied(process) == []
    assert [answer["Status"] for _, _, answer in answers.put] == ["SUCCESS"]


def test_deleting_the_stack_does_not_change_the_database(empty: str, start: Start, answers: AnswerServer) -> None:
    process = start(empty, SCHEMA, answers.request("Delete"), SSL_CERT_FILE=str(answers.certificate))

    assert applied(process) == []
    assert [answer["Status"] for _, _, answer in answers.put] == ["SUCCESS"]
    with psycopg.connect(empty) as database:
        assert database.execute("SELECT to_regclass('tenants')").fetchone() == (None,)


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        (
            "casino",
            {
                "lock_timeout": "1500ms",
                "statement_timeout": "2s",
                "idle_in_transaction_session_timeout": "5s",
                "enable_seqscan": "off",
                "plan_cache_mode": "force_generic_plan",
                "jit": "off",
            },
        ),
        (
            "provider",
            {
                "lock_timeout": "1500ms",
                "statement_timeout": "2s",
                "idle_in_transaction_session_timeout": "5s",
                "jit": "off",
            },
        ),
        # Less than the time that a money call waits for a lock.
        (
            "operator",
            {
                "lock_timeout": "1500ms",
                "statement_timeout": "5s",
                "idle_in_transaction_session_timeout": "1s",
            },
        ),
    ],
)
def test_limits_are_in_force_as_soon_as_a_role_has_logged_in(
    shared_casino: Casino, role: str, expected: dict[str, str]
) -> None:
    """A proxied connection keeps no session state, so no limit is set after login."""
    with psycopg.connect(shared_casino.urls[role]) as database:
        rows = database.execute(
            """
            SELECT name, current_setting(name) FROM pg_settings
            WHERE name = ANY (%s) AND source = 'user'
            """,
            [list(expected)],
        ).fetchall()
    assert dict(rows) == expected


def test_every_code_of_the_schema_has_an_error_and_every_decline_a_sentence(shared_casino: Casino) -> None:
    """A new outcome without them would be an answer without a body."""
    source = "".join(re.sub(r"--.*", "", path.read_text()) for path in sorted(SCHEMA.glob("*.sql")))
    codes = set(re.findall(r"'([A-Z]+(?:_[A-Z]+)+)'", source))
    sentences = {code: shared_casino.value("SELECT casino_decline_sentence(%s)", [code]) for code in codes}

    assert codes >= REFUSALS | {"INSUFFICIENT_FUNDS", "ROUND_HAS_PAYOUT"}
    assert codes - table.every().keys() == set()
    assert {code for code, sentence in sentences.items() if sentence is None} == REFUSALS
    assert {code: sentence for code, sentence in sentences.items() if sentence} == {
        code: (table.every()[code].__doc__ or "").strip() for code in codes - REFUSALS
    }
