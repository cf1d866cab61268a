"""GET /products: everything for sale, a page at a time."""

from __future__ import annotations

import re

import pytest
from flask import Flask

from storefront import database
from storefront.services.catalog import PAGE
from tests.factories import make_product
from tests.payments.interventions import on_sqlite
from tests.stage import Stage

MANY = 2 * PAGE + 2


@pytest.fixture
def full(app: Flask) -> Flask:
    """A shop with three pages of products."""
    with app.app_context(), database.writing():
        for number in range(MANY):
            make_product({"sku": f"P{number}"}, slug=f"p{number}", name=f"P{number}")
    return app


def slugs(page: str) -> list[str]:
    return re.findall(r'<h2><a href="/products/([^"]+)"', page)


def test_it_lists_everything_for_sale(stage: Stage) -> None:
    assert slugs(stage.browser().get("/products").text) == ["mug", "last", "club", "free", "yen"]


def test_it_says_what_is_sold_out_and_what_is_nearly(stage: Stage) -> None:
    assert "Few left" in stage.browser().get("/products").text
    stage.open_session(stage.browser(), "LAST")
    assert "Sold out" in stage.browser().get("/products").text


def test_next_leads_through_all_pages(full: Flask) -> None:
    browser, address, seen = full.test_client(), "/products", []
    while address:
        page = browser.get(address).text
        seen += slugs(page)
        found = re.search(r'<link rel="next" href="([^"]+)"', page)
        address = found[1] if found else ""
    assert seen == [f"p{number}" for number in range(MANY)]


def test_previous_leads_back(full: Flask) -> None:
    browser = full.test_client()
    first = browser.get("/products").text
    assert 'rel="prev"' not in first
    second = browser.get(re.search(r'rel="next" href="([^"]+)"', first)[1]).text
    back = browser.get(re.search(r'rel="prev" href="([^"]+)"', second)[1]).text
    assert slugs(back) == slugs(first)


@on_sqlite
@pytest.mark.parametrize(
    "mark", ["", "x", "1", "1.2.3", "-1.5", "1e3.1", "9999999999.1", "１.１", "' OR 1=1", "1.%00"]
)
def test_nonsense_in_the_address_is_the_beginning(stage: Stage, mark: str) -> None:
    browser = stage.browser()
    for name in ("after", "before"):
        answer = browser.get("/products", query_string={name: mark})
        assert answer.status_code == 200
        assert slugs(answer.text)[0] == "mug"


@on_sqlite
def test_nothing_behind_the_end_is_an_empty_page(stage: Stage) -> None:
    assert slugs(stage.browser().get("/products?after=999999999.999999999").text) == []
