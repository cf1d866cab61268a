"""POST /stripe/create-checkout-session twice, or while something else happens: one open payment."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from storefront.models.columns import now
from tests.payments.interventions import (
    EXPIRE,
    OPEN,
    after,
    at_stripe,
    before,
    calls,
    change_order,
    change_product,
    change_variant,
    on_sqlite,
)
from tests.stage import BUY, JSON, SHOP_URL, Stage

SOON = timedelta(seconds=30)


def test_a_second_press_gives_the_same_session(stage: Stage) -> None:
    browser = stage.browser()
    first = stage.buy(browser).json
    assert stage.buy(browser).json == first
    assert stage.buy_plainly(browser).headers["Location"] == first["url"]
    assert len(calls(stage)) == 1
    assert stage.stock() == (5, 1, 0)


def test_a_double_click_before_the_first_cookie_is_one_purchase(stage: Stage) -> None:
    fields = {"sku": "MUG", "attempt": str(uuid4())}
    first, second = (
        stage.browser().post(BUY, data=fields, headers=JSON).json["sessionId"] for _ in range(2)
    )
    assert first == second
    assert len(stage.orders()) == 1


def test_a_plain_double_click_in_a_young_session_is_one_purchase(stage: Stage) -> None:
    """Both halves leave before either is answered: each carries the cookie of the page before."""
    first, second = stage.browser(), stage.browser()
    first.get("/auth/login")
    cookie = first.get_cookie("session")
    assert cookie is not None
    second.set_cookie("session", cookie.value)
    pressed = [stage.buy_plainly(half).headers["Location"] for half in (first, second)]
    assert pressed[0] == pressed[1]
    assert stage.stock() == (5, 1, 0)


@on_sqlite
@pytest.mark.parametrize("attempt", ["", "1", "not-a-uuid", "0" * 5000])
def test_a_made_up_attempt_names_nobody(stage: Stage, attempt: str) -> None:
    fields = {"sku": "MUG", "attempt": attempt}
    for _ in range(2):
        assert stage.browser().post(BUY, data=fields, headers=JSON).status_code == 200
    assert len({order.buyer for order in stage.orders()}) == 2


def test_the_two_halves_of_a_double_click_get_one_session(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser, "YEN")
    halves: list[str] = []
    before(stage, OPEN, lambda _: halves.append(stage.open_session(browser)))
    halves.append(stage.open_session(browser))
    assert halves[0] == halves[1]
    assert stage.stock() == (5, 1, 0)


def test_another_quantity_is_another_purchase(stage: Stage) -> None:
    browser = stage.browser()
    assert stage.open_session(browser) != stage.open_session(browser, quantity=2)
    assert stage.stock() == (5, 3, 0)


def test_two_browsers_are_two_buyers(stage: Stage) -> None:
    assert stage.open_session(stage.browser()) != stage.open_session(stage.browser())


def test_what_was_paid_can_be_bought_again(stage: Stage) -> None:
    browser = stage.browser()
    first = stage.open_session(browser)
    stage.pay(first)
    second = stage.open_session(browser)
    stage.pay(second)
    assert [order.state for order in stage.orders()] == ["paid", "paid"]
    assert [order.attention for order in stage.orders()] == [None, None]
    assert stage.stock() == (3, 0, 2)


def test_a_new_price_is_a_new_payment_at_that_price(stage: Stage) -> None:
    browser = stage.browser()
    old = stage.open_session(browser)
    change_variant(stage, unit_amount=2600)
    new = stage.open_session(browser)
    assert old != new
    assert calls(stage)[-1].params["line_items"][0]["price_data"]["unit_amount"] == "2600"


def test_who_pays_at_the_old_price_is_charged_what_he_saw(stage: Stage) -> None:
    session_id = stage.open_session(stage.browser())
    change_variant(stage, unit_amount=2600)
    stage.pay(session_id)
    order = stage.order()
    assert (order.state, order.amount_total, order.attention) == ("paid", 2400, None)


def test_what_leaves_the_shelf_while_it_is_paid_is_still_an_order(stage: Stage) -> None:
    browser = stage.browser()
    session_id = stage.open_session(browser)
    change_product(stage, is_active=False)
    change_variant(stage, is_active=False)
    assert stage.buy(browser).status_code == 404
    stage.pay(session_id)
    assert stage.order().state == "paid"
    assert stage.stock() == (4, 0, 1)


def test_the_order_keeps_what_was_bought_when_variants_change(stage: Stage) -> None:
    session_id = stage.open_session(stage.browser())
    change_product(stage, name="Cup", slug="cup")
    change_variant(stage, label="Blue", unit_amount=1)
    stage.pay(session_id)
    (line,) = stage.order().lines
    assert (line.name, line.label, line.sku, line.unit_amount) == ("Mug", "", "MUG", 2400)


def test_a_page_about_to_close_is_replaced_by_a_new_one(stage: Stage) -> None:
    browser = stage.browser()
    old = stage.open_session(browser)
    change_order(stage, expires_at=now() + SOON)
    new = stage.open_session(browser)
    assert at_stripe(stage, "open") == [new]
    assert at_stripe(stage, "expired") == [old]
    assert stage.stock() == (5, 1, 0)


def test_a_page_about_to_close_that_was_paid_counts(stage: Stage) -> None:
    browser = stage.browser()
    stage.silence()
    stage.pay(stage.open_session(browser))
    change_order(stage, expires_at=now() + SOON)
    stage.open_session(browser)
    assert [order.state for order in stage.orders()] == ["paid", "open"]
    assert stage.stock() == (4, 1, 1)


def test_a_page_about_to_close_stays_held_while_stripe_is_silent(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser)
    change_order(stage, expires_at=now() + SOON)
    stage.fault("500", 3)
    assert stage.buy(browser).status_code == 503
    assert stage.stock() == (5, 1, 0)
    assert stage.order().state == "open"


def test_paid_before_we_know_the_session_is_a_paid_order(stage: Stage) -> None:
    after(stage, OPEN, lambda session: stage.pay(session["id"]))
    session_id = stage.open_session(stage.browser())
    order = stage.order()
    assert (order.state, order.checkout_session) == ("paid", session_id)
    assert stage.stock() == (4, 0, 1)


def test_cancelled_before_we_know_the_session_closes_it(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser, "YEN")

    def other_half_fails(_session: Any) -> None:
        stage.fault("500", 3)
        assert stage.buy(browser).status_code == 503

    after(stage, OPEN, other_half_fails)
    answer = stage.buy(browser)
    assert (answer.status_code, answer.json["error"]["code"]) == (409, "conflict")
    assert len(at_stripe(stage, "expired")) == 1
    assert stage.stock() == (5, 0, 0)


def test_a_failing_half_does_not_cancel_what_the_other_opened(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser, "YEN")
    opened: list[str] = []

    def other_half(_none: Any) -> None:
        opened.append(stage.open_session(browser))
        stage.fault("500", 3)

    before(stage, OPEN, other_half)
    assert stage.buy(browser).status_code == 503
    assert stage.orders(checkout_session=opened[0])[0].state == "open"
    assert stage.stock() == (5, 1, 0)


def test_closing_an_unwanted_session_may_fail_without_harm(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser, "YEN")

    def other_half_fails(_session: Any) -> None:
        stage.fault("500", 3)
        stage.buy(browser)
        stage.fault("timeout_before", 3, "/v1/checkout/sessions/cs_")

    after(stage, OPEN, other_half_fails)
    assert stage.buy(browser).status_code == 409
    (unwanted,) = set(at_stripe(stage, "open")) - {stage.orders()[0].checkout_session}
    stage.pay(unwanted)
    assert stage.orders(checkout_session=unwanted)[0].state == "paid"


def test_two_sessions_paid_for_one_purchase_are_both_kept_and_flagged(stage: Stage) -> None:
    browser = stage.browser()
    first = stage.open_session(browser)
    change_order(stage, first, expires_at=now() + SOON)
    before(stage, EXPIRE, lambda _: stage.pay(first))
    second = stage.open_session(browser)
    stage.pay(second)
    assert [order.state for order in stage.orders()] == ["paid", "paid"]
    assert stage.stock() == (3, 0, 2)


def test_the_address_leads_to_the_page_of_that_session(stage: Stage) -> None:
    answer = stage.buy(stage.browser()).json
    assert answer["url"].startswith(f"{SHOP_URL}/sandbox/")
    page = stage.browser().get(answer["url"].removeprefix(SHOP_URL))
    assert page.status_code == 200
    assert "Mug" in page.text
