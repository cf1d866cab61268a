"""How light falls on round forms: a large window on the left, a bright room, a table below."""

import math
from collections.abc import Iterator

from PIL import Image

from storefront.demo.scene import Point

TURN = 128

# x to the right, y up, z to the viewer; of length one.
SUN = (-0.62, 0.58, 0.528)


def outer_light(profile: list[Point], tilt: float, shine: float) -> Image.Image:
    """Return how bright each angle (0 in the middle) and ring of the outer wall is."""
    rows = []
    for (high, _), (out, up) in zip(profile, normals(profile), strict=True):
        near_table = 1 - 0.35 * math.exp(-(high - profile[0][0]) / 22)
        rows.append([brightness(n, tilt, shine) * near_table for n in around_ring(out, up)])
    return texture(rows)


def inner_light(profile: list[Point], tilt: float, shine: float) -> Image.Image:
    """Return the same for the inside, which is darker the deeper it lies under its lip."""
    lip, widest = profile[-1][0], max(wide for _, wide in profile)
    rows = []
    for (high, _), (out, up) in zip(profile, normals(profile), strict=True):
        deep = min(1.0, (lip - high) / (widest * 1.7))
        seen = around_ring(-out, -up, back=True)
        rows.append([brightness(n, tilt, shine) * (1 - 0.62 * deep**0.8) for n in seen])
    return texture(rows)


def normals(profile: list[Point]) -> Iterator[Point]:
    """Yield for each ring how far its wall faces outward and upward."""
    last = len(profile) - 1
    for index in range(last + 1):
        low, high = profile[max(index - 1, 0)], profile[min(index + 1, last)]
        rise, run = high[0] - low[0], high[1] - low[1]
        length = math.hypot(rise, run) or 1.0
        yield rise / length, -run / length


def around_ring(out: float, up: float, back: bool = False) -> Iterator[tuple[float, float, float]]:
    """Yield the directions in which a wall faces on its way around, from behind to behind."""
    toward = -out if back else out
    for step in range(TURN):
        angle = (step + 0.5) / TURN * math.tau - math.pi
        yield out * math.sin(angle), up, toward * math.cos(angle)


def brightness(normal: tuple[float, float, float], tilt: float, shine: float) -> float:
    """Return how bright (0 to 1) a surface facing this way looks."""
    x, y, z = normal
    facing = x * SUN[0] + y * SUN[1] + z * SUN[2]
    soft = math.pow(max(0.0, 0.5 + 0.5 * facing), 1.5)
    bounce = 0.07 * max(0.0, 0.75 * x - 0.35 * y)
    return 0.11 + 0.56 * soft + bounce + shine * window(x, y, z, tilt)


def window(x: float, y: float, z: float, tilt: float) -> float:
    """Return how much of the window is mirrored toward the viewer."""
    seen = 2 * (y * tilt + z * math.sqrt(1 - tilt * tilt))
    right, up = seen * x, seen * y - tilt
    if right > 0:
        # On the right a second, far window gives a glint.
        return 0.05 * pane(right, 0.72, 0.98)
    return 0.28 * pane(right, -2, -0.8) * pane(up, -0.38, 0.5)


def pane(place: float, start: float, end: float) -> float:
    """Return 1 inside a range and 0 outside it, with soft edges."""
    edge = min(place - start, end - place) / 0.1
    return max(0.0, min(1.0, 0.5 + edge))


def texture(rows: list[list[float]]) -> Image.Image:
    """Return the rows of brightness as an image."""
    values = bytes(max(0, min(255, round(value * 255))) for row in rows for value in row)
    return Image.frombytes("L", (len(rows[0]), len(rows)), values)
