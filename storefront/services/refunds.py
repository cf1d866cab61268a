"""Refunds: the one place that asks for one, and the one that brings it to what Stripe says.

A refund is a row; what an order has given back is the sum of its rows, never a flag. The intent is
committed before Stripe is asked, and the same refund told any number of times, in any order, by
whomever, is one row with one effect.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import func, insert, literal, or_, select, update
from sqlalchemy.orm import selectinload

from storefront import database
from storefront.errors import Conflict, NotFound, RefundRefused
from storefront.extensions import db
from storefront.i18n import gettext as _
from storefront.models import Order, OrderLine, Refund, RefundLine
from storefront.models.columns import now
from storefront.models.order import NEVER
from storefront.models.refund import REASONS
from storefront.money import format_money
from storefront.services import mailer, orders, payments, refund_effects, refund_shares
from storefront.services.refund_effects import GONE, changed
from storefront.services.refund_shares import Plan, Wish

Told = dict[str, Any]

# News of a lower rank, or of the same, is old news: Stripe may turn `succeeded` into `failed`.
RANKS = {"asked": 0, "requires_action": 1, "pending": 2, "succeeded": 3, "failed": 4, "canceled": 4}
UNFINISHED = ("asked", "pending", "requires_action")


def plan(order: Order, wish: Wish) -> Plan:
    """What asking for this would come to. Raises RefundRefused, with words for the merchant."""
    if order.livemode != current_app.config["LIVEMODE"]:
        raise RefundRefused(_("This order was paid in another mode of Stripe than the shop is in."))
    return refund_shares.plan(order, wish, _returned(order.id))


def _returned(order_id: int) -> dict[int, int]:
    """How many pieces of each line the order's refunds were for."""
    rows = db.session.execute(
        select(RefundLine.order_line_id, func.sum(RefundLine.quantity))
        .join(Refund, Refund.id == RefundLine.refund_id)
        .where(Refund.order_id == order_id, Refund.state.not_in(GONE))
        .group_by(RefundLine.order_line_id)
    )
    return {line_id: int(pieces) for line_id, pieces in rows}


def ask(order_id: int, wish: Wish, *, key: str, cause: str, origin: str = "shop") -> int:
    """Claim the money and note the intent; the refund's id, also when this key had asked before.

    What is claimed can never be more than what was paid, however many ask at once. Stripe is asked
    after the commit. Raises RefundRefused, with words for the merchant; then nothing may be kept.
    """
    known = _find_by_key(key)
    if known is not None:
        return known
    order = _order(order_id)
    planned = plan(order, wish)
    if not _claim(order_id, planned.amount):
        known = _find_by_key(key)  # the same wish, a moment earlier
        if known is not None:
            return known
        raise RefundRefused(_("Somebody else has just given money back. Please look again."))
    refund_id = _add_asked(order, planned, wish, key, origin)
    if refund_id is None:
        refund_effects.recount(order_id)
        return _find_by_key(key) or 0
    for line_id, pieces in planned.pieces.items():
        _add_line(refund_id, order_id, line_id, pieces)
    money = format_money(planned.amount, order.currency)
    orders.add_step(order_id, cause, None, None, f"refund {refund_id} of {money} asked for")
    return refund_id


def _order(order_id: int) -> Order:
    found = db.session.get(
        Order, order_id, options=[selectinload(Order.lines)], populate_existing=True
    )
    if found is None:
        raise NotFound(_("There is no such order."))
    return found


def _find_by_key(key: str) -> int | None:
    return db.session.scalar(select(Refund.id).where(Refund.idempotency_key == key))


def _claim(order_id: int, amount: int) -> bool:
    spoken_for = Order.amount_refunded + Order.amount_refunding
    return changed(
        update(Order)
        .where(Order.id == order_id, Order.state == "paid")
        .where(spoken_for + amount <= Order.amount_total)
        .values(amount_refunding=Order.amount_refunding + amount)
    )


def _add_asked(order: Order, planned: Plan, wish: Wish, key: str, origin: str) -> int | None:
    add = database.insert_for_conflict(Refund).values(
        order_id=order.id,
        idempotency_key=key,
        payment_intent=order.payment_intent,
        livemode=order.livemode,
        currency=order.currency,
        amount=planned.amount,
        reason=wish.reason,
        note=wish.note,
        origin=origin,
        restock=wish.restock,
        # One that nobody waits for is sent by the next pass of `work`.
        asked_at=NEVER if origin == "oversold" else now(),
    )
    add = add.on_conflict_do_nothing(index_elements=["idempotency_key"]).returning(Refund.id)
    return db.session.execute(add).scalar()


def _add_line(refund_id: int, order_id: int, line_id: int, pieces: int) -> None:
    """Name goods, unless other refunds have named too many of them in the meantime."""
    taken = (
        select(func.coalesce(func.sum(RefundLine.quantity), 0))
        .join(Refund, Refund.id == RefundLine.refund_id)
        .where(RefundLine.order_line_id == line_id, Refund.state.not_in(GONE))
        .scalar_subquery()
    )
    enough = select(literal(refund_id), OrderLine.id, literal(pieces)).where(
        OrderLine.id == line_id,
        OrderLine.order_id == order_id,
        OrderLine.quantity - taken >= pieces,
    )
    columns = ["refund_id", "order_line_id", "quantity"]
    add = insert(RefundLine).from_select(columns, enough).returning(RefundLine.id)
    if db.session.execute(add).scalar() is None:
        raise RefundRefused(_("These goods have just been given back. Please look again."))


def give_back_if_short(order_id: int, cause: str) -> None:
    """Paid too late for goods that are gone: ask for all the money back, once, and tell both."""
    order = _order(order_id)
    if order.stock != "short":
        return
    money: dict[str, Any] = {"amount": order.amount_total, "currency": order.currency}
    if order.payment_intent and refund_shares.left_of(order) > 0:  # else given back at Stripe
        key = f"oversold-{order.reference}"
        ask(order_id, Wish(), key=key, cause=cause, origin="oversold")
    mailer.put("oversold", f"order-{order_id}", order_id=order_id, **money)
    mailer.put("needs_a_hand", f"oversold-{order_id}", order_id=order_id, why="oversold", **money)


def record(told: Told, cause: str) -> bool:
    """Bring our row to what Stripe says of this refund, with everything that hangs on it.

    False when its payment is none of ours. `told` is enough by itself where we know its payment;
    otherwise its PaymentIntent must be there in full. Raises KeyError when a field that decides is
    missing, or says what we do not know.
    """
    payment, rank = payments.id_of(told["payment_intent"]), RANKS[told["status"]]
    if payment is None or not payments.is_ours(told):
        return False
    order_id = payments.lock(payment)
    _recognize(told, payment)
    for _attempt in range(3):
        row: Any = db.session.execute(
            select(Refund.id, Refund.state).where(Refund.stripe_id == told["id"])
        ).one_or_none()
        if row is None:
            if _add_told(told, payment, order_id, cause):
                return True
        elif rank <= RANKS[row.state]:
            return True
        elif _move(row.id, row.state, told):
            refund_effects.follow(row.id, row.state, cause)
            return True
    raise Conflict(f"{told['id']} is being recorded elsewhere")


def _recognize(told: Told, payment: str) -> None:
    """Give the refund that we asked for its name at Stripe.

    One that was given up as refused is taken up again: an earlier try had its effect after all.
    """
    key = (told["metadata"] or {}).get("refund")
    if not key:
        return
    changed(
        update(Refund)
        .where(
            Refund.idempotency_key == key,
            Refund.stripe_id.is_(None),
            Refund.payment_intent == payment,
            Refund.currency == told["currency"],
            Refund.amount == told["amount"],
            ~select(Refund.id).where(Refund.stripe_id == told["id"]).correlate(None).exists(),
        )
        .values(stripe_id=told["id"], state="asked", failure_reason=None)
    )


def _add_told(told: Told, payment: str, order_id: int | None, cause: str) -> bool:
    """Add a refund that was made at Stripe itself; False when somebody has just done so."""
    add = database.insert_for_conflict(Refund).values(
        order_id=order_id,
        stripe_id=told["id"],
        payment_intent=payment,
        livemode=current_app.config["LIVEMODE"],
        currency=told["currency"],
        amount=told["amount"],
        state=told["status"],
        reason=told["reason"] if told["reason"] in REASONS else None,
        failure_reason=_short(told.get("failure_reason")),
        origin="stripe",
    )
    add = add.on_conflict_do_nothing(index_elements=["stripe_id"]).returning(Refund.id)
    refund_id = db.session.execute(add).scalar()
    if refund_id is None:
        return False
    refund_effects.follow(refund_id, None, cause)
    return True


def _move(refund_id: int, seen: str, told: Told) -> bool:
    return changed(
        update(Refund)
        .where(Refund.id == refund_id, Refund.state == seen)
        .values(state=told["status"], failure_reason=_short(told.get("failure_reason")))
    )


def refuse(refund_id: int, reason: str, cause: str, words: str = "") -> bool:
    """Give up a refund that Stripe does not make; False when it has moved on."""
    payments.lock(get(refund_id).payment_intent)
    note = f"\n{words}" if words else ""
    refused = changed(
        update(Refund)
        .where(Refund.id == refund_id, Refund.state == "asked", Refund.stripe_id.is_(None))
        .values(state="failed", failure_reason=_short(reason), note=Refund.note + note)
    )
    if refused:
        refund_effects.follow(refund_id, "asked", cause)
    return refused


def adopt(payment: str | None, cause: str) -> None:
    """Give refunds that were told of before their order to it, now that it is there."""
    order_id = payments.lock(payment)
    if order_id is None:
        return
    waiting = select(Refund.id).where(Refund.payment_intent == payment, Refund.order_id.is_(None))
    for refund_id in db.session.scalars(waiting.order_by(Refund.id)).all():
        own = update(Refund).where(Refund.id == refund_id, Refund.order_id.is_(None))
        if changed(own.values(order_id=order_id)):
            refund_effects.follow(refund_id, None, cause)


def get(refund_id: int) -> Refund:
    """The refund as it stands now."""
    return db.session.get_one(Refund, refund_id, populate_existing=True)


def list_of_order(order_id: int) -> Sequence[Refund]:
    """An order's refunds, oldest first."""
    own = select(Refund).where(Refund.order_id == order_id).order_by(Refund.id)
    return db.session.scalars(own.execution_options(populate_existing=True)).all()


def list_newest(most: int | None = None) -> Sequence[Refund]:
    """Refunds, the newest first."""
    return db.session.scalars(select(Refund).order_by(Refund.id.desc()).limit(most)).all()


def list_due(asked_before: datetime, told_before: datetime, most: int = 100) -> Sequence[Refund]:
    """Refunds that Stripe was not asked about for a while, longest first: ones it never answered
    for, and ones that the bank has not decided."""
    return db.session.scalars(
        select(Refund)
        .where(
            Refund.livemode == current_app.config["LIVEMODE"],
            Refund.state.in_(UNFINISHED),
            or_(
                (Refund.state == "asked") & (Refund.asked_at <= asked_before),
                (Refund.state != "asked") & (Refund.asked_at <= told_before),
            ),
        )
        .order_by(Refund.asked_at)
        .limit(most)
        .execution_options(populate_existing=True)
    ).all()


def claim_asking(refund: Refund) -> bool:
    """Win the right to ask Stripe about this refund now; False when somebody has just asked."""
    return changed(
        update(Refund)
        .where(Refund.id == refund.id, Refund.asked_at == refund.asked_at)
        .values(asked_at=now())
    )


def next_attempt(refund_id: int, seen: int) -> None:
    """Ask under a new key from now on, since the old one would bring the same error for ever."""
    changed(
        update(Refund)
        .where(Refund.id == refund_id, Refund.state == "asked", Refund.attempt == seen)
        .values(attempt=seen + 1)
    )


def _short(text: str | None) -> str | None:
    return text[:60] if text else None
