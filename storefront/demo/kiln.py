"""Glazes and fires what comes from the wheel: paints round forms and handles into a scene."""

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw, ImageFilter

from storefront.demo.colors import Glaze, mix
from storefront.demo.light import inner_light, outer_light
from storefront.demo.scene import Box, Point, Scene, around, colored, cutout, ellipse
from storefront.demo.wheel import Form, hollow, in_hollow, on_wall, trace, wrap

BAND = (256, 256)


def fire(
    scene: Scene,
    shape: Form,
    glaze: Glaze,
    wall: float = 14,
    foot: float = 0.07,
    thin: float = 0.09,
) -> None:
    """Paint an open vessel: its outside, its lip and what is seen of its inside.

    `foot` is the share of the wall that stays bare clay, `thin` that on which the glaze runs thin.
    """
    coat(scene, shape, glaze, foot, thin)
    inside = hollow(shape, wall)
    lip(scene, shape, glaze)
    line(scene, inside, glaze)


def coat(scene: Scene, shape: Form, glaze: Glaze, foot: float = 0.0, thin: float = 0.09) -> None:
    """Paint the outside of a form; the glaze runs thin over this share of it at the top."""
    outlines = shape.outlines()
    box = around(outlines)
    mask = cutout(outlines, box)
    net = trace(shape, box, on_wall)
    light = wrap(outer_light(shape.profile, shape.tilt, glaze.shine), net, mask.size)
    light = scene.rough(light, 9, 9)
    skin = colored(light, glaze.tone)
    skin.paste(colored(light, glaze.thin), mask=wrap(thin_band(thin), net, mask.size))
    flecked(scene, skin, light, glaze)
    if foot:
        skin.paste(colored(light, glaze.clay), mask=wrap(bare_band(scene, foot), net, mask.size))
    scene.lay(skin, mask, box)


def line(scene: Scene, inside: Form, glaze: Glaze) -> None:
    """Paint the inside of a vessel as far as it is seen through its mouth."""
    mouth = [inside.ring(-1)]
    box = around(mouth)
    mask = cutout(mouth, box)
    net = trace(inside, box, in_hollow)
    light = wrap(inner_light(inside.profile, inside.tilt, glaze.shine * 0.6), net, mask.size)
    skin = colored(light, glaze.tone)
    flecked(scene, skin, light, glaze)
    scene.lay(skin, mask, box)


def lip(scene: Scene, shape: Form, glaze: Glaze) -> None:
    """Paint the edge between outside and inside, where the glaze breaks."""
    scene.fill([shape.ring(-1)], mix(glaze.thin, glaze.tone, 0.35), 168, 128)


def thin_band(share: float) -> Image.Image:
    """Return where the glaze runs thin: a band that fades downward from the top ring."""
    top = max(1.0, share * BAND[1])
    rows = [max(0.0, 1 - (BAND[1] - 1 - row) / top) for row in range(BAND[1])]
    return Image.frombytes("L", (1, BAND[1]), bytes(round(200 * v**1.5) for v in rows)).resize(BAND)


def bare_band(scene: Scene, share: float) -> Image.Image:
    """Return where the clay stays bare: a band at the foot with the edge of a dipped pot."""
    phase = scene.rng.random() * math.tau
    band = Image.new("L", (BAND[0] * 2, BAND[1] * 2))
    edge = [
        (x, (share + 0.010 * math.sin(x / 41 + phase) + 0.006 * math.sin(x / 17)) * BAND[1] * 2)
        for x in range(BAND[0] * 2 + 1)
    ]
    ImageDraw.Draw(band).polygon([(0, -1), *edge, (BAND[0] * 2, -1)], fill=255)
    return band.resize(BAND, Image.Resampling.BOX)


def flecked(scene: Scene, skin: Image.Image, light: Image.Image, glaze: Glaze) -> None:
    """Strew the iron flecks of the clay over a skin."""
    wide, high = skin.size
    spots = Image.new("L", (wide * 2, high * 2))
    pen = ImageDraw.Draw(spots)
    for _ in range(round(glaze.flecks * wide * high / 900)):
        x, y = scene.rng.uniform(0, wide * 2), scene.rng.uniform(0, high * 2)
        size = 0.8 + 2.6 * scene.rng.random() ** 4
        pen.ellipse((x - size, y - size, x + size, y + size), fill=scene.rng.randint(60, 200))
    dark = mix(glaze.thin, (60, 40, 30), 0.45)
    skin.paste(colored(light, dark), mask=spots.reduce(2))


def pull(scene: Scene, path: Sequence[Point], radii: Sequence[float], glaze: Glaze) -> None:
    """Paint a handle or a spout: a round bar along a path, with its radius at each point."""
    discs = [ellipse(x, y, r, r) for (x, y), r in zip(path, radii, strict=True)]
    box = around(discs)
    mask = cutout(discs, box)
    skin = colored(bar_light(path, radii, box, glaze.shine), glaze.tone)
    scene.lay(skin, mask, box)


def bar_light(path: Sequence[Point], radii: Sequence[float], box: Box, shine: float) -> Image.Image:
    """Return the light on a round bar: ever smaller and brighter bars, moved toward the window."""
    left, top, right, bottom = box
    light = Image.new("L", ((right - left) * 2, (bottom - top) * 2), 40)
    pen = ImageDraw.Draw(light)
    for step in range(18):
        near = step / 17
        bright = round(58 + 105 * near**0.8 + 60 * shine * max(0.0, near - 0.8) / 0.2)
        for (x, y), radius in zip(path, radii, strict=True):
            size = radius * (1 - near * 0.92)
            a = (x - left - radius * near * 0.42) * 2
            b = (y - top - radius * near * 0.5) * 2
            pen.ellipse((a - size * 2, b - size * 2, a + size * 2, b + size * 2), fill=bright)
    return light.reduce(2).filter(ImageFilter.GaussianBlur(1.6))
