"""The catalog as pages read it: what is offered, in which order, and what may be saved."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from storefront import database
from storefront.errors import InvalidInput
from storefront.services import catalog
from storefront.services.catalog import Choice
from tests.factories import make_product, make_variant


def put_up(app: Flask, *variants: dict[str, Any], **changes: Any) -> None:
    with app.app_context(), database.writing():
        make_product(*variants, **changes)


def fill(app: Flask, count: int) -> None:
    """Products p0, p1, ... in this order, two of them always at the same position."""
    with app.app_context(), database.writing():
        for number in range(count):
            variant = {"sku": f"P{number}"}
            make_product(variant, slug=f"p{number}", name=f"P{number}", position=number // 2)


def choice(free: int | None, sku: str = "A") -> Choice:
    return Choice(sku, "", 100, "eur", None, 1, None, free)


@pytest.mark.parametrize(
    "free, word", [(None, "available"), (4, "available"), (3, "low"), (1, "low"), (0, "out")]
)
def test_it_says_how_much_is_left(free: int | None, word: str) -> None:
    assert choice(free).availability == word


@pytest.mark.parametrize("free, most", [(None, 99), (500, 99), (5, 5), (0, 0)])
def test_nobody_can_ask_for_more_than_there_is(free: int | None, most: int) -> None:
    assert choice(free).most == most


@pytest.mark.parametrize("asked, chosen", [("B", "B"), ("A", "A"), (None, "B"), ("nope", "B")])
def test_it_chooses_what_was_asked_for_or_what_is_there(asked: str | None, chosen: str) -> None:
    assert catalog.choose([choice(0, "A"), choice(2, "B")], asked).sku == chosen


def test_with_everything_sold_out_it_chooses_the_first() -> None:
    assert catalog.choose([choice(0, "A"), choice(0, "B")], None).sku == "A"


def test_a_product_has_its_variants_in_order(app: Flask) -> None:
    put_up(
        app, {"sku": "B", "position": 2}, {"sku": "A", "position": 1}, {"sku": "C", "position": 3}
    )
    with app.app_context():
        rows = catalog.read_product("mug")
        assert [offered.sku for offered in catalog.choices(rows)] == ["A", "B", "C"]
        assert catalog.read_product("nope") == []


def test_what_is_held_is_not_free(app: Flask) -> None:
    put_up(app, {"sku": "A", "on_hand": 5, "held": 2}, {"sku": "B", "on_hand": None})
    with app.app_context():
        free = [offered.free for offered in catalog.choices(catalog.read_product("mug"))]
    assert free == [3, None]


def test_an_inactive_variant_is_not_offered(app: Flask) -> None:
    put_up(app, {"sku": "A", "is_active": False}, {"sku": "B"})
    with app.app_context():
        assert [row.sku for row in catalog.read_product("mug")] == ["B"]
        assert catalog.find_slug("A") is None
        assert catalog.find_slug("B") == "mug"


def test_a_card_speaks_for_all_variants(app: Flask) -> None:
    put_up(
        app,
        {"sku": "A", "unit_amount": 900, "on_hand": 0},
        {"sku": "B", "unit_amount": 1200, "on_hand": 2},
        {"sku": "C", "unit_amount": 100, "is_active": False},
    )
    with app.app_context():
        (card,) = (catalog.card(row) for row in catalog.list_page().rows)
    assert (card.amount, card.from_price, card.availability) == (900, True, "low")


@pytest.mark.parametrize(
    "levels, word",
    [([0, 0], "out"), ([0, None], "available"), ([1], "low"), ([4, 0], "available")],
)
def test_a_card_says_how_much_is_left(app: Flask, levels: list[Any], word: str) -> None:
    variants = [{"sku": f"V{place}", "on_hand": level} for place, level in enumerate(levels)]
    put_up(app, *variants)
    with app.app_context():
        (card,) = (catalog.card(row) for row in catalog.list_featured())
    assert card.availability == word


def test_the_list_leaves_out_what_cannot_be_bought(app: Flask) -> None:
    put_up(app, {"sku": "A"}, slug="gone", is_active=False)
    put_up(app, {"sku": "B", "is_active": False}, slug="bare")
    put_up(app, {"sku": "C"}, slug="there")
    with app.app_context():
        assert [row.slug for row in catalog.list_page().rows] == ["there"]
        assert [row.slug for row in catalog.list_featured()] == ["there"]


def test_pages_follow_each_other_without_gap_or_overlap(app: Flask) -> None:
    fill(app, 2 * catalog.PAGE + 3)
    seen: list[str] = []
    with app.app_context():
        page = catalog.list_page()
        assert page.before is None
        while True:
            seen += [row.slug for row in page.rows]
            if page.after is None:
                break
            page = catalog.list_page(after=page.after)
    assert seen == [f"p{number}" for number in range(2 * catalog.PAGE + 3)]


def test_pages_lead_back_the_same_way(app: Flask) -> None:
    fill(app, 2 * catalog.PAGE)
    with app.app_context():
        first = catalog.list_page()
        second = catalog.list_page(after=first.after)
        back = catalog.list_page(before=second.before)
        assert second.after is None
        assert [row.slug for row in back.rows] == [row.slug for row in first.rows]
        assert back.before is None and back.after == first.after


def test_a_mark_beyond_the_end_is_an_empty_page(app: Flask) -> None:
    fill(app, 2)
    with app.app_context():
        page = catalog.list_page(after=(999_999_999, 999_999_999))
    assert (page.rows, page.after, page.before) == ([], None, None)


@pytest.mark.parametrize(
    "markdown, gone",
    [
        ("<script>alert(1)</script>", "alert"),
        ("<img src=x onerror=alert(1)>", "onerror"),
        ("[x](javascript:alert(1))", "javascript"),
        ("[x](data:text/html,hi)", "data:"),
        ("<a href='https://a.example' onclick='x()'>a</a>", "onclick"),
        ("<style>*{display:none}</style>", "display"),
        ("<iframe src='https://a.example'></iframe>", "iframe"),
    ],
)
def test_a_description_brings_no_script(markdown: str, gone: str) -> None:
    assert gone not in catalog.render_description(markdown)


def test_a_description_keeps_its_form() -> None:
    html = catalog.render_description("## Clay\n\n*Fired* [twice](https://a.example)")
    assert "<h2>Clay</h2>" in html and "<em>Fired</em>" in html
    assert 'href="https://a.example"' in html and 'rel="noopener noreferrer"' in html


def test_a_product_needs_a_variant(app: Flask) -> None:
    with app.app_context(), pytest.raises(InvalidInput), database.writing():
        product = make_product()
        product.variants = []
        catalog.save(product)


def test_variants_of_a_product_share_their_currency(app: Flask) -> None:
    with pytest.raises(InvalidInput, match="same currency"):
        put_up(app, {"sku": "A"}, {"sku": "B", "currency": "usd"})


@pytest.mark.parametrize(
    "amount, currency",
    [(49, "eur"), (100_000_000, "eur"), (49, "jpy"), (1001, "kwd"), (150, "isk")],
)
def test_a_price_that_stripe_cannot_charge_is_refused(
    app: Flask, amount: int, currency: str
) -> None:
    with pytest.raises(InvalidInput, match="cannot charge"):
        put_up(app, {"sku": "A", "unit_amount": amount, "currency": currency})
    with app.app_context():
        assert catalog.is_empty()


def test_it_finds_a_product_by_its_address(app: Flask) -> None:
    put_up(app)
    with app.app_context():
        found = catalog.find_by_slug("mug")
        assert found is not None and found.variants[0].sku == make_variant().sku
        assert catalog.find_by_slug("nope") is None
        assert not catalog.is_empty()
