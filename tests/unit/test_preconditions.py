"""If-Match by RFC 9110 (8.8.3, 13.1.1): HUB 51."""

import pytest

from causeway.errors.requests import InvalidRequest, VersionMismatch
from causeway.wire.preconditions import ANY, Expected


@pytest.mark.parametrize(
    ("header", "versions"),
    [
        ('"3"', {3}),
        ('"3", "4"', {3, 4}),
        ('"3","4" ,\t"5"', {3, 4, 5}),
        (' "3" ', {3}),
        # A weak tag never matches in a strong comparison; unknown tags are no versions.
        ('W/"3"', set()),
        ('W/"3", "4"', {4}),
        ('"x"', set()),
        ('"-1"', set()),
        ('"a,b", "7"', {7}),
        ('""', set()),
        # A version has one valid spelling.
        ('"03"', set()),
        ('"003"', set()),
        ('"+3"', set()),
        ('"\u00b3"', set()),
        ('"99999999999999999999"', set()),
    ],
)
def test_list_of_tags_names_versions(header: str, versions: set[int]) -> None:
    assert Expected.parse(header) == Expected(frozenset(versions))


def test_weak_tag_of_the_current_version_is_explained() -> None:
    """The object has not changed since it was read."""
    with pytest.raises(VersionMismatch, match="compared strongly") as raised:
        Expected.parse('W/"3"').check(3)
    assert (raised.value.version, "without W/" in raised.value.action) == (3, True)
    with pytest.raises(VersionMismatch, match="its version is now 4"):
        Expected.parse('W/"3"').check(4)


def test_star_is_any_version() -> None:
    assert Expected.parse(" * ") == ANY
    ANY.check(1)


@pytest.mark.parametrize(
    "header", ["3", "'3'", '"3', '3"', '"3" "4"', '"3",', ',"3"', "*, *", '*, "3"', 'w/"3"', "W/3", '"\u0663"']
)
def test_malformed_list_of_tags_is_refused(header: str) -> None:
    with pytest.raises(InvalidRequest, match="If-Match"):
        Expected.parse(header)


def test_other_version_is_refused_and_the_current_one_named() -> None:
    with pytest.raises(VersionMismatch, match="its version is now 5") as raised:
        Expected(frozenset({3, 4})).check(5)
    assert raised.value.version == 5
    Expected(frozenset({4, 5})).check(5)
