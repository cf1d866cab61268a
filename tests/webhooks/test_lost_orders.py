"""A paid session whose order is not in the books, as after an old backup: it is made anew."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import delete, update

from storefront import database
from storefront.extensions import db
from storefront.models import Order, OrderLine, OrderStep, OutgoingMail, Variant
from storefront.sandbox import control
from storefront.services import reconcile
from tests.stage import Stage

MUG_PRICE = 2400


def forget_orders(stage: Stage) -> None:
    """The books as they were before anybody bought."""
    with stage.app.app_context(), database.writing():
        for model in (OutgoingMail, OrderStep, OrderLine, Order):
            db.session.execute(delete(model))
        db.session.execute(update(Variant).values(held=0))


def lost_session(stage: Stage, sku: str = "MUG", **fields: int) -> str:
    """Paid at Stripe, and neither order nor news of it here."""
    stage.silence()
    session_id = stage.open_session(stage.browser(), sku, **fields)
    stage.pay(session_id)
    forget_orders(stage)
    return session_id


def hear(stage: Stage) -> None:
    control.set_switches(stage.sandbox, paused=False)
    stage.deliver()


def test_the_webhook_makes_the_order_anew(stage: Stage) -> None:
    session_id = lost_session(stage, quantity=2)
    hear(stage)
    order = stage.order()
    assert (order.state, order.attention, order.checkout_session) == ("paid", None, session_id)
    assert (order.amount_total, order.currency) == (2 * MUG_PRICE, "eur")
    (line,) = order.lines
    assert (line.sku, line.quantity, line.unit_amount) == ("MUG", 2, MUG_PRICE)
    assert stage.stock() == (3, 0, 2)
    assert order.email == "buyer@example.com"
    assert {event.state for event in stage.events()} <= {"applied", "ignored"}


def test_twice_told_it_is_one_order(stage: Stage) -> None:
    lost_session(stage)
    hear(stage)
    for event in stage.events():
        control.resend_event(stage.sandbox, event.id)
    control.set_switches(stage.sandbox, duplicate=True)
    stage.deliver()
    assert len(stage.orders()) == 1
    assert stage.stock() == (4, 0, 1)


def test_reconciling_makes_it_anew_and_then_finds_nothing(stage: Stage) -> None:
    lost_session(stage)
    since = datetime.now(UTC) - timedelta(days=1)
    with stage.app.app_context():
        (found,) = reconcile.compare(since)
        assert (found.what, found.stripe_says, found.we_say) == ("session", "paid", "nothing")
        assert found.mend is not None
        with database.writing():
            found.mend("reconcile")
        assert list(reconcile.compare(since)) == []
    assert stage.order().state == "paid"
    assert stage.stock() == (4, 0, 1)


def test_goods_that_are_gone_are_given_back_in_money(stage: Stage) -> None:
    """The backup says that there is none: whoever paid gets it all back."""
    lost_session(stage, "LAST")
    with stage.app.app_context(), database.writing():
        db.session.execute(update(Variant).where(Variant.sku == "LAST").values(on_hand=0))
    stage.started_with["LAST"] = 0
    hear(stage)
    order = stage.order()
    assert (order.state, order.stock, order.attention) == ("paid", "short", "oversold")
    assert order.amount_refunding == order.amount_total


def test_a_signed_in_buyer_finds_it_in_his_account(stage: Stage) -> None:
    user = stage.add_user()
    stage.silence()
    session_id = stage.open_session(stage.signed_in())
    stage.pay(session_id)
    forget_orders(stage)
    hear(stage)
    assert (stage.order().user_id, stage.order().buyer) == (user.id, f"user:{user.id}")


def test_goods_that_left_the_catalog_are_still_lines(stage: Stage) -> None:
    lost_session(stage)
    with stage.app.app_context(), database.writing():
        db.session.execute(update(Variant).where(Variant.sku == "MUG").values(sku="MUG-OLD"))
    stage.started_with["MUG-OLD"] = stage.started_with.pop("MUG")
    hear(stage)
    (line,) = stage.order().lines
    assert (line.sku, line.variant_id, stage.order().state) == ("MUG", None, "paid")


@pytest.mark.parametrize("end", ["expire", "leave"])
def test_what_nobody_paid_is_not_missed(stage: Stage, end: str) -> None:
    stage.silence()
    session_id = stage.open_session(stage.browser())
    forget_orders(stage)
    if end == "expire":
        control.expire_session(stage.sandbox, session_id)
    hear(stage)
    assert stage.orders() == []
    assert {event.state for event in stage.events()} <= {"ignored"}
