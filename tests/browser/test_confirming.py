"""The success page: settles when the webhook is late, follows by itself, is its owner's alone."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.shop import Shop
from tests.browser.visitor import PATIENCE, Visitor
from tests.stage import PASSWORD

pytestmark = pytest.mark.browser
CONFIRMING = "We are confirming your payment"
ORDER = re.compile(r"/orders/\w")


def pay_unheard(visitor: Visitor, shop: Shop, questions: int) -> str:
    """Pay while no webhook comes, and Stripe does not answer the shop's first questions."""
    sku = shop.put_out()
    visitor.start_buying(shop.path_of(sku))
    shop.silence()
    shop.fault("429", questions, "/v1/checkout/sessions/")
    visitor.pay()
    expect(visitor.heading()).to_have_text(CONFIRMING)
    return sku


def test_it_asks_stripe_when_the_webhook_is_late(visitor: Visitor, shop: Shop) -> None:
    sku = shop.put_out()
    visitor.start_buying(shop.path_of(sku))
    shop.silence()
    visitor.pay()
    expect(visitor.heading()).to_have_text("Thank you")
    assert [order.state for order in shop.orders_of(sku)] == ["paid"]


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_it_follows_by_itself_when_the_webhook_comes(
    visit: Visit, shop: Shop, scripts: bool
) -> None:
    visitor = visit(scripts=scripts)
    sku = pay_unheard(visitor, shop, questions=100)
    shop.speak_again()
    expect(visitor.heading()).to_have_text("Thank you")
    (paid,) = [step for step in shop.orders_of(sku)[0].steps if step.after == "paid"]
    assert paid.cause.startswith("checkout.session.completed")


def test_it_asks_again_until_stripe_answers(visitor: Visitor, shop: Shop) -> None:
    sku = pay_unheard(visitor, shop, questions=1)
    expect(visitor.heading()).to_have_text("Thank you", timeout=2 * PATIENCE)
    assert [order.state for order in shop.orders_of(sku)] == ["paid"]


def test_a_reload_shows_the_same_order(visitor: Visitor, shop: Shop) -> None:
    sku = shop.put_out()
    visitor.start_buying(shop.path_of(sku))
    visitor.pay()
    number = visitor.page.locator(".number").inner_text()
    visitor.page.reload()
    expect(visitor.page.locator(".number")).to_have_text(number)
    assert shop.stock(sku) == (4, 0, 1)


def test_a_stranger_with_the_session_id_sees_nothing(
    visitor: Visitor, visit: Visit, shop: Shop
) -> None:
    visitor.start_buying(shop.path_of(shop.put_out()))
    visitor.pay()
    stranger = visit()
    address = visitor.page.url.removeprefix(shop.url)
    assert stranger.open(address) == 404
    expect(stranger.page.get_by_text("Order #")).to_have_count(0)
    assert stranger.open(address.replace("/success", "/status")) == 404
    stranger.forgive("404")


def test_the_link_opens_the_order_on_another_device(
    visitor: Visitor, visit: Visit, shop: Shop
) -> None:
    visitor.start_buying(shop.path_of(shop.put_out()))
    visitor.pay()
    address = visitor.page.locator(".keep a").inner_text()
    phone = visit(scripts=False)
    assert phone.open(address) == 200
    expect(phone.page.get_by_text("Payment received")).to_be_visible()
    assert ORDER.search(phone.page.url)


def test_a_customer_sees_only_his_own_orders(visitor: Visitor, visit: Visit, shop: Shop) -> None:
    owner, other, sku = shop.add_person(), shop.add_person(), shop.put_out()
    visitor.open(f"/auth/login?next={shop.path_of(sku)}")
    visitor.sign_in(owner.email, PASSWORD)
    visitor.press("Buy now")
    visitor.pay()
    (order,) = shop.orders_of(sku)
    assert visitor.open(f"/account/orders/{order.number}") == 200
    nosy = visit()
    nosy.open("/auth/login")
    nosy.sign_in(other.email, PASSWORD)
    nosy.arrive("/")
    assert nosy.open(f"/account/orders/{order.number}") == 404
    nosy.forgive("404")
