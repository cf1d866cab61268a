"""A paid order and the verbs of giving money back, for the tests of refunds and disputes."""

from __future__ import annotations

import itertools
from typing import Any

from sqlalchemy import select

from storefront import database, refunding
from storefront.extensions import db
from storefront.models import Dispute, OrderLine, OutgoingMail, Refund
from storefront.sandbox import control
from storefront.services import refunds
from storefront.services.refund_shares import Wish
from tests.stage import Stage
from tests.webhooks.telling import Event, id_of, pay

_keys = itertools.count(1)
ASK = "POST /v1/refunds"


class Sale:
    """One order, paid and known to be, and what is given back of it. The shop hears by itself."""

    def __init__(self, stage: Stage, sku: str = "MUG", how: str = "pm_card_visa", **fields: Any):
        self.stage = stage
        event = pay(stage, sku, how, **fields)
        assert stage.send(event).status_code == 200
        self.session = id_of(event)

    @property
    def order(self) -> Any:
        (found,) = self.stage.orders(checkout_session=self.session)
        return found

    @property
    def counted(self) -> tuple[int, int]:
        """What the order says is given back, and on its way."""
        return self.order.amount_refunded, self.order.amount_refunding

    def ask(self, amount: int | None = None, key: str = "", **wish: Any) -> int:
        """Note the intent and commit it; the refund's id."""
        order_id, key = self.order.id, key or f"test-{next(_keys)}"
        with self.stage.app.app_context(), database.writing():
            return refunds.ask(order_id, Wish(amount, **wish), key=key, cause="test")

    def send(self, refund_id: int) -> str:
        """Ask Stripe; the refund's state after it."""
        with self.stage.app.app_context():
            return refunding.send(refund_id, "test").state

    def give_back(self, amount: int | None = None, **wish: Any) -> int:
        refund_id = self.ask(amount, **wish)
        self.send(refund_id)
        return refund_id

    def record(self, told: dict[str, Any]) -> bool:
        with self.stage.app.app_context(), database.writing():
            return refunds.record(told, "test")

    def at_stripe(self) -> list[dict[str, Any]]:
        """The payment's refunds as Stripe has them, oldest first."""
        client = self.stage.app.extensions["stripe"]
        found = client.v1.refunds.list({"payment_intent": self.order.payment_intent}).data
        return [refund.to_dict(for_json=True) for refund in reversed(found)]

    def dashboard(self, amount: int | None = None) -> dict[str, Any]:
        """Give money back at Stripe itself."""
        return control.refund(self.stage.sandbox, self.session, amount)

    def pieces(self, quantity: int, sku: str = "MUG") -> dict[int, int]:
        return {line.id: quantity for line in self.order.lines if line.sku == sku}

    def notes(self) -> list[str]:
        return [step.note for step in self.order.steps]


def rows(stage: Stage) -> list[Refund]:
    """Every refund the shop has, oldest first."""
    return _all(stage, Refund)


def disputes(stage: Stage) -> list[Dispute]:
    return _all(stage, Dispute)


def mails(stage: Stage, kind: str) -> list[OutgoingMail]:
    return [mail for mail in _all(stage, OutgoingMail) if mail.kind == kind]


def _all(stage: Stage, model: type[Any]) -> list[Any]:
    with stage.app.app_context():
        found = list(db.session.scalars(select(model).order_by(model.id)))
        db.session.expunge_all()
        return found


def states(stage: Stage) -> list[str]:
    return [refund.state for refund in rows(stage)]


def add_line(stage: Stage, order_id: int, sku: str, **columns: Any) -> None:
    """Let an order have one more line; a cart will make such orders."""
    with stage.app.app_context(), database.writing():
        count = len(db.session.scalars(select(OrderLine).filter_by(order_id=order_id)).all())
        line = OrderLine(order_id=order_id, position=count, sku=sku, name=sku, **columns)
        db.session.add(line)


def send_event(stage: Stage, event: Event) -> None:
    assert stage.send(event).status_code == 200
