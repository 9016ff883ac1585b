"""docs/requirements.md says of no case that it is not built, if a test names it."""

import re
from collections.abc import Iterator
from pathlib import Path

from tests.findings import none_of

ROOT = Path(__file__).parents[2]
LISTS = ("WALLET", "HUB")
# In a docstring: HUB 43; HUB 9, 10 and 11.
NAMED = re.compile(rf"\b({'|'.join(LISTS)}) (\d+(?:(?:,\s*|\s+and\s+)\d+)*)")


def cases(text: str) -> dict[tuple[str, int], str]:
    """The text of each case, by its list and its number."""
    found = {}
    for name, section in zip(LISTS, re.split(r"^## \w+:", text, flags=re.MULTILINE)[1:], strict=True):
        for number, case in re.findall(r"^(\d+)\. (.*(?:\n {3,4}\S.*)*)", section, flags=re.MULTILINE):
            found[name, int(number)] = case
    return found


def named_in(text: str) -> Iterator[tuple[str, int]]:
    for name, numbers in NAMED.findall(text):
        for number in re.findall(r"\d+", numbers):
            yield name, int(number)


def test_case_that_a_test_names_is_not_called_not_built() -> None:
    known = cases((ROOT / "docs" / "requirements.md").read_text(encoding="utf-8"))
    files = sorted((ROOT / "tests").rglob("test_*.py"))
    named = [(file.name, *case) for file in files for case in named_in(file.read_text(encoding="utf-8"))]

    assert (len([1 for name, _ in known if name == "HUB"]), ("WALLET", 48) in known) == (61, True)
    none_of(f"{file}: {name} {number} is not a case" for file, name, number in named if (name, number) not in known)
    none_of(
        f"{file} names {name} {number}: {known[name, number]}"
        for file, name, number in named
        if "Not built" in known[name, number]
    )


def test_numbers_of_a_docstring_are_read() -> None:
    assert list(named_in("HUB 9, 10 and 11: calls; WALLET 3")) == [("HUB", 9), ("HUB", 10), ("HUB", 11), ("WALLET", 3)]
    read = cases("\n## WALLET: a\n1. One.\n\n## HUB: b\n1. Two\n   lines. *Not built yet.*\n")
    assert read == {("WALLET", 1): "One.", ("HUB", 1): "Two\n   lines. *Not built yet.*"}
