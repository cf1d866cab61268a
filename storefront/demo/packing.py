"""The demo's gift box: board, a lid, and a ribbon with its bow."""

import math
from collections.abc import Sequence

from storefront.demo.colors import Color, Glaze
from storefront.demo.scene import Point, Scene, curve, ellipse, toward

BOARD: Color = (190, 158, 122)
# Where the ribbon runs along each side.
START, STOP = 0.45, 0.57

# The right half of the bow, measured from its knot.
TAIL = [(0, 0), (60, 26), (132, 104), (172, 80), (104, 12), (0, -12)]
LOOP = [(0, 0), (70, -92), (180, -110), (206, -50), (110, -8), (0, 6)]
HOLE = [(46, -30), (100, -76), (168, -82), (172, -52), (110, -28), (46, -22)]


def gift_box(scene: Scene, glaze: Glaze, x: float = 640, y: float = 1240) -> None:
    """Draw a closed box, seen over its corner, with a ribbon in the glaze's color."""
    front, left, right, back = (x, y), (x - 400, y - 150), (x + 380, y - 140), (x - 20, y - 290)
    far = [front, (right[0] + 250, right[1] - 30), (back[0] + 330, back[1]), left]
    near = [(x, y + 12), (left[0] - 6, left[1] + 8), back, (right[0] + 10, right[1] + 8)]
    scene.shade([far], 44, 0.5)
    scene.shade([near], 10, 0.8)
    feet = (front, left, back, right)
    block(scene, feet, 0, 330, glaze.tone)
    under_lid = [[lift(foot, 326 - down) for foot in (left, front, right)] for down in (0, 30)]
    scene.shade([under_lid[0] + under_lid[1][::-1]], 12, 0.5)
    block(scene, [grow(foot, feet, 14) for foot in feet], 320, 430, glaze.tone)
    bow(scene, (left[0] + right[0]) / 2, (front[1] + back[1]) / 2 - 436, glaze.tone)


def block(scene: Scene, feet: Sequence[Point], low: float, high: float, ribbon: Color) -> None:
    """Draw a box or its lid on four feet, from one height to another, with its ribbon."""
    front, left, back, right = feet
    for one, other, light in ((left, front, 150), (front, right, 100)):
        scene.fill([upright(one, other, low, high, 0.0, 1.0)], BOARD, light, light - 14)
        scene.fill([upright(one, other, low, high, START, STOP)], ribbon, light, light - 14)
    scene.fill([[lift(foot, high) for foot in feet]], BOARD, 176, 160)
    for one, two, three, four in ((front, left, back, right), (left, back, right, front)):
        near = [toward(one, two, START), toward(one, two, STOP)]
        far = [toward(four, three, STOP), toward(four, three, START)]
        scene.fill([[lift(point, high) for point in near + far]], ribbon, 176, 156)


def upright(
    one: Point, other: Point, low: float, high: float, start: float, stop: float
) -> list[Point]:
    """Return a piece of an upright wall between two feet."""
    a, b = toward(one, other, start), toward(one, other, stop)
    return [lift(a, low), lift(b, low), lift(b, high), lift(a, high)]


def lift(foot: Point, by: float) -> Point:
    """Return the point so high above a foot."""
    return foot[0], foot[1] - by


def grow(foot: Point, feet: Sequence[Point], by: float) -> Point:
    """Return a foot moved outward from the middle of all."""
    middle = (sum(x for x, _ in feet) / 4, sum(y for _, y in feet) / 4)
    return toward(foot, middle, -by / math.dist(foot, middle))


def bow(scene: Scene, x: float, y: float, ribbon: Color) -> None:
    """Draw the bow of the ribbon around its knot."""

    def half(points: Sequence[Point], side: int) -> list[Point]:
        return [(x + a * side, y + b) for a, b in curve(points, 60)]

    for side in (-1, 1):
        scene.shade([[(a + 8, b + 14) for a, b in half(TAIL, side)]], 9, 0.4)
        scene.fill([half(TAIL, side)], ribbon, 150, 122)
    for side in (-1, 1):
        scene.shade([[(a + 8, b + 16) for a, b in half(LOOP, side)]], 10, 0.4)
        scene.fill([half(LOOP, side)], ribbon, 182, 134)
        scene.fill([half(HOLE, side)], ribbon, 72, 90)
    scene.fill([ellipse(x, y - 10, 36, 28)], ribbon, 188, 124)
