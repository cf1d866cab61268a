"""Whatever becomes of Stripe.js, one press of Buy ends on Stripe's page within a few seconds."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.shop import Shop
from tests.browser.visitor import HOSTED, Visitor

pytestmark = pytest.mark.browser

BUY = "**/stripe/create-checkout-session"
SCRIPT = "**/sandbox/stripe.js"
# The script's own patience is 2 seconds; the rest is for busy processors.
LIMIT_SECONDS = 3.0


def buy_within_limit(visitor: Visitor, shop: Shop) -> str:
    """Press Buy; returns the SKU that the visitor is about to pay for."""
    sku = shop.put_out()
    visitor.start_buying(shop.path_of(sku))
    (answered,) = [r for r in visitor.requests if r.url.endswith(BUY[2:]) and r.response()][-1:]
    (left,) = [request for request in visitor.requests if request.url == visitor.page.url]
    answered_at = answered.timing["startTime"] + answered.timing["responseStart"]
    assert left.timing["startTime"] - answered_at < LIMIT_SECONDS * 1000
    return sku


@pytest.mark.parametrize("mood", ["absent", "throws", "never", "error"])
def test_a_misbehaving_stripe_js_does_not_stop_the_buyer(
    visitor: Visitor, shop: Shop, mood: str
) -> None:
    shop.behave(mood)
    sku = buy_within_limit(visitor, shop)
    assert f"{shop.url}/sandbox/stripe.js" in [request.url for request in visitor.requests]
    visitor.pay()
    assert [order.state for order in shop.orders_of(sku)] == ["paid"]


def test_a_missing_stripe_js_does_not_stop_the_buyer(visitor: Visitor, shop: Shop) -> None:
    shop.behave("missing")
    buy_within_limit(visitor, shop)
    visitor.forgive("status of 404", "Refused to execute script")


def blocked(page: Page) -> None:
    page.route(SCRIPT, lambda route: route.abort("blockedbyclient"))


def broken(page: Page) -> None:
    page.route(SCRIPT, lambda route: route.fulfill(body="}", content_type="text/javascript"))


@pytest.mark.parametrize(
    ("spoil", "complaint"), [(blocked, "ERR_BLOCKED_BY_CLIENT"), (broken, "Unexpected token")]
)
def test_a_blocker_does_not_stop_the_buyer(
    visitor: Visitor, shop: Shop, spoil: Callable[[Page], None], complaint: str
) -> None:
    spoil(visitor.page)
    buy_within_limit(visitor, shop)
    visitor.forgive(complaint)


def test_a_stripe_js_that_never_arrives_does_not_stop_the_buyer(
    visitor: Visitor, shop: Shop
) -> None:
    held: list[Route] = []
    visitor.page.route(SCRIPT, lambda route: held.append(route))
    buy_within_limit(visitor, shop)
    assert held


def test_it_sends_the_plain_form_when_the_script_cannot_reach_the_shop(
    visitor: Visitor, shop: Shop
) -> None:
    def only_forms(route: Route) -> None:
        by_script = route.request.headers.get("accept") == "application/json"
        route.abort() if by_script else route.continue_()

    visitor.page.route(BUY, only_forms)
    buy_within_limit(visitor, shop)
    visitor.forgive("ERR_FAILED")


def test_it_sends_the_plain_form_when_the_answer_is_not_ours(visitor: Visitor, shop: Shop) -> None:
    def portal(route: Route) -> None:
        by_script = route.request.headers.get("accept") == "application/json"
        route.fulfill(body="<h1>Welcome to our wifi</h1>") if by_script else route.continue_()

    visitor.page.route(BUY, portal)
    buy_within_limit(visitor, shop)


def test_the_button_says_that_it_is_busy(visitor: Visitor, shop: Shop) -> None:
    held: list[Route] = []
    visitor.page.route(BUY, lambda route: held.append(route))
    visitor.open(shop.path_of(shop.put_out()))
    visitor.press("Buy now")
    button = visitor.page.locator("form.buy button")
    expect(button).to_have_text("One moment…")
    expect(button).to_be_disabled()
    for _ in range(200):  # the button is told before the request leaves
        if held:
            break
        visitor.page.wait_for_timeout(20)
    held[0].continue_()
    visitor.arrive(HOSTED)


@pytest.mark.parametrize("kind", ["500", "429"])
def test_stripe_being_down_is_said_in_words_and_frees_the_stock(
    visitor: Visitor, shop: Shop, kind: str
) -> None:
    sku = shop.put_out()
    visitor.open(shop.path_of(sku))
    shop.fault(kind, 3 if kind == "500" else 1, "/v1/checkout/sessions")
    visitor.press("Buy now")
    expect(visitor.page.get_by_role("alert")).not_to_be_empty()
    expect(visitor.page.locator("form.buy button")).to_be_enabled()
    assert shop.stock(sku) == (5, 0, 0)
    visitor.press("Buy now")
    visitor.arrive(HOSTED)
    # 400: the page is older than the session of this browser; the script asks again with a token.
    visitor.forgive("status of 503", "status of 400")
