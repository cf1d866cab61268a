"""What Stripe has to tell: the sandbox's own events, brought about, looked up, and told anew.

`SCENES` has for each event we handle the way to the moment at which Stripe tells of it.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from storefront.extensions import db
from storefront.models import (
    Dispute,
    OutgoingMail,
    Refund,
    Subscription,
    SubscriptionInvoice,
)
from storefront.sandbox import control
from tests.stage import Stage

Event = dict[str, Any]

_numbers = itertools.count(1)


def told(stage: Stage, event_type: str) -> Event:
    """The newest event of this type that happened at Stripe."""
    client = stage.app.extensions["stripe"]
    newest = client.v1.events.list({"type": event_type, "limit": 1}).data[0]
    event: Event = newest.to_dict(for_json=True)
    return event


def retold(event: Event, **changes: Any) -> Event:
    """The same news under another event id, with these fields of its object changed."""
    other = copy.deepcopy(event)
    other["id"] = f"evt_retold_{next(_numbers)}"
    other["data"]["object"].update(changes)
    return other


def as_type(event: Event, event_type: str) -> Event:
    """An event of a type that is about the same object."""
    return retold(event) | {"type": event_type}


def invented(event_type: str, about: dict[str, Any] | None = None) -> Event:
    """A well-formed event about an object that the sandbox does not know."""
    return {
        "id": f"evt_invented_{next(_numbers)}",
        "object": "event",
        "api_version": "2020-08-27",
        "created": 1,
        "livemode": False,
        "type": event_type,
        "data": {"object": about or {"id": "obj_1", "object": "thing"}},
    }


def member(stage: Stage) -> FlaskClient:
    """The browser of a new customer who is signed in."""
    stage.add_user()
    return stage.signed_in()


def pay(stage: Stage, sku: str = "MUG", how: str = "pm_card_visa", **fields: Any) -> Event:
    """Let somebody buy and pay; the news of it, which nobody has told the shop yet."""
    browser = member(stage) if sku.startswith("CLUB") else stage.browser()
    stage.pay(stage.open_session(browser, sku, **fields), how)
    return told(stage, "checkout.session.completed")


def pay_by_bank(stage: Stage, sku: str = "MUG") -> str:
    """Let somebody pay by a slow bank, and tell the shop; returns the session's id."""
    event = pay(stage, sku, "bank_debit")
    assert stage.send(event).status_code == 200
    session_id: str = event["data"]["object"]["id"]
    return session_id


def confirm(stage: Stage, session_id: str) -> Event:
    """Let the bank pay."""
    control.settle_payment(stage.sandbox, session_id)
    return told(stage, "checkout.session.async_payment_succeeded")


def refuse(stage: Stage, session_id: str) -> Event:
    """Let the bank refuse."""
    control.fail_payment(stage.sandbox, session_id)
    return told(stage, "checkout.session.async_payment_failed")


def expire(stage: Stage, sku: str = "MUG", **fields: Any) -> Event:
    """Let somebody open a payment and leave it until it ends."""
    control.expire_session(stage.sandbox, stage.open_session(stage.browser(), sku, **fields))
    return told(stage, "checkout.session.expired")


def subscribe(stage: Stage, sku: str = "CLUB") -> Event:
    """Let somebody subscribe; the shop knows neither order nor subscription as paid yet."""
    pay(stage, sku)
    return told(stage, "customer.subscription.created")


def renew(stage: Stage, days: int = 366) -> Event:
    """Let time go by until the subscription there is has been charged again."""
    control.advance_clock(stage.sandbox, days * 86400)
    return told(stage, "invoice.paid")


def cancel_later(stage: Stage, subscription_id: str) -> Event:
    """Let a subscription end with its period."""
    client = stage.app.extensions["stripe"]
    client.v1.subscriptions.update(subscription_id, {"cancel_at_period_end": True})
    return told(stage, "customer.subscription.updated")


def cancel_now(stage: Stage, subscription_id: str) -> Event:
    """End a subscription."""
    control.cancel_subscription(stage.sandbox, subscription_id)
    return told(stage, "customer.subscription.deleted")


def id_of(event: Event) -> str:
    """The id of the object an event is about."""
    found: str = event["data"]["object"]["id"]
    return found


@contextmanager
def asking(stage: Stage) -> Iterator[list[str]]:
    """What the shop asks of Stripe within the block: method and path of each call."""
    asked: list[str] = []
    mark = len(stage.recorder.exchanges)
    yield asked
    asked += [f"{call.method} {call.path}" for call in stage.recorder.exchanges[mark:]]


def _updated(stage: Stage) -> Event:
    return cancel_later(stage, id_of(subscribe(stage)))


def _deleted(stage: Stage) -> Event:
    return cancel_now(stage, id_of(subscribe(stage)))


def _invoice_paid(stage: Stage) -> Event:
    pay(stage, "CLUB-Y")
    return told(stage, "invoice.paid")


def _invoice_failed(stage: Stage) -> Event:
    refuse(stage, pay_by_bank(stage, "CLUB-Y"))
    return told(stage, "invoice.payment_failed")


SCENES: dict[str, Callable[[Stage], Event]] = {
    "checkout.session.completed": pay,
    "checkout.session.async_payment_succeeded": lambda stage: confirm(stage, pay_by_bank(stage)),
    "checkout.session.async_payment_failed": lambda stage: refuse(stage, pay_by_bank(stage)),
    "checkout.session.expired": expire,
    "customer.subscription.created": subscribe,
    "customer.subscription.updated": _updated,
    "customer.subscription.deleted": _deleted,
    "customer.subscription.paused": lambda stage: as_type(
        subscribe(stage), "customer.subscription.paused"
    ),
    "customer.subscription.resumed": lambda stage: as_type(
        subscribe(stage), "customer.subscription.resumed"
    ),
    "customer.subscription.trial_will_end": lambda stage: as_type(
        subscribe(stage), "customer.subscription.trial_will_end"
    ),
    "invoice.paid": _invoice_paid,
    "invoice.payment_failed": _invoice_failed,
    "invoice.payment_action_required": lambda stage: as_type(
        _invoice_failed(stage), "invoice.payment_action_required"
    ),
}


def bought(stage: Stage, how: str = "pm_card_visa") -> str:
    """Let somebody buy, pay and be believed; the session's id."""
    event = pay(stage, how=how)
    assert stage.send(event).status_code == 200
    return id_of(event)


def bought_elsewhere(stage: Stage, how: str = "pm_card_visa") -> str:
    """Let somebody buy from another program on the same Stripe account; the session's id."""
    price = {"currency": "eur", "unit_amount": 900, "product_data": {"name": "Not ours"}}
    session = stage.app.extensions["stripe"].v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"quantity": 1, "price_data": price}],
            "success_url": "https://other.example/thanks",
        }
    )
    stage.pay(session.id, how)
    return str(session.id)


def refunding(kind: str) -> Callable[[Stage, str], Event]:
    """The scene in which a refund makes Stripe tell of this kind of event."""

    def scene(stage: Stage, session_id: str) -> Event:
        control.refund(stage.sandbox, session_id, 400)
        return told(stage, kind)

    return scene


def failing(kind: str) -> Callable[[Stage, str], Event]:
    """The scene in which a bank sends a refund back."""

    def scene(stage: Stage, session_id: str) -> Event:
        control.fail_refund(stage.sandbox, control.refund(stage.sandbox, session_id, 400)["id"])
        return told(stage, kind)

    return scene


def disputing(kind: str, won: bool | None = None) -> Callable[[Stage, str], Event]:
    """The scene in which a buyer disputes, perhaps to the end."""

    def scene(stage: Stage, session_id: str) -> Event:
        dispute = control.dispute(stage.sandbox, session_id)
        if won is not None:
            control.close_dispute(stage.sandbox, dispute["id"], won=won)
        return told(stage, kind)

    return scene


# What happens to a payment afterwards, whoever's it is.
AFTERWARDS: dict[str, Callable[[Stage, str], Event]] = {
    "refund.created": refunding("refund.created"),
    "refund.updated": failing("refund.updated"),
    "refund.failed": failing("refund.failed"),
    "charge.refund.updated": failing("charge.refund.updated"),
    "charge.refunded": refunding("charge.refunded"),
    "charge.dispute.created": disputing("charge.dispute.created"),
    "charge.dispute.updated": disputing("charge.dispute.created"),
    "charge.dispute.closed": disputing("charge.dispute.closed", won=False),
    "charge.dispute.funds_withdrawn": disputing("charge.dispute.funds_withdrawn"),
    "charge.dispute.funds_reinstated": disputing("charge.dispute.funds_reinstated", won=True),
}


def _after_buying(kind: str) -> Callable[[Stage], Event]:
    return lambda stage: as_type(AFTERWARDS[kind](stage, bought(stage)), kind)


SCENES |= {kind: _after_buying(kind) for kind in AFTERWARDS}


def subscriptions(stage: Stage) -> list[Subscription]:
    """Every subscription the shop knows, oldest first."""
    return _all(stage, Subscription)


def invoices(stage: Stage) -> list[SubscriptionInvoice]:
    """Every invoice of a subscription the shop knows, oldest first."""
    return _all(stage, SubscriptionInvoice)


def refunds(stage: Stage) -> list[Refund]:
    """Every refund the shop knows, oldest first."""
    return _all(stage, Refund)


def disputes(stage: Stage) -> list[Dispute]:
    """Every dispute the shop knows, oldest first."""
    return _all(stage, Dispute)


def mails(stage: Stage) -> list[OutgoingMail]:
    """The outbox, oldest first."""
    return _all(stage, OutgoingMail)


def _all(stage: Stage, model: type[Any]) -> list[Any]:
    with stage.app.app_context():
        found = list(db.session.scalars(select(model).order_by(model.id)))
        db.session.expunge_all()
        return found


def effects(stage: Stage) -> tuple[Any, ...]:
    """Everything an event may change, in a form that can be compared."""
    return (
        [_columns(order) for order in stage.orders()],
        stage.steps(),
        stage.stock(),
        [_columns(row) for row in subscriptions(stage)],
        [_columns(row) for row in invoices(stage)],
        [_columns(row) for row in refunds(stage)],
        [_columns(row) for row in disputes(stage)],
        [row.key for row in mails(stage)],
    )


def _columns(row: Any) -> dict[str, Any]:
    # When Stripe was last asked is no effect that anybody can see.
    return {
        column.key: getattr(row, column.key)
        for column in row.__table__.columns
        if column.key != "fetched_at"
    }
