"""GET /products/<slug>: a product with its variants, its price, and the Buy button."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.payments.interventions import change_product, change_variant, on_sqlite
from tests.stage import BUY, Stage

ODD = "<script>alert(1)</script>\"'&{{ 7*7 }}"


def look(stage: Stage, slug: str = "mug", query: str = "") -> str:
    return stage.browser().get(f"/products/{slug}{query}").text


def test_it_offers_the_product(stage: Stage) -> None:
    page = look(stage)
    assert "<h1>Mug</h1>" in page and "€24.00" in page and "<em>mug</em>" in page
    assert f'action="{BUY}"' in page and 'name="sku" value="MUG"' in page


def test_a_visitor_without_a_session_gets_no_token_and_no_cookie(stage: Stage) -> None:
    answer = stage.browser().get("/products/mug")
    assert "csrf_token" not in answer.text
    assert "Set-Cookie" not in answer.headers


@on_sqlite
@pytest.mark.parametrize("on_hand, words", [(50, "In stock"), (3, "Only 3 left"), (0, "Sold out")])
def test_it_says_how_many_are_left(stage: Stage, on_hand: int, words: str) -> None:
    stage.add_product({"sku": "JUG", "on_hand": on_hand}, slug="jug", name="Jug")
    assert words in look(stage, "jug")


def test_what_is_sold_out_cannot_be_pressed(stage: Stage) -> None:
    stage.open_session(stage.browser(), "LAST")
    assert '<button class="button" disabled data-sold-out>' in look(stage, "last")


def test_a_trial_is_told_before_signing_in(stage: Stage) -> None:
    page = look(stage, "club")
    assert "The first 14 days are free." in page
    assert "Sign in to subscribe" in page


def test_a_customer_is_offered_the_trial(stage: Stage) -> None:
    stage.add_user()
    assert "Start 14-day free trial" in stage.signed_in().get("/products/club").text


@on_sqlite
@pytest.mark.parametrize(
    "query, sku", [("", "CLUB"), ("?sku=CLUB-Y", "CLUB-Y"), ("?sku=no", "CLUB")]
)
def test_the_address_chooses_the_variant(stage: Stage, query: str, sku: str) -> None:
    (chosen,) = re.findall(r'value="([^"]+)" required checked', look(stage, "club", query))
    assert chosen == sku


@on_sqlite
@pytest.mark.parametrize(
    "quantity, kept", [("3", "3"), ("9", "5"), ("0", "1"), ("-2", "1"), ("x", "1"), ("1" * 99, "1")]
)
def test_the_address_keeps_the_quantity(stage: Stage, quantity: str, kept: str) -> None:
    page = look(stage, "mug", f"?quantity={quantity}")
    assert f'max="5" value="{kept}"' in page


@on_sqlite
@pytest.mark.parametrize("slug", ["nope", "MUG", "mug%20", "%F0%9F%8D%B5", "..%2fmug", "a" * 3000])
def test_an_unknown_address_is_not_found(stage: Stage, slug: str) -> None:
    assert stage.browser().get(f"/products/{slug}").status_code == 404


@on_sqlite
def test_a_nul_in_the_address_is_refused(stage: Stage) -> None:
    assert stage.browser().get("/products/mug%00").status_code == 400


@pytest.mark.parametrize("change", [change_product, change_variant])
def test_what_has_left_the_shelf_is_gone(stage: Stage, change: Any) -> None:
    change(stage, is_active=False)
    answer = stage.browser().get("/products/mug")
    assert answer.status_code == 410
    assert "no longer for sale" in answer.text


@on_sqlite
@pytest.mark.parametrize("field", ["name", "summary"])
def test_what_the_merchant_writes_is_text(stage: Stage, field: str) -> None:
    change_product(stage, **{field: ODD})
    page = look(stage)
    assert "<script>alert" not in page
    assert "{{ 7*7 }}" in page


@on_sqlite
def test_a_label_is_text_too(stage: Stage) -> None:
    change_variant(stage, "CLUB", label=ODD)
    page = look(stage, "club")
    assert "<script>alert" not in page and "{{ 7*7 }}" in page


@on_sqlite
def test_search_engines_are_told_the_same(stage: Stage) -> None:
    change_product(stage, name="</script><b>Mug")
    (data,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', look(stage))
    told = json.loads(data)
    assert told["name"] == "</script><b>Mug"
    (offer,) = told["offers"]
    assert (offer["price"], offer["priceCurrency"]) == ("24.00", "EUR")
    assert offer["availability"].endswith("/InStock")


def test_a_change_is_seen_at_once(stage: Stage) -> None:
    assert "€24.00" in look(stage)
    change_variant(stage, unit_amount=2600)
    page = look(stage)
    assert "€26.00" in page and "€24.00" not in page


def test_someone_elses_hold_is_seen_at_once(stage: Stage) -> None:
    look(stage)
    stage.open_session(stage.browser(), quantity=3)
    assert "Only 2 left" in look(stage)
