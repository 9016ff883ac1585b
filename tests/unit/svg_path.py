"""The data of an SVG path: https://www.w3.org/TR/SVG2/paths.html."""

import re
from collections.abc import Iterator
from math import acos, copysign, cos, hypot, pi, radians, sin, sqrt

_COMMAND = re.compile(r"([MmLlHhVvCcSsQqTtAaZz])([0-9 .,+-]*)")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)")
# The number of numbers that a command takes; more of them repeat the command.
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}

Point = tuple[float, float]


def segments(data: str) -> Iterator[tuple[str, list[float]]]:
    """Yield each command of a path with its numbers.

    Raises:
        ValueError: the data is not a path.
    """
    position = 0
    while position < len(data):
        command = _COMMAND.match(data, position)
        if command is None:
            raise ValueError(f"no command at {data[position:]!r}")
        position = command.end()
        letter, text = command.groups()
        numbers, takes = [float(number) for number in _NUMBER.findall(text)], _TAKES[letter.upper()]
        fits = bool(numbers) and len(numbers) % takes == 0 if takes else not numbers
        if not fits or _NUMBER.sub("", text).strip(" ,"):
            raise ValueError(f"{letter} does not take {text!r}")
        yield from ((letter, numbers[at : at + takes]) for at in range(0, max(len(numbers), 1), max(takes, 1)))


def points(data: str) -> list[Point]:
    """Return the points of a path in absolute coordinates: where segments end, control points, and points of arcs.

    A box contains the path if it contains these points; for an arc, to a hundredth of its radius.

    Raises:
        ValueError: the data is not a path.
    """
    found: list[Point] = []
    here = start = (0.0, 0.0)
    for command, numbers in segments(data):
        if not found and command.upper() != "M":
            raise ValueError(f"a path begins with a move, not with {command}")
        origin = here if command.islower() else (0.0, 0.0)
        kind = command.upper()
        if kind == "Z":
            here = start
            continue
        if kind == "H":
            reached = [(origin[0] + numbers[0], here[1])]
        elif kind == "V":
            reached = [(here[0], origin[1] + numbers[0])]
        elif kind == "A":
            reached = _arc(here, numbers, (origin[0] + numbers[5], origin[1] + numbers[6]))
        else:
            pairs = zip(numbers[::2], numbers[1::2], strict=True)
            reached = [(origin[0] + x, origin[1] + y) for x, y in pairs]
        found += reached
        here = reached[-1]
        if kind == "M":
            start = here
    if not found:
        raise ValueError("a path has at least one command")
    return found


def _arc(begin: Point, numbers: list[float], end: Point) -> list[Point]:
    """Return points of an arc: https://www.w3.org/TR/SVG2/implnote.html#ArcConversionEndpointToCenter."""
    rx, ry, tilt, large, sweep = abs(numbers[0]), abs(numbers[1]), radians(numbers[2]), numbers[3], numbers[4]
    if large not in (0, 1) or sweep not in (0, 1) or not rx or not ry:
        raise ValueError(f"not an arc: {numbers}")
    dx, dy = (begin[0] - end[0]) / 2, (begin[1] - end[1]) / 2
    x, y = cos(tilt) * dx + sin(tilt) * dy, -sin(tilt) * dx + cos(tilt) * dy
    scale = max(1.0, hypot(x / rx, y / ry))
    rx, ry = rx * scale, ry * scale
    share = (rx * ry) ** 2 / ((rx * y) ** 2 + (ry * x) ** 2) - 1
    factor = sqrt(max(0.0, share)) * (-1 if large == sweep else 1)
    cx, cy = factor * rx * y / ry, -factor * ry * x / rx
    first = _angle(1, 0, (x - cx) / rx, (y - cy) / ry)
    turn = _angle((x - cx) / rx, (y - cy) / ry, (-x - cx) / rx, (-y - cy) / ry) % (2 * pi)
    turn = turn if sweep else turn - 2 * pi
    middle = ((begin[0] + end[0]) / 2, (begin[1] + end[1]) / 2)
    reached = []
    for step in range(1, 33):
        angle = first + turn * step / 32
        px, py = rx * cos(angle) + cx, ry * sin(angle) + cy
        reached.append((cos(tilt) * px - sin(tilt) * py + middle[0], sin(tilt) * px + cos(tilt) * py + middle[1]))
    return reached


def _angle(ax: float, ay: float, bx: float, by: float) -> float:
    """Return the signed angle from one vector to another."""
    between = (ax * bx + ay * by) / (hypot(ax, ay) * hypot(bx, by))
    return copysign(acos(max(-1.0, min(1.0, between))), ax * by - ay * bx)
