"""Every page and state: axe finds nothing, and nothing is wider than a phone."""

from __future__ import annotations

import pytest
from limits import parse
from playwright.sync_api import expect
from sqlalchemy.exc import OperationalError

from storefront.auth import views
from storefront.sandbox import control
from storefront.services import catalog
from tests.browser.looking import find_faults
from tests.browser.shop import Shop
from tests.browser.visitor import HOSTED, Visitor
from tests.stage import PASSWORD

pytestmark = pytest.mark.browser

PAGES = {
    "home": "/",
    "products": "/products",
    "product": "/products/hearth-mug",
    "product, one variant": "/products/supper-plate",
    "product, few left": "/products/round-teapot",
    "product, sold out": "/products/long-neck-vase",
    "product, free": "/products/glaze-sample-card",
    "subscription, signed out": "/products/mug-of-the-month",
    "sign in": "/auth/login?next=/account",
    "register": "/auth/register",
}
ERRORS = {
    "400": "/auth/login?next=%00",
    "404": "/nothing-here",
    "405": "/stripe/create-checkout-session",
}


@pytest.mark.parametrize("name", PAGES)
def test_a_page(visitor: Visitor, name: str) -> None:
    assert visitor.open(PAGES[name]) == 200
    assert find_faults(visitor, name) == []


@pytest.mark.parametrize("name", ERRORS)
def test_an_error_page(visitor: Visitor, name: str) -> None:
    assert visitor.open(ERRORS[name]) == int(name)
    visitor.forgive(f"status of {name}")
    assert find_faults(visitor, name) == []


def test_the_page_of_a_product_that_is_gone(visitor: Visitor, shop: Shop) -> None:
    sku = shop.put_out(is_active=False)
    assert visitor.open(shop.path_of(sku)) == 410
    visitor.forgive("status of 410")
    assert find_faults(visitor, "410") == []


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        (RuntimeError("a fault of ours"), 500),
        (OperationalError("SELECT 1", {}, Exception("no database")), 503),
    ],
    ids=["500", "503"],
)
def test_a_page_when_something_is_broken(
    visitor: Visitor, shop: Shop, monkeypatch: pytest.MonkeyPatch, fault: Exception, status: int
) -> None:
    def fail(slug: str) -> None:
        raise fault

    monkeypatch.setattr(catalog, "read_product", fail)
    assert visitor.open("/products/supper-plate") == status
    visitor.forgive(f"status of {status}")
    assert len(shop.errors.heard) == 1
    shop.errors.heard.clear()
    assert find_faults(visitor, str(status)) == []


def test_the_page_of_too_many_attempts(visitor: Visitor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views, "FAILURES_PER_ACCOUNT", parse("1 per minute"))
    visitor.open("/auth/login")
    for words in ("password is not right", "A little too fast"):
        visitor.sign_in("nobody@example.com", "not the password")
        expect(visitor.page.get_by_text(words)).to_be_visible()
    visitor.forgive("status of 400", "status of 429")
    assert find_faults(visitor, "429") == []


def test_a_refused_sign_in(visitor: Visitor) -> None:
    visitor.open("/auth/login")
    visitor.sign_in("nobody@example.com", "not the password")
    expect(visitor.page.get_by_role("alert")).to_be_visible()
    visitor.forgive("status of 400")
    assert find_faults(visitor, "sign in refused") == []


def test_a_refused_registration(visitor: Visitor) -> None:
    visitor.open("/auth/register")
    visitor.fill(e_mail_address="nobody@example.com", password="passwordpassword")
    visitor.press("Make an account")
    expect(visitor.page.get_by_role("alert")).to_be_visible()
    visitor.forgive("status of 400")
    assert find_faults(visitor, "register refused") == []


def test_pages_of_a_customer(visitor: Visitor, shop: Shop) -> None:
    visitor.open("/auth/login?next=/products/mug-of-the-month")
    visitor.sign_in(shop.add_person().email, PASSWORD)
    visitor.press("Start 14-day free trial")
    visitor.arrive(HOSTED)
    visitor.pay()
    found = find_faults(visitor, "subscription begun")
    visitor.follow("Account")
    found += find_faults(visitor, "account")
    visitor.follow("Change password")
    found += find_faults(visitor, "change password")
    visitor.open("/account")
    visitor.page.get_by_role("link", name="Order #").click()
    found += find_faults(visitor, "order of a customer")
    assert found == []


def test_the_way_of_a_guest(visitor: Visitor, shop: Shop) -> None:
    visitor.start_buying("/products/hearth-mug?quantity=2")
    found = find_faults(visitor, "hosted")
    visitor.page.locator("a.back").click()
    expect(visitor.page.locator(".notice")).to_be_visible()
    found += find_faults(visitor, "product, not paid")
    visitor.press("Buy now")
    visitor.arrive(HOSTED)
    visitor.pay()
    found += find_faults(visitor, "thank you")
    visitor.page.locator(".keep a").click()
    found += find_faults(visitor, "order of a guest")
    assert found == []


def test_an_order_with_refunds_and_the_mailbox(visitor: Visitor, shop: Shop) -> None:
    visitor.start_buying(shop.path_of(shop.put_out(unit_amount=4800)))
    visitor.pay()
    session = visitor.session_id
    control.refund(shop.sandbox, session, 1000)
    sent_back = control.refund(shop.sandbox, session, 1000)
    control.fail_refund(shop.sandbox, sent_back["id"])
    shop.wait_for_deliveries()
    visitor.page.locator(".keep a").click()
    expect(visitor.page.get_by_text("did not reach you")).to_be_visible()
    found = find_faults(visitor, "order with refunds")
    assert shop.work()["mails"] > 0
    visitor.open("/demo/mailbox/")
    found += find_faults(visitor, "mailbox")
    visitor.page.get_by_role("link", name="your refund of €10.00").first.click()
    found += find_faults(visitor, "mail")
    visitor.forgive("The target origin provided")  # axe calls into the mail, which hears nobody
    assert found == []


def test_an_order_that_the_bank_refused(visitor: Visitor, shop: Shop) -> None:
    sku = shop.put_out()
    visitor.start_buying(shop.path_of(sku))
    visitor.pay("Bank debit")
    link = visitor.page.locator(".keep a").get_attribute("href") or ""
    shop.settle_at_bank(shop.orders_of(sku)[0], passed=False)
    visitor.page.goto(link)
    expect(visitor.page.get_by_text("Nothing was charged")).to_be_visible()
    assert find_faults(visitor, "order, refused") == []


def test_a_declined_card(visitor: Visitor, shop: Shop) -> None:
    visitor.start_buying("/products/supper-plate")
    visitor.try_outcome("Declined")
    expect(visitor.page.get_by_role("alert")).to_be_visible()
    visitor.forgive("status of 402")
    assert find_faults(visitor, "hosted, declined") == []


def test_a_purchase_that_could_not_start(visitor: Visitor) -> None:
    visitor.open("/products/round-teapot")
    visitor.page.locator("#quantity").evaluate("input => input.value = 3")
    visitor.page.locator("form.buy").evaluate("form => form.submit()")
    expect(visitor.heading()).to_have_text("Not bought yet")
    visitor.forgive("status of 409")
    assert find_faults(visitor, "not bought") == []


def test_a_product_that_the_script_could_not_buy(visitor: Visitor, shop: Shop) -> None:
    visitor.open("/products/supper-plate")
    shop.fault("429", 1, "/v1/checkout/sessions")
    visitor.press("Buy now")
    expect(visitor.page.get_by_role("alert")).not_to_be_empty()
    visitor.forgive("status of 503")
    assert find_faults(visitor, "product, Stripe is down") == []


@pytest.mark.parametrize("outcome", ["confirming", "processing", "failed"])
def test_a_success_page(visitor: Visitor, shop: Shop, outcome: str) -> None:
    sku = shop.put_out()
    visitor.start_buying(shop.path_of(sku))
    if outcome == "confirming":
        shop.silence()
        shop.fault("429", 100, "/v1/checkout/sessions/")
    visitor.pay("Succeeds" if outcome == "confirming" else "Bank debit")
    if outcome == "failed":
        shop.settle_at_bank(shop.orders_of(sku)[0], passed=False)
        visitor.page.reload()
    assert find_faults(visitor, f"success, {outcome}") == []


def test_the_control_page(visitor: Visitor, shop: Shop) -> None:
    visitor.start_buying(shop.path_of(shop.put_out()))
    visitor.pay()
    visitor.open("/sandbox/")
    assert find_faults(visitor, "sandbox") == []
