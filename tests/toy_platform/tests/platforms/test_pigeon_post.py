"""Pigeon Post, a platform that does not exist: the fourth of its files."""

import pytest

from causeway.catalogue.secret_fields import names
from causeway.errors.platforms import InvalidCredentials, ProviderRejected, RateLimited
from causeway.platforms.kinds.errors import ErrorReader
from causeway.platforms.kinds.messages import Message, Sender
from tests.platforms.facts import Facts
from tests.toy_platform.toy import Toy

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
    assert reader.read_error(200, {"trouble": "wrong key"}) is None


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
