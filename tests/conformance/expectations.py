"""The expectations of a case: first about the money, then about the answer."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager

from tests.conformance.client import Fields, Player, Reply


class Unexpected(AssertionError):
    """The implementation did something else; the text says what and where"""


def expect(condition: object, sentence: str) -> None:
    """Raise Unexpected with the sentence unless the condition holds."""
    if not condition:
        raise Unexpected(sentence)


@contextmanager
def moves(player: Player, amount: int) -> Generator[None]:
    """The block changes the player's balance by this many minor units."""
    before = player.balance()
    yield
    after = player.balance()
    moved = after - before
    expect(moved == amount, f"moved {moved}, not {amount}: the balance was {before} and is {after}")


def unmoved(player: Player) -> AbstractContextManager[None]:
    """The block does not change the player's balance."""
    return moves(player, 0)


def accepted(reply: Reply, sent: Fields, balance: int, *, tombstone: bool = False) -> Reply:
    """The call succeeded, with the specified answer: the id as sent, and the balance after it in minor units."""
    answer = reply.json
    expect(reply.status == 200, f"not accepted: {reply}")
    expect(answer.get("status") == "ok", f"status is not ok: {reply}")
    expect(answer.get("transactionId") == sent["transactionId"], f"another transactionId: {reply}")
    expect(answer.get("balance") == str(balance), f"the answer's balance is not {balance}: {reply}")
    expect(isinstance(answer.get("currency"), str), f"no currency: {reply}")
    expect((answer.get("tombstone") is True) == tombstone, f"tombstone is not {tombstone}: {reply}")
    return reply


def refused(reply: Reply, status: int | None = None, code: str = "", *, balance: int | None = None) -> Reply:
    """The call was refused, with an error's body: sentence, code, requestId and, if given, the balance."""
    expect(400 <= reply.status < 500, f"not refused: {reply}")
    expect(status is None or reply.status == status, f"not {status}: {reply}")
    expect(not code or reply.code == code, f"not {code}: {reply}")
    for name in ("error", "code", "requestId"):
        expect(isinstance(reply.json.get(name), str) and reply.json[name], f"the error has no {name}: {reply}")
    if balance is not None:
        expect(reply.json.get("balance") == str(balance), f"the error's balance is not {balance}: {reply}")
    return reply


def replays(reply: Reply, first: Reply) -> None:
    """The answer repeats the first one: the same status, the same bytes, and marked as a replay."""
    expect(reply.status == first.status, f"status {reply.status} after {first.status}")
    expect(reply.body == first.body, f"another body: {reply.body!r} after {first.body!r}")
    expect(reply.replayed, "the replay has no header idempotent-replay: true")
    expect(not first.replayed, "the first answer has the header of a replay")


def all_replay(replies: list[Reply]) -> None:
    """All answers have the same body and status, and exactly one of them is not a replay."""
    expect(len({(reply.status, reply.body) for reply in replies}) == 1, f"they differ: {list(map(str, replies))}")
    firsts = [reply for reply in replies if not reply.replayed]
    expect(len(firsts) == 1, f"{len(firsts)} of them say that they are the first")
