"""Disputes and inquiries as Stripe has them: shown until decided, no move of stock or money."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from flask import current_app
from sqlalchemy import select, update

from storefront.database import insert_for_conflict
from storefront.extensions import db
from storefront.models import Dispute
from storefront.models.columns import is_older
from storefront.models.dispute import CLOSED
from storefront.money import format_money
from storefront.services import attention, mailer, orders, payments
from storefront.services.refund_effects import changed

Told = dict[str, Any]


def mirror(told: Told, fetched_at: int, cause: str) -> bool:
    """Make our copy equal to what Stripe said when asked at `fetched_at` (nanoseconds since 1970).

    False when its payment is none of ours. An answer asked for earlier than ours has no effect.
    """
    if not (_exists(told["id"]) or payments.is_ours(told)):
        return False
    payment = payments.id_of(told["payment_intent"])
    order_id = payments.lock(payment)
    state = {
        "status": told["status"],
        "amount": told["amount"],
        "reason": told["reason"][:60],
        "due_by": _moment(told["evidence_details"]["due_by"]),
        "fetched_at": fetched_at,
    }
    before = _add(told, payment, order_id, state)
    if before is None:
        return True
    own = select(Dispute).where(Dispute.stripe_id == told["id"])
    dispute = db.session.scalars(own.execution_options(populate_existing=True)).one()
    if before != dispute.status:
        _follow(dispute, before, cause)
    return True


def _exists(stripe_id: str) -> bool:
    own = select(Dispute.id).where(Dispute.stripe_id == stripe_id)
    return bool(db.session.scalar(select(own.exists())))


def _add(
    told: Told, payment: str | None, order_id: int | None, state: dict[str, Any]
) -> str | None:
    """Add or bring up to date; the status it had ("" when new), or None when ours is newer."""
    add = insert_for_conflict(Dispute).values(
        stripe_id=told["id"],
        order_id=order_id,
        payment_intent=payment,
        livemode=current_app.config["LIVEMODE"],
        currency=told["currency"],
        **state,
    )
    add = add.on_conflict_do_nothing(index_elements=["stripe_id"]).returning(Dispute.id)
    if db.session.execute(add).scalar() is not None:
        return ""
    # Locked, so that what is read is what the next statement leaves behind.
    own = select(Dispute.status).where(Dispute.stripe_id == told["id"])
    before = db.session.scalar(own.with_for_update(key_share=True))
    newer = update(Dispute).where(
        Dispute.stripe_id == told["id"], is_older(Dispute.fetched_at, state["fetched_at"])
    )
    return before if changed(newer.values(**state)) else None


def _follow(dispute: Dispute, before: str, cause: str) -> None:
    """What hangs on a change of status: the order's attention and evidence, and one mail."""
    order_id = dispute.order_id
    money = format_money(dispute.amount, dispute.currency)
    if order_id is not None:
        way = f"{before} → {dispute.status}" if before else dispute.status
        note = f"dispute {dispute.stripe_id} of {money} ({dispute.reason}): {way}"
        orders.add_step(order_id, cause, None, None, note)
        attention.show_dispute(order_id)
    if dispute.status not in CLOSED:
        _tell(dispute)


def _tell(dispute: Dispute) -> None:
    buyers = payments.find_buyers_order(dispute.payment_intent) if dispute.payment_intent else None
    mailer.put(
        "needs_a_hand",
        f"dispute-{dispute.id}",
        order_id=dispute.order_id or buyers,
        why="disputed",
        amount=dispute.amount,
        currency=dispute.currency,
        reason=dispute.reason,
        due_by=f"{dispute.due_by:%Y-%m-%d %H:%M} UTC" if dispute.due_by else None,
    )


def adopt(payment: str | None, cause: str) -> None:
    """Give disputes that were told of before their order to it, now that it is there."""
    order_id = payments.lock(payment)
    if order_id is None:
        return
    waiting = select(Dispute).where(Dispute.payment_intent == payment, Dispute.order_id.is_(None))
    for dispute in db.session.scalars(waiting.order_by(Dispute.id)).all():
        own = update(Dispute).where(Dispute.id == dispute.id, Dispute.order_id.is_(None))
        if changed(own.values(order_id=order_id)):
            db.session.refresh(dispute)
            _follow(dispute, "", cause)


def list_newest(most: int | None = None) -> Sequence[Dispute]:
    """Disputes, the newest first."""
    return db.session.scalars(select(Dispute).order_by(Dispute.id.desc()).limit(most)).all()


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
