"""Each platform's reader of errors takes any answer: an odd answer of a platform is not an error inside Causeway."""

from collections.abc import Iterator
from itertools import combinations, product
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import example, given

from causeway.errors.platforms import ProviderForbidden
from causeway.platforms.kinds.errors import ACCEPTED, Error
from tests.unit.odd_answers import STATUSES, answers, constants, nested
from tests.unit.platform_folders import PLATFORMS, TOY, folders, loaded

FILES = [folder / "errors.py" for root in (PLATFORMS, TOY) for folder in folders(root)]
READERS = [file for file in FILES if file.exists()]
MEANINGS = {None, ACCEPTED, ProviderForbidden, *(get_args(kind)[0] for kind in get_args(Error))}


def pairs(file: Path) -> Iterator[dict[str, Any]]:
    """Each pair of the fields that a reader reads, with values of each type."""
    fields = sorted({one for one in constants(file) if isinstance(one, str) and one.isidentifier()})
    values = (None, True, 5, "", "true", [5], [[]], {}, {"x": 1})
    for names in combinations(fields, 2):
        for chosen in product(values, repeat=2):
            yield dict(zip(names, chosen, strict=True))


@pytest.mark.parametrize("file", READERS, ids=lambda file: file.parent.name)
def test_reader_takes_any_answer(file: Path) -> None:
    """HUB 8."""
    reader = loaded(file)

    @given(STATUSES, answers(file))
    @example(200, {"error": dict.fromkeys(("message", "note", "code"), nested(5000))})
    def check(status: int, content: dict[str, Any]) -> None:
        assert reader.read_error(status, content) in MEANINGS

    check()


@pytest.mark.parametrize("file", READERS, ids=lambda file: file.parent.name)
def test_reader_takes_any_values_in_two_of_its_fields(file: Path) -> None:
    """HUB 8: at the top of the answer, and in another field."""
    reader = loaded(file)
    for pair in pairs(file):
        for content in (pair, {"error": pair}, {"error": [pair]}):
            assert reader.read_error(200, content) in MEANINGS
            assert reader.read_error(400, content) in MEANINGS
