"""The pots of the demo, each thrown from a few measures in pixels."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from storefront.demo.colors import GLAZES, Glaze
from storefront.demo.kiln import coat, fire, pull
from storefront.demo.plants import dry_stem, flame, leafy_plant, olive_branch
from storefront.demo.scene import Point, Scene, curve, cutout, ellipse
from storefront.demo.wheel import Form, form

Measures = Sequence[Point]


def thrown(x: float, base: float, size: float, measures: Measures, tilt: float = 0.24) -> Form:
    """Return the form of these (height, radius) measures in this size."""
    return form(x, base, [(high * size, wide * size) for high, wide in measures], tilt)


def stand(
    scene: Scene, x: float, base: float, foot: float, tall: float, tilt: float = 0.24
) -> None:
    """Lay the shadow of a pot with this foot and height on the table."""
    high = foot * tilt
    long = tall * 0.55
    cast = ellipse(x + long * 0.7, base - high * 0.1, foot * 0.9 + long * 0.6, high * 1.15, -0.06)
    scene.shade([cast], 44, 0.46)
    scene.shade([ellipse(x + foot * 0.18, base + high * 0.2, foot * 1.12, high * 1.1)], 20, 0.55)
    scene.shade([ellipse(x + 4, base + high * 0.1 + 3, foot * 1.01, high)], 7, 0.75)


def bar(scene: Scene, glaze: Glaze, points: Sequence[Point], thick: float, thin: float) -> None:
    """Draw a handle or a spout through these points, from its thick end to its thin one."""
    count = 130
    path = curve(points, count)
    pull(scene, path, [thick + (thin - thick) * step / (count - 1) for step in range(count)], glaze)


def placed(points: Measures, x: float, base: float, size: float) -> list[Point]:
    """Return points that were measured from a pot's foot as points of the picture."""
    return [(x + across * size, base + down * size) for across, down in points]


def mug(scene: Scene, glaze: Glaze, x: float = 580, base: float = 1200, size: float = 1.2) -> None:
    """Draw a round mug with its handle on the right."""
    stand(scene, x, base, 190 * size, 430 * size)
    ear = [(214, -352), (296, -396), (384, -362), (402, -262), (340, -150), (222, -96)]
    bar(scene, glaze, placed(ear, x, base, size), 29 * size, 24 * size)
    body = [(0, 184), (14, 194), (110, 246), (230, 258), (340, 238), (430, 214), (452, 216)]
    fire(scene, thrown(x, base, size, body), glaze, 16 * size)


def row_of_mugs(scene: Scene, glaze: Glaze) -> None:
    """Draw three mugs, each in a glaze of its own."""
    mug(scene, GLAZES["moss"], 830, 1010, 0.72)
    mug(scene, GLAZES["rust"], 340, 1060, 0.76)
    mug(scene, glaze, 610, 1250, 0.86)


def bowl(scene: Scene, glaze: Glaze, x: float = 640, base: float = 1190, size: float = 1.1) -> None:
    """Draw an open bowl on a narrow foot."""
    stand(scene, x, base, 165 * size, 330 * size, 0.36)
    bare = Glaze(glaze.clay, glaze.clay, 0.05)
    coat(scene, thrown(x, base, size, [(0, 146), (20, 146), (44, 160)], 0.36), bare)
    body = [(24, 150), (64, 224), (128, 312), (212, 376), (300, 410), (326, 414)]
    fire(scene, thrown(x, base, size, body, 0.36), glaze, 14 * size, 0.0)


def nested_bowls(scene: Scene, glaze: Glaze) -> None:
    """Draw a small bowl standing in a large one."""
    x, base = 640, 1220
    bowl(scene, glaze, x, base, 1.15)
    large = scene.image.copy()
    bowl(scene, glaze, x + 8, base - 190, 0.78)
    # The front wall of the large bowl hides the foot of the small one.
    mouth = thrown(x, base, 1.15, [(24, 150), (326, 400)], 0.36)
    front = cutout([[(0, 0), (1280, 0), (1280, 1600), (0, 1600)]], (0, 0, 1280, 1600))
    pen = ImageDraw.Draw(front)
    pen.rectangle((0, 0, 1280, round(mouth.rings()[-1][1])), fill=0)
    pen.polygon(mouth.ring(-1), fill=0)
    scene.image = Image.composite(large, scene.image, front)


def teapot(scene: Scene, glaze: Glaze, x: float = 640, base: float = 1190) -> None:
    """Draw a round teapot: spout on the left, looped handle on the right, lid with a knob."""
    stand(scene, x, base, 190, 440)
    ear = [(225, -330), (330, -390), (420, -340), (430, -220), (360, -120), (240, -100)]
    bar(scene, glaze, placed(ear, x, base, 1.0), 27, 23)
    spout = [(-180, -130), (-290, -190), (-350, -290), (-412, -352)]
    bar(scene, glaze, placed(spout, x, base, 1.0), 74, 27)
    scene.fill([ellipse(x - 424, base - 364, 21, 12, -0.7)], glaze.tone, 40, 60)
    body = [(0, 172), (16, 182), (90, 260), (200, 302), (310, 270), (385, 178), (402, 150)]
    coat(scene, thrown(x, base, 1.0, body), glaze, 0.06, 0.02)
    lid = [(0, 156), (10, 160), (26, 140), (56, 84), (72, 30), (80, 0)]
    scene.shade([ellipse(x + 8, base - 380, 166, 44)], 10, 0.6)
    coat(scene, thrown(x, base - 386, 1.0, lid), glaze, 0.0, 0.0)
    knob = [(0, 26), (12, 20), (30, 36), (56, 44), (78, 30), (86, 0)]
    coat(scene, thrown(x, base - 456, 1.0, knob), glaze, 0.0, 0.1)


def jug(scene: Scene, glaze: Glaze, x: float = 620, base: float = 1230) -> None:
    """Draw a jug with a pulled lip on the left."""
    stand(scene, x, base, 190, 640)
    ear = [(150, -560), (260, -600), (340, -520), (330, -390), (270, -280), (200, -230)]
    bar(scene, glaze, placed(ear, x, base, 1.0), 30, 24)
    body = [(0, 176), (16, 188), (130, 246), (250, 250), (400, 190), (520, 162), (600, 180)]
    fire(scene, thrown(x, base, 1.0, body), glaze, 15)
    scene.push(x - 178, base - 590, 130, (-58, -22))


def tea_bowl(scene: Scene, glaze: Glaze, x: float = 640, base: float = 1200) -> None:
    """Draw a tea bowl, uneven as the hand left it."""
    stand(scene, x, base, 190, 380, 0.28)
    bare = Glaze(glaze.clay, glaze.clay, 0.05)
    coat(scene, thrown(x, base, 1.0, [(0, 168), (24, 168), (50, 186)], 0.28), bare)
    body = [(26, 176), (54, 256), (130, 318), (250, 338), (370, 326), (424, 332)]
    fire(scene, thrown(x, base, 1.0, body, 0.28), glaze, 20, 0.0, 0.42)
    scene.push(x - 210, base - 430, 200, (4, 16))
    scene.push(x + 230, base - 400, 190, (8, -12))
    scene.push(x + 300, base - 190, 180, (-12, 0))


def plate(scene: Scene, glaze: Glaze, x: float = 640, base: float = 850) -> None:
    """Draw a plate, seen almost from above."""
    scene.shade([ellipse(x + 46, base + 60, 500, 440)], 50, 0.5)
    scene.shade([ellipse(x + 12, base + 26, 486, 420)], 16, 0.6)
    body = [(0, 330), (10, 370), (30, 440), (62, 486), (70, 490)]
    fire(scene, thrown(x, base, 1.0, body, 0.86), glaze, 14, 0.0)


def vase(scene: Scene, glaze: Glaze, x: float = 600, base: float = 1280) -> None:
    """Draw a vase with a long neck and an olive branch in it."""
    stand(scene, x, base, 170, 700)
    body = [
        (0, 150),
        (14, 160),
        (120, 226),
        (230, 224),
        (330, 140),
        (420, 72),
        (600, 50),
        (664, 62),
    ]
    fire(scene, thrown(x, base, 1.0, body), glaze, 12, 0.05)
    stem = [(x + 4, base - 636), (x + 26, base - 760), (x + 90, base - 900), (x + 190, base - 1040)]
    olive_branch(scene, stem)


def planter(scene: Scene, glaze: Glaze, x: float = 640, base: float = 1260) -> None:
    """Draw a planter on its saucer, with a plant that likes the light."""
    stand(scene, x, base, 250, 420)
    fire(scene, thrown(x, base, 1.0, [(0, 226), (10, 236), (44, 262), (58, 264)]), glaze, 14, 0.0)
    scene.shade([ellipse(x, base - 22, 210, 50)], 10, 0.7)
    coat(scene, thrown(x, base - 26, 1.0, [(0, 182), (14, 190), (310, 250)]), glaze)
    scene.shade([ellipse(x, base - 316, 252, 60)], 8, 0.6)
    fire(scene, thrown(x, base - 316, 1.0, [(0, 268), (80, 276), (92, 274)]), glaze, 20, 0.0)
    scene.fill([ellipse(x, base - 382, 250, 52)], (70, 52, 42), 96, 140)
    leafy_plant(scene, x, base - 384)


def candlestick(scene: Scene, glaze: Glaze, x: float = 610, base: float = 1220) -> None:
    """Draw a candlestick to carry, with a candle that burns."""
    stand(scene, x, base, 250, 150, 0.3)
    ear = [(268, -66), (340, -110), (420, -96), (430, -40), (360, -10), (262, -30)]
    bar(scene, glaze, placed(ear, x, base, 1.0), 22, 20)
    dish = [(0, 214), (10, 226), (50, 290), (84, 316), (94, 318)]
    fire(scene, thrown(x, base, 1.0, dish, 0.3), glaze, 14, 0.0)
    scene.shade([ellipse(x + 20, base - 24, 96, 30)], 12, 0.6)
    socket = [(0, 92), (30, 72), (90, 60), (130, 70), (146, 74)]
    fire(scene, thrown(x, base - 26, 1.0, socket, 0.3), glaze, 14, 0.0)
    wax = GLAZES["wax"]
    coat(scene, thrown(x, base - 150, 1.0, [(0, 54), (430, 50)], 0.3), wax, 0.0, 0.3)
    scene.fill([ellipse(x, base - 560, 50, 15)], wax.thin, 176, 158)
    flame(scene, x, base - 574)


def still_life(scene: Scene, glaze: Glaze) -> None:
    """Draw a bottle with a dry stem, a bowl and a mug together."""
    stand(scene, 420, 1100, 150, 560)
    body = [(0, 146), (14, 156), (150, 190), (300, 178), (400, 92), (470, 56), (590, 48), (620, 58)]
    fire(scene, thrown(420, 1100, 1.0, body), GLAZES["terra"], 11, 0.05)
    dry_stem(scene, [(424, 500), (440, 380), (490, 230), (560, 130)])
    mug(scene, glaze, 880, 1110, 0.66)
    bowl(scene, GLAZES["sea"], 660, 1250, 0.56)
