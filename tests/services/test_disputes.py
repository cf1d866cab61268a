"""Disputes: a copy of Stripe's newest state, shown while open, never a move of stock or money.

THREATS P10.
"""

from __future__ import annotations

from typing import Any

import pytest

from storefront import database
from storefront.errors import Conflict
from storefront.sandbox import control
from storefront.services import attention, disputes
from tests.payments.interventions import change_order, on_sqlite
from tests.payments.refunding import Sale, mails, send_event
from tests.payments.refunding import disputes as rows
from tests.stage import Stage
from tests.webhooks.telling import bought_elsewhere, pay, told

LATER = 2**62  # nanoseconds: later than anything the clock says


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The common stage with no webhooks: each test says what the shop hears."""
    stage.silence()
    return stage


@pytest.fixture
def sale(stage: Stage) -> Sale:
    return Sale(stage)


def dispute(sale: Sale, **how: Any) -> str:
    """Let the buyer dispute, and the shop hear of it; the dispute's id."""
    made = control.dispute(sale.stage.sandbox, sale.session, **how)
    send_event(sale.stage, told(sale.stage, "charge.dispute.created"))
    return str(made["id"])


def close(sale: Sale, dispute_id: str, won: bool) -> None:
    control.close_dispute(sale.stage.sandbox, dispute_id, won=won)
    send_event(sale.stage, told(sale.stage, "charge.dispute.closed"))


def mirror(sale: Sale, told: dict[str, Any], asked_at: int) -> bool:
    with sale.stage.app.app_context(), database.writing():
        return disputes.mirror(told, asked_at, "test")


def accept(sale: Sale) -> bool:
    with sale.stage.app.app_context(), database.writing():
        return attention.accept(sale.order, "test")


def test_it_is_shown_with_its_date_and_told_once(sale: Sale) -> None:
    dispute_id = dispute(sale)
    send_event(sale.stage, told(sale.stage, "charge.dispute.funds_withdrawn"))
    (row,) = rows(sale.stage)
    assert (row.stripe_id, row.status, row.amount) == (dispute_id, "needs_response", 2400)
    assert (row.order_id, sale.order.attention) == (sale.order.id, "disputed")
    assert row.due_by is not None
    (mail,) = mails(sale.stage, "needs_a_hand")
    assert (mail.details["why"], mail.details["reason"]) == ("disputed", "fraudulent")
    assert mail.details["due_by"] == f"{row.due_by:%Y-%m-%d %H:%M} UTC"


@pytest.mark.parametrize("won, status", [(True, "won"), (False, "lost")])
def test_its_end_takes_the_flag_away_and_keeps_the_outcome(
    sale: Sale, won: bool, status: str
) -> None:
    close(sale, dispute(sale), won)
    assert (rows(sale.stage)[0].status, sale.order.attention) == (status, None)
    assert f": needs_response → {status}" in sale.notes()[-1]
    assert len(mails(sale.stage, "needs_a_hand")) == 1


def test_it_moves_neither_stock_nor_state_nor_money(sale: Sale) -> None:
    close(sale, dispute(sale), won=False)
    order = sale.order
    assert (order.state, order.stock, order.amount_refunded) == ("paid", "sold", 0)
    assert sale.stage.stock() == (4, 0, 1)


def test_an_inquiry_is_shown_until_it_is_closed(sale: Sale) -> None:
    dispute_id = dispute(sale, inquiry=True)
    assert (rows(sale.stage)[0].status, sale.order.attention) == (
        "warning_needs_response",
        "disputed",
    )
    close(sale, dispute_id, won=True)
    assert (rows(sale.stage)[0].status, sale.order.attention) == ("warning_closed", None)


def test_an_older_answer_never_takes_us_back(sale: Sale) -> None:
    control.dispute(sale.stage.sandbox, sale.session)
    news = told(sale.stage, "charge.dispute.created")["data"]["object"]
    assert mirror(sale, news | {"status": "won"}, LATER)
    assert mirror(sale, news, LATER - 1)
    assert (rows(sale.stage)[0].status, sale.order.attention) == ("won", None)
    assert len(rows(sale.stage)) == 1


def test_news_of_its_beginning_that_come_last_change_nothing(sale: Sale) -> None:
    made = control.dispute(sale.stage.sandbox, sale.session)
    begun = told(sale.stage, "charge.dispute.created")
    close(sale, made["id"], won=True)
    send_event(sale.stage, begun)
    assert (rows(sale.stage)[0].status, sale.order.attention) == ("won", None)
    assert mails(sale.stage, "needs_a_hand") == []


def test_another_look_comes_first_and_then_the_dispute_shows(sale: Sale) -> None:
    change_order(sale.stage, attention="duplicate")
    dispute_id = dispute(sale)
    assert sale.order.attention == "duplicate"
    assert accept(sale) is True
    assert sale.order.attention == "disputed"
    with pytest.raises(Conflict, match="still open"):
        accept(sale)
    close(sale, dispute_id, won=True)
    assert (sale.order.attention, accept(sale)) == (None, False)


def test_what_was_looked_at_is_off_the_list(sale: Sale) -> None:
    change_order(sale.stage, attention="amount_mismatch")
    assert accept(sale) is True
    assert sale.order.attention is None
    assert sale.notes()[-1] == "looked at and accepted: amount_mismatch"


def test_it_is_accepted_as_it_was_seen_or_not_at_all(sale: Sale) -> None:
    change_order(sale.stage, attention="duplicate")
    seen = sale.order
    change_order(sale.stage, attention="oversold")
    with sale.stage.app.app_context(), database.writing():
        assert attention.accept(seen, "test") is False
    assert sale.order.attention == "oversold"


def test_a_dispute_before_its_order_is_paid_finds_it_later(stage: Stage) -> None:
    paid = pay(stage)
    control.dispute(stage.sandbox, paid["data"]["object"]["id"])
    send_event(stage, told(stage, "charge.dispute.created"))
    assert (rows(stage)[0].order_id, stage.order().attention) == (None, None)
    send_event(stage, paid)
    assert (rows(stage)[0].order_id, stage.order().attention) == (stage.order().id, "disputed")


@on_sqlite
def test_a_strangers_dispute_is_left_alone(sale: Sale) -> None:
    control.dispute(sale.stage.sandbox, bought_elsewhere(sale.stage))
    send_event(sale.stage, told(sale.stage, "charge.dispute.created"))
    assert (rows(sale.stage), sale.order.attention) == ([], None)
