"""POST /stripe/create-checkout-session, said no to: nothing is placed, held or asked of Stripe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.payments.interventions import (
    calls,
    change_order,
    change_product,
    change_variant,
    on_sqlite,
)
from tests.stage import BUY, JSON, Stage


@pytest.fixture
def unmoved(stage: Stage) -> Iterator[Stage]:
    """A stage on which, at the end, nobody has ordered anything."""
    yield stage
    assert stage.orders() == []
    assert calls(stage) == []
    assert stage.stock() == (5, 0, 0)


def code_of(answer: Any) -> tuple[int, str]:
    assert set(answer.json) == {"error"}
    return answer.status_code, answer.json["error"]["code"]


@on_sqlite
@pytest.mark.parametrize(
    "quantity",
    ["0", "-1", "1.5", "1e9", "１", "1 ", " 1", "", "abc", "1,0", "0x1", "100", "1" * 31, "١", "½"],
)
def test_it_refuses_a_quantity_that_is_none(unmoved: Stage, quantity: str) -> None:
    answer = unmoved.buy(unmoved.browser(), quantity=quantity)
    assert code_of(answer) == (400, "invalid_input")
    assert "1 to 99" in answer.json["error"]["message"]


@on_sqlite
def test_of_two_quantities_the_first_counts(stage: Stage) -> None:
    stage.open_session(stage.browser(), quantity=["2", "5"])
    assert stage.order().lines[0].quantity == 2


@on_sqlite
@pytest.mark.parametrize("sku", ["NOPE", "", "1" + "0" * 20, "mug ", "x" * 65, "' OR 1=1 --", "🍵"])
def test_it_knows_only_what_it_sells(unmoved: Stage, sku: str) -> None:
    assert code_of(unmoved.buy(unmoved.browser(), sku)) == (404, "not_found")
    assert unmoved.buy_plainly(unmoved.browser(), sku).status_code == 404


def test_it_sells_no_inactive_variant(unmoved: Stage) -> None:
    change_variant(unmoved, is_active=False)
    assert code_of(unmoved.buy(unmoved.browser())) == (404, "not_found")
    assert unmoved.buy_plainly(unmoved.browser()).status_code == 404


def test_it_sells_nothing_of_an_inactive_product(unmoved: Stage) -> None:
    change_product(unmoved, is_active=False)
    assert code_of(unmoved.buy(unmoved.browser())) == (404, "not_found")


@on_sqlite
def test_a_nul_is_refused_on_any_database(unmoved: Stage) -> None:
    assert unmoved.buy(unmoved.browser(), "MUG\0").status_code == 400


def test_what_the_browser_says_of_money_is_not_read(stage: Stage) -> None:
    forged = {
        "price": "1",
        "unit_amount": "1",
        "amount": "1",
        "amount_total": "1",
        "currency": "jpy",
        "name": "Free mug",
        "discount": "100",
        "user_id": "1",
        "state": "paid",
    }
    stage.pay(stage.open_session(stage.browser(), **forged))
    order = stage.order()
    assert (order.amount_total, order.currency, order.user_id) == (2400, "eur", None)
    assert (order.lines[0].name, order.lines[0].unit_amount) == ("Mug", 2400)


def test_more_than_there_is_says_how_many_are_left(unmoved: Stage) -> None:
    answer = unmoved.buy(unmoved.browser(), quantity=6)
    assert code_of(answer) == (409, "sold_out")
    assert answer.json["error"]["free"] == 5
    assert "Only 5 left" in answer.json["error"]["message"]


def test_the_last_one_goes_to_one_buyer(stage: Stage) -> None:
    stage.open_session(stage.browser(), "LAST")
    answer = stage.buy(stage.browser(), "LAST")
    assert code_of(answer) == (409, "sold_out")
    assert "just been sold" in answer.json["error"]["message"]
    assert stage.stock("LAST") == (1, 1, 0)


def test_less_than_stripe_charges_is_told_before_paying(unmoved: Stage) -> None:
    change_variant(unmoved, unit_amount=49)
    answer = unmoved.buy(unmoved.browser())
    assert code_of(answer) == (400, "invalid_input")
    assert "€0.50" in answer.json["error"]["message"]


def test_more_than_stripe_charges_is_told_before_paying(unmoved: Stage) -> None:
    change_variant(unmoved, unit_amount=50_000_000)
    answer = unmoved.buy(unmoved.browser(), quantity=2)
    assert code_of(answer) == (400, "invalid_input")
    assert "€999,999.99" in answer.json["error"]["message"]


def test_nobody_locks_the_shelf_away_with_open_payments(stage: Stage) -> None:
    browser = stage.browser()
    for quantity in range(1, 6):
        stage.open_session(browser, "YEN", quantity=quantity)
    answer = stage.buy(browser)
    assert code_of(answer) == (429, "too_many")
    assert stage.stock() == (5, 0, 0)
    assert stage.buy(stage.browser()).status_code == 200


def test_a_payment_given_up_makes_room_for_another(stage: Stage) -> None:
    browser = stage.browser()
    for quantity in range(1, 6):
        stage.open_session(browser, "YEN", quantity=quantity)
    browser.get(f"/payment/cancel?order={stage.orders()[0].reference}")
    assert stage.buy(browser).status_code == 200


def test_an_open_payment_of_the_cap_is_still_given_back(stage: Stage) -> None:
    browser = stage.browser()
    ids = [stage.open_session(browser, "YEN", quantity=quantity) for quantity in range(1, 6)]
    assert stage.open_session(browser, "YEN", quantity=1) == ids[0]


@on_sqlite
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_it_takes_posts_only(unmoved: Stage, method: str) -> None:
    answer = unmoved.browser().open(BUY, method=method, data={"sku": "MUG"}, headers=JSON)
    assert answer.status_code == 405


@on_sqlite
def test_it_reads_forms_not_json(unmoved: Stage) -> None:
    answer = unmoved.browser().post(BUY, json={"sku": "MUG"}, headers=JSON)
    assert code_of(answer) == (404, "not_found")


@on_sqlite
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost.evil.example"},
    ],
    ids=str,
)
def test_another_site_cannot_buy(unmoved: Stage, headers: dict[str, str]) -> None:
    answer = unmoved.browser().post(BUY, data={"sku": "MUG"}, headers=headers)
    assert answer.status_code == 400
    answer = unmoved.browser().post(BUY, data={"sku": "MUG"}, headers=JSON | headers)
    assert code_of(answer) == (400, "csrf")


@on_sqlite
@pytest.mark.parametrize("token", ["", "forged"])
def test_a_browser_with_a_session_needs_its_token(stage: Stage, token: str) -> None:
    browser = stage.browser()
    stage.open_session(browser, "YEN")
    answer = browser.post(BUY, data={"sku": "MUG", "csrf_token": token}, headers=JSON)
    assert code_of(answer) == (400, "csrf")
    assert stage.stock() == (5, 0, 0)


def test_a_script_with_an_old_token_is_given_the_new_one(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser, "YEN")
    refused = browser.post(BUY, data={"sku": "MUG"}, headers=JSON)
    token = {"X-CSRFToken": refused.headers["X-CSRFToken"]}
    assert browser.post(BUY, data={"sku": "MUG"}, headers=JSON | token).status_code == 200


def test_a_form_with_an_old_token_keeps_the_choice(stage: Stage) -> None:
    browser = stage.browser()
    stage.open_session(browser, "YEN")
    page = browser.post(BUY, data={"sku": "MUG", "quantity": "3"})
    assert page.status_code == 400
    assert "Please press once more." in page.text
    assert 'value="MUG"' in page.text and 'value="3"' in page.text
    assert 'name="csrf_token"' in page.text


@on_sqlite
@pytest.mark.parametrize("quantity", ["6", "0", "abc"])
def test_a_plain_form_gets_its_choice_back_with_the_reason(unmoved: Stage, quantity: str) -> None:
    page = unmoved.buy_plainly(unmoved.browser(), quantity=quantity)
    assert page.status_code in (400, 409)
    assert "Your choice is still here." in page.text
    assert 'role="alert"' in page.text
    assert 'value="MUG"' in page.text and f'action="{BUY}"' in page.text


def test_the_form_on_the_retry_page_works(stage: Stage) -> None:
    browser = stage.browser()
    page = stage.buy_plainly(browser, quantity=6).text
    token = page.split('name="csrf_token" value="')[1].split('"')[0]
    again = browser.post(BUY, data={"sku": "MUG", "quantity": "5", "csrf_token": token})
    assert again.status_code == 303


def test_no_reason_shows_what_was_typed_as_markup(unmoved: Stage) -> None:
    page = unmoved.buy_plainly(unmoved.browser(), quantity="<script>alert(1)</script>")
    assert "<script>alert" not in page.text


def test_the_cap_counts_open_payments_only(stage: Stage) -> None:
    browser = stage.browser()
    for quantity in range(1, 6):
        stage.pay(stage.open_session(browser, "YEN", quantity=quantity))
    change_order(stage, email="paid@example.com")
    assert stage.buy(browser).status_code == 200
