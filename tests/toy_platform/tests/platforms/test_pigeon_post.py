"""Pigeon Post, a platform that does not exist: its tests, the fourth of its places."""

from collections.abc import Callable
from typing import Any

import pytest

from causeway.catalogue.secret_fields import names
from causeway.errors.platforms import InvalidCredentials, ProviderOutcomeUnknown, ProviderRejected, RateLimited
from causeway.platforms.kinds.errors import ErrorReader
from causeway.platforms.kinds.messages import Message, Sender
from tests.platforms.facts import Facts
from tests.toy_platform.toy import Toy
from tests.unit.wire_server import Act, WireServer, ok

FACTS = Facts(
    kind="messaging",
    secrets=frozenset({"loft_key"}),
    example={"loft": "home", "loft_key": "your_loft_key"},
    verdicts=((400, {"trouble": "wrong key"}, "INVALID_CREDENTIALS"),),
)


def test_document_marks_the_secret(toy: Toy) -> None:
    assert (toy.document["kind"], names(toy.document["config_schema"])) == (FACTS.kind, FACTS.secrets)


def test_error_means_what_its_trouble_says(toy: Toy) -> None:
    reader = toy.module(ErrorReader)

    assert reader.read_error(400, {"trouble": "wrong key"}) is InvalidCredentials
    assert reader.read_error(400, {"trouble": "no such loft"}) is None
    assert reader.read_error(200, {"trouble": "pigeons are tired"}) is RateLimited
    assert reader.read_error(400, {"trouble": ["wrong key"]}) is None
    assert reader.read_error(201, {"flight": "flight-1"}) is None


def test_message_flies(toy: Toy) -> None:
    sender, account = toy.module(Sender), toy.account()

    assert sender.send_message(account, Message("north", "Coo")) == "flight-1"
    with pytest.raises(ProviderRejected):
        sender.send_message(account, Message("nowhere", "Coo"))
    assert sender.send_message(account, Message("south", "Coo")) == "flight-2"
    with pytest.raises(RateLimited):
        sender.send_message(account, Message("north", "Coo"))
    with pytest.raises(InvalidCredentials):
        sender.send_message(toy.account(loft_key="another"), Message("north", "Coo"))


@pytest.mark.parametrize("answer", [b"{}", b'{"flight":1}', b'{"flight":"a","flight":"b"}', b"[]", b"gone"])
def test_unreadable_answer_to_a_message_leaves_its_outcome_unknown(
    toy: Toy, serve: Callable[[Act], WireServer], answer: bytes
) -> None:
    server = serve(ok(answer))

    with pytest.raises(ProviderOutcomeUnknown):
        toy.module(Sender).send_message(toy.account(server.url), Message("north", "Coo"))


@pytest.mark.parametrize("order", [{}, {"destination": "north"}, {"destination": ["north"], "note": "Coo"}])
def test_sandbox_refuses_an_order_that_it_cannot_read(toy: Toy, order: dict[str, Any]) -> None:
    with pytest.raises(ProviderRejected):
        toy.account().call("POST", "/lofts/home/flights", content=order)
