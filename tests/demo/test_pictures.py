"""The drawn pictures: each name can be drawn, shows what it says, and always comes out the same."""

from functools import cache
from hashlib import sha256

import pytest
from PIL import Image, ImageChops, ImageStat

from storefront.demo.colors import BACKDROPS, GLAZES, ramp
from storefront.demo.goods import GOODS, HERO_PICTURE
from storefront.demo.listing import Drawing
from storefront.demo.pictures import LYING, STANDING, TABLE_EDGE, draw
from storefront.demo.scene import SIZE, Scene, curve, cutout
from storefront.demo.wheel import RINGS, form, hollow, in_hollow, on_wall

DRAWINGS = [p.drawing for p in [HERO_PICTURE, *(p for good in GOODS for p in good.pictures)]]

drawn = cache(draw)


def middle(image: Image.Image) -> list[float]:
    """Return the average color of what stands in the middle of a picture."""
    return ImageStat.Stat(image.crop((440, 900, 740, 1100))).mean


@pytest.mark.parametrize("drawing", DRAWINGS, ids=str)
def test_it_draws_every_picture_of_the_goods(drawing: Drawing) -> None:
    image = drawn(drawing)
    assert (image.mode, image.size) == ("RGB", (1280, 1600))
    empty = Scene(str(drawing), drawing.backdrop, 0 if drawing.shape in LYING else TABLE_EDGE)
    covered = ImageChops.difference(image, empty.image).convert("L").point(lambda v: 255 * (v > 24))
    left, top, right, bottom = covered.getbbox() or (0, 0, 0, 0)
    assert right - left > 400 and bottom - top > 400
    # Nothing is cut off by the edge of the picture.
    assert left > 0 and top > 0 and right < SIZE[0] and bottom < SIZE[1]


def test_it_draws_no_two_goods_alike() -> None:
    assert len({sha256(drawn(drawing).tobytes()).digest() for drawing in DRAWINGS}) == len(DRAWINGS)


def test_it_draws_the_same_pixels_again() -> None:
    drawing = Drawing("tea bowl", "raku", "plaster")
    assert draw(drawing).tobytes() == draw(drawing).tobytes()


def test_it_paints_in_the_glaze_that_was_asked_for() -> None:
    red, green, blue = middle(drawn(Drawing("mug", "rust")))
    assert red > green + 40 and red > blue + 40
    red, green, blue = middle(draw(Drawing("mug", "ink")))
    assert blue > red + 15


def test_it_uses_every_shape_it_can_draw() -> None:
    assert {drawing.shape for drawing in DRAWINGS} == {*STANDING, *LYING}
    assert {drawing.backdrop for drawing in DRAWINGS} == set(BACKDROPS)


@pytest.mark.parametrize(
    "drawing", [Drawing("anvil"), Drawing("mug", "gold"), Drawing("mug", "oat", "beach")]
)
def test_it_knows_only_its_own_names(drawing: Drawing) -> None:
    with pytest.raises(KeyError):
        draw(drawing)


@pytest.mark.parametrize("name", GLAZES)
def test_it_makes_every_glaze_brighter_in_more_light(name: str) -> None:
    for steps in ramp(GLAZES[name].tone):
        assert len(steps) == 256 and steps == sorted(steps)


def test_it_draws_edges_in_fine_steps() -> None:
    mask = cutout([[(2.5, 2), (10, 2), (10, 10), (2.5, 10)]], (0, 0, 12, 12))
    assert mask.getpixel((1, 5)) == 0 and mask.getpixel((6, 5)) == 255
    assert 64 <= mask.getpixel((2, 5)) <= 192


def test_it_runs_curves_through_their_points() -> None:
    points = [(0.0, 0.0), (10.0, 5.0), (20.0, -5.0)]
    line = curve(points, 101)
    assert [line[0], line[50], line[100]] == points


def test_it_sees_the_wall_of_a_pot_in_front_and_its_inside_through_the_mouth() -> None:
    pot = form(100, 200, [(0, 40), (100, 40)], tilt=0.25)
    angle, ring = on_wall(pot.rings(), pot.tilt, 100, 160)
    assert angle == pytest.approx(0) and 0 < ring < RINGS - 1
    assert on_wall(pot.rings(), pot.tilt, 138, 160)[0] > 0.9
    inside = hollow(pot, 4)
    back, high = in_hollow(inside.rings(), inside.tilt, 100, 97)
    assert back == pytest.approx(0) and high > in_hollow(inside.rings(), inside.tilt, 100, 108)[1]
