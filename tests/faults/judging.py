"""What must be true of orders and stock whatever happened; also held against bad builds."""

from __future__ import annotations

from sqlalchemy import func, select

from storefront.extensions import db
from storefront.models import Order, OrderLine, Variant
from tests.faults.serving import Served

PAID_ONCE = [(None, "open"), ("open", "paid")]


def steps_of(order: Order) -> list[tuple[str | None, str | None]]:
    return [(step.before, step.after) for step in order.steps]


def check_stock(shop: Served) -> None:
    """For all goods at once: none leaked, none sold twice, and what is held is held by orders."""
    kept = func.sum(OrderLine.quantity - OrderLine.restocked)
    count = select(OrderLine.sku, Order.stock, kept).join(Order)
    with shop.stage.app.app_context():
        rows = db.session.execute(count.group_by(OrderLine.sku, Order.stock)).all()
        shelf = db.session.execute(select(Variant.sku, Variant.on_hand, Variant.held, Variant.sold))
        by_orders = {(sku, stock): quantity for sku, stock, quantity in rows}
        for sku, on_hand, held, sold in shelf.all():
            assert on_hand >= held >= 0, sku
            assert on_hand + sold == shop.stage.started_with[sku], sku
            assert (held, sold) == tuple(by_orders.get((sku, s), 0) for s in ("held", "sold")), sku


def check_paid_once(shop: Served, *session_ids: str) -> None:
    """Each of these paid sessions is one paid order, which was paid in one step."""
    for session_id in session_ids:
        (order,) = shop.stage.orders(checkout_session=session_id)
        assert (order.state, order.stock, order.attention) == ("paid", "sold", None)
        assert steps_of(order) == PAID_ONCE
        assert order.amount_total == sum(line.amount_total for line in order.lines)
    check_stock(shop)


def check_ended_once(shop: Served, session_id: str) -> None:
    """This unpaid session is over, and its goods went back to the shelf in one step."""
    (order,) = shop.stage.orders(checkout_session=session_id)
    assert (order.state, order.stock) == ("expired", "released")
    assert steps_of(order) == [(None, "open"), ("open", "expired")]
    check_stock(shop)


def check_sold_to_one(shop: Served, sku: str, statuses: list[int]) -> None:
    """Of all who pressed Buy for the last item, one got a page to pay at; it is held for him."""
    assert sorted(statuses) == [200] + [409] * (len(statuses) - 1)
    assert shop.stage.stock(sku) == (1, 1, 0)
    check_stock(shop)
