"""What hangs on a refund's state: what its order has given back, the goods, the evidence, mail."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CursorResult, Executable, func, select, update

from storefront import database, signals
from storefront.extensions import db
from storefront.models import Order, OrderLine, Refund, RefundLine
from storefront.models.columns import now
from storefront.models.refund import GIVEN_BACK
from storefront.money import format_money
from storefront.services import mailer, orders, payments, stock

GONE = ("failed", "canceled")


def follow(refund_id: int, before: str | None, cause: str) -> None:
    """Everything that hangs on a change of a refund; the caller has just won that change."""
    refund = db.session.get_one(Refund, refund_id, populate_existing=True)
    payments.recount_invoice(refund.payment_intent)
    if refund.order_id is not None:
        recount(refund.order_id)
        goods = _restock(refund) if refund.state in GIVEN_BACK else ""
        orders.add_step(refund.order_id, cause, None, None, _words(refund, before) + goods)
    order_id = refund.order_id or payments.find_buyers_order(refund.payment_intent)
    if order_id is not None:
        _tell(refund, before, order_id)


def _tell(refund: Refund, before: str | None, order_id: int) -> None:
    """Write to whom it concerns; of one refund there is one mail of a kind."""
    about = f"refund-{refund.id}"
    money: dict[str, Any] = {"amount": refund.amount, "currency": refund.currency}
    if refund.state in GONE:
        details = {"why": "refund_failed", "reason": refund.failure_reason or refund.state, **money}
        mailer.put("needs_a_hand", about, order_id=order_id, **details)
    elif before not in GIVEN_BACK:
        if refund.origin != "oversold":  # that buyer has a mail about it already
            mailer.put("refunded", about, order_id=order_id, **money)
        database.after_commit(signals.order_refunded, order_id=order_id, refund_id=refund.id)


def _words(refund: Refund, before: str | None) -> str:
    money = format_money(refund.amount, refund.currency)
    named = f"refund {refund.id} of {money}"
    if before is None:
        return f"{named} was made at Stripe ({refund.stripe_id}): {refund.state}"
    why = f" ({refund.failure_reason})" if refund.failure_reason else ""
    return f"{named}: {before} → {refund.state}{why}"


def recount(order_id: int) -> None:
    """Let the order say what its refunds sum up to.

    Its row is locked first: the statement that adds up then sees what others have just committed.
    """
    db.session.execute(select(Order.id).where(Order.id == order_id).with_for_update(key_share=True))
    own = select(func.coalesce(func.sum(Refund.amount), 0)).where(
        Refund.order_id == order_id, Refund.currency == Order.currency
    )
    given = own.where(Refund.state.in_(GIVEN_BACK)).correlate(Order).scalar_subquery()
    asked = own.where(Refund.state == "asked").correlate(Order).scalar_subquery()
    changed(
        update(Order)
        .where(Order.id == order_id)
        .values(amount_refunded=given, amount_refunding=asked)
    )


def _restock(refund: Refund) -> str:
    """Put the goods back, once, if that was asked for; words for the evidence."""
    mine = changed(
        update(Refund)
        .where(Refund.id == refund.id, Refund.restock.is_(True), Refund.restocked_at.is_(None))
        .values(restocked_at=now())
    )
    if not mine:
        return ""
    missing = [line for line in _goods(refund.id) if not _put_back(line)]
    return "; goods that could not be put back" if missing else "; the goods are on the shelf again"


def _goods(refund_id: int) -> Sequence[Any]:
    return db.session.execute(
        select(OrderLine.id, OrderLine.variant_id, RefundLine.quantity)
        .join(RefundLine, RefundLine.order_line_id == OrderLine.id)
        .where(RefundLine.refund_id == refund_id)
        .order_by(OrderLine.variant_id)
    ).all()


def _put_back(line: Any) -> bool:
    is_due = changed(
        update(OrderLine)
        .where(OrderLine.id == line.id, OrderLine.restocked + line.quantity <= OrderLine.quantity)
        .values(restocked=OrderLine.restocked + line.quantity)
    )
    return is_due and (line.variant_id is None or stock.take_back(line))


def changed(statement: Executable) -> bool:
    """Run one guarded UPDATE; whether it hit. (An INSERT does not tell on every database.)"""
    result = db.session.connection().execute(statement)
    assert isinstance(result, CursorResult)
    return result.rowcount > 0
