"""The demo's colors: what each glaze does with light, and the walls and tables behind the pots."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

Color = tuple[int, int, int]

CLAY: Color = (182, 138, 104)
WHITE: Color = (255, 252, 246)
# No glaze turns black in the shade: light comes back from the table.
DEEP: Color = (52, 36, 30)


@dataclass(frozen=True)
class Glaze:
    """A glaze by its color, the color where it runs thin, its shine and its flecks (0 to 1)."""

    tone: Color
    thin: Color
    shine: float = 0.5
    flecks: float = 0.0
    clay: Color = CLAY


@dataclass(frozen=True)
class Backdrop:
    """A wall, the table before it, and how bright (0 to 1) the window shines on them."""

    wall: Color
    table: Color
    sun: float = 0.75


GLAZES = {
    "oat": Glaze((216, 203, 180), (168, 122, 84), 0.25, 0.5),
    "sea": Glaze((150, 172, 156), (196, 196, 170), 0.9, 0.1),
    "rust": Glaze((152, 80, 54), (88, 48, 38), 0.6, 0.9),
    "ink": Glaze((68, 82, 102), (126, 116, 104), 0.85, 0.15),
    "moss": Glaze((118, 122, 88), (164, 136, 88), 0.75, 0.3),
    "butter": Glaze((226, 190, 116), (206, 148, 84), 0.7, 0.2),
    "chalk": Glaze((228, 222, 210), (214, 200, 182), 0.08, 0.15, (196, 160, 128)),
    "fleck": Glaze((230, 225, 213), (176, 142, 108), 0.45, 1.0),
    "terra": Glaze((182, 112, 84), (206, 136, 102), 0.05, 0.15, (176, 96, 66)),
    "raku": Glaze((58, 53, 52), (150, 92, 66), 0.55, 0.2, (74, 60, 54)),
    "wax": Glaze((236, 206, 142), (244, 222, 170), 0.3),
}

BACKDROPS = {
    "linen": Backdrop((232, 222, 206), (214, 198, 176)),
    "plaster": Backdrop((222, 210, 194), (190, 166, 142)),
    "shell": Backdrop((232, 210, 194), (216, 184, 162)),
    "clay": Backdrop((206, 178, 152), (188, 154, 124)),
    "dusk": Backdrop((150, 134, 124), (120, 100, 88), 0.22),
}


def mix(one: Color, other: Color, share: float) -> Color:
    """Return the color that has this share (0 to 1) of the other in it."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(one, other, strict=True))
    return red, green, blue


@cache
def ramp(tone: Color) -> tuple[list[int], list[int], list[int]]:
    """Return for red, green and blue what each of 256 steps of light makes of this color."""
    red, green, blue = (round((part / 255) ** 1.3 * 84) for part in tone)
    dark = mix((red, green, blue), DEEP, 0.35)
    stops = [(0.0, dark), (0.54, tone), (0.84, mix(tone, WHITE, 0.5)), (1.0, WHITE)]
    steps = [color_at(stops, step / 255) for step in range(256)]
    return [s[0] for s in steps], [s[1] for s in steps], [s[2] for s in steps]


def color_at(stops: Sequence[tuple[float, Color]], light: float) -> Color:
    """Return the color for this light between the two stops around it."""
    for (low, dark), (high, bright) in pairwise(stops):
        if light <= high:
            return mix(dark, bright, (light - low) / (high - low))
    return stops[-1][1]
