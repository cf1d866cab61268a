"""Buying with the keyboard alone, as people do who cannot use a mouse."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.shop import Shop
from tests.browser.visitor import HOSTED, SUCCESS, Visitor

pytestmark = pytest.mark.browser
FOCUSED = "document.activeElement.innerText || document.activeElement.name || ''"


def tab_to(visitor: Visitor, name: str, presses: int = 40) -> None:
    """Press Tab until the focus is on what is called so."""
    for _ in range(presses):
        visitor.page.keyboard.press("Tab")
        if visitor.page.evaluate(FOCUSED).strip() == name:
            return
    raise AssertionError(f"Tab never came to {name}")


def test_it_sells_to_the_keyboard_alone(visitor: Visitor, shop: Shop) -> None:
    sku = shop.put_out(unit_amount=1000)
    visitor.open(shop.path_of(sku))
    tab_to(visitor, "Buy now")
    visitor.page.keyboard.press("Enter")
    visitor.arrive(HOSTED)
    for name, text in (
        ("email", "ada@example.com"),
        ("card_number", "4242424242424242"),
        ("card_expiry", "1234"),
        ("card_cvc", "123"),
    ):
        tab_to(visitor, name)
        visitor.page.keyboard.type(text)
    visitor.page.keyboard.press("Enter")
    visitor.arrive(SUCCESS)
    assert [order.state for order in shop.orders_of(sku)] == ["paid"]


def test_the_first_tab_leads_to_the_content(visitor: Visitor) -> None:
    visitor.open("/products")
    visitor.page.keyboard.press("Tab")
    expect(visitor.page.get_by_role("link", name="Skip to content")).to_be_in_viewport()
    visitor.page.keyboard.press("Enter")
    expect(visitor.page.locator("main")).to_be_focused()


def test_the_arrow_keys_choose_a_variant(visitor: Visitor) -> None:
    visitor.open("/products/everyday-bowl")
    visitor.page.get_by_role("radio", name="Small").focus()
    visitor.page.keyboard.press("ArrowDown")
    expect(visitor.page.get_by_role("radio", name="Large")).to_be_checked()
    expect(visitor.page.locator(".price.large")).to_have_text("€34.00")


def test_what_went_wrong_has_the_focus_beside_it(visitor: Visitor, shop: Shop) -> None:
    visitor.open(shop.path_of(shop.put_out()))
    shop.fault("429", 1, "/v1/checkout/sessions")
    visitor.press("Buy now")
    expect(visitor.page.get_by_role("alert")).not_to_be_empty()
    expect(visitor.page.get_by_role("button", name="Buy now")).to_be_focused()
    visitor.forgive("status of 503")
