"""The demo shop's pictures, drawn: flat shapes in the colours of a product.

`motifs.toml` holds the shapes as SVG, of which this reads just the part that they use: filled shapes of straight
lines, quadratic curves and arcs of circles, outlines in two widths, groups that are turned.
"""

import hashlib
import math
import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

from PIL import Image, ImageDraw

Point = tuple[float, float]
Move = Callable[[Point], Point]

SIDE = 960  # pixels; to be made smaller by a whole number, which smooths the edges
_CANVAS = 400  # units of a motif
_SCALE = SIDE / _CANVAS
_STEPS = 12  # straight lines to a curve
_WIDTHS = {"s": 14, "t": 4}
_TOKEN = re.compile(r"[MLHVQAZ]|-?[0-9.]+")
_ROTATE = re.compile(r"rotate\(([-0-9. ]+)\)")
_ARGUMENTS = {"M": 2, "L": 2, "H": 1, "V": 1, "Q": 4, "A": 7}


def draw(motif: str, product: str, view: int) -> Image.Image:
    """A product as a motif shows it, in colours made from its name: as a whole in view 0, closer in view 1."""
    colours, (move, zoom) = _colours(product, view), _VIEWS[view]
    image = Image.new("RGB", (SIDE, SIDE), colours["ground"])
    pen = ImageDraw.Draw(image)
    pen.polygon([_pixel(move(point)) for point in _ellipse(200, 314, 130, 12)], colours["shadow"])
    for kind, points, closed in shapes(motif):
        moved = [_pixel(move(point)) for point in points]
        if kind in _WIDTHS:
            _stroke(pen, moved, closed, round(_WIDTHS[kind] * zoom * _SCALE), colours[kind])
        else:
            pen.polygon(moved, colours[kind])
    return image


@cache
def motifs() -> dict[str, str]:
    return tomllib.loads(Path(__file__).with_name("motifs.toml").read_text(encoding="utf-8"))


@cache
def shapes(motif: str) -> tuple[tuple[str, tuple[Point, ...], bool], ...]:
    """The motif's shapes from back to front: their class, their points, and whether the last leads to the first."""
    drawing = ElementTree.fromstring(f"<g>{motifs()[motif]}</g>")  # noqa: S314  # our own
    return tuple(_shapes(drawing, lambda point: point))


def _shapes(group: ElementTree.Element, move: Move) -> Iterator[tuple[str, tuple[Point, ...], bool]]:
    for element in group:
        own = _turned(element, move)
        if element.tag == "g":
            yield from _shapes(element, own)
        else:
            for points, closed in _outlines(element):
                yield element.attrib["class"], tuple(map(own, points)), closed


def _turned(element: ElementTree.Element, move: Move) -> Move:
    found = _ROTATE.fullmatch(element.get("transform", ""))
    if found is None:
        return move
    degrees, x, y = map(float, found[1].split())
    return lambda point: move(_rotate(point, degrees, (x, y)))


def _outlines(element: ElementTree.Element) -> Iterator[tuple[list[Point], bool]]:
    if element.tag == "path":
        yield from _path(element.attrib["d"])
        return
    number = {name: float(value) for name, value in element.items() if name not in {"class", "transform"}}
    if element.tag == "rect":
        yield _rectangle(number["x"], number["y"], number["width"], number["height"], number.get("rx", 0)), True
    else:
        across, down = (number.get(name) or number["r"] for name in ("rx", "ry"))
        yield _ellipse(number["cx"], number["cy"], across, down), True


def _path(text: str) -> Iterator[tuple[list[Point], bool]]:
    tokens, command, points = _TOKEN.findall(text), "", list[Point]()
    while tokens:
        if tokens[0] in _ARGUMENTS or tokens[0] == "Z":
            command = tokens.pop(0)
        if command == "Z":
            yield points, True
            points = []
            continue
        values = [float(tokens.pop(0)) for _ in range(_ARGUMENTS[command])]
        if command == "M":
            if points:
                yield points, False
            points, command = [], "L"  # further pairs are lines (SVG 2, §9.3.3)
            points.append((values[0], values[1]))
        else:
            points.extend(_segment(command, points[-1], values))
    if points:
        yield points, False


def _segment(command: str, start: Point, values: list[float]) -> list[Point]:
    match command:
        case "H":
            return [(values[0], start[1])]
        case "V":
            return [(start[0], values[0])]
        case "Q":
            pull, end = (values[0], values[1]), (values[2], values[3])
            return [_bend(start, pull, end, n / _STEPS) for n in range(1, _STEPS + 1)]
        case "A":
            return _arc(start, values[0], bool(values[3]), bool(values[4]), (values[5], values[6]))
        case _:
            return [(values[0], values[1])]


def _bend(start: Point, pull: Point, end: Point, part: float) -> Point:
    """A point of a quadratic curve."""
    back = 1 - part
    x, y = (back * back * a + 2 * back * part * b + part * part * c for a, b, c in zip(start, pull, end, strict=True))
    return x, y


def _arc(start: Point, radius: float, large: bool, clockwise: bool, end: Point) -> list[Point]:
    """Points of a circle's arc (SVG 2, §B.2.4, for equal radii)."""
    half = math.dist(start, end) / 2
    radius = max(radius, half)
    height = math.sqrt(radius**2 - half**2) * (1 if large is not clockwise else -1) / (2 * half)
    across = (end[0] - start[0], end[1] - start[1])
    centre = (
        (start[0] + end[0]) / 2 - across[1] * height,
        (start[1] + end[1]) / 2 + across[0] * height,
    )
    first, last = (math.atan2(y - centre[1], x - centre[0]) for x, y in (start, end))
    swing = (last - first) % math.tau - (0 if clockwise else math.tau)
    return [_on_circle(centre, radius, first + swing * n / (2 * _STEPS)) for n in range(1, 2 * _STEPS + 1)]


def _on_circle(centre: Point, radius: float, angle: float) -> Point:
    return centre[0] + radius * math.cos(angle), centre[1] + radius * math.sin(angle)


def _ellipse(x: float, y: float, across: float, down: float) -> list[Point]:
    angles = (math.tau * n / (4 * _STEPS) for n in range(4 * _STEPS))
    return [(x + across * math.cos(angle), y + down * math.sin(angle)) for angle in angles]


def _rectangle(x: float, y: float, width: float, height: float, radius: float) -> list[Point]:
    radius = min(radius, width / 2, height / 2)
    corners = (
        (x + width - radius, y + height - radius),
        (x + radius, y + height - radius),
        (x + radius, y + radius),
        (x + width - radius, y + radius),
    )
    return [
        _on_circle(corner, radius, math.pi / 2 * (quarter + n / _STEPS))
        for quarter, corner in enumerate(corners)
        for n in range(_STEPS + 1)
    ]


def _rotate(point: Point, degrees: float, around: Point) -> Point:
    angle, x, y = math.radians(degrees), point[0] - around[0], point[1] - around[1]
    cosine, sine = math.cos(angle), math.sin(angle)
    return around[0] + x * cosine - y * sine, around[1] + x * sine + y * cosine


def _closer(point: Point) -> Point:
    scaled = (200 + _CLOSER * (point[0] - 200), 200 + _CLOSER * (point[1] - 215))
    return _rotate(scaled, -6, (200, 200))


def _pixel(point: Point) -> Point:
    return point[0] * _SCALE, point[1] * _SCALE


def _stroke(pen: ImageDraw.ImageDraw, points: list[Point], closed: bool, width: int, colour: str) -> None:
    """An outline with round ends and corners."""
    pen.line(points + points[:1] if closed else points, colour, width, joint="curve")
    for point in (points[0], points[-1]):
        pen.circle(point, width / 2, colour)


_CLOSER = 1.35
_VIEWS: tuple[tuple[Move, float], ...] = ((lambda point: point, 1), (_closer, _CLOSER))


def _colours(product: str, view: int) -> dict[str, str]:
    """By class: one hue in four tones, its neighbour as the accent, a pale ground."""
    digest = hashlib.sha256(product.encode()).digest()
    hue, saturation = int.from_bytes(digest[:2]) % 360, 28 + digest[2] % 22
    accent, ground = (hue + 40 + digest[3] % 120) % 360, 90 + 3 * (view % 2)
    tones = {
        "ground": (hue, 28, ground),
        "shadow": (hue, 18, ground - 10),
        "m": (hue, saturation, 50),
        "d": (hue, saturation, 37),
        "l": (hue, saturation, 70),
        "a": (accent, saturation + 8, 56),
        "g": (115 + digest[4] % 40, 30, 44),
        "f": (40, 88, 62),
        "p": (hue, 30, 97),
        "k": (hue, 12, 26),
        "s": (hue, saturation, 33),
        "t": (hue, saturation, 33),
    }
    return {name: f"hsl({hue}, {colourful}%, {light}%)" for name, (hue, colourful, light) in tones.items()}
