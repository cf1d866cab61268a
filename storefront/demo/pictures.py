"""Draws the demo's pictures by name, so that no photograph has to be shipped or fetched."""

from collections.abc import Callable

from PIL import Image

from storefront.demo import packing, stationery, vessels
from storefront.demo.colors import GLAZES, Glaze
from storefront.demo.listing import Drawing
from storefront.demo.scene import Scene

Painter = Callable[[Scene, Glaze], None]

STANDING: dict[str, Painter] = {
    "bowl": vessels.bowl,
    "candlestick": vessels.candlestick,
    "gift box": packing.gift_box,
    "jug": vessels.jug,
    "mug": vessels.mug,
    "nested bowls": vessels.nested_bowls,
    "planter": vessels.planter,
    "row of mugs": vessels.row_of_mugs,
    "still life": vessels.still_life,
    "tea bowl": vessels.tea_bowl,
    "teapot": vessels.teapot,
    "vase": vessels.vase,
}
LYING: dict[str, Painter] = {
    "notebook": stationery.notebook,
    "plate": vessels.plate,
    "sample card": stationery.sample_card,
}
TABLE_EDGE = 1010


def draw(drawing: Drawing) -> Image.Image:
    """Return the picture, 1280 by 1600 pixels; the same drawing gives the same pixels every time.

    Raises `KeyError` when its shape, glaze or backdrop has no such name.
    """
    lying = drawing.shape in LYING
    paint = (LYING if lying else STANDING)[drawing.shape]
    scene = Scene(str(drawing), drawing.backdrop, 0 if lying else TABLE_EDGE)
    paint(scene, GLAZES[drawing.glaze])
    return scene.image
