"""POST /stripe/create-checkout-session: the answer, what Stripe is asked, and in which order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from storefront.models.columns import now
from tests.payments.interventions import (
    OPEN,
    Crash,
    before,
    calls,
    change_order,
    change_product,
    change_variant,
    crash,
    keys,
    on_sqlite,
)
from tests.stage import BUY, JSON, Stage


def asked(stage: Stage) -> dict[str, Any]:
    """The parameters of the only session that the shop asked for."""
    (only,) = calls(stage)
    return only.params


def test_it_gives_a_script_the_id_and_the_address(stage: Stage) -> None:
    answer = stage.buy(stage.browser())
    assert answer.status_code == 200
    assert set(answer.json) == {"sessionId", "url"}
    assert answer.json["sessionId"].startswith("cs_test_")
    assert answer.json["url"].endswith(answer.json["sessionId"])


def test_it_sends_a_plain_form_to_stripe(stage: Stage) -> None:
    answer = stage.buy_plainly(stage.browser())
    assert answer.status_code == 303
    assert answer.headers["Location"] == stage.order().checkout_url
    assert answer.headers["Cache-Control"] == "private, no-store"


def test_it_asks_for_what_the_database_says(stage: Stage) -> None:
    stage.open_session(stage.browser(), quantity=2)
    assert asked(stage)["mode"] == "payment"
    (item,) = asked(stage)["line_items"]
    assert item["quantity"] == "2"
    assert item["price_data"]["unit_amount"] == "2400"
    assert item["price_data"]["currency"] == "eur"
    assert item["price_data"]["product_data"]["name"] == "Mug"


def test_it_marks_the_session_with_the_order(stage: Stage) -> None:
    stage.open_session(stage.browser())
    reference = stage.order().reference
    marks = {"order": reference, "shop": "http://localhost"}
    assert asked(stage)["client_reference_id"] == reference
    assert asked(stage)["metadata"] == asked(stage)["payment_intent_data"]["metadata"] == marks


def test_it_tells_stripe_the_way_back_with_braces_as_they_are(stage: Stage) -> None:
    stage.open_session(stage.browser())
    success = "http://localhost/payment/success?sessid={CHECKOUT_SESSION_ID}"
    assert asked(stage)["success_url"] == success
    assert asked(stage)["cancel_url"].endswith(f"/payment/cancel?order={stage.order().reference}")


def test_the_session_ends_with_the_hold(stage: Stage) -> None:
    stage.open_session(stage.browser())
    ends = stage.order().expires_at
    assert int(asked(stage)["expires_at"]) == int(ends.timestamp())
    assert timedelta(minutes=30) < ends - now() <= timedelta(minutes=31)


def test_a_guest_is_no_customer_and_may_leave_any_address(stage: Stage) -> None:
    stage.open_session(stage.browser())
    assert not {"customer", "customer_email", "payment_method_types"} & set(asked(stage))


def test_a_currency_without_decimals_is_not_multiplied(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser(), "YEN", quantity=3))
    assert asked(stage)["line_items"][0]["price_data"]["unit_amount"] == "1200"
    assert (stage.order().currency, stage.order().amount_total) == ("jpy", 3600)


def test_what_costs_nothing_is_ordered_like_anything_else(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser(), "FREE"))
    assert (stage.order().state, stage.order().amount_total) == ("paid", 0)
    assert stage.stock("FREE") == (2, 0, 1)


def test_order_line_and_hold_are_there_before_stripe_knows(stage: Stage) -> None:
    seen: list[Any] = []
    before(stage, OPEN, lambda _: seen.extend([stage.order(), stage.stock()]))
    stage.open_session(stage.browser(), quantity=2)
    order, stock = seen
    assert (order.state, order.checkout_session, order.lines[0].quantity) == ("open", None, 2)
    assert stock == (5, 2, 0)


def test_no_transaction_is_open_while_stripe_thinks(stage: Stage) -> None:
    before(stage, OPEN, lambda _: change_variant(stage, "MUG", label="Written meanwhile"))
    assert stage.buy(stage.browser()).status_code == 200


def test_a_crash_before_stripe_is_asked_costs_a_hold_and_no_second_order(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser, "YEN")  # from now on the browser has a name
    before(stage, OPEN, crash)
    with pytest.raises(Crash):
        stage.buy(browser)
    assert stage.stock() == (5, 1, 0)
    stage.open_session(browser)
    assert stage.stock() == (5, 1, 0)
    assert len(stage.orders()) == 2


def test_it_asks_the_same_under_the_same_key_after_a_crash(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser, "YEN")
    before(stage, OPEN, crash)
    with pytest.raises(Crash):
        stage.buy(browser)
    stage.open_session(browser)
    _other, lost, repeated = calls(stage)
    assert lost.params == repeated.params
    assert lost.headers["Idempotency-Key"] == repeated.headers["Idempotency-Key"]


def test_an_order_too_old_for_stripe_is_asked_for_anew(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser, "YEN")
    before(stage, OPEN, crash)
    with pytest.raises(Crash):
        stage.buy(browser)
    change_order(stage, expires_at=now() + timedelta(minutes=20))
    stage.open_session(browser)
    assert len(set(keys(stage))) == 3
    assert int(calls(stage)[-1].params["expires_at"]) > (now() + timedelta(minutes=30)).timestamp()


def test_the_same_goods_from_two_buyers_have_two_keys(stage: Stage) -> None:
    stage.open_session(stage.browser())
    stage.open_session(stage.browser())
    assert len(set(keys(stage))) == 2


@on_sqlite
@pytest.mark.parametrize(
    "name",
    [
        "🍵 Tea 🫖",
        "كوب شاي",
        '<b>Mug</b> & "co" \'',
        "{{ 9999*9 }} ${7}",
        "é" * 200,
        "Mug\u202e gum",
    ],
)
def test_any_name_reaches_stripe_and_the_page(stage: Stage, name: str) -> None:
    change_product(stage, name=name)
    change_variant(stage, label="ß" * 120)
    browser = stage.browser()
    session_id = stage.open_session(browser)
    sent = asked(stage)["line_items"][0]["price_data"]["product_data"]["name"]
    assert sent == f"{name} – {'ß' * 120}"[:250]
    page = browser.get(f"/payment/success?sessid={session_id}")
    assert page.status_code == 200
    assert "<b>Mug" not in page.text and "89991" not in page.text


@on_sqlite
@pytest.mark.parametrize("header", ["X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded"])
def test_no_header_changes_the_way_back(stage: Stage, header: str) -> None:
    value = "host=evil.example" if header == "Forwarded" else "evil.example"
    stage.browser().post(BUY, data={"sku": "MUG"}, headers=JSON | {header: value})
    assert asked(stage)["success_url"].startswith("http://localhost/")
    assert asked(stage)["cancel_url"].startswith("http://localhost/")


@on_sqlite
def test_a_foreign_host_is_refused(stage: Stage) -> None:
    answer = stage.browser().post(BUY, data={"sku": "MUG"}, headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert stage.orders() == []


@on_sqlite
class TestOnAPublicAddress:
    """A shop that is not on loopback sends buyers back to its configured address only."""

    @pytest.fixture
    def settings(self) -> dict[str, Any]:
        return {"SHOP_URL": "https://shop.example"}

    def test_it_sends_back_to_the_configured_address(self, stage: Stage) -> None:
        browser = stage.browser()
        browser.post(BUY, base_url="https://shop.example", data={"sku": "MUG"}, headers=JSON)
        assert asked(stage)["success_url"].startswith("https://shop.example/payment/success?")
        assert asked(stage)["cancel_url"].startswith("https://shop.example/payment/cancel?")

    def test_it_does_not_answer_by_another_name(self, stage: Stage) -> None:
        answer = stage.browser().post(BUY, data={"sku": "MUG"}, headers=JSON)
        assert answer.status_code == 400
        assert stage.orders() == []
