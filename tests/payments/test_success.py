"""GET /payment/success: nothing for strangers; its owner sees the order, settled if need be."""

from __future__ import annotations

from typing import Any

import pytest

from storefront.models.order import NEVER
from storefront.sandbox import control
from tests.payments.interventions import LOOK, after, calls, change_order, on_sqlite
from tests.stage import Stage

HIDDEN = ("Mug", "#1001", "buyer@example.com", "€24.00", "/orders/")


def see(browser: Any, session_id: str) -> Any:
    return browser.get("/payment/success", query_string={"sessid": session_id})


def check_nothing_is_told(answer: Any) -> None:
    assert answer.status_code == 404
    assert not [word for word in HIDDEN if word in answer.text]
    assert "your order is safe with us" in answer.text


@on_sqlite
@pytest.mark.parametrize(
    "session_id",
    ["", "cs_test_unknown", "x", "{CHECKOUT_SESSION_ID}", "a" * 256, "a" * 5000, "🍵", "' OR 1=1"],
)
def test_it_knows_no_made_up_session(stage: Stage, session_id: str) -> None:
    browser = stage.browser()
    stage.pay(stage.open_session(browser))
    check_nothing_is_told(see(browser, session_id))


def test_it_wants_a_session(stage: Stage) -> None:
    check_nothing_is_told(stage.browser().get("/payment/success"))
    assert stage.browser().get("/payment/success?sessid=%00").status_code == 400


@pytest.mark.parametrize("how", ["open", "paid", "expired", "processing"])
def test_a_stranger_is_told_nothing_and_moves_nothing(stage: Stage, how: str) -> None:
    session_id = stage.open_session(stage.browser())
    if how == "expired":
        control.expire_session(stage.sandbox, session_id)
        stage.deliver()
    elif how != "open":
        stage.pay(session_id, "bank_debit" if how == "processing" else "pm_card_visa")
    before, asked = stage.steps(), len(calls(stage, LOOK))
    for stranger in (stage.browser(), other_buyer(stage), other_customer(stage)):
        check_nothing_is_told(see(stranger, session_id))
    assert stage.steps()[: len(before)] == before
    assert len(calls(stage, LOOK)) == asked


def other_buyer(stage: Stage) -> Any:
    browser = stage.browser()
    stage.open_session(browser, "YEN")
    return browser


def other_customer(stage: Stage) -> Any:
    stage.add_user("eve@example.com")
    return stage.signed_in("eve@example.com")


def test_a_customers_order_is_not_shown_to_his_signed_out_browser(stage: Stage) -> None:
    stage.add_user()
    ada = stage.signed_in()
    session_id = stage.open_session(ada)
    stage.pay(session_id)
    stage.post(ada, "/auth/logout")
    check_nothing_is_told(see(ada, session_id))
    assert "#1001" in see(stage.signed_in(), session_id).text


def test_a_guest_sees_his_order_and_the_link_to_keep(stage: Stage) -> None:
    browser = stage.browser()
    session_id = stage.open_session(browser, quantity=2)
    stage.pay(session_id)
    page = see(browser, session_id)
    assert "Thank you" in page.text and "#1001" in page.text and "€48.00" in page.text
    assert f"/orders/{stage.order().token}" in page.text
    assert page.headers["Cache-Control"] == "private, no-store"


def test_a_guest_who_signs_in_meanwhile_still_sees_it(stage: Stage) -> None:
    stage.add_user()
    browser = stage.browser()
    session_id = stage.open_session(browser)
    stage.pay(session_id)
    stage.post(browser, "/auth/login", email="ada@example.com", password="a quiet shelf of bowls")
    assert "#1001" in see(browser, session_id).text


def test_it_settles_when_the_webhook_is_late(stage: Stage) -> None:
    browser = stage.browser()
    stage.silence()
    session_id = stage.open_session(browser)
    stage.pay(session_id)
    assert stage.order().state == "open"
    assert "Thank you" in see(browser, session_id).text
    assert stage.order().state == "paid"
    assert stage.order().steps[-1].cause == "success page"


def test_the_webhook_after_the_page_changes_nothing(stage: Stage) -> None:
    browser = stage.browser()
    stage.silence()
    session_id = stage.open_session(browser)
    stage.pay(session_id)
    see(browser, session_id)
    control.set_switches(stage.sandbox, paused=False)
    assert stage.deliver() >= 1
    assert stage.steps() == [(None, "open"), ("open", "paid")]
    assert stage.stock() == (4, 0, 1)


def test_the_webhook_during_the_page_makes_one_paid_order(stage: Stage) -> None:
    browser = stage.browser()
    stage.silence()
    session_id = stage.open_session(browser)
    stage.pay(session_id)

    def webhook_arrives(_session: Any) -> None:
        control.set_switches(stage.sandbox, paused=False)
        stage.deliver()

    after(stage, LOOK, webhook_arrives)
    assert "Thank you" in see(browser, session_id).text
    assert stage.steps() == [(None, "open"), ("open", "paid")]


def test_a_hundred_reloads_have_one_effect(stage: Stage) -> None:
    browser = stage.browser()
    stage.silence()
    session_id = stage.open_session(browser)
    stage.pay(session_id)
    for _ in range(100):
        assert see(browser, session_id).status_code == 200
    assert stage.steps() == [(None, "open"), ("open", "paid")]
    assert len(calls(stage, LOOK)) == 1
    assert stage.stock() == (4, 0, 1)


def test_before_stripe_says_paid_it_says_confirming(stage: Stage) -> None:
    browser = stage.browser()
    session_id = stage.open_session(browser)
    page = see(browser, session_id)
    assert page.status_code == 200
    assert "We are confirming your payment" in page.text
    assert f"/payment/status?sessid={session_id}" in page.text
    assert '<noscript><meta http-equiv="refresh"' in page.text
    assert f'href="{stage.order().checkout_url}"' in page.text, "who has not paid yet finds the way"
    assert stage.order().state == "open"


def test_waiting_pages_ask_stripe_only_now_and_then(stage: Stage) -> None:
    browser = stage.browser()
    session_id = stage.open_session(browser)
    for _ in range(10):
        see(browser, session_id)
    assert len(calls(stage, LOOK)) == 1
    change_order(stage, asked_at=NEVER)
    see(browser, session_id)
    assert len(calls(stage, LOOK)) == 2


@on_sqlite
@pytest.mark.parametrize("kind", ["500", "401", "timeout_before"])
def test_without_an_answer_it_shows_what_is_known(stage: Stage, kind: str) -> None:
    browser = stage.browser()
    stage.silence()
    session_id = stage.open_session(browser)
    stage.pay(session_id)
    stage.fault(kind, 3)
    page = see(browser, session_id)
    assert page.status_code == 200
    assert "We are confirming your payment" in page.text
    assert stage.stock() == (5, 1, 0)


def test_a_slow_bank_is_not_called_paid(stage: Stage) -> None:
    browser = stage.browser()
    session_id = stage.open_session(browser)
    stage.pay(session_id, "bank_debit")
    page = see(browser, session_id)
    assert "Your bank is working on the payment." in page.text
    assert stage.order().state == "processing"
    assert stage.stock() == (5, 1, 0)


def test_it_notices_that_a_slow_bank_has_paid(stage: Stage) -> None:
    browser = stage.browser()
    stage.silence()
    session_id = stage.open_session(browser)
    stage.pay(session_id, "bank_debit")
    see(browser, session_id)
    control.settle_payment(stage.sandbox, session_id)
    change_order(stage, asked_at=NEVER)
    see(browser, session_id)
    assert stage.order().state == "paid"


def test_it_notices_that_a_slow_bank_has_refused(stage: Stage) -> None:
    browser = stage.browser()
    stage.silence()
    session_id = stage.open_session(browser)
    stage.pay(session_id, "bank_debit")
    control.fail_payment(stage.sandbox, session_id)
    page = see(browser, session_id)
    assert "The payment did not go through" in page.text
    assert stage.order().state == "failed"
    assert stage.stock() == (5, 0, 0)


def test_an_unpaid_end_is_told_to_its_owner(stage: Stage) -> None:
    browser = stage.browser()
    stage.silence()
    session_id = stage.open_session(browser)
    control.expire_session(stage.sandbox, session_id)
    page = see(browser, session_id)
    assert "This order was not paid" in page.text
    assert stage.order().state == "expired"
    assert stage.stock() == (5, 0, 0)


def test_the_address_alone_makes_no_order(stage: Stage) -> None:
    stage.silence()
    session_id = stage.open_session(stage.browser())
    stage.pay(session_id)
    check_nothing_is_told(see(stage.browser(), session_id))
    assert stage.order().state == "open"
    stage.work()


def test_a_begun_subscription_says_so(stage: Stage) -> None:
    stage.add_user()
    ada = stage.signed_in()
    session_id = stage.open_session(ada, "CLUB")
    stage.pay(session_id)
    page = see(ada, session_id)
    assert "Your subscription has begun." in page.text
    assert "Keep this link" not in page.text
