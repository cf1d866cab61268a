"""The table on which the demo's goods are drawn: backdrop, soft shadows, smooth edges."""

import math
from collections.abc import Iterable, Sequence
from random import Random

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from storefront.demo.colors import BACKDROPS, DEEP, WHITE, Color, mix, ramp

SIZE = (1280, 1600)
# Edges are drawn four times as large and reduced; soft things are drawn small and enlarged.
FINE = 4
SOFT = 8
PUSH = 10

Point = tuple[float, float]
Box = tuple[int, int, int, int]


def ellipse(x: float, y: float, wide: float, high: float, turn: float = 0.0) -> list[Point]:
    """Return the outline of an ellipse by its center, its half axes and its turn in radians."""
    cos, sin = math.cos(turn), math.sin(turn)
    steps = (math.tau * step / 160 for step in range(160))
    places = ((wide * math.cos(step), high * math.sin(step)) for step in steps)
    return [(x + a * cos - b * sin, y + a * sin + b * cos) for a, b in places]


def toward(one: Point, other: Point, share: float) -> Point:
    """Return the point at this share of the way."""
    return one[0] + (other[0] - one[0]) * share, one[1] + (other[1] - one[1]) * share


def curve(points: Sequence[Point], count: int) -> list[Point]:
    """Return a smooth line of this many points through the given ones (Catmull-Rom)."""
    padded = [points[0], *points, points[-1]]
    spans = len(points) - 1
    line = []
    for step in range(count):
        place = step * spans / (count - 1)
        span = min(int(place), spans - 1)
        line.append(between(padded[span : span + 4], place - span))
    return line


def between(four: Sequence[Point], t: float) -> Point:
    """Return the point at `t` (0 to 1) between the second and the third of four."""
    weights = (
        ((2 - t) * t - 1) * t / 2,
        ((3 * t - 5) * t * t + 2) / 2,
        ((4 - 3 * t) * t + 1) * t / 2,
        (t - 1) * t * t / 2,
    )
    pairs = list(zip(weights, four, strict=True))
    return sum(w * p[0] for w, p in pairs), sum(w * p[1] for w, p in pairs)


def around(outlines: Iterable[Iterable[Point]], margin: int = 2) -> Box:
    """Return the box of whole pixels around all the outlines."""
    points = [point for outline in outlines for point in outline]
    across, down = [x for x, _ in points], [y for _, y in points]
    return (
        math.floor(min(across)) - margin,
        math.floor(min(down)) - margin,
        math.ceil(max(across)) + margin,
        math.ceil(max(down)) + margin,
    )


def cutout(outlines: Sequence[Sequence[Point]], box: Box) -> Image.Image:
    """Return the mask of everything inside any of the outlines, for this box, with fine edges."""
    left, top, right, bottom = box
    large = Image.new("L", ((right - left) * FINE, (bottom - top) * FINE))
    pen = ImageDraw.Draw(large)
    for outline in outlines:
        pen.polygon([((x - left) * FINE, (y - top) * FINE) for x, y in outline], fill=255)
    return large.reduce(FINE)


def colored(light: Image.Image, tone: Color) -> Image.Image:
    """Return what this color looks like in this light."""
    return Image.merge("RGB", [light.point(steps) for steps in ramp(tone)])


def pushed(x: float, y: float, reach: int, shift: Point) -> Point:
    """Return where the clay at this place came from, when it was pushed in the middle."""
    away = min(1.0, math.hypot(x - reach, y - reach) / reach)
    share = (1 - away * away) ** 2
    return x - shift[0] * share, y - shift[1] * share


class Scene:
    """One picture in the making; the same name always gives the same picture.

    The wall meets the table at the horizon; where that is 0, the table is seen from above.
    """

    def __init__(self, name: str, backdrop: str, horizon: int = 1010) -> None:
        self.rng = Random(name)
        self.backdrop = BACKDROPS[backdrop]
        room = self.soft_room(horizon).resize(SIZE, Image.Resampling.BICUBIC)
        self.image = self.rough(self.rough(room, 20, 5), 640, 7)

    def soft_room(self, horizon: int) -> Image.Image:
        """Return wall and table in small, with the light of a window on the left."""
        wide, high = SIZE[0] // SOFT, SIZE[1] // SOFT
        room = Image.new("RGB", (wide, high), self.backdrop.wall)
        room.paste(self.backdrop.table, (0, horizon // SOFT, wide, high))
        room = room.filter(ImageFilter.GaussianBlur(2.5))
        far = Image.radial_gradient("L").resize((wide * 3, high * 3))
        far = far.crop((wide * 5 // 4, high * 5 // 4, wide * 9 // 4, high * 9 // 4))
        dark = ImageChops.multiply(room, Image.new("RGB", room.size, mix(WHITE, DEEP, 0.5)))
        room.paste(dark, mask=far)
        bright = Image.new("RGB", room.size, mix(self.backdrop.wall, WHITE, self.backdrop.sun))
        return Image.composite(bright, room, self.window(horizon // SOFT))

    def window(self, floor: int) -> Image.Image:
        """Return where a window throws its light on the wall, very softly."""
        mask = Image.new("L", (SIZE[0] // SOFT, SIZE[1] // SOFT))
        pen = ImageDraw.Draw(mask)
        for across in (0, 36):
            for down in (0, 44):
                left, top = 76 + across, (floor or 150) - 122 + down + across * 0.5
                pen.polygon(
                    [(left, top), (left + 31, top + 16), (left + 31, top + 55), (left, top + 39)],
                    fill=105,
                )
        return mask.filter(ImageFilter.GaussianBlur(3.2))

    def rough(self, image: Image.Image, grain: int, strength: int) -> Image.Image:
        """Return the image with an unevenness, which also hides the steps in its shades."""
        noise = Image.frombytes("L", (grain, grain), self.rng.randbytes(grain * grain))
        noise = noise.resize(image.size, Image.Resampling.BICUBIC)
        noise = noise.point([round(128 + (value - 128) * strength / 255) for value in range(256)])
        bands = [noise] * len(image.getbands())
        uneven = bands[0] if image.mode == "L" else Image.merge(image.mode, bands)
        return ImageChops.add(image, uneven, offset=-128)

    def shade(self, outlines: Sequence[Sequence[Point]], soften: int, strength: float) -> None:
        """Darken what lies under the outlines, with edges as soft as this many pixels."""
        left, top, right, bottom = around(outlines, soften * 3)
        step = max(2, min(SOFT, soften // 3))
        size = ((right - left) // step + 1, (bottom - top) // step + 1)
        box = (left, top, left + size[0] * step, top + size[1] * step)
        small = Image.new("L", size)
        pen = ImageDraw.Draw(small)
        for outline in outlines:
            pen.polygon([((x - left) / step, (y - top) / step) for x, y in outline], fill=255)
        small = small.filter(ImageFilter.GaussianBlur(soften / step))
        mask = small.resize((size[0] * step, size[1] * step), Image.Resampling.BICUBIC)
        under = self.image.crop(box)
        tint = Image.new("RGB", under.size, mix(self.backdrop.table, DEEP, 0.75))
        self.lay(ImageChops.multiply(under, tint), mask.point(lambda v: v * strength), box)

    def fill(
        self, outlines: Sequence[Sequence[Point]], tone: Color, left: int = 150, right: int = 150
    ) -> None:
        """Paint the inside of the outlines in a color, in light (0 to 255) from left to right."""
        box = around(outlines)
        mask = cutout(outlines, box)
        across = Image.linear_gradient("L").rotate(90).resize(mask.size)
        light = across.point([round(left + (right - left) * v / 255) for v in range(256)])
        self.lay(colored(light, tone), mask, box)

    def push(self, x: float, y: float, reach: int, shift: Point) -> None:
        """Push what is drawn around a point, as a thumb would push soft clay."""
        box = (round(x) - reach, round(y) - reach, round(x) + reach, round(y) + reach)
        mesh = [
            (
                (a, b, a + PUSH, b + PUSH),
                [
                    value
                    for c, d in ((a, b), (a, b + PUSH), (a + PUSH, b + PUSH), (a + PUSH, b))
                    for value in pushed(c, d, reach, shift)
                ],
            )
            for a in range(0, reach * 2, PUSH)
            for b in range(0, reach * 2, PUSH)
        ]
        soft = self.image.crop(box)
        bent = soft.transform(soft.size, Image.Transform.MESH, mesh, Image.Resampling.BICUBIC)
        self.image.paste(bent, box[:2])

    def lay(self, layer: Image.Image, mask: Image.Image, box: Box) -> None:
        """Lay a layer on the picture where its mask lets it be seen."""
        self.image.paste(layer, box[:2], mask)
