"""GET /payment/cancel: back to where the buyer was, the goods free at Stripe and here, once."""

from __future__ import annotations

from typing import Any

import pytest

from storefront.sandbox import control
from tests.payments.interventions import (
    EXPIRE,
    OPEN,
    Crash,
    after,
    at_stripe,
    before,
    calls,
    change_order,
    crash,
    on_sqlite,
)
from tests.stage import Stage

MUG = "/products/mug?sku=MUG&quantity=1"


def cancel(stage: Stage, browser: Any) -> Any:
    """Follow the link that Stripe was given for the newest order."""
    return browser.get(f"/payment/cancel?order={stage.orders()[-1].reference}")


def test_it_frees_the_goods_here_and_at_stripe(stage: Stage) -> None:
    browser = stage.browser()
    session_id = stage.open_session(browser)
    cancel(stage, browser)
    assert at_stripe(stage, "expired") == [session_id]
    assert stage.order().state == "expired"
    assert stage.stock() == (5, 0, 0)


def test_it_leads_back_with_the_choice_kept(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser, quantity=3)
    answer = cancel(stage, browser)
    assert answer.status_code == 303
    assert answer.headers["Location"] == "/products/mug?sku=MUG&quantity=3"
    page = browser.get(answer.headers["Location"])
    assert "You have not paid, and nothing was charged." in page.text
    assert 'value="3"' in page.text


def test_the_notice_is_shown_once(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser)
    cancel(stage, browser)
    assert "You have not paid" in browser.get(MUG).text
    assert "You have not paid" not in browser.get(MUG).text


def test_twice_is_harmless(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser)
    cancel(stage, browser)
    assert cancel(stage, browser).headers["Location"] == MUG
    assert len(calls(stage, EXPIRE)) == 1
    assert stage.steps() == [(None, "open"), ("open", "expired")]


def test_stripes_own_news_of_the_end_changes_nothing_more(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser)
    cancel(stage, browser)
    assert stage.deliver() >= 1
    stage.work()
    assert stage.steps() == [(None, "open"), ("open", "expired")]
    assert stage.stock() == (5, 0, 0)


def test_after_it_the_same_can_be_bought_anew(stage: Stage) -> None:
    browser = stage.browser()
    first = stage.open_session(browser)
    cancel(stage, browser)
    assert stage.open_session(browser) != first
    assert stage.stock() == (5, 1, 0)


def test_a_stranger_cancels_nothing(stage: Stage) -> None:
    stage.open_session(stage.browser())
    stage.add_user("eve@example.com")
    for stranger in (stage.browser(), stage.signed_in("eve@example.com")):
        answer = cancel(stage, stranger)
        assert (answer.status_code, answer.headers["Location"]) == (303, "/")
    assert stage.order().state == "open"
    assert calls(stage, EXPIRE) == []


@on_sqlite
@pytest.mark.parametrize("reference", ["", "ord_unknown", "a" * 5000, "🍵", "1"])
def test_a_made_up_order_leads_home(stage: Stage, reference: str) -> None:
    answer = stage.browser().get("/payment/cancel", query_string={"order": reference})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/")


def test_who_has_paid_is_shown_his_order_instead(stage: Stage) -> None:
    browser = stage.browser()
    session_id = stage.open_session(browser)
    stage.pay(session_id)
    answer = cancel(stage, browser)
    assert answer.headers["Location"] == f"/payment/success?sessid={session_id}"
    assert stage.order().state == "paid"


def test_a_payment_we_have_not_heard_of_wins(stage: Stage) -> None:
    browser = stage.browser()
    stage.silence()
    session_id = stage.open_session(browser)
    stage.pay(session_id)
    answer = cancel(stage, browser)
    assert answer.headers["Location"] == f"/payment/success?sessid={session_id}"
    assert stage.order().state == "paid"
    assert stage.stock() == (4, 0, 1)


def test_a_payment_in_the_same_moment_wins(stage: Stage) -> None:
    browser = stage.browser()
    session_id = stage.open_session(browser)
    before(stage, EXPIRE, lambda _: stage.pay(session_id))
    assert "/payment/success" in cancel(stage, browser).headers["Location"]
    assert stage.steps() == [(None, "open"), ("open", "paid")]
    assert stage.stock() == (4, 0, 1)


def test_a_slow_bank_in_the_same_moment_keeps_its_goods(stage: Stage) -> None:
    browser = stage.browser()
    session_id = stage.open_session(browser)
    before(stage, EXPIRE, lambda _: stage.pay(session_id, "bank_debit"))
    assert "/payment/success" in cancel(stage, browser).headers["Location"]
    assert stage.order().state == "processing"
    assert stage.stock() == (5, 1, 0)


def test_stripes_news_in_the_same_moment_free_the_goods_once(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser)
    after(stage, EXPIRE, lambda _: stage.deliver())
    cancel(stage, browser)
    assert stage.steps() == [(None, "open"), ("open", "expired")]
    assert stage.stock() == (5, 0, 0)


@on_sqlite
@pytest.mark.parametrize("kind", ["500", "401", "timeout_before"])
def test_while_stripe_is_silent_the_goods_stay_held(stage: Stage, kind: str) -> None:
    browser = stage.browser()
    stage.open_session(browser)
    stage.fault(kind, 6)
    assert cancel(stage, browser).headers["Location"] == MUG
    assert stage.order().state == "open"
    assert stage.stock() == (5, 1, 0)


def test_an_end_that_stripe_has_seen_frees_the_goods(stage: Stage) -> None:
    browser = stage.browser()
    stage.silence()
    session_id = stage.open_session(browser)
    control.expire_session(stage.sandbox, session_id)
    assert cancel(stage, browser).headers["Location"] == MUG
    assert stage.order().state == "expired"


def test_an_order_that_never_got_its_session_is_left_to_its_end(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser, "YEN")
    before(stage, OPEN, crash)
    with pytest.raises(Crash):
        stage.buy(browser)
    assert cancel(stage, browser).headers["Location"] == MUG
    assert stage.stock() == (5, 1, 0)


@on_sqlite
@pytest.mark.parametrize("path", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_it_leads_to_no_other_site(stage: Stage, path: str) -> None:
    browser = stage.browser()
    stage.open_session(browser)
    change_order(stage, return_path=path)
    assert cancel(stage, browser).headers["Location"] == "/"
