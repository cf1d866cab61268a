"""What lies flat on the table of the demo: a notebook with its pencil, a card of glaze chips."""

import math
from collections.abc import Sequence

from storefront.demo.colors import GLAZES, Color, Glaze, mix
from storefront.demo.scene import Point, Scene

PAPER: Color = (238, 231, 216)
CHIPS = ("oat", "sea", "rust", "ink", "moss", "butter")


def sheet(x: float, y: float, wide: float, high: float, turn: float, soft: float) -> list[Point]:
    """Return the outline of a sheet with rounded corners, turned around its center."""
    cos, sin = math.cos(turn), math.sin(turn)
    a, b = wide / 2 - soft, high / 2 - soft
    outline = []
    for step in range(48):
        angle = math.tau * step / 48
        across = math.copysign(a, math.cos(angle)) + soft * math.cos(angle)
        down = math.copysign(b, math.sin(angle)) + soft * math.sin(angle)
        outline.append((x + across * cos - down * sin, y + across * sin + down * cos))
    return outline


def lying(scene: Scene, outline: Sequence[Point], high: float) -> None:
    """Lay the shadow of something flat that is so high."""
    scene.shade([[(x + high * 0.9, y + high * 0.7) for x, y in outline]], round(8 + high), 0.5)
    scene.shade([[(x + 3, y + 3) for x, y in outline]], 6, 0.6)


def chip(scene: Scene, x: float, y: float, size: float, glaze: Glaze, turn: float = 0.0) -> None:
    """Draw a glazed test tile with bare clay along one edge."""
    lying(scene, sheet(x, y, size, size * 1.15, turn, 12), 7)
    cos, sin = math.cos(turn), math.sin(turn)
    scene.fill([sheet(x, y, size, size * 1.15, turn, 12)], glaze.clay, 160, 130)
    up = size * 0.09
    top = sheet(x + up * sin, y - up * cos, size - 2, size * 0.96, turn, 12)
    scene.fill([top], glaze.tone, 172, 122)
    shine = sheet(
        x - size * 0.2 * cos + up * 2 * sin, y - up * 2.4 * cos, size * 0.3, size * 0.5, turn, 8
    )
    scene.fill([shine], mix(glaze.tone, (255, 252, 246), 0.1 + 0.2 * glaze.shine), 150, 138)


def sample_card(scene: Scene, glaze: Glaze, x: float = 640, y: float = 800) -> None:
    """Draw a card with six chips, one of each glaze in the shop."""
    turn = -0.07
    card = sheet(x, y, 720, 960, turn, 16)
    lying(scene, card, 14)
    scene.fill([card], mix(PAPER, glaze.tone, 0.12), 162, 146)
    cos, sin = math.cos(turn), math.sin(turn)
    for place, name in enumerate(CHIPS):
        a, b = (place % 2 - 0.5) * 300, (place // 2 - 1) * 284 - 18
        spot = (x + a * cos - b * sin, y + a * sin + b * cos)
        chip(scene, *spot, 214, GLAZES[name], turn)
        c, d = a, b + 142
        label = (x + c * cos - d * sin, y + c * sin + d * cos)
        scene.fill([sheet(*label, 70, 5, turn, 2)], (176, 162, 144))


def notebook(scene: Scene, glaze: Glaze, x: float = 600, y: float = 760) -> None:
    """Draw a cloth-bound notebook, a pencil and a few test tiles."""
    turn = 0.12
    lying(scene, sheet(x, y, 640, 880, turn, 22), 26)
    scene.fill([sheet(x + 10, y + 9, 636, 876, turn, 16)], PAPER, 130, 110)
    scene.fill([sheet(x, y, 640, 880, turn, 22)], glaze.tone, 160, 120)
    cos, sin = math.cos(turn), math.sin(turn)
    spine = [(-266, -6), (-258, 2)]
    for a, b in spine:
        scene.fill(
            [sheet(x + a * cos - b * sin, y + a * sin, 6, 872, turn, 3)], glaze.tone, 84, 100
        )
    label = (x + 30 * cos + 170 * sin, y + 30 * sin - 170 * cos)
    scene.fill([sheet(*label, 300, 190, turn, 6)], PAPER, 158, 144)
    for line, wide in ((-40, 180), (0, 220), (40, 130)):
        at = (label[0] - line * sin, label[1] + line * cos)
        scene.fill([sheet(*at, wide, 6, turn, 3)], (150, 134, 118))
    scene.fill([sheet(x + 250 * cos, y + 250 * sin, 16, 884, turn, 4)], glaze.tone, 70, 92)
    for a, b, name in (
        (300, 1240, "sea"),
        (480, 1300, "rust"),
        (660, 1270, "butter"),
        (840, 1330, "oat"),
    ):
        chip(scene, a, b, 132, GLAZES[name], scene.rng.uniform(-0.2, 0.2))
    pencil(scene, (1090, 330), (1010, 1080))


def pencil(scene: Scene, end: Point, tip: Point) -> None:
    """Draw a pencil from its end to its tip."""
    turn = math.atan2(tip[1] - end[1], tip[0] - end[0])
    cos, sin = math.cos(turn), math.sin(turn)
    long = math.dist(end, tip)

    def at(along: float, across: float) -> Point:
        return end[0] + along * cos - across * sin, end[1] + along * sin + across * cos

    def part(start: float, stop: float, near: float, far: float) -> list[Point]:
        return [at(start, -near), at(stop, -far), at(stop, far), at(start, near)]

    lying(scene, part(0, long - 20, 15, 8), 12)
    scene.fill([part(0, long - 70, 15, 15)], (176, 112, 66), 170, 110)
    scene.fill(
        [[at(0, 4), at(long - 70, 4), at(long - 70, 15), at(0, 15)]], (206, 140, 84), 172, 150
    )
    scene.fill([part(long - 72, long, 15, 1)], (224, 192, 148), 160, 120)
    scene.fill([part(long - 20, long, 4.4, 0.5)], (62, 58, 56), 140, 140)
