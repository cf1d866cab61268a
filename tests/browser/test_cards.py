"""What the bank may say on Stripe's page, and how the shop tells it to the buyer."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.shop import Shop
from tests.browser.visitor import HOSTED, SUCCESS, Visitor

pytestmark = pytest.mark.browser


def test_a_declined_card_leaves_room_for_another(visitor: Visitor, shop: Shop) -> None:
    sku = shop.put_out(unit_amount=1000)
    visitor.start_buying(shop.path_of(sku))
    visitor.type_card("4000 0000 0000 0002")
    visitor.press("Pay €10.00")
    expect(visitor.page.get_by_role("alert")).to_have_text("Your card was declined.")
    visitor.forgive("status of 402")
    assert [order.state for order in shop.orders_of(sku)] == ["open"]
    visitor.fill(card_number="4242 4242 4242 4242", security_code="123")
    visitor.press("Pay €10.00")
    visitor.arrive(SUCCESS)
    assert [order.state for order in shop.orders_of(sku)] == ["paid"]


def test_a_real_card_number_is_refused(visitor: Visitor, shop: Shop) -> None:
    visitor.start_buying(shop.path_of(shop.put_out(unit_amount=1000)))
    visitor.type_card("4111 1111 1111 1111")
    visitor.press("Pay €10.00")
    expect(visitor.page.get_by_role("alert")).to_contain_text("This is not a test card.")
    expect(visitor.page.get_by_label("Card number")).to_have_value("")
    visitor.forgive("status of 422")


def test_it_sells_after_three_d_secure(plain_visitor: Visitor, shop: Shop) -> None:
    sku = shop.put_out()
    plain_visitor.start_buying(shop.path_of(sku))
    plain_visitor.try_outcome("3-D Secure")
    plain_visitor.press("Complete authentication")
    plain_visitor.arrive(SUCCESS)
    assert [order.state for order in shop.orders_of(sku)] == ["paid"]


def test_a_failed_three_d_secure_leads_back_to_the_form(visitor: Visitor, shop: Shop) -> None:
    sku = shop.put_out()
    visitor.start_buying(shop.path_of(sku))
    visitor.try_outcome("3-D Secure")
    visitor.press("Fail authentication")
    expect(visitor.page.get_by_role("alert")).to_contain_text("unable to authenticate")
    visitor.forgive("status of 402")
    assert shop.stock(sku) == (5, 1, 0)
    visitor.pay()
    assert shop.stock(sku) == (4, 0, 1)


@pytest.mark.parametrize(
    ("passed", "heading", "stock"),
    [(True, "Thank you", (4, 0, 1)), (False, "The payment did not go through", (5, 0, 0))],
)
def test_a_bank_debit_is_told_as_it_stands(
    visitor: Visitor, shop: Shop, passed: bool, heading: str, stock: tuple[int, int, int]
) -> None:
    sku = shop.put_out()
    visitor.start_buying(shop.path_of(sku))
    visitor.pay("Bank debit")
    expect(visitor.page.get_by_text("Your bank is working on the payment.")).to_be_visible()
    (order,) = shop.orders_of(sku)
    assert (order.state, shop.stock(sku)) == ("processing", (5, 1, 0))
    shop.settle_at_bank(order, passed)
    visitor.page.reload()
    expect(visitor.heading()).to_have_text(heading)
    expect(visitor.page.get_by_text("Your bank is working on the payment.")).to_have_count(0)
    assert shop.stock(sku) == stock


def test_a_finished_session_is_never_paid_again(visitor: Visitor, shop: Shop) -> None:
    sku = shop.put_out()
    visitor.start_buying(shop.path_of(sku))
    hosted = visitor.page.url
    visitor.pay()
    visitor.page.goto(hosted)
    expect(visitor.heading()).to_have_text("This order is already complete")
    visitor.follow("Back to the shop")
    visitor.arrive(SUCCESS)
    assert len(shop.orders_of(sku)) == 1


def test_two_tabs_of_one_session_pay_once(visitor: Visitor, shop: Shop) -> None:
    sku = shop.put_out()
    visitor.start_buying(shop.path_of(sku))
    other = visitor.page.context.new_page()
    other.goto(visitor.page.url)
    visitor.pay()
    other.get_by_role("button", name="Succeeds").click()
    expect(other.get_by_role("heading", level=1)).to_have_text("This order is already complete")
    assert shop.stock(sku) == (4, 0, 1)


def test_the_hosted_page_says_that_no_money_moves(visitor: Visitor, shop: Shop) -> None:
    visitor.start_buying(shop.path_of(shop.put_out()))
    expect(visitor.page.get_by_text("No real money moves here.")).to_be_visible()
    assert HOSTED.search(visitor.page.url)
