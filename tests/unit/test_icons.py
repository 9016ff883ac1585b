"""Each platform of the catalogue has an icon of our own drawing: a path that fits its box."""

import json
from pathlib import Path

import pytest

from tests.unit.svg_path import Point, points

CATALOGUE = Path(__file__).parents[2] / "schema" / "catalogue"
ICONS = {file.stem: json.loads(file.read_bytes()).get("icon") for file in sorted(CATALOGUE.glob("[!_]*.json"))}
# The box is 24 by 24; half of the line's width lies outside the path.
BOX, MARGIN = 24, 1


def drawing(key: str, icon: str | None) -> list[Point]:
    """The points of a platform's icon; without one the test fails, and names the file."""
    try:
        return points(icon or "")
    except ValueError as error:
        lacks = "is missing" if icon is None else f"is not the data of one SVG path: {error}"
        pytest.fail(
            f"schema/catalogue/{key}.json: icon {lacks}: _provider.schema.json says how to draw it", pytrace=False
        )


@pytest.mark.parametrize(
    ("icon", "lacks"), [(None, "is missing"), ("L4 4", "is not the data of one SVG path: a path beg")]
)
def test_document_without_an_icon_is_named(icon: str | None, lacks: str) -> None:
    with pytest.raises(pytest.fail.Exception, match=rf"schema/catalogue/toy\.json: icon {lacks}"):
        drawing("toy", icon)


def test_no_two_platforms_have_the_same_icon() -> None:
    drawings = [tuple(drawing(key, icon)) for key, icon in ICONS.items()]

    assert len(set(drawings)) == len(drawings)


@pytest.mark.parametrize("key", ICONS)
def test_icon_is_a_path_within_its_box(key: str) -> None:
    drawn = drawing(key, ICONS[key])

    assert len(drawn) >= 4
    assert [(x, y) for x, y in drawn if not (MARGIN <= x <= BOX - MARGIN and MARGIN <= y <= BOX - MARGIN)] == []
    # It fills the box, so that all icons have the same size.
    assert max(x for x, _ in drawn) - min(x for x, _ in drawn) >= 10
    assert max(y for _, y in drawn) - min(y for _, y in drawn) >= 12


@pytest.mark.parametrize(
    "data",
    [
        "",
        "4 4",
        "L4 4",
        "M4",
        "M4 4H",
        "M4 4L1 2 3",
        "M4 4Z5",
        "M4 4 4",
        "M4 4A1 1 0 2 0 5 5",
        "M4 4A0 1 0 0 0 5 5",
        "X",
    ],
)
def test_data_that_is_not_a_path_is_detected(data: str) -> None:
    """A renderer draws such data up to the mistake, and nothing after it."""
    with pytest.raises(ValueError, match=r".+"):
        points(data)


def test_points_of_a_path_are_absolute() -> None:
    assert points("M1 2l3 4h5v-6z m1,1 2 3") == [(1, 2), (4, 6), (9, 6), (9, 0), (2, 3), (4, 6)]
    circle = points("M12 3A9 9 0 1 0 12 21A9 9 0 1 0 12 3Z")
    assert {round(x) for x, _ in circle} >= {3, 21}
    assert all(2.99 < x < 21.01 and 2.99 < y < 21.01 for x, y in circle)
