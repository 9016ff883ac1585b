"""Redaction of an answer for the log: the time with a secret of 4000 odd characters, against one of 32 letters."""

from time import perf_counter

from benchmarks.table import Row, in_turn
from causeway.outbound.redaction import Redactor

_USUAL = "0123456789abcdef0123456789abcdef"
# Nearly every character has a dozen spellings.
_ODD = ('"\\/+&<✓ü%' * 500)[:4000]
# In the form of platforms' answers, cut off inside.
_BODY = b'{"id": 12, "name": "a+b & c", "url": "https:\\/\\/h.test\\/a%20b?c=d", "text": "\\u00fc \\"x\\""},' * 100
_TIMES = 20


def milliseconds(secret: str) -> float:
    """Return the average time of preparing the redaction of a secret and of searching an answer."""
    start = perf_counter()
    for _ in range(_TIMES):
        Redactor([secret]).body(_BODY)
    return (perf_counter() - start) / _TIMES * 1e3


def run() -> list[Row]:
    """Measure both in turn."""
    odd, usual, ratio = in_turn(lambda: milliseconds(_ODD), lambda: milliseconds(_USUAL))
    measured = f"{odd:.1f} ms, 32 letters {usual:.1f} ms"
    return [Row("redaction, secret of 4000 odd characters / of 32 letters", measured, ratio, at_most=5.0)]
