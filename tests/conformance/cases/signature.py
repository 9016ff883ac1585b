"""Signature: money moves only for exactly the signed bytes, signed by the right game provider."""

import gzip
import time
from collections.abc import Callable

from tests.conformance.cases import case, cases_of
from tests.conformance.client import Casino, Fields, Player, Reply, encoded, sign, sign_timed
from tests.conformance.expectations import accepted, expect, moves, refused, unmoved

Forged = Callable[[Casino, bytes], str | bytes | None]


def _fails_everywhere(casino: Casino, player: Player, make: Forged, **more: object) -> None:
    """Each operation answers 401 to the signature and moves nothing; the ids can still be used."""
    bet = player.placed(1000)
    bodies: list[tuple[str, Fields]] = [
        ("debit", player.bet(100)),
        ("credit", player.win(100, bet)),
        ("rollback", player.undo(bet)),
        ("getBalance", player.fields),
    ]
    with unmoved(player):
        for operation, fields in bodies:
            body = encoded(fields)
            reply = casino.send(operation, body, signature=make(casino, body), **more)  # ty: ignore[invalid-argument-type]
            expect(reply.status == 401, f"{operation} is not answered 401: {reply}")
            expect("balance" not in reply.json, f"{operation} tells a balance: {reply}")
    with moves(player, -100):
        expect(casino.debit(bodies[0][1]).status == 200, "the id was used up by the refused call")


_FORGED: dict[str, Forged] = {
    "missing": lambda _casino, _body: None,
    "blank": lambda _casino, _body: " ",
    "another secret": lambda _casino, body: sign("another secret", body),
    "no secret": lambda _casino, body: sign("", body),
    "another body": lambda casino, body: sign(casino.secret, body + b" "),
    "the empty body": lambda casino, _body: sign(casino.secret, b""),
    "63 digits": lambda casino, body: sign(casino.secret, body)[:-1],
    "65 digits": lambda casino, body: sign(casino.secret, body) + "0",
    "62 digits": lambda casino, body: sign(casino.secret, body)[2:],
    "last digit differs": lambda casino, body: _flipped(sign(casino.secret, body)),
    "no hex": lambda _casino, _body: "z" * 64,
    "hex with a prefix": lambda casino, body: "0x" + sign(casino.secret, body)[2:],
    "sha256=": lambda casino, body: "sha256=" + sign(casino.secret, body),
    "in quotes": lambda casino, body: f'"{sign(casino.secret, body)}"',
    "twice": lambda casino, body: ",".join([sign(casino.secret, body)] * 2),
    "latin-1 bytes": lambda _casino, _body: b"\xe9" * 64,
    "utf-8 digits": lambda _casino, _body: "\uff11".encode() * 64,
    "superscript digits": lambda _casino, _body: b"\xb2" * 64,
    "very long": lambda _casino, _body: "a" * 6000,
    "the secret itself": lambda casino, _body: casino.secret,
}


def _flipped(digest: str) -> str:
    return digest[:-1] + ("0" if digest[-1] != "0" else "1")


@cases_of(_FORGED)
def case_35_signature_that_does_not_fit_is_refused(casino: Casino, forged: Forged) -> None:
    """WALLET 35: Wrong length, non-hex, empty or missing -> 401, never 500, before any write."""
    _fails_everywhere(casino, casino.player(), forged)


@cases_of(
    {
        "application/octet-stream": "application/octet-stream",
        "none": None,
        "form": "application/x-www-form-urlencoded",
        "text": "text/plain",
        "json in latin-1": "application/json; charset=iso-8859-1",
        "image": "image/png",
    }
)
def case_35_signature_covers_the_bytes_however_the_gateway_sends_them(casino: Casino, kind: str | None) -> None:
    """WALLET 35: Verified over the raw bytes received (also when API Gateway sends the body base64-encoded)."""
    player = casino.player()
    bet = player.bet(1000, round_id="tür-下注-\U0001f3b0")
    body = b"  " + encoded(bet) + b"\n"
    with moves(player, -1000):
        accepted(casino.send("debit", body, content_type=kind), bet, 9000)
    with unmoved(player):
        changed = body.replace(b"1000", b"1001")
        signature = sign(casino.secret, body)
        refused(casino.send("debit", changed, content_type=kind, signature=signature), 401)
        # White space counts: the signature covers the bytes, not their meaning.
        refused(casino.send("debit", encoded(bet), content_type=kind, signature=signature), 401)


@case
def case_35_compressed_body_is_not_unpacked_before_its_signature_is_checked(casino: Casino) -> None:
    """WALLET 35: Verified over the raw bytes received: they are compressed, and so no JSON."""
    player = casino.player()
    body = encoded(player.bet(1000))
    packed, headers = gzip.compress(body), {"Content-Encoding": "gzip"}
    with unmoved(player):
        refused(casino.send("debit", packed, headers=headers))
        refused(casino.send("debit", packed, signature=sign(casino.secret, body), headers=headers), 401)


@case
def case_36_timed_signature_covers_the_path_as_it_is_delivered(casino: Casino) -> None:
    """WALLET 36: path as API Gateway delivers it: decoded, without the query."""
    player = casino.player()
    for path in (casino.path("debi%74"), casino.path("debit") + "?a=b"):
        bet = player.bet(1000)
        body = encoded(bet)
        as_sent = sign_timed(casino.secret, body, path=path)
        with unmoved(player):
            refused(casino.send_to(path, body, as_sent), 401)
        as_delivered = sign_timed(casino.secret, body, path=casino.path("debit"))
        with moves(player, -1000):
            expect(casino.send_to(path, body, as_delivered).status == 200, f"the signature of {path} is refused")


@case
def case_35_signature_is_checked_before_the_body_is_read(casino: Casino) -> None:
    """WALLET 35: Verified before anything else: a body that is not JSON and has no signature -> 401."""
    for body in (b"", b"{", b"[]", b"\xff\xfe", b'{"amount":-1}'):
        refused(casino.send("debit", body, signature="0" * 64), 401)
        refused(casino.send("debit", body, signature=None), 401)


def _timed(casino: Casino, body: bytes, lag: float = 0, operation: str = "debit", method: str = "POST") -> str:
    moment = time.time() + lag
    return sign_timed(casino.secret, body, path=casino.path(operation), method=method, moment=moment)


@cases_of({"now": 0, "280 seconds ago": -280, "in 280 seconds": 280})
def case_36_timed_signature_within_300_seconds_is_accepted(casino: Casino, lag: float) -> None:
    """WALLET 36: t=<unix seconds>,v1=<hex> over t.METHOD.path.body is accepted within +-300 s."""
    player = casino.player()
    bet = player.bet(1000)
    body = encoded(bet)
    with moves(player, -1000):
        accepted(casino.send("debit", body, signature=_timed(casino, body, lag)), bet, 9000)
    query = encoded(player.fields)
    signature = _timed(casino, query, lag, "getBalance")
    expect(casino.send("getBalance", query, signature=signature).status == 200, "getBalance refused it")


def _parts(casino: Casino, body: bytes) -> tuple[str, str]:
    seconds, _, digest = _timed(casino, body).removeprefix("t=").partition(",v1=")
    return seconds, digest


_STALE_OR_MALFORMED: dict[str, Forged] = {
    "310 seconds ago": lambda casino, body: _timed(casino, body, -310),
    "in 310 seconds": lambda casino, body: _timed(casino, body, 310),
    "in 1970": lambda casino, body: sign_timed(casino.secret, body, path=casino.path("debit"), moment=0),
    "in milliseconds": lambda casino, body: _timed(casino, body, time.time() * 999),
    "another time": lambda casino, body: "t={},v1={}".format(*_later(*_parts(casino, body))),
    "another method": lambda casino, body: _timed(casino, body, method="PUT"),
    "no time": lambda casino, body: f"v1={_parts(casino, body)[1]}",
    "no digest": lambda casino, body: f"t={_parts(casino, body)[0]}",
    "empty values": lambda _casino, _body: "t=,v1=",
    "empty digest": lambda casino, body: f"t={_parts(casino, body)[0]},v1=",
    "a bare digest after the time": lambda casino, body: f"t={int(time.time())},v1={sign(casino.secret, body)}",
    "v0 for v1": lambda casino, body: _timed(casino, body).replace("v1=", "v0="),
    "time is text": lambda casino, body: f"t=now,v1={_parts(casino, body)[1]}",
    "time is a fraction": lambda casino, body: "t={}.5,v1={}".format(*_parts(casino, body)),
    "time is negative": lambda casino, body: "t=-{},v1={}".format(*_parts(casino, body)),
    "time has 5000 digits": lambda casino, body: f"t={'9' * 5000},v1={_parts(casino, body)[1]}",
    "digest is no hex": lambda casino, body: f"t={_parts(casino, body)[0]},v1={'z' * 64}",
    "digest is cut": lambda casino, body: _timed(casino, body)[:-1],
    "another secret": lambda casino, body: sign_timed("another", body, path=casino.path("debit")),
    "only t": lambda _casino, _body: "t",
    "only t=": lambda _casino, _body: "t=",
}


def _later(seconds: str, digest: str) -> tuple[int, str]:
    return int(seconds) + 1, digest


@cases_of(_STALE_OR_MALFORMED)
def case_36_timed_signature_that_does_not_fit_is_refused(casino: Casino, forged: Forged) -> None:
    """WALLET 36: The timed form is refused outside +-300 s, and whenever it is malformed; never 500."""
    player = casino.player()
    bet = player.bet(1000)
    body = encoded(bet)
    with unmoved(player):
        refused(casino.send("debit", body, signature=forged(casino, body)), 401)
    with moves(player, -1000):
        accepted(casino.debit(bet), bet, 9000)


@case
def case_36_both_forms_are_one_call(casino: Casino) -> None:
    """WALLET 36: Two forms of the signature: a call sent in one and again in the other is a replay."""
    player = casino.player()
    bet = player.bet(1000)
    body = encoded(bet)
    with moves(player, -1000):
        first = casino.send("debit", body, signature=_timed(casino, body))
        again = casino.send("debit", body, signature=_timed(casino, body, -5))
        expect((again.status, again.body) == (first.status, first.body), f"{again} after {first}")
        accepted(again, bet, 9000)


@case
def case_37_timed_signature_for_another_path_is_refused(casino: Casino) -> None:
    """WALLET 37: A signature made for another path in the second form -> 401."""
    player = casino.player()
    gift = player.gift(1000)
    body = encoded(gift)
    with unmoved(player):
        for operation in ("debit", "rollback", "getBalance", "Credit", "credit/", "credit?a=1"):
            refused(casino.send("credit", body, signature=_timed(casino, body, operation=operation)), 401)
        refused(casino.send("debit", body, signature=_timed(casino, body, operation="credit")), 401)
    with moves(player, 1000):
        accepted(casino.send("credit", body, signature=_timed(casino, body, operation="credit")), gift, 11000)


@cases_of(
    {
        "unknown": "NOBODY",
        "lower case": "demo",
        "a path": "../DEMO",
        "a slash": "DEMO/",
        "a space inside": "DE MO",
        "very long": "D" * 2000,
        "latin-1": b"D\xc9MO",
        "two": "DEMO,DEMO",
        "a percent sign": "%44EMO",
    }
)
def case_37_unknown_game_provider_is_refused(casino: Casino, code: str | bytes) -> None:
    """WALLET 37: x-provider-code names the game provider: one that does not exist signs nothing -> 401."""
    player = casino.player()
    bet = player.bet(1000)
    body = encoded(bet)
    for signature in (sign(casino.secret, body), _timed(casino, body), sign("", body)):
        with unmoved(player):
            headers = {"X-Provider-Code": code}
            refused(casino.send("debit", body, signature=signature, headers=headers), 401)
    with moves(player, -1000):
        accepted(casino.debit(bet), bet, 9000)


def _signed_by(casino: Casino, reply: Reply) -> None:
    expected = sign(casino.secret, reply.body)
    given = reply.headers.get("x-casino-response-signature")
    expect(given == expected, f"the answer's signature is {given}, not {expected}: {reply}")


@case
def case_38_answers_are_signed(casino: Casino) -> None:
    """WALLET 38: Responses are signed too (x-casino-response-signature): success, replay, decline and refusal."""
    player = casino.player()
    bet = player.bet(1000, "réponse-" + player.session_token)
    _signed_by(casino, casino.debit(bet))
    _signed_by(casino, casino.debit(bet))
    _signed_by(casino, casino.debit(bet | {"amount": 1}))
    _signed_by(casino, casino.debit(player.bet(10**9)))
    _signed_by(casino, casino.debit(player.bet(-1)))
    _signed_by(casino, casino.send("debit", b"{"))
    _signed_by(casino, casino.credit(player.win(5, bet)))
    _signed_by(casino, casino.rollback(player.undo(bet)))
    _signed_by(casino, casino.send("getBalance", encoded(player.fields)))
