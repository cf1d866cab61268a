"""GET /: what the shop is, and a few things it is proud of."""

from __future__ import annotations

from storefront import database
from storefront.services import settings
from tests.payments.interventions import change_product
from tests.stage import Stage


def test_it_shows_featured_products_with_their_prices(stage: Stage) -> None:
    page = stage.browser().get("/").text
    assert "Mug" in page and "€24.00" in page
    assert "Tea bowl" in page and "¥1,200" in page


def test_it_leaves_out_what_is_not_featured(stage: Stage) -> None:
    change_product(stage, is_featured=False)
    assert "/products/mug" not in stage.browser().get("/").text


def test_it_says_what_the_merchant_wants_to_say(stage: Stage) -> None:
    assert "<h1>Test Pottery</h1>" in stage.browser().get("/").text
    with stage.app.app_context(), database.writing():
        settings.keep("home", {"title": "Fresh from the kiln", "text": "Hello", "image": None})
    assert "Fresh from the kiln" in stage.browser().get("/").text


def test_a_change_is_seen_at_once(stage: Stage) -> None:
    browser = stage.browser()
    browser.get("/")
    change_product(stage, name="Beaker")
    assert "Beaker" in browser.get("/").text


def test_an_empty_shop_says_so(stage: Stage) -> None:
    change_product(stage, is_featured=False)
    for slug in ("last", "club", "free", "yen"):
        change_product(stage, slug, is_featured=False)
    assert "Opening soon" in stage.browser().get("/").text
