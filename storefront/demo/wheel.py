"""The potter's wheel: draws round forms from their profile, as light from a window would show them.

A form is a stack of rings, seen a little from above. Each point of the picture is traced to the
ring and the angle it shows; shades and glazes are small textures over angle and ring, stretched
over the form.
"""

import math
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image

from storefront.demo.scene import Box, Point, curve, ellipse, toward

RINGS = 96

Ring = tuple[float, float, float]
Spot = tuple[float, float]
Net = list[tuple[Box, tuple[Spot, Spot, Spot, Spot]]]
Trace = Callable[[list[Ring], float, float, float], Spot]


@dataclass(frozen=True)
class Form:
    """A round form: where it stands, its profile as (height, radius) from foot to lip, its tilt."""

    x: float
    base: float
    profile: list[Point]
    tilt: float = 0.24

    def rings(self) -> list[Ring]:
        """Return every ring as the picture shows it: center and half width."""
        drop = math.sqrt(1 - self.tilt * self.tilt)
        return [(self.x, self.base - high * drop, max(wide, 0.5)) for high, wide in self.profile]

    def ring(self, index: int, grown: float = 0.0) -> list[Point]:
        """Return the outline of one ring, grown by so many pixels."""
        x, y, radius = self.rings()[index]
        return ellipse(x, y, radius + grown, (radius + grown) * self.tilt)

    def outlines(self) -> list[list[Point]]:
        """Return outlines that together cover what the form covers."""
        drop = math.sqrt(1 - self.tilt * self.tilt)
        rings, right = self.rings(), []
        for (low, thin), (high, wide), (_, y, radius) in zip(
            self.profile, self.profile[1:], rings, strict=False
        ):
            # Where the rings touch their common edge: higher up the wider the form opens.
            rise = self.tilt * (wide - thin) / max(high - low, 0.01) / drop
            if abs(rise) < 1:
                edge = radius * math.sqrt(1 - rise * rise)
                right.append((edge, y + self.tilt * radius * rise))
        sides = [(self.x + a, y) for a, y in right] + [(self.x - a, y) for a, y in right[::-1]]
        return [sides, *(self.ring(index) for index in range(0, RINGS, 8)), self.ring(-1)]


def form(x: float, base: float, profile: Sequence[Point], tilt: float = 0.24) -> Form:
    """Return the form whose profile runs smoothly through these (height, radius) points."""
    return Form(x, base, evenly(curve(profile, RINGS * 4), RINGS), tilt)


def evenly(points: Sequence[Point], count: int) -> list[Point]:
    """Return this many points of a line, at equal distances along it."""
    ways = [0.0]
    for one, other in pairwise(points):
        ways.append(ways[-1] + math.dist(one, other))
    places = [bisect_left(ways, ways[-1] * step / (count - 1)) for step in range(count)]
    return [points[min(place, len(points) - 1)] for place in places]


def hollow(outer: Form, wall: float) -> Form:
    """Return the inside of a form with a wall so thick, closed by a floor."""
    floor = outer.profile[0][0] + wall * 2
    inside = [(high, wide - wall) for high, wide in outer.profile if high > floor]
    start = inside[0][1]
    bottom = [(floor + (step / 20) ** 4 * wall * 0.5, start * step / 20) for step in range(20)]
    return form(outer.x, outer.base, thinned(bottom + inside), outer.tilt)


def thinned(profile: list[Point]) -> list[Point]:
    """Return every third point of a profile, with the last."""
    return [*profile[:-1:3], profile[-1]]


def on_wall(rings: list[Ring], tilt: float, x: float, y: float) -> Spot:
    """Return the angle (0 in front) and the ring of the outer wall that is seen at this point.

    Just above the lip and below the foot the wall goes on straight, so that its shades do too.
    """
    across, down = on_ring(rings[-1], tilt, x, y)
    if -1 < across < 1 and down < math.sqrt(1 - across * across):
        # Inside the mouth: as if the lip went up to here.
        return math.asin(across), RINGS - 1.0
    nearest, best = (across, down, len(rings) - 1), math.inf
    for index in range(len(rings) - 1, -1, -1):
        # Written out rather than calling on_ring: this is where the time of a picture goes.
        center, middle, radius = rings[index]
        across, down = (x - center) / radius, (y - middle) / (radius * tilt)
        away = across * across + down * down
        if away < best:
            nearest, best = (across, down, index), away
        if away <= 1:
            break
    return between_rings(rings, tilt, (x, y), nearest)


def between_rings(
    rings: list[Ring], tilt: float, point: Point, nearest: tuple[float, float, int]
) -> Spot:
    """Return the spot at a point, given the nearest ring and where the point lies on it."""
    across, down, index = nearest
    above = on_ring(rings[min(index + 1, len(rings) - 1)], tilt, *point)
    share = share_between(math.hypot(across, down), math.hypot(*above))
    across, down = toward((across, down), above, share)
    return math.atan2(across, down), min(index + share, RINGS - 1.0)


def on_ring(ring: Ring, tilt: float, x: float, y: float) -> Point:
    """Return a point of the picture in measures of a ring: length one is on it."""
    center, middle, radius = ring
    return (x - center) / radius, (y - middle) / (radius * tilt)


def share_between(inside: float, outside: float) -> float:
    """Return how far the ring that runs through a point is from the one inside to the other."""
    return (1 - inside) / (outside - inside) if inside <= 1 < outside else 0.0


def in_hollow(rings: list[Ring], tilt: float, x: float, y: float) -> Spot:
    """Return the angle (0 at the back) and the ring of the inner wall seen through the mouth."""
    center, middle, _ = rings[-1]
    away = math.hypot(*on_ring(rings[-1], tilt, x, y))
    if away > 0.99:
        # Outside the mouth: what is seen at its edge.
        x, y = center + (x - center) / away * 0.99, middle + (y - middle) / away * 0.99
    above = 0.0, 0.0
    for index in range(len(rings) - 1, -1, -1):
        here = on_ring(rings[index], tilt, x, y)
        if math.hypot(*here) > 1:
            share = share_between(math.hypot(*above), math.hypot(*here))
            across, down = toward(above, here, share)
            return math.atan2(across, -down), index + 1 - share
        above = here
    return 0.0, 0.0


def trace(shape: Form, box: Box, find: Trace) -> Net:
    """Return for each cell of the box which angles and rings its corners show."""
    rings, (left, top, right, bottom) = shape.rings(), box
    cell = max(5, min(14, (right - left) // 48))
    across = range(0, right - left + cell, cell)
    down = range(0, bottom - top + cell, cell)
    spots = {(x, y): find(rings, shape.tilt, left + x, top + y) for x in across for y in down}
    return [
        (
            (x, y, x + cell, y + cell),
            (spots[x, y], spots[x, y + cell], spots[x + cell, y + cell], spots[x + cell, y]),
        )
        for x in across[:-1]
        for y in down[:-1]
    ]


def wrap(texture: Image.Image, net: Net, size: tuple[int, int]) -> Image.Image:
    """Return the texture (angle across, ring down) as it looks on the form."""
    wide, high = texture.size
    # Two turns side by side: a cell may begin before the seam and end after it.
    twice = Image.new("L", (wide * 2, high))
    twice.paste(texture, (0, 0))
    twice.paste(texture, (wide, 0))
    mesh = [(box, corners(spots, wide / math.tau, high / RINGS)) for box, spots in net]
    return twice.transform(size, Image.Transform.MESH, mesh, Image.Resampling.BILINEAR)


def corners(spots: Sequence[Spot], across: float, down: float) -> list[float]:
    """Return the corners of one cell in the pixels of a texture."""
    angles = [angle for angle, _ in spots]
    if max(angles) - min(angles) > math.pi:
        angles = [angle + math.tau if angle < 0 else angle for angle in angles]
    places = zip(angles, (ring for _, ring in spots), strict=True)
    return [v for angle, ring in places for v in ((angle + math.pi) * across, (ring + 0.5) * down)]
