"""Both sides of the books after a run: what `flask shop` says, and what Stripe's API says."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import stripe
from sqlalchemy import select

from storefront.extensions import db
from storefront.models import OrderLine, OrderStep, Refund, StripeEvent
from storefront.models.order import FIRST_NUMBER
from tests.faults.serving import Served

Record = dict[str, Any]


@dataclass(frozen=True)
class Step:
    """One line of an order's history."""

    id: int
    cause: str
    before: str | None
    after: str | None


@dataclass(frozen=True)
class Books:
    """What the shop says of the goods with these SKUs; its orders by number, refunds by payment."""

    orders: dict[int, Record]
    stock: dict[str, Record]
    steps: dict[int, list[Step]]
    mails: dict[int, list[str]]
    inbox: dict[str, str]
    refunds: dict[str, list[Record]]


@dataclass(frozen=True)
class Ledger:
    """What Stripe has: Checkout Sessions by id, and refunds by the payment they are of."""

    sessions: dict[str, Record]
    refunds: dict[str, list[Record]]


def listed(shop: Served, what: str) -> list[Record]:
    """What `flask shop WHAT --json` prints."""
    result = shop.stage.app.test_cli_runner().invoke(args=["shop", what, "--json"])
    assert result.exit_code == 0, result.output
    return [json.loads(line) for line in result.output.splitlines()]


def read_books(shop: Served, skus: list[str], since: float) -> Books:
    """Everything the shop has written down about these goods, all of it since a moment."""
    orders = {
        record["number"]: record
        for record in listed(shop, "orders")
        if any(line["sku"] in skus for line in record["lines"])
    }
    stock = {level["sku"]: level for level in listed(shop, "stock") if level["sku"] in skus}
    mails: dict[int, list[str]] = {}
    for mail in listed(shop, "mails"):
        if mail["order"] in orders:
            mails.setdefault(mail["order"], []).append(mail["kind"])
    received = select(StripeEvent.id, StripeEvent.state)
    start = datetime.fromtimestamp(since, UTC)
    with shop.stage.app.app_context():
        inbox = db.session.execute(received.where(StripeEvent.received_at >= start)).all()
    steps = read_steps(shop, since)
    refunds = _read_refunds(shop, since)
    _add_restocked(shop, orders)
    return Books(orders, stock, steps, mails, {id: state for id, state in inbox}, refunds)


def _read_refunds(shop: Served, since: float) -> dict[str, list[Record]]:
    start = datetime.fromtimestamp(since, UTC)
    columns = (Refund.payment_intent, Refund.stripe_id, Refund.amount, Refund.state)
    found: dict[str, list[Record]] = {}
    with shop.stage.app.app_context():
        for row in db.session.execute(select(*columns).where(Refund.created_at >= start)):
            found.setdefault(row.payment_intent, []).append(dict(row._mapping))
    return found


def _add_restocked(shop: Served, orders: dict[int, Record]) -> None:
    """Note in each line how much of it has come back."""
    columns = (OrderLine.order_id, OrderLine.position, OrderLine.restocked)
    with shop.stage.app.app_context():
        rows = db.session.execute(select(*columns).where(OrderLine.restocked > 0)).all()
    for order_id, position, restocked in rows:
        order = orders.get(order_id + FIRST_NUMBER - 1)
        if order:
            order["lines"][position]["restocked"] = restocked


def read_steps(shop: Served, since: float) -> dict[int, list[Step]]:
    """The history that was written since a moment, by the number of its order."""
    columns = (OrderStep.id, OrderStep.cause, OrderStep.before, OrderStep.after)
    written = select(OrderStep.order_id, *columns).order_by(OrderStep.id)
    start = datetime.fromtimestamp(since, UTC)
    history: dict[int, list[Step]] = {}
    with shop.stage.app.app_context():
        for order_id, *step in db.session.execute(written.where(OrderStep.at >= start)):
            history.setdefault(order_id + FIRST_NUMBER - 1, []).append(Step(*step))
    return history


def read_ledger(shop: Served, since: float) -> Ledger:
    """Everything that Stripe has made since a moment, as its API tells it."""
    # A client of our own: the shop's gives each call a budget of time.
    base: Any = {"api": shop.settings["STRIPE_API_BASE"]}
    v1 = stripe.StripeClient(shop.settings["STRIPE_SECRET_KEY"], base_addresses=base).v1
    made: Any = {"limit": 100, "created": {"gte": int(since)}}
    sessions = v1.checkout.sessions.list(made).auto_paging_iter()
    refunds: dict[str, list[Record]] = {}
    for refund in v1.refunds.list(made).auto_paging_iter():
        refunds.setdefault(refund["payment_intent"], []).append(refund.to_dict(for_json=True))
    return Ledger({one["id"]: one.to_dict(for_json=True) for one in sessions}, refunds)
