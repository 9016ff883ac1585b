"""The schedule that rotates the deployment's data key: apps' secrets are re-wrapped, and all stay readable (HUB 4)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from causeway.audit_log.entries import DEPLOYMENT
from causeway.errors.service import Internal
from causeway.errors.vault import KeyServiceUnavailable
from causeway.jobs.invocations import Invocation, TimeBudget
from causeway.vault import crypto, deployment_key, deployment_rotation, oauth_apps
from causeway.vault.crypto import DataKeys
from causeway.vault.oauth_apps import OldSecret
from tests.database.hub import Hub

NOTHING = {"rotated": 0, "rewrapped": 0, "unreadable": 0}
SECRETS = {"google_analytics": "app-secret-1", "linkedin": "app-secret-2"}


@dataclass
class Deployment:
    """The deployment's data keys and apps."""

    hub: Hub

    def keys(self) -> DataKeys:
        """Of an environment without cached keys."""
        store = deployment_key.StoredKeys(self.hub.database)
        return DataKeys(store, self.hub.kms_key_id, encryption_context=lambda _: {"deployment": "test"})

    def set_app(self, provider_key: str, secret: str) -> None:
        ciphertext = crypto.encrypt(self.keys().active(DEPLOYMENT), self.field(provider_key), secret)
        self.hub.casino.query(
            """
            INSERT INTO oauth_apps AS a (provider_key, client_id, client_secret, updated_by)
            VALUES (%s, 'id', %s, 'test')
            ON CONFLICT (provider_key) DO UPDATE SET client_secret = excluded.client_secret, version = a.version + 1
            """,
            [provider_key, ciphertext],
        )

    @staticmethod
    def field(provider_key: str) -> crypto.SecretField:
        return deployment_key.secret_field(f"oauth_apps.{provider_key}")

    def age(self, days: int) -> None:
        self.hub.casino.query("UPDATE deployment_data_keys SET created_at = now() - %s * interval '1 day'", [days])

    def run(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        invocation = Invocation(self.hub.database, "invocation", TimeBudget(lambda: 1))
        deployment_rotation.run(invocation, self.keys(), counts)
        return counts

    def rows(self) -> list[Any]:
        return self.hub.casino.query("SELECT * FROM oauth_apps ORDER BY provider_key")

    def read(self) -> dict[str, str]:
        keys = self.keys()
        return {row.provider_key: keys.decrypt(self.field(row.provider_key), row.client_secret) for row in self.rows()}

    def statuses(self) -> list[str]:
        rows = self.hub.casino.query("SELECT status FROM deployment_data_keys ORDER BY version")
        return [row.status for row in rows]


@pytest.fixture
def deployment(hub: Hub) -> Iterator[Deployment]:
    """A deployment with two apps, and one data key."""

    def forget() -> None:
        hub.casino.query("DELETE FROM oauth_apps")
        hub.casino.query("DELETE FROM deployment_data_keys")

    forget()
    made = Deployment(hub)
    for provider_key, secret in SECRETS.items():
        made.set_app(provider_key, secret)
    yield made
    forget()


def test_old_key_is_rotated_and_every_app_is_reencrypted(deployment: Deployment) -> None:
    before = deployment.rows()
    deployment.age(91)

    assert deployment.run() == NOTHING | {"rotated": 1, "rewrapped": 2}
    assert deployment.statuses() == ["retired", "active"]
    after = deployment.rows()
    assert [row.key_version for row in after] == [2, 2]
    # The app's version is its ETag: no super admin's change is refused because of a rotation.
    assert [(row.client_id, row.version, row.updated_at) for row in after] == [
        (row.client_id, row.version, row.updated_at) for row in before
    ]
    assert deployment.read() == SECRETS
    assert deployment.run() == NOTHING


def test_rotation_is_audited_in_the_deployments_log(deployment: Deployment) -> None:
    deployment.age(91)
    deployment.run()
    [entry] = deployment.hub.casino.query(
        """
        SELECT actor_kind, actor, action, outcome, after::text::json AS after FROM audit_log
        WHERE tenant_id = %s AND action = 'data_key.rewrapped' ORDER BY entry DESC LIMIT 1
        """,
        [DEPLOYMENT],
    )
    assert entry == ("system", "key-rotation", "data_key.rewrapped", "done", {"rotated": True, "fields": 2})


def test_young_key_or_none_means_nothing_done(deployment: Deployment, kms_down: Callable[[], None]) -> None:
    deployment.age(89)
    kms_down()
    assert deployment.run() == NOTHING
    deployment.hub.casino.query("DELETE FROM oauth_apps")
    deployment.hub.casino.query("DELETE FROM deployment_data_keys")
    assert deployment.run() == NOTHING
    assert deployment.statuses() == []


def test_stopped_rotation_goes_on_where_it_stopped(deployment: Deployment) -> None:
    """Killed between the new key and the secrets: the next invocation finds the rest."""
    deployment.keys().rotate(DEPLOYMENT)

    assert deployment.run() == NOTHING | {"rewrapped": 2}
    assert deployment.read() == SECRETS


def test_kms_down_leaves_everything_readable(deployment: Deployment, kms_down: Callable[[], None]) -> None:
    before = deployment.rows()
    deployment.age(91)
    kms_down()
    with pytest.raises(KeyServiceUnavailable):
        deployment.run()
    assert deployment.rows() == before


def test_app_that_cannot_be_read_stays_and_the_others_are_done(deployment: Deployment) -> None:
    """The secret of another app was put in its place."""
    deployment.hub.casino.query(
        """
        UPDATE oauth_apps SET client_secret = o.client_secret FROM oauth_apps AS o
        WHERE o.provider_key = 'linkedin' AND oauth_apps.provider_key = 'google_analytics'
        """
    )
    deployment.age(91)

    assert deployment.run() == NOTHING | {"rotated": 1, "rewrapped": 1, "unreadable": 1}
    assert [row.key_version for row in deployment.rows()] == [1, 2]


def test_app_that_was_changed_meanwhile_keeps_the_new_secret(deployment: Deployment) -> None:
    keys = deployment.keys()
    old_key = keys.active(DEPLOYMENT)
    keys.rotate(DEPLOYMENT)
    with deployment.hub.database.transaction(DEPLOYMENT) as transaction:
        [first, second] = oauth_apps.find_old(transaction, 2)
    deployment.set_app(first.provider_key, "changed meanwhile")
    old = crypto.encrypt(old_key, deployment.field(second.provider_key), "older")
    with deployment.hub.database.transaction(DEPLOYMENT) as transaction:
        assert not oauth_apps.replace_secret(transaction, first, oauth_apps.rewrapped(keys, first))
        # Never back to an older key.
        assert not oauth_apps.replace_secret(transaction, OldSecret(second.provider_key, second.version, b""), old)

    assert deployment.read() == SECRETS | {first.provider_key: "changed meanwhile"}


def test_job_may_change_nothing_but_the_ciphertext(deployment: Deployment) -> None:
    """Only a super admin changes an app."""
    for change in ("client_id = 'mine'", "client_secret = client_secret"):
        with deployment.hub.database.transaction(DEPLOYMENT) as transaction:
            changed = transaction.execute(f"UPDATE oauth_apps SET {change}")  # noqa: S608
            assert changed.rowcount == 0
    with (
        pytest.raises(Internal, match="oauth_apps_client_secret_check"),
        deployment.hub.database.transaction(DEPLOYMENT) as transaction,
    ):
        transaction.execute("SELECT oauth_app_rewrapped_v1('linkedin', 1, '\\x0100000002aa'::bytea)")
