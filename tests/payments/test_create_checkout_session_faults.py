"""POST /stripe/create-checkout-session while Stripe is ill: friendly words, and nothing is kept."""

from __future__ import annotations

from typing import Any

import pytest

from tests.payments.interventions import (
    MAKE_CUSTOMER,
    OPEN,
    at_stripe,
    calls,
    forgive_garbled,
    instead,
    keys,
    on_sqlite,
)
from tests.stage import Stage

# How often each must strike until the SDK gives up.
TRIES = {
    "500": 3,
    "500_stored": 1,
    "409": 3,
    "html": 3,
    "timeout_before": 3,
    "timeout_after": 3,
    "drop": 3,
    "429": 1,
    "401": 1,
    "403": 1,
    "half": 1,
}
REPEATED = ["500", "409", "html", "timeout_before", "timeout_after", "drop"]
ANSWERS = [
    (400, {"type": "invalid_request_error", "message": "No such thing.", "param": "line_items"}),
    (404, {"type": "invalid_request_error", "message": "Gone.", "code": "resource_missing"}),
    (400, {"type": "idempotency_error", "message": "Keys for idempotent requests..."}),
    (402, {"type": "card_error", "message": "Your card was declined.", "code": "card_declined"}),
]

each_fault = pytest.mark.parametrize("kind", TRIES)


def ill(stage: Stage, kind: str, path: str = "/v1/") -> None:
    stage.fault(kind, TRIES[kind], path)


def check_nothing_is_kept(stage: Stage) -> None:
    forgive_garbled(stage)
    assert [order.state for order in stage.orders()] == ["cancelled"]
    assert stage.stock() == (5, 0, 0)


@each_fault
def test_a_script_is_told_and_the_goods_are_free(stage: Stage, kind: str) -> None:
    ill(stage, kind)
    answer = stage.buy(stage.browser())
    assert answer.status_code == 503
    assert answer.json["error"]["code"] == "payment_unavailable"
    assert "Nothing was charged" in answer.json["error"]["message"]
    check_nothing_is_kept(stage)


@on_sqlite
@each_fault
def test_a_plain_form_gets_its_choice_back(stage: Stage, kind: str) -> None:
    ill(stage, kind)
    page = stage.buy_plainly(stage.browser(), quantity=3)
    assert page.status_code == 503
    assert 'role="alert"' in page.text
    assert 'value="MUG"' in page.text and 'value="3"' in page.text
    check_nothing_is_kept(stage)


@on_sqlite
@each_fault
def test_the_next_press_asks_under_a_new_key_and_works(stage: Stage, kind: str) -> None:
    browser = stage.browser()
    ill(stage, kind)
    stage.buy(browser)
    before = set(keys(stage))
    assert stage.buy(browser).status_code == 200
    assert keys(stage)[-1] not in before
    assert stage.stock() == (5, 1, 0)
    forgive_garbled(stage)


@on_sqlite
@pytest.mark.parametrize("kind", REPEATED)
def test_a_passing_fault_is_not_noticed(stage: Stage, kind: str) -> None:
    stage.fault(kind, 1)
    assert stage.buy(stage.browser()).status_code == 200
    assert len(calls(stage)) == 2
    assert len(set(keys(stage))) == 1
    forgive_garbled(stage)


@pytest.mark.parametrize("kind", ["timeout_after", "drop"])
def test_a_lost_answer_makes_no_second_session(stage: Stage, kind: str) -> None:
    stage.fault(kind, 2)
    session_id = stage.open_session(stage.browser())
    assert at_stripe(stage) == [session_id]


def test_a_session_whose_answers_were_all_lost_is_settled_if_it_is_paid(stage: Stage) -> None:
    ill(stage, "timeout_after")
    stage.buy(stage.browser())
    (lost,) = at_stripe(stage)
    stage.pay(lost)
    order = stage.order()
    assert (order.state, order.checkout_session) == ("paid", lost)
    assert stage.steps() == [(None, "open"), ("open", "cancelled"), ("cancelled", "paid")]


@on_sqlite
@pytest.mark.parametrize("status, error", ANSWERS, ids=lambda value: str(value)[:40])
def test_every_refusal_has_words_and_frees_the_goods(
    stage: Stage, status: int, error: dict[str, Any]
) -> None:
    instead(stage, OPEN, status, error)
    answer = stage.buy(stage.browser())
    assert answer.status_code == (402 if status == 402 else 503)
    check_nothing_is_kept(stage)


@on_sqlite
def test_stripes_words_reach_the_buyer_only_if_meant_for_him(stage: Stage) -> None:
    for status, error in ANSWERS:
        instead(stage, OPEN, status, error)
        answer = stage.buy(stage.browser())
        shown = error["message"] in answer.json["error"]["message"]
        assert shown == (error["type"] == "card_error")


@on_sqlite
@each_fault
def test_a_customer_that_cannot_be_made_frees_the_goods(stage: Stage, kind: str) -> None:
    stage.add_user()
    browser = stage.signed_in()
    ill(stage, kind, "/v1/customers")
    assert stage.buy(browser).status_code == 503
    assert len(calls(stage, MAKE_CUSTOMER)) >= 1
    assert calls(stage) == []
    check_nothing_is_kept(stage)


class TestWithoutAKey:
    """A shop that has no Stripe key yet says so, and holds nothing."""

    def test_it_says_that_it_takes_no_payments_yet(self, stage: Stage) -> None:
        stage.app.extensions.pop("stripe")
        answer = stage.buy(stage.browser())
        assert answer.status_code == 503
        assert "does not take payments yet" in answer.json["error"]["message"]
        check_nothing_is_kept(stage)
