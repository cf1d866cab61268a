"""What stands in and on the pots: branches, leaves, and the flame of a candle."""

import math
from collections.abc import Sequence

from PIL import Image, ImageChops

from storefront.demo.colors import Color, color_at, mix
from storefront.demo.scene import Point, Scene, curve

OLIVE: Color = (122, 130, 96)
GREEN: Color = (92, 122, 80)
BARK: Color = (126, 98, 74)
STRAW: Color = (196, 164, 112)
FIRE = [(0.0, (238, 150, 66)), (0.5, (255, 208, 118)), (1.0, (255, 248, 224))]
FLAME = [(0, -128), (20, -74), (29, -34), (17, -4), (0, 4), (-17, -4), (-28, -34), (-18, -74)]
FLAME += FLAME[:1]


def stem(scene: Scene, points: Sequence[Point], color: Color, thick: float) -> list[Point]:
    """Draw a stem that grows thinner, and return the points along it."""
    path = curve(points, 60)
    left = [(x - thick * (1 - step / 90), y) for step, (x, y) in enumerate(path)]
    right = [(x + thick * (1 - step / 90), y) for step, (x, y) in enumerate(path)]
    scene.fill([left + right[::-1]], color, 150, 90)
    return path


def leaf(scene: Scene, root: Point, angle: float, long: float, wide: float, color: Color) -> None:
    """Draw one leaf from its root in a direction (radians), its upper half in the light."""
    sides = []
    for side in (-1, 1):
        bow = [(0.0, 0.0), (0.25, 0.8), (0.55, 1.0), (0.85, 0.5), (1.0, 0.0)]
        edge = [(a * long, b * wide * side) for a, b in curve(bow, 24)]
        sides.append([turned(point, angle, root) for point in edge])
    tip = sides[0][-1]
    # The half that faces the window on the left is the bright one.
    bright, dim = sides if math.sin(angle - math.pi) < math.cos(angle) else sides[::-1]
    scene.fill([sides[0] + sides[1][::-1]], color, 112, 96)
    scene.fill([[*bright, tip, root]], color, 168, 140)
    scene.fill([[*dim, tip, root]], color, 120, 100)


def turned(point: Point, angle: float, root: Point) -> Point:
    """Return a point that was measured along a leaf as a point of the picture."""
    cos, sin = math.cos(angle), math.sin(angle)
    return root[0] + point[0] * cos - point[1] * sin, root[1] + point[0] * sin + point[1] * cos


def olive_branch(scene: Scene, points: Sequence[Point]) -> None:
    """Draw an olive branch along these points."""
    path = stem(scene, points, BARK, 6)
    for step in range(10, 60, 4):
        (x, y), (before, below) = path[step], path[step - 3]
        along = math.atan2(y - below, x - before)
        side = 1 if step % 8 == 2 else -1
        long = 132 - step + scene.rng.uniform(-10, 14)
        angle = along + side * scene.rng.uniform(0.6, 0.95)
        leaf(scene, (x, y), angle, long, 17, mix(OLIVE, GREEN, scene.rng.random() * 0.6))
    leaf(scene, path[-1], -1.0, 80, 14, OLIVE)


def leafy_plant(scene: Scene, x: float, y: float) -> None:
    """Draw a plant with broad leaves growing out of one place, the farthest first."""
    fan = [(-2.6, 250), (-0.5, 250), (-2.2, 360), (-0.95, 360), (-1.9, 470), (-1.25, 480)]
    fan += [(-2.42, 250), (-0.75, 260), (-1.58, 520), (-2.05, 300), (-1.1, 300), (-1.6, 330)]
    for angle, usual in fan:
        reach = usual * scene.rng.uniform(0.92, 1.08)
        tip = (x + reach * math.cos(angle) * 0.8, y + reach * math.sin(angle) * 0.8)
        middle = ((x + tip[0]) / 2, (y + tip[1]) / 2 - 14)
        stem(
            scene, [(x + scene.rng.uniform(-26, 26), y + 4), middle, tip], mix(GREEN, OLIVE, 0.4), 5
        )
        bend = angle + (0.3 if math.cos(angle) > 0 else -0.3)
        tone = mix(GREEN, (128, 150, 96), scene.rng.random() * 0.6)
        leaf(scene, tip, bend, 190, 52, tone)


def dry_stem(scene: Scene, points: Sequence[Point]) -> None:
    """Draw a stem of dry grass with its ear."""
    path = stem(scene, points, STRAW, 4)
    for step in range(26, 60, 2):
        x, y = path[step]
        for side in (-1, 1):
            angle = -1.1 + side * scene.rng.uniform(0.35, 0.7)
            leaf(
                scene, (x, y), angle, 62 - step * 0.5, 7, mix(STRAW, BARK, scene.rng.random() * 0.3)
            )


def flame(scene: Scene, x: float, y: float) -> None:
    """Draw the flame of a candle and the light it gives."""
    glow = ImageChops.invert(Image.radial_gradient("L")).resize((1100, 1100))
    # Pillow's gradient is not yet dark at the middle of its sides, where it has 74.
    glow = glow.point([round(max(0, value - 76) ** 2 * 0.0036) for value in range(256)])
    box = (round(x) - 550, round(y) - 600, round(x) + 550, round(y) + 500)
    scene.lay(Image.new("RGB", glow.size, (255, 214, 140)), glow, box)
    scene.fill([[(x - 2, y + 14), (x + 2, y + 14), (x + 3, y - 16), (x - 1, y - 16)]], (60, 44, 36))
    for step in range(12):
        size = 1 - step / 11 * 0.62
        line = [(x + a * size, y - 6 + b * size) for a, b in curve(FLAME, 90)]
        scene.fill([line], color_at(FIRE, step / 11), 140, 140)
