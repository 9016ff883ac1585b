"""Rotating the secret that a game provider shares with the casino."""

import time
from collections.abc import Callable

import pytest

from local.stack import Stack
from tests.conformance.client import Casino, Reply, encoded, sign
from tests.conformance.expectations import accepted, refused, replays, unmoved
from tests.end_to_end.conftest import kill_environments

pytestmark = pytest.mark.usefixtures("audited")

OLD, NEW = "local-casino-secret", "the-next-casino-secret"
Rotate = Callable[..., None]


def signed_with(secret: str, reply: Reply) -> bool:
    return reply.headers["x-casino-response-signature"] == sign(secret, reply.body)


def test_both_secrets_are_valid_during_a_rotation(stack: Stack, casino: Casino, rotate: Rotate) -> None:
    """WALLET 38: Two secrets at once during a rotation."""
    player = casino.player()
    rotate(NEW, OLD)
    kill_environments(stack)
    for secret in (OLD, NEW, OLD):
        body = encoded(player.fields)
        reply = casino.send("getBalance", body, signature=sign(secret, body))
        assert reply.status == 200
        assert signed_with(secret, reply)


def test_new_secret_works_at_once_and_the_revoked_secret_is_refused(
    stack: Stack, casino: Casino, rotate: Rotate
) -> None:
    """WALLET 38: a revoked secret is refused; a wrong signature makes the function read the secrets again."""
    player = casino.player()
    bet = player.bet(1000)
    kill_environments(stack)
    first = accepted(casino.debit(bet), bet, 9000)
    # A secret is read at most once a second.
    time.sleep(1.1)
    rotate(NEW)
    body = encoded(bet)
    renewed = casino.send("debit", body, signature=sign(NEW, body))
    replays(renewed, first)
    assert signed_with(NEW, renewed)
    refused(casino.send("debit", body, signature=sign(OLD, body)), 401)
    refused(casino.send("debit", body, signature=sign(NEW + OLD, body)), 401)
    other = encoded(player.bet(500))
    refused(casino.send("debit", other, signature=sign(OLD, other)), 401)


def test_revoked_secret_is_refused_by_a_new_environment(stack: Stack, casino: Casino, rotate: Rotate) -> None:
    """WALLET 38: a revoked secret is refused."""
    player = casino.player()
    bet = player.bet(1000)
    body = encoded(bet)
    with unmoved(player):
        rotate(NEW)
        kill_environments(stack)
        refused(casino.send("debit", body, signature=sign(OLD, body)), 401)
        rotate(OLD)
        kill_environments(stack)
    accepted(casino.debit(bet), bet, 9000)


def test_replay_after_a_rotation_is_identical(stack: Stack, casino: Casino, rotate: Rotate) -> None:
    """WALLET 9: Same debit twice -> byte-identical, also after a secret rotation."""
    player = casino.player()
    bet, lost = player.bet(1000), player.bet(10**6)
    firsts = [casino.debit(fields) for fields in (bet, lost)]
    rotate(NEW)
    kill_environments(stack)
    for fields, first in zip((bet, lost), firsts, strict=True):
        body = encoded(fields)
        replays(casino.send("debit", body, signature=sign(NEW, body)), first)
