"""Coming back without having paid, pressing twice, and being too late for the last item."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.shop import Shop
from tests.browser.visitor import HOSTED, Tab, Visitor

pytestmark = pytest.mark.browser
# The script asks again with the token that the answer brings.
OLDER_THAN_SESSION = "status of 400"
BUTTON = "document.querySelector('form.buy button')"
both_ways = pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])


@both_ways
def test_the_back_link_frees_the_stock_and_keeps_the_choice(
    visit: Visit, shop: Shop, scripts: bool
) -> None:
    visitor, sku = visit(scripts=scripts), shop.put_out(on_hand=3)
    visitor.open(shop.path_of(sku))
    visitor.fill(quantity="2")
    visitor.press("Buy now")
    visitor.arrive(HOSTED)
    assert shop.stock(sku) == (3, 2, 0)
    visitor.page.locator("a.back").click()
    visitor.arrive(f"{shop.path_of(sku)}?sku={sku}&quantity=2")
    expect(visitor.page.get_by_role("status").first).to_contain_text("nothing was charged")
    expect(visitor.page.get_by_label("Quantity")).to_have_value("2")
    assert shop.stock(sku) == (3, 0, 0)
    visitor.press("Buy now")
    visitor.pay()
    assert [order.state for order in shop.orders_of(sku)] == ["expired", "paid"]


def test_the_notice_is_gone_with_the_next_page(visitor: Visitor, shop: Shop) -> None:
    visitor.start_buying(shop.path_of(shop.put_out()))
    visitor.page.locator("a.back").click()
    expect(visitor.page.locator(".notice")).to_have_count(1)
    visitor.page.reload()
    expect(visitor.page.locator(".notice")).to_have_count(0)


def test_the_browsers_back_leaves_a_button_that_works(visitor: Visitor, shop: Shop) -> None:
    sku = shop.put_out()
    visitor.start_buying(shop.path_of(sku))
    visitor.page.go_back()
    button = visitor.page.locator("form.buy button")
    expect(button).to_have_text("Buy now")
    expect(button).to_be_enabled()
    visitor.press("Buy now")
    visitor.pay()
    assert shop.stock(sku) == (4, 0, 1)


def test_a_page_from_the_back_forward_cache_comes_alive_again(
    remembering_visitor: Visitor, shop: Shop
) -> None:
    sku = shop.put_out()
    remembering_visitor.open(shop.path_of(sku))
    tab = Tab(remembering_visitor.page)
    tab.see("addEventListener('pageshow', (event) => { returned = event.persisted }) || true")
    tab.see(f"{BUTTON}.click() || true")
    tab.see("location.pathname.startsWith('/sandbox/pay/') && document.readyState == 'complete'")
    tab.see("history.back() || true")
    tab.see("location.pathname.startsWith('/products/') && document.readyState == 'complete'")
    tab.see(f"!{BUTTON}.disabled && !{BUTTON}.hasAttribute('aria-busy')")
    tab.see(f"{BUTTON}.textContent == 'Buy now'")
    if tab.ask("typeof returned == 'boolean'"):  # else short of memory, and the page is a new one
        tab.see("returned")
        remembering_visitor.forgive(OLDER_THAN_SESSION)
    tab.see(f"{BUTTON}.click() || true")
    tab.see("location.pathname.startsWith('/sandbox/pay/')")
    assert [order.state for order in shop.orders_of(sku)] == ["open"]


def test_a_kept_page_gives_its_button_back(visitor: Visitor, shop: Shop) -> None:
    visitor.open(shop.path_of(shop.put_out()))
    visitor.page.evaluate(f"{BUTTON}.disabled = true; {BUTTON}.setAttribute('aria-busy', 'true')")
    visitor.page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', {persisted: true}))")
    expect(visitor.page.locator("form.buy button")).to_be_enabled()
    expect(visitor.page.locator("form.buy button")).not_to_have_attribute("aria-busy", "true")


def test_the_browsers_back_costs_one_more_press_at_most_without_scripts(
    plain_visitor: Visitor, shop: Shop
) -> None:
    sku = shop.put_out()
    plain_visitor.start_buying(shop.path_of(sku))
    plain_visitor.page.go_back()
    plain_visitor.press("Buy now")
    if not HOSTED.search(plain_visitor.page.url):
        expect(plain_visitor.page.get_by_role("alert").first).to_contain_text("press once more")
        plain_visitor.forgive("status of 400")
        plain_visitor.press("Buy now")
    plain_visitor.pay()
    assert shop.stock(sku) == (4, 0, 1)


def test_a_double_click_makes_one_order(visitor: Visitor, shop: Shop) -> None:
    sku = shop.put_out()
    visitor.open(shop.path_of(sku))
    visitor.page.locator("form.buy button").dblclick()
    visitor.arrive(HOSTED)
    assert [order.state for order in shop.orders_of(sku)] == ["open"]


def test_a_double_click_makes_one_order_without_scripts(plain_visitor: Visitor, shop: Shop) -> None:
    sku = shop.put_out()
    plain_visitor.open("/auth/login")  # holds a session, so that the shop knows who presses twice
    plain_visitor.open(shop.path_of(sku))
    plain_visitor.page.locator("form.buy button").dblclick(no_wait_after=True)
    plain_visitor.arrive(HOSTED)
    assert [order.state for order in shop.orders_of(sku)] == ["open"]


def test_two_tabs_of_one_buyer_share_one_order(visitor: Visitor, shop: Shop) -> None:
    sku = shop.put_out()
    visitor.start_buying(shop.path_of(sku))
    session = visitor.session_id
    tab = Visitor(visitor.page.context.new_page(), shop.url)
    tab.start_buying(shop.path_of(sku))
    assert tab.session_id == session
    assert len(shop.orders_of(sku)) == 1


@both_ways
def test_the_last_item_goes_to_one_of_two_buyers(visit: Visit, shop: Shop, scripts: bool) -> None:
    sku = shop.put_out(on_hand=1)
    first, second = visit(), visit(scripts=scripts)
    second.open(shop.path_of(sku))
    first.start_buying(shop.path_of(sku))
    second.press("Buy now")
    expect(second.page.get_by_role("alert").first).to_contain_text("just been sold")
    second.forgive("status of 409")
    assert shop.stock(sku) == (1, 1, 0)
    first.pay()
    assert [order.state for order in shop.orders_of(sku)] == ["paid"]
    assert shop.stock(sku) == (0, 0, 1)


@both_ways
def test_who_wants_more_than_there_is_keeps_his_choice(
    visit: Visit, shop: Shop, scripts: bool
) -> None:
    sku = shop.put_out(on_hand=3)
    first, second = visit(), visit(scripts=scripts)
    second.open(shop.path_of(sku))
    first.open(shop.path_of(sku))
    first.fill(quantity="2")
    first.press("Buy now")
    first.arrive(HOSTED)
    second.fill(quantity="2")
    second.press("Buy now")
    expect(second.page.get_by_role("alert").first).to_contain_text("1")
    expect(second.page.locator("form.buy [name=sku]")).to_have_value(sku)
    second.fill(quantity="1")
    second.press("Buy now")
    second.pay()
    second.forgive("status of 409", *([OLDER_THAN_SESSION] if scripts else []))
    assert shop.stock(sku) == (2, 2, 1)


def test_a_sold_out_product_says_so(visitor: Visitor, shop: Shop) -> None:
    visitor.open(shop.path_of(shop.put_out(on_hand=0)))
    expect(visitor.page.get_by_role("button", name="Sold out")).to_be_disabled()
