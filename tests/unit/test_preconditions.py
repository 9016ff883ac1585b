"""If-Match: which tags name a version, and which are none of ours."""

import pytest

from causeway.errors import InvalidRequest, VersionMismatch
from causeway.preconditions import Expected


@pytest.mark.parametrize("header", ['"3"', '"1", "3"', "*", ' "3" ', '"x","3"'])
def test_tag_of_the_version_matches(header: str) -> None:
    """HUB 51"""
    Expected.parse(header).demand(3)


@pytest.mark.parametrize("header", ['"2"', 'W/"3"', '"03"', '"003"', '"+3"', '"\u00b3"', '""', '"3333333333333333333"'])
def test_other_tag_matches_no_version(header: str) -> None:
    """HUB 51: a version has one spelling."""
    with pytest.raises(VersionMismatch):
        Expected.parse(header).demand(3)


@pytest.mark.parametrize("header", ["3", '"3', '"3""3"', "'3'", '"3" "3"', "*,*", '"3 "', '"3"\n'])
def test_what_is_no_tag_is_refused(header: str) -> None:
    with pytest.raises(InvalidRequest):
        Expected.parse(header)
