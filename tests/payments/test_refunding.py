"""Giving money back, whatever happens on the way to Stripe: it happens once, or is seen to fail.

THREATS P4, P7, P9, C9 (of a refund), and S4 for a payment too late.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from storefront import database, refunding
from storefront.sandbox import control
from storefront.services import orders, refunds
from tests.payments.interventions import (
    Crash,
    after,
    before,
    calls,
    crash,
    forgive_garbled,
    instead,
    keys,
    on_sqlite,
)
from tests.payments.refunding import ASK, Sale, mails, rows, states
from tests.stage import Stage
from tests.webhooks.telling import told


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The common stage with no webhooks: each test says what the shop hears."""
    stage.silence()
    return stage


@pytest.fixture
def sale(stage: Stage) -> Sale:
    """Two mugs for €48.00."""
    return Sale(stage, quantity=2)


def check_done_once(sale: Sale) -> None:
    """One refund of €10.00 here and at Stripe, whatever it took."""
    assert (states(sale.stage), sale.counted) == (["succeeded"], (1000, 0))
    assert [refund["amount"] for refund in sale.at_stripe()] == [1000]


def finish(stage: Stage) -> refunding.Progress:
    """The part of `work` that goes on with refunds, by itself."""
    with stage.app.app_context():
        return refunding.finish_due(timedelta(0))


def test_the_webhook_may_be_faster_than_the_answer(sale: Sale) -> None:
    after(sale.stage, ASK, lambda _: sale.stage.send(told(sale.stage, "refund.created")))
    refund_id = sale.give_back(1000)
    (row,) = rows(sale.stage)
    assert (row.id, row.state, sale.counted) == (refund_id, "succeeded", (1000, 0))
    assert len(mails(sale.stage, "refunded")) == 1


def test_killed_between_stripes_answer_and_our_record(sale: Sale) -> None:
    refund_id = sale.ask(1000, restock=True, pieces=sale.pieces(1))
    after(sale.stage, ASK, crash)
    with pytest.raises(Crash):
        sale.send(refund_id)
    assert (states(sale.stage), len(sale.at_stripe())) == (["asked"], 1)
    finish(sale.stage)
    assert (states(sale.stage), sale.counted) == (["succeeded"], (1000, 0))
    assert (len(sale.at_stripe()), sale.stage.stock()) == (1, (4, 0, 1))


def test_killed_before_stripe_was_asked(sale: Sale) -> None:
    sale.ask(1000)
    finish(sale.stage)
    check_done_once(sale)


def test_it_looks_before_it_asks_again_since_keys_are_forgotten(sale: Sale) -> None:
    refund_id = sale.ask(1000)
    after(sale.stage, ASK, crash)
    with pytest.raises(Crash):
        sale.send(refund_id)
    control.advance_clock(sale.stage.sandbox, 3 * 24 * 3600)
    finish(sale.stage)
    finish(sale.stage)
    assert (len(sale.at_stripe()), len(calls(sale.stage, ASK))) == (1, 1)
    assert sale.counted == (1000, 0)


@pytest.mark.parametrize("fault", ["timeout_before", "timeout_after", "drop", "html", "429", "409"])
def test_after_silence_it_asks_again_with_the_same_key(sale: Sale, fault: str) -> None:
    refund_id = sale.ask(1000)
    sale.stage.fault(fault, count=1 if fault == "429" else 3, path=ASK)
    assert sale.send(refund_id) == "asked"
    assert sale.counted == (0, 1000)
    sale.stage.work()
    check_done_once(sale)
    assert len(set(keys(sale.stage, ASK))) == 1
    forgive_garbled(sale.stage)


def test_an_error_that_stripe_keeps_is_left_behind_with_a_new_key(sale: Sale) -> None:
    refund_id = sale.ask(1000)
    sale.stage.fault("500_stored", path=ASK)
    assert sale.send(refund_id) == "asked"
    sale.stage.work()
    assert (states(sale.stage), len(sale.at_stripe())) == (["succeeded"], 1)
    key = rows(sale.stage)[0].idempotency_key
    assert set(keys(sale.stage, ASK)) == {f"{key}-1", f"{key}-2"}


def test_half_an_answer_is_silence(sale: Sale, stage: Stage) -> None:
    refund_id = sale.ask(1000)
    stage.fault("half", count=3, path=ASK)
    assert sale.send(refund_id) == "asked"
    forgive_garbled(stage)
    stage.work()
    assert (states(stage), len(sale.at_stripe())) == (["succeeded"], 1)


@pytest.mark.parametrize("status", [401, 403])
def test_a_key_that_stripe_does_not_accept_says_nothing_of_the_refund(
    sale: Sale, status: int
) -> None:
    refund_id = sale.ask(1000)
    sale.stage.fault(str(status), path=ASK)
    assert sale.send(refund_id) == "asked"
    sale.stage.work()
    assert states(sale.stage) == ["succeeded"]


def test_what_stripe_refuses_has_failed_and_its_claim_is_free(sale: Sale) -> None:
    refund_id = sale.ask(1000)
    control.dispute(sale.stage.sandbox, sale.session)
    assert sale.send(refund_id) == "failed"
    (row,) = rows(sale.stage)
    assert (row.failure_reason, sale.counted) == ("charge_disputed", (0, 0))
    (mail,) = mails(sale.stage, "needs_a_hand")
    assert (mail.details["why"], mail.details["reason"]) == ("refund_failed", "charge_disputed")
    assert sale.send(refund_id) == "failed"
    assert len(calls(sale.stage, ASK)) == 1


def test_money_given_back_at_stripe_while_ours_is_asked(sale: Sale) -> None:
    refund_id = sale.ask(3000)
    before(sale.stage, ASK, lambda _: sale.dashboard(2000))
    assert sale.send(refund_id) == "failed"
    assert [(row.origin, row.state) for row in rows(sale.stage)] == [
        ("shop", "failed"),
        ("stripe", "succeeded"),
    ]
    assert sale.counted == (2000, 0)


def test_a_refund_given_up_as_refused_is_taken_up_when_it_had_been_made(sale: Sale) -> None:
    refund_id = sale.ask()
    after(sale.stage, ASK, crash)
    with pytest.raises(Crash):
        sale.send(refund_id)
    with sale.stage.app.app_context(), database.writing():
        refunds.refuse(refund_id, "charge_already_refunded", "test")
    assert sale.counted == (0, 0)
    sale.stage.send(told(sale.stage, "refund.created"))
    assert (states(sale.stage), sale.counted) == (["succeeded"], (4800, 0))


def test_a_shop_that_moved_asks_with_a_new_key(sale: Sale) -> None:
    refund_id = sale.ask(1000)
    sale.stage.fault("500_stored", path=ASK)
    change = {"type": "idempotency_error", "message": "Keys for idempotent requests ..."}
    instead(sale.stage, ASK, 400, change)
    assert sale.send(refund_id) == "asked"
    sale.stage.work()
    sale.stage.work()
    assert (states(sale.stage), len(sale.at_stripe())) == (["succeeded"], 1)


def test_a_slow_bank_is_asked_without_any_news(stage: Stage) -> None:
    sale = Sale(stage, how="pm_card_pendingRefund")
    sale.give_back(1000)
    control.settle_refund(stage.sandbox, sale.at_stripe()[0]["id"])
    finish(stage)
    assert states(stage) == ["succeeded"]


@on_sqlite
def test_what_was_just_asked_is_left_alone(sale: Sale) -> None:
    sale.ask(1000)
    with sale.stage.app.app_context():
        progress = refunding.finish_due(timedelta(seconds=60))
    assert (progress.asked, calls(sale.stage, ASK)) == (0, [])


@on_sqlite
def test_without_an_answer_a_pass_asks_three_times_and_no_more(sale: Sale) -> None:
    for _ in range(5):
        sale.ask(100)
    sale.stage.fault("timeout_before", count=50)
    assert sale.stage.work()["unanswered"] >= 3
    assert len({exchange.path for exchange in sale.stage.recorder.exchanges[-3:]}) == 1
    assert states(sale.stage) == ["asked"] * 5


@on_sqlite
def test_the_claim_of_asking_is_won_once(sale: Sale) -> None:
    sale.ask(100)
    (row,) = rows(sale.stage)
    with sale.stage.app.app_context(), database.writing():
        assert [refunds.claim_asking(row), refunds.claim_asking(row)] == [True, False]


def late(stage: Stage) -> Any:
    """A payment that arrives when the only piece has been sold to somebody else."""
    slow = stage.open_session(stage.browser(), "LAST")
    event = told_late(stage, slow)
    Sale(stage, "LAST")
    return event


def told_late(stage: Stage, session_id: str) -> Any:
    stage.pay(session_id)
    event = told(stage, "checkout.session.completed")
    with stage.app.app_context(), database.writing():
        order = orders.find_by_session(session_id)
        assert order is not None
        orders.move(order, "expired", "test", lines=order.lines)
    return event


def test_paid_too_late_is_given_back_once_whoever_tells_of_it(stage: Stage) -> None:
    event = late(stage)
    for number in range(3):
        assert stage.send(event | {"id": f"evt_late_{number}"}).status_code == 200
    session_id = event["data"]["object"]["id"]
    stage.browser().get(f"/payment/success?sessid={session_id}")
    stage.work()
    stage.work()
    (order,) = stage.orders(checkout_session=session_id)
    assert (order.state, order.stock, order.attention) == ("paid", "short", "oversold")
    assert (order.amount_refunded, order.amount_refunding) == (5000, 0)
    assert [(row.origin, row.state) for row in rows(stage)] == [("oversold", "succeeded")]
    assert len(mails(stage, "oversold")) == 1
    assert [mail.details["why"] for mail in mails(stage, "needs_a_hand")] == ["oversold"]
    assert mails(stage, "refunded") == []
    assert stage.stock("LAST") == (0, 0, 1)


@pytest.mark.parametrize("amount", [None, 2000], ids=["whole", "part"])
def test_what_the_merchant_gave_back_before_we_knew_is_not_given_twice(
    stage: Stage, amount: int | None
) -> None:
    """He saw the money at Stripe first, and the order only learns of both afterwards."""
    event = late(stage)
    made = control.refund(stage.sandbox, event["data"]["object"]["id"], amount)
    assert stage.send(told(stage, "refund.created")).status_code == 200
    assert stage.send(event).status_code == 200
    stage.work()
    (order,) = stage.orders(checkout_session=event["data"]["object"]["id"])
    assert (order.state, order.attention) == ("paid", "oversold")
    assert (order.amount_refunded, order.amount_refunding) == (5000, 0)
    given = sorted((row.origin, row.amount) for row in rows(stage))
    assert given == (
        [("stripe", 5000)] if amount is None else [("oversold", 3000), ("stripe", 2000)]
    )
    assert made["amount"] in (5000, 2000)
