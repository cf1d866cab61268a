"""Stripe's books beside ours, thing by thing; each difference with what would mend it.

It only looks. Mending is done by the same functions that hear of things otherwise, one at a time,
in a transaction of the caller's.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select

from storefront import stripe_gateway
from storefront.extensions import db
from storefront.models import Dispute, Order, Refund, Subscription, SubscriptionInvoice
from storefront.models.order import FIRST_NUMBER
from storefront.money import format_money
from storefront.services import (
    disputes,
    lost_orders,
    orders,
    payments,
    refunds,
    settlement,
    subscriptions,
)

Told = dict[str, Any]
Mend = Callable[[str], object]  # told the cause, inside database.writing()
NOTHING = "nothing"
PLAN = ("status", "current_period_end", "cancel_at_period_end")


@dataclass(frozen=True)
class Difference:
    """One thing that Stripe and we see differently; `mend` where that is safe."""

    what: str
    id: str
    order: int | None
    stripe_says: str
    we_say: str
    mend: Mend | None = field(default=None, compare=False)

    @property
    def key(self) -> str:
        return f"{self.what} {self.id}"

    def as_dict(self) -> dict[str, Any]:
        names = ("what", "id", "order", "stripe_says", "we_say")
        return {name: getattr(self, name) for name in names}


def compare(since: datetime) -> Iterator[Difference]:
    """Every difference in what was made since then, and in every subscription.

    Raises PaymentUnavailable when Stripe does not answer.
    """
    yield from _sessions(since)
    yield from _subscriptions()
    yield from _invoices(since)
    yield from _refunds(since)
    yield from _disputes(since)


def _made(since: datetime, *expand: str) -> Told:
    params: Told = {"created": {"gte": int(since.timestamp())}}
    return params | ({"expand": list(expand)} if expand else {})


def _sessions(since: datetime) -> Iterator[Difference]:
    seen: set[str] = set()
    for told in stripe_gateway.iterate("sessions", _made(since, "data.payment_intent")):
        seen.add(told["id"])
        yield from _judge_session(told)
    of_ours = select(Order.checkout_session, Order.id, Order.state).where(
        Order.created_at >= since, Order.checkout_session.is_not(None)
    )
    for session_id, order_id, state in _unseen(of_ours, seen):
        found = _find(stripe_gateway.get_checkout_session, session_id)
        if found:
            yield from _judge_session(found)
        else:
            yield Difference("session", session_id, _number(order_id), NOTHING, state)


def _judge_session(told: Told) -> Iterator[Difference]:
    order = orders.find_by_session(told["id"])
    if order is None:
        order = orders.find_by_reference(told["client_reference_id"] or "")
    says = settlement.stands(told)
    if order is None:
        if says in ("paid", "processing") and payments.bears_our_mark(told["metadata"]):
            yield _of_lost_order(told, says)
        return
    if order.checkout_session not in (None, told["id"]):
        if says in ("paid", "processing"):
            yield _of_session(told, order.number, says, NOTHING, can_mend=True)
        return
    if says != order.state:
        # Nobody has paid at a page that is open, whatever became of its order.
        over = order.state in ("cancelled", "expired") and says in ("open", "expired")
        if not over:
            can_mend = orders.can_move(order.state, says) or (order.state, says) == (
                "open",
                "failed",
            )
            yield _of_session(told, order.number, says, order.state, can_mend=can_mend)
    elif says == "paid":
        theirs = format_money(told["amount_total"], told["currency"])
        ours = format_money(order.amount_total, order.currency)
        if theirs != ours:
            yield _of_session(told, order.number, f"paid {theirs}", f"paid {ours}", can_mend=False)


def _of_session(
    told: Told, number: int | None, says: str, we_say: str, *, can_mend: bool
) -> Difference:
    def mend(cause: str) -> object:
        return settlement.settle(told, cause=cause)

    return Difference("session", told["id"], number, says, we_say, mend if can_mend else None)


def _of_lost_order(told: Told, says: str) -> Difference:
    """The order was placed after the backup that the books come from. It is made anew once paid."""
    if says != "paid":
        return Difference("session", told["id"], None, says, NOTHING)
    line_items = stripe_gateway.get_line_items(told["id"])

    def mend(cause: str) -> object:
        lost_orders.place(told, line_items, cause)
        return settlement.settle(told, cause=cause)

    return Difference("session", told["id"], None, says, NOTHING, mend)


def _refunds(since: datetime) -> Iterator[Difference]:
    yield from _money_back("refund", Refund, Refund.state, refunds.record, since)


def _disputes(since: datetime) -> Iterator[Difference]:
    asked_at = time.time_ns()

    def mirror(told: Told, cause: str) -> object:
        return disputes.mirror(told, asked_at, cause)

    yield from _money_back("dispute", Dispute, Dispute.status, mirror, since)


def _money_back(
    what: str,
    model: type[Refund] | type[Dispute],
    state: Any,
    record: Callable[[Told, str], object],
    since: datetime,
) -> Iterator[Difference]:
    """What goes for refunds and disputes alike: each is one row with a state and an amount."""
    seen: set[str] = set()

    def judge(told: Told) -> Iterator[Difference]:
        number = _paid_order(told["payment_intent"])
        row = db.session.execute(
            select(state, model.amount, model.currency).where(model.stripe_id == told["id"])
        ).one_or_none()
        if row is None and not payments.is_ours(told):
            return
        says = _words(told["status"], told["amount"], told["currency"])
        we_say = _words(*row) if row else NOTHING
        if says != we_say:
            yield Difference(
                what, told["id"], number, says, we_say, lambda cause: record(told, cause)
            )

    for told in stripe_gateway.iterate(f"{what}s", _made(since, "data.payment_intent")):
        seen.add(told["id"])
        yield from judge(told)
    get = stripe_gateway.get_refund if what == "refund" else stripe_gateway.get_dispute
    of_ours = select(model.stripe_id, model.order_id, state).where(
        model.created_at >= since, model.stripe_id.is_not(None)
    )
    for stripe_id, order_id, stands in _unseen(of_ours, seen):
        found = _find(get, stripe_id)
        if found:
            yield from judge(found)
        else:
            yield Difference(what, stripe_id, _number(order_id), NOTHING, stands)


def _paid_order(payment: Any) -> int | None:
    """The number of the order that this payment paid, or whose subscription it renewed."""
    payment_id = payments.id_of(payment)
    if payment_id is None:
        return None
    return _number(payments.find_order(payment_id) or payments.find_buyers_order(payment_id))


def _subscriptions() -> Iterator[Difference]:
    seen: set[str] = set()
    asked_at = time.time_ns()
    for told in stripe_gateway.iterate("subscriptions", {"status": "all"}):
        seen.add(told["id"])
        yield from _judge_subscription(told, asked_at)
    of_ours = select(Subscription.stripe_id, Subscription.order_id, Subscription.status)
    for stripe_id, order_id, status in _unseen(of_ours, seen):
        asked_at = time.time_ns()
        found = _find(stripe_gateway.get_subscription, stripe_id)
        if found:
            yield from _judge_subscription(found, asked_at)
        else:
            yield Difference("subscription", stripe_id, _number(order_id), NOTHING, status)


def _judge_subscription(told: Told, asked_at: int) -> Iterator[Difference]:
    row = db.session.scalars(
        select(Subscription)
        .where(Subscription.stripe_id == told["id"])
        .execution_options(populate_existing=True)
    ).one_or_none()
    if row is None and not subscriptions.is_of_our_order(told):
        return
    theirs = _plan(subscriptions.state_of(told))
    ours = _plan({name: getattr(row, name) for name in PLAN}) if row else NOTHING
    if theirs != ours:
        number = _number(row.order_id) if row else None
        yield Difference(
            "subscription",
            told["id"],
            number,
            theirs,
            ours,
            lambda cause: subscriptions.mirror(told, asked_at),
        )


def _plan(state: dict[str, Any]) -> str:
    """What matters about a subscription, in words."""
    words = str(state["status"])
    if state["current_period_end"]:
        words += f" until {state['current_period_end']:%Y-%m-%d}"
    return f"{words}, then ends" if state["cancel_at_period_end"] else words


def _invoices(since: datetime) -> Iterator[Difference]:
    for told in stripe_gateway.iterate("invoices", _made(since, "data.payments")):
        if told["status"] != "paid" or not subscriptions.is_our_invoice(told):
            continue
        row = db.session.execute(
            select(
                SubscriptionInvoice.status,
                SubscriptionInvoice.amount_paid,
                SubscriptionInvoice.currency,
            ).where(SubscriptionInvoice.stripe_id == told["id"])
        ).one_or_none()
        says = _words(told["status"], told["amount_paid"], told["currency"])
        we_say = _words(*row) if row else NOTHING
        if says != we_say:
            yield _of_invoice(told, says, we_say)


def _of_invoice(told: Told, says: str, we_say: str) -> Difference:
    def mend(_cause: str) -> object:
        return subscriptions.record_invoice(told)

    return Difference("invoice", told["id"], None, says, we_say, mend)


def _unseen(of_ours: Any, seen: set[str]) -> Iterable[Any]:
    return [row for row in db.session.execute(of_ours).all() if row[0] not in seen]


def _find(get: Callable[[str], Told], stripe_id: str) -> Told | None:
    """What Stripe has under this id, or None when it has nothing."""
    try:
        return get(stripe_id)
    except stripe_gateway.StripeRefused as refusal:
        if refusal.reason == "resource_missing":
            return None
        raise


def _words(state: str, amount: int, currency: str) -> str:
    return f"{state} {format_money(amount, currency)}"


def _number(order_id: int | None) -> int | None:
    return None if order_id is None else order_id + FIRST_NUMBER - 1
