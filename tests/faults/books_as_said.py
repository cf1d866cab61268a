"""The books of a shop and of its Stripe in a form in which two shops can be compared.

Without ids, times and causes. Of mails only those whose news still holds: a shop that hears late is
not to write of what is over.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import select

from storefront.extensions import db
from storefront.models import (
    Dispute,
    Order,
    OutgoingMail,
    Refund,
    Subscription,
    SubscriptionInvoice,
    Variant,
)
from storefront.models.dispute import CLOSED
from storefront.sandbox.core import state
from tests.stage import Stage

Row = dict[str, Any]
OF_ORDER = (
    "state",
    "attention",
    "stock",
    "fulfillment",
    "mode",
    "currency",
    "amount_subtotal",
    "amount_shipping",
    "amount_tax",
    "amount_discount",
    "amount_total",
    "amount_refunded",
    "amount_refunding",
    "email",
    "livemode",
)
OF_REFUND = ("amount", "currency", "state", "reason", "origin", "restock", "failure_reason")
OF_DISPUTE = ("amount", "currency", "status", "reason")
OF_PLAN = ("status", "cancel_at_period_end", "livemode")
OF_INVOICE = (
    "status",
    "amount_paid",
    "amount_refunded",
    "billing_reason",
    "currency",
    "attempt_count",
)


def read(stage: Stage) -> dict[str, Any]:
    """Everything that two shops to which the same happened must agree about."""
    with stage.app.app_context():
        rows = {model: _all(model) for model in (Refund, Dispute, Subscription, OutgoingMail)}
        invoices = _all(SubscriptionInvoice)
        orders = [_of_order(order, rows, invoices) for order in _all(Order)]
        stock = {row.sku: (row.on_hand, row.held, row.sold) for row in _all(Variant)}
        strays = [row for model in (Refund, Dispute) for row in rows[model] if not row.order_id]
        found = {
            "orders": _twins_in_any_order(orders),
            "stock": stock,
            "of renewals": _sorted(
                _columns(row, OF_REFUND if isinstance(row, Refund) else OF_DISPUTE)
                for row in strays
            ),
        }
        db.session.rollback()
    return found


def _all(model: type[Any]) -> list[Any]:
    chosen = select(model).order_by(model.id)
    return list(db.session.scalars(chosen.execution_options(populate_existing=True)))


def _of_order(order: Any, rows: dict[type[Any], list[Any]], invoices: list[Any]) -> Row:
    own = {
        model: [row for row in found if row.order_id == order.id] for model, found in rows.items()
    }
    plans = {plan.stripe_id for plan in own[Subscription]}
    charged = [row for row in invoices if row.stripe_subscription in plans]
    return _columns(order, OF_ORDER) | {
        "purchase": (order.buyer, order.purchase_key),
        "has": (bool(order.checkout_session), bool(order.payment_intent), bool(order.paid_at)),
        "lines": [
            (line.sku, line.quantity, line.restocked, line.amount_total) for line in order.lines
        ],
        "refunds": _sorted(
            _columns(row, OF_REFUND)
            | {"restocked": row.restocked_at is not None, "pieces": [o.quantity for o in row.lines]}
            for row in own[Refund]
        ),
        "disputes": _sorted(_columns(row, OF_DISPUTE) for row in own[Dispute]),
        "plans": _sorted(
            _columns(row, OF_PLAN) | {"trial": bool(row.trial_end)} for row in own[Subscription]
        ),
        "invoices": _sorted(_columns(row, OF_INVOICE) for row in charged),
        "mails": sorted(_still_true(order, rows)),
    }


def _still_true(order: Any, rows: dict[type[Any], list[Any]]) -> Iterable[str]:
    refunds = {f"refund-{row.id}": row for row in rows[Refund]}
    disputes = {f"dispute-{row.id}": row for row in rows[Dispute]}
    for mail in rows[OutgoingMail]:
        if mail.order_id != order.id:
            continue
        about = mail.key.partition(":")[2]
        is_over = (
            (mail.kind == "payment_processing" and order.state != "processing")
            or (mail.kind == "refunded" and refunds[about].state in ("failed", "canceled"))
            or (about in disputes and disputes[about].status in CLOSED)
        )
        if not is_over:
            yield f"{mail.kind} {mail.details.get('why', '')}".strip()


def _twins_in_any_order(orders: list[Row]) -> list[list[Row]]:
    """Orders for one purchase together: which of two payments came second, is for news to say."""
    groups: dict[Any, list[Row]] = {}
    for order in orders:
        groups.setdefault(order.pop("purchase"), []).append(order)
    return [_sorted(group) for group in groups.values()]


def _sorted(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=repr)


def _columns(row: Any, names: tuple[str, ...]) -> Row:
    return {name: getattr(row, name) for name in names}


def read_stripe(stage: Stage) -> list[Any]:
    """What became of each session at Stripe, with what was given back of its payment."""
    with state(stage.sandbox).store.read() as tx:
        sessions, refunds, disputes = (
            tx.select("type = ?", (type,)) for type in ("checkout.session", "refund", "dispute")
        )
    return [
        (
            session["status"],
            session["payment_status"],
            session["amount_total"],
            *(
                sorted((one["amount"], one["status"]) for one in made if _is_of(one, session))
                for made in (refunds, disputes)
            ),
        )
        for session in sessions
    ]


def _is_of(one: Row, session: Row) -> bool:
    return bool(session["payment_intent"]) and one["payment_intent"] == session["payment_intent"]
