"""All services that the functions call: Postgres with demo data, AWS's services with a user pool, the sandbox."""

import secrets
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from causeway import migrations
from local import ROOT
from local.network import LOOPBACK
from local.sandbox.process import Sandbox
from local.services import demo_data, platform_files, queues
from local.services.cognito import UserPool
from local.services.database import Database, create, give_passwords
from local.services.moto import Moto
from local.services.postgres import Postgres
from local.template.reading import load_queues

DATABASE_PASSWORDS = "causeway/local/database"
# The name in template.yaml.
TENANT_KEY = "alias/causeway-local-tenants"
AUDIT_SECRET = "causeway/local/audit"  # noqa: S105 - its name
LEDGER_AUDIT_SECRET = "causeway/local/ledger-audit"  # noqa: S105 - its name
GAME_PROVIDERS = "causeway/local/game-providers"


class Services:
    """All services, started in parallel, with their data.

    Args:
        state_folder: for logs and data.
        addresses: that they listen on; containers reach the last.
        say: called with a line at each step.

    Attributes:
        postgres: the embedded server, None if the database is on another server.
    """

    def __init__(self, state_folder: Path, addresses: tuple[str, ...], say: Callable[[str], None]) -> None:
        self.moto = Moto(state_folder, addresses[-1])
        self.sandbox = Sandbox(state_folder, addresses[-1])
        self.user_pool = UserPool(self.moto)
        self.postgres: Postgres | None = None
        self._state_folder = state_folder
        self._addresses = addresses
        self._say = say
        self._database: Database | None = None
        self._ledger_audit_key = secrets.token_urlsafe(48)
        self._undo = ExitStack()

    @property
    def database(self) -> Database:
        """The stack's database; raises RuntimeError before the start."""
        if self._database is None:
            raise RuntimeError("the services have not started")
        return self._database

    def start(self, template: Path, api_url: str, admin_url: str | None) -> None:
        """Start all services; raises StartError. After an error too, stop() stops those that were started.

        Args:
            template: its queues are made.
            api_url: where casino and game provider reach each other.
            admin_url: of a running Postgres server for the database; None starts a server.
        """
        platform_files.check()
        self._undo.callback(self.moto.stop)
        self._undo.callback(self.sandbox.stop)
        with ThreadPoolExecutor(3) as pool:
            platforms = pool.submit(lambda: self._timed("provider sandbox", self.sandbox.start))
            aws = pool.submit(self._start_aws, template)
            database = pool.submit(self._start_database, api_url, admin_url)
            platforms.result()
            aws.result()
            self._database = database.result()
        demo_data.call_sandbox(self._database.urls["superuser"], self.sandbox.url)
        self._timed("secrets", self._put_secrets)

    def stop(self) -> None:
        """Stop the services that run."""
        self._undo.close()

    def parameters(self, address: str) -> dict[str, str]:
        """Return the template's parameter values. address: of the services, as the functions reach them."""
        database = self.database
        return {
            "Stage": "local",
            "DatabaseHost": address if database.host == LOOPBACK else database.host,
            "DatabasePort": str(database.port),
            "DatabaseName": database.name,
            "DatabaseSecretPrefix": DATABASE_PASSWORDS,
            "DatabaseCaFile": "",
            "DefaultTenantId": demo_data.TENANT_ID,
            "AuditSecret": AUDIT_SECRET,
            "EgressAllowedHosts": f"{self.sandbox.address}:{self.sandbox.port}",
            "OAuthReturnOrigins": demo_data.RETURN_ORIGIN,
            "TokenIssuer": self.user_pool.issuer,
            "TokenAudience": self.user_pool.client_id,
            "TokenKeysUrl": self.user_pool.keys_url,
        }

    def info(self) -> dict[str, Any]:
        """Return the services' part of stack.json. Logs everybody in, and makes the tenants' API keys."""
        urls = self.database.urls
        return {
            "database_url": urls["owner"],
            "database_urls": urls,
            "aws_endpoint_url": self.moto.url,
            "casino_secret": demo_data.CASINO_SECRET,
            "provider_secret": demo_data.PROVIDER_SECRET,
            "ledger_audit_key": self._ledger_audit_key,
            "sandbox_url": self.sandbox.url,
            "user_pool_id": self.user_pool.id,
            "user_pool_client_id": self.user_pool.client_id,
            "tenants": demo_data.TENANTS,
            "tokens": demo_data.tokens(self.user_pool),
            "api_keys": demo_data.make_api_keys(urls["superuser"]),
        }

    def _start_aws(self, template: Path) -> None:
        self._timed("AWS services (moto)", self.moto.start)
        self.moto.make_key(TENANT_KEY)
        queues.make(self.moto, load_queues(template, {"Stage": "local"}))
        people = [person for roles in demo_data.PEOPLE.values() for person in roles.values()]
        self._timed("user pool", lambda: self.user_pool.create([demo_data.SUPER_ADMIN, *people]))

    def _start_database(self, api_url: str, admin_url: str | None) -> Database:
        if admin_url is None:
            postgres = self.postgres = Postgres(self._state_folder, addresses=self._addresses)
            self._undo.callback(postgres.stop)
            self._timed("Postgres", postgres.start)
            database = create(postgres.url())
        else:
            database = create(admin_url)
            self._say(
                f"using the server of DATABASE_URL ({database.host}:{database.port}): the database {database.name} is "
                "dropped at the end, the roles causeway_* stay"
            )
            self._undo.callback(database.drop)
        self._timed("migrations", lambda: migrations.migrate(database.urls["owner"], ROOT / "schema"))
        self._timed("demo data", lambda: demo_data.load(database.urls["superuser"], api_url))
        return give_passwords(database)

    def _put_secrets(self) -> None:
        for role, password in self.database.passwords.items():
            self.moto.put_secret(f"{DATABASE_PASSWORDS}/{role}", {"password": password})
        self.moto.put_secret(AUDIT_SECRET, {"pepper": secrets.token_urlsafe(32)})
        self.moto.put_secret(LEDGER_AUDIT_SECRET, {"key": self._ledger_audit_key})
        self.moto.put_secret(
            f"{GAME_PROVIDERS}/{demo_data.GAME_PROVIDER_CODE}",
            {
                "tenant_id": demo_data.TENANT_ID,
                "casino_secrets": [demo_data.CASINO_SECRET],
                "provider_secrets": [demo_data.PROVIDER_SECRET],
            },
        )

    def _timed(self, step: str, work: Callable[[], object]) -> None:
        started = time.monotonic()
        work()
        self._say(f"{step}: {time.monotonic() - started:.1f} s")
