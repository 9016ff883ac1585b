"""Pages of answers: as many rows as were asked for, or as many as an answer holds."""

import json
from collections.abc import Sequence
from typing import Any

# Of a page's rows as JSON. Lambda's answer takes 6 MB and can be three times as large: in it a quote inside a row is
# four bytes instead of two, and six where the rows are CSV. A hundred calls with their bodies could be 7 MB.
MOST_BYTES = 2_000_000


def within_an_answer(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the first of a page's rows, as many as an answer holds, one at least."""
    size = 0
    for number, row in enumerate(rows):
        size += len(json.dumps(row, ensure_ascii=False).encode())
        if number and size > MOST_BYTES:
            return list(rows[:number])
    return list(rows)
