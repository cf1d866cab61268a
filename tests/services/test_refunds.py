"""Refunds: claimed before Stripe is asked, never more than was paid, one row for all the news.

THREATS P1-P3, P5, P6, P8 and W18.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from storefront import database
from storefront.errors import RefundRefused
from storefront.sandbox import control
from storefront.services import refunds
from tests.faults.together import at_once
from tests.payments.interventions import change_order, on_sqlite
from tests.payments.refunding import Sale, mails, rows, send_event, states
from tests.stage import Stage
from tests.webhooks.telling import bought_elsewhere, confirm, pay, pay_by_bank, retold, told


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The common stage with no webhooks: each test says what the shop hears."""
    stage.silence()
    return stage


@pytest.fixture
def sale(stage: Stage) -> Sale:
    """Two mugs for €48.00."""
    return Sale(stage, quantity=2)


def test_a_refund_is_claimed_sent_and_counted(sale: Sale) -> None:
    refund_id = sale.ask(1000, reason="duplicate", note="broken")
    assert (sale.counted, states(sale.stage)) == ((0, 1000), ["asked"])
    assert sale.send(refund_id) == "succeeded"
    (row,) = rows(sale.stage)
    (there,) = sale.at_stripe()
    assert (row.stripe_id, row.amount, row.reason) == (there["id"], 1000, "duplicate")
    assert there["metadata"]["refund"] == row.idempotency_key
    assert sale.counted == (1000, 0)
    assert sale.notes()[-2:] == [
        f"refund {refund_id} of €10.00 asked for",
        f"refund {refund_id} of €10.00: asked → succeeded",
    ]


def test_without_an_amount_it_is_all_that_is_left(sale: Sale) -> None:
    sale.give_back(1300)
    sale.give_back()
    assert [row.amount for row in rows(sale.stage)] == [1300, 3500]
    assert sale.counted == (4800, 0)


def test_the_same_key_is_the_same_refund(sale: Sale) -> None:
    first = sale.ask(1000, key="one")
    assert sale.ask(1000, key="one") == first
    assert sale.ask(key="one") == first
    assert (len(rows(sale.stage)), sale.counted) == (1, (0, 1000))


@on_sqlite
@pytest.mark.parametrize("amount", [0, -1, 4801, 10**12])
def test_what_cannot_be_given_back_is_refused_before_stripe_is_asked(
    sale: Sale, amount: int
) -> None:
    with pytest.raises(RefundRefused):
        sale.ask(amount)
    assert (rows(sale.stage), sale.counted) == ([], (0, 0))


@on_sqlite
def test_nothing_is_left_after_everything_was_asked_for(sale: Sale) -> None:
    sale.ask()
    for amount in (None, 1):
        with pytest.raises(RefundRefused, match="on its way"):
            sale.ask(amount)


@on_sqlite
@pytest.mark.parametrize("change", [{"state": "failed", "stock": "released"}, {"livemode": True}])
def test_an_order_that_is_not_paid_here_gives_nothing_back(
    sale: Sale, change: dict[str, Any]
) -> None:
    # As a paid order of another mode would be; or one whose bank has refused after all.
    change_order(sale.stage, **change)
    with pytest.raises(RefundRefused):
        sale.ask(100)
    change_order(sale.stage, state="paid", stock="sold", livemode=False)


@on_sqlite
def test_a_free_order_has_nothing_to_give_back(stage: Stage) -> None:
    with pytest.raises(RefundRefused, match="took no money"):
        Sale(stage, "FREE").ask()


def test_two_at_once_never_give_back_more_than_was_paid(sale: Sale) -> None:
    def ask(_: int) -> bool:
        try:
            sale.ask(3000)
        except RefundRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(ask, range(4))) == [False, False, False, True]
    assert sale.counted == (0, 3000)


def test_one_key_at_once_is_one_refund(sale: Sale) -> None:
    with ThreadPoolExecutor(4) as pool:
        ids = set(pool.map(lambda _: sale.ask(1000, key="double click"), range(4)))
    assert ids == {row.id for row in rows(sale.stage)}
    assert sale.counted == (0, 1000)


def test_the_webhook_and_the_answer_are_one_refund(sale: Sale) -> None:
    sale.give_back(1000)
    send_event(sale.stage, told(sale.stage, "refund.created"))
    send_event(sale.stage, told(sale.stage, "charge.refunded"))
    sale.record(sale.at_stripe()[0])
    assert (len(rows(sale.stage)), sale.counted) == (1, (1000, 0))
    assert len(mails(sale.stage, "refunded")) == 1


def test_the_first_refunds_news_after_a_second_one_change_nothing(sale: Sale) -> None:
    sale.give_back(1000)
    first = told(sale.stage, "refund.created")
    sale.give_back(500)
    for event in (first, retold(first)):
        send_event(sale.stage, event)
    assert ([row.amount for row in rows(sale.stage)], sale.counted) == ([1000, 500], (1500, 0))


def test_a_refund_made_at_stripe_appears_once(sale: Sale) -> None:
    sale.dashboard(700)
    for kind in ("charge.refunded", "refund.created"):
        send_event(sale.stage, told(sale.stage, kind))
    (row,) = rows(sale.stage)
    assert (row.origin, row.amount, row.idempotency_key) == ("stripe", 700, None)
    assert sale.counted == (700, 0)
    assert len(mails(sale.stage, "refunded")) == 1


def test_the_same_refund_told_many_times_at_once_is_one_row(sale: Sale) -> None:
    refund = sale.dashboard(700)
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda _: sale.record(dict(refund)), range(4))) == [True] * 4
    assert (len(rows(sale.stage)), sale.counted) == (1, (700, 0))
    assert len([note for note in sale.notes() if "made at Stripe" in note]) == 1


def test_refunds_told_at_once_are_all_counted(sale: Sale) -> None:
    refunds = [dict(sale.dashboard(100)) for _ in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(sale.record, refunds))
    assert sale.counted == (800, 0)


def test_a_slow_refund_counts_at_once_and_is_followed_to_its_end(stage: Stage) -> None:
    sale = Sale(stage, how="pm_card_pendingRefund")
    refund_id = sale.give_back(1000)
    created = told(stage, "refund.created")
    assert (states(stage), sale.counted) == (["pending"], (1000, 0))
    control.settle_refund(stage.sandbox, sale.at_stripe()[0]["id"])
    send_event(stage, told(stage, "refund.updated"))
    assert states(stage) == ["succeeded"]
    send_event(stage, created)
    assert (states(stage), sale.counted) == (["succeeded"], (1000, 0))
    assert f"refund {refund_id} of €10.00: pending → succeeded" in sale.notes()
    assert len(mails(stage, "refunded")) == 1


def test_a_refund_that_the_bank_sends_back_is_seen_and_can_be_made_again(sale: Sale) -> None:
    sale.give_back(restock=True)
    succeeded = told(sale.stage, "refund.created")
    control.fail_refund(sale.stage.sandbox, sale.at_stripe()[0]["id"])
    send_event(sale.stage, told(sale.stage, "refund.failed"))
    send_event(sale.stage, retold(succeeded))
    assert (states(sale.stage), sale.counted) == (["failed"], (0, 0))
    (mail,) = mails(sale.stage, "needs_a_hand")
    assert mail.details["why"] == "refund_failed"
    assert mail.details["reason"] == "expired_or_canceled_card"
    sale.give_back(restock=True)
    assert sale.counted == (4800, 0)
    assert sale.stage.stock() == (5, 0, 0)  # put back with the first, and only then


def test_goods_go_back_only_if_asked_and_once(sale: Sale) -> None:
    sale.give_back(100)
    assert sale.stage.stock() == (3, 0, 2)
    sale.give_back(pieces=sale.pieces(1), restock=True)
    send_event(sale.stage, told(sale.stage, "refund.created"))
    assert sale.stage.stock() == (4, 0, 1)
    assert sale.order.lines[0].restocked == 1
    sale.give_back(restock=True)
    assert sale.stage.stock() == (5, 0, 0)


def test_goods_wait_until_stripe_has_accepted(sale: Sale) -> None:
    refund_id = sale.ask(restock=True)
    assert sale.stage.stock() == (3, 0, 2)
    sale.send(refund_id)
    assert sale.stage.stock() == (5, 0, 0)


def test_goods_of_a_slow_refund_go_back_once(stage: Stage) -> None:
    sale = Sale(stage, how="pm_card_pendingRefund", quantity=2)
    sale.give_back(pieces=sale.pieces(1), restock=True)
    control.settle_refund(stage.sandbox, sale.at_stripe()[0]["id"])
    send_event(stage, told(stage, "refund.updated"))
    assert (states(stage), stage.stock()) == (["succeeded"], (4, 0, 1))


@on_sqlite
def test_unlimited_goods_can_come_back_too(stage: Stage) -> None:
    Sale(stage, "YEN").give_back(restock=True)
    assert stage.stock("YEN") == (None, 0, 0)


@on_sqlite
def test_for_a_part_of_the_money_the_goods_must_be_named(sale: Sale) -> None:
    with pytest.raises(RefundRefused, match="which goods"):
        sale.ask(2400, restock=True)
    sale.ask(2000, pieces=sale.pieces(1), restock=True)


@on_sqlite
@pytest.mark.parametrize("quantity", [0, -1, 3])
def test_no_more_goods_than_were_bought(sale: Sale, quantity: int) -> None:
    with pytest.raises(RefundRefused):
        sale.ask(pieces=sale.pieces(quantity))


@on_sqlite
def test_goods_of_another_order_are_refused(sale: Sale) -> None:
    with pytest.raises(RefundRefused, match="no such line"):
        sale.ask(pieces={sale.order.lines[0].id + 1: 1})


def test_the_same_goods_are_not_given_back_twice_at_once(sale: Sale) -> None:
    def ask(_: int) -> bool:
        try:
            sale.ask(100, pieces=sale.pieces(2))
        except RefundRefused:
            return False
        return True

    with ThreadPoolExecutor(3) as pool:
        assert sorted(pool.map(ask, range(3))) == [False, False, True]
    assert sale.counted == (0, 100)


def test_a_refund_before_its_order_is_paid_finds_it_later(stage: Stage) -> None:
    paid = pay(stage)
    control.refund(stage.sandbox, paid["data"]["object"]["id"], 700)
    send_event(stage, told(stage, "refund.created"))
    assert [row.order_id for row in rows(stage)] == [None]
    assert stage.order().amount_refunded == 0
    send_event(stage, paid)
    assert [row.order_id for row in rows(stage)] == [stage.order().id]
    assert stage.order().amount_refunded == 700
    assert len(mails(stage, "refunded")) == 1


def test_a_refund_told_in_the_moment_of_the_payment_is_brought_home(stage: Stage) -> None:
    sale = Sale(stage)
    sale.dashboard(700)
    payment = sale.order.payment_intent
    change_order(stage, payment_intent=None)  # as the other transaction saw it
    send_event(stage, told(stage, "refund.created"))
    change_order(stage, payment_intent=payment)
    assert (rows(stage)[0].order_id, sale.counted) == (None, (0, 0))
    stage.work()
    assert (rows(stage)[0].order_id, sale.counted) == (sale.order.id, (700, 0))


def test_a_strangers_refund_is_left_alone(sale: Sale) -> None:
    control.refund(sale.stage.sandbox, bought_elsewhere(sale.stage), 100)
    send_event(sale.stage, told(sale.stage, "refund.created"))
    assert rows(sale.stage) == []


def test_a_delayed_payment_can_be_given_back_too(stage: Stage) -> None:
    session_id = pay_by_bank(stage)
    send_event(stage, confirm(stage, session_id))
    control.refund(stage.sandbox, session_id)
    send_event(stage, told(stage, "charge.refunded"))
    assert stage.order().amount_refunded == 2400


@on_sqlite
def test_a_status_we_do_not_know_is_never_guessed_at(sale: Sale) -> None:
    refund = dict(sale.dashboard(100)) | {"status": "teleported"}
    with pytest.raises(KeyError):
        sale.record(refund)
    assert rows(sale.stage) == []


def test_news_of_several_refunds_in_any_order_waits_in_no_circle(sale: Sale) -> None:
    """One transaction tells of all refunds of a payment, another at the same time of some: on
    PostgreSQL, whoever held the order's row and whoever had added a row waited for each other."""
    for amount in (100, 200, 300, 400, 500, 600):
        control.refund(sale.stage.sandbox, sale.session, amount)
    there = sale.at_stripe()

    def record(news: list[dict[str, Any]]) -> None:
        with sale.stage.app.app_context(), database.writing():
            for refund in news:
                refunds.record(refund, "test")

    tellings = [there, there[::-1], there[2:], there[3::-1], there[::2], there[::-2]]
    at_once([partial(record, news) for news in tellings], threads=6)
    assert sale.counted == (2100, 0)
    assert len(rows(sale.stage)) == 6
