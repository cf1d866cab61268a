"""The whole purchase as people make it: with scripts and without, as a guest and signed in."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visit
from tests.browser.shop import Shop
from tests.browser.visitor import SUCCESS, Visitor
from tests.stage import PASSWORD

pytestmark = pytest.mark.browser
CLUB = "/products/mug-of-the-month"


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_it_sells_to_a_guest(visit: Visit, shop: Shop, scripts: bool) -> None:
    visitor, sku = visit(scripts=scripts), shop.put_out(unit_amount=2350)
    visitor.start_buying(shop.path_of(sku))
    expect(visitor.page.locator(".total")).to_contain_text("€23.50")
    visitor.type_card(email="ada@example.com")
    visitor.press("Pay €23.50")
    visitor.arrive(SUCCESS)
    expect(visitor.heading()).to_have_text("Thank you")
    (order,) = shop.orders_of(sku)
    expect(visitor.page.locator(".number")).to_have_text(f"Order #{order.number}")
    assert (order.state, order.amount_total, order.email) == ("paid", 2350, "ada@example.com")
    assert shop.stock(sku) == (4, 0, 1)


def test_it_goes_to_stripe_by_redirect_to_checkout(visitor: Visitor, shop: Shop) -> None:
    visitor.start_buying(shop.path_of(shop.put_out()))
    asked = [request.url for request in visitor.requests]
    lookup = f"{shop.url}/sandbox/stripe.js/sessions/{visitor.session_id}"
    assert asked.index(lookup) < asked.index(visitor.page.url)


def test_it_asks_nothing_of_stripe_before_the_buyer_shows_intent(
    visitor: Visitor, shop: Shop
) -> None:
    visitor.open(shop.path_of(shop.put_out()))
    visitor.page.wait_for_load_state("networkidle")
    assert not [request.url for request in visitor.requests if "/sandbox/" in request.url]


def test_it_sells_the_chosen_variant_and_quantity(visitor: Visitor, shop: Shop) -> None:
    visitor.open("/products/everyday-bowl")
    visitor.choose("Large")
    visitor.fill(quantity="3")
    expect(visitor.page.locator(".price.large")).to_have_text("€34.00")
    visitor.press("Buy now")
    visitor.pay()
    (order,) = shop.orders_of("BOWL-L")
    assert (order.lines[0].quantity, order.amount_total) == (3, 10200)
    expect(visitor.page.locator("table.lines")).to_contain_text("€102.00")


def test_it_sells_in_yen(visitor: Visitor, shop: Shop) -> None:
    visitor.start_buying("/products/kyoto-tea-bowl")
    expect(visitor.page.locator(".total")).to_contain_text("¥14,800")
    visitor.pay()
    expect(visitor.page.locator("tr.total")).to_contain_text("¥14,800")
    assert shop.orders_of("TEABOWL-KYO")[0].amount_total == 14800


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_it_gives_away_what_is_free(visit: Visit, shop: Shop, scripts: bool) -> None:
    visitor, sku = visit(scripts=scripts), shop.put_out(unit_amount=0)
    visitor.start_buying(shop.path_of(sku))
    expect(visitor.page.get_by_label("Card number")).to_have_count(0)
    visitor.fill(e_mail="ada@example.com")
    visitor.press("Complete order")
    visitor.arrive(SUCCESS)
    (order,) = shop.orders_of(sku)
    assert (order.state, order.amount_total) == ("paid", 0)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_newcomer_subscribes_with_a_trial(visit: Visit, shop: Shop, scripts: bool) -> None:
    visitor, email = visit(scripts=scripts), f"newcomer-{scripts}@example.com".lower()
    visitor.open(CLUB)
    visitor.follow("Sign in to subscribe")
    visitor.follow("Make an account")
    visitor.fill(e_mail_address=email, password=PASSWORD)
    visitor.press("Make an account")
    visitor.sign_in(email, PASSWORD)
    visitor.arrive(f"{CLUB}?sku=CLUB-MONTH")
    visitor.press("Start 14-day free trial")
    expect(visitor.page.get_by_text("14 days free, then €29.00 per month")).to_be_visible()
    visitor.pay()
    expect(visitor.page.get_by_text("Your subscription has begun.")).to_be_visible()
    visitor.follow("Account")
    expect(visitor.page.get_by_text("Free trial")).to_be_visible()
    assert shop.orders_of("CLUB-MONTH")[-1].email == email


def test_a_subscriber_is_told_before_paying_twice(visitor: Visitor, shop: Shop) -> None:
    person = shop.add_person()
    visitor.open(f"/auth/login?next={CLUB}")
    visitor.sign_in(person.email, PASSWORD)
    visitor.press("Start 14-day free trial")
    visitor.pay()
    visitor.open(CLUB)
    visitor.press("Start 14-day free trial")
    expect(visitor.page.get_by_role("alert")).to_contain_text("already have this subscription")
    visitor.forgive("status of 409")


def test_it_knows_the_address_of_who_signed_in(visitor: Visitor, shop: Shop) -> None:
    person, sku = shop.add_person(), shop.put_out()
    visitor.open(f"/auth/login?next={shop.path_of(sku)}")
    visitor.sign_in(person.email, PASSWORD)
    visitor.press("Buy now")
    expect(visitor.page.locator(".locked")).to_contain_text(person.email)
    visitor.pay()
    visitor.open("/account")
    expect(visitor.page.get_by_text("1 × Small dish")).to_be_visible()
