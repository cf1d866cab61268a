"""Every event we react to, and why, in one table; and the door for extensions.

A handler runs inside the transaction that remembers the event. Where the event does not tell enough
to go by, Stripe is asked before that transaction. A handler returns False when the object is not
ours.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from flask import Flask, current_app

from storefront import refunding, stripe_gateway
from storefront.services import disputes, payments, refunds, settlement, subscriptions

Event = dict[str, Any]
Object = dict[str, Any]
Guest = Callable[[Event], None]


@dataclass(frozen=True)
class Delivery:
    """An event with the object to go by, and when Stripe was asked for it (ns since 1970)."""

    event: Event
    object: Object
    asked_at: int
    by: str = ""

    @property
    def cause(self) -> str:
        """For an order's evidence."""
        return cause_of(self.event, self.by)


def cause_of(event: Event, by: str) -> str:
    """Names the event, and who brought it where Stripe did not, for an order's evidence."""
    return f"{event['type']} {event['id']}{f' {by}' if by else ''}"[:255]  # room in a step


@dataclass(frozen=True)
class Handler:
    """What one type of event makes us do; `ask` gets the object where the event is not enough."""

    why: str
    apply: Callable[[Delivery], bool]
    is_enough: Callable[[Event], bool]
    ask: Callable[[str], Object]


def checkout_session_told(delivery: Delivery) -> bool:
    """Settle by the session that the signed event carries."""
    return _settle(delivery, bank_refused=False)


def checkout_session_async_payment_failed(delivery: Delivery) -> bool:
    """The bank said no to a delayed payment; the session alone would still say "unpaid"."""
    return _settle(delivery, bank_refused=True)


def _settle(delivery: Delivery, bank_refused: bool) -> bool:
    order_id = settlement.settle(delivery.object, cause=delivery.cause, bank_refused=bank_refused)
    return order_id is not None


def customer_subscription_told(delivery: Delivery) -> bool:
    """Copy the subscription's newest state; an older answer than ours is fine and has no effect."""
    if subscriptions.mirror(delivery.object, delivery.asked_at):
        return True
    return subscriptions.is_known(delivery.object["id"])


def invoice_told(delivery: Delivery) -> bool:
    """Record what a subscription was charged, or that it could not be."""
    return subscriptions.record_invoice(delivery.object)


def refund_told(delivery: Delivery) -> bool:
    """Record what has become of a refund, also of one that was made at Stripe itself."""
    return refunds.record(delivery.object, delivery.cause)


def charge_refunded(delivery: Delivery) -> bool:
    """Record every refund of the charge: whatever else was lost, the money adds up again."""
    told = delivery.object.get("data", [])
    return any([refunds.record(refund, delivery.cause) for refund in reversed(told)])


def dispute_told(delivery: Delivery) -> bool:
    """Copy the dispute's newest state; an older answer than ours is fine and has no effect."""
    return disputes.mirror(delivery.object, delivery.asked_at, delivery.cause)


def speaks_our_version(event: Event) -> bool:
    """Whether the event's own object has the shape we know."""
    return event.get("api_version") == stripe_gateway.API_VERSION


def is_of_known_payment(event: Event) -> bool:
    """Whether it is about a payment we know, in the shape we know; else Stripe says whose it is."""
    if not speaks_our_version(event):
        return False
    payment = event["data"]["object"]["payment_intent"]
    return payment is None or payments.is_known(payment)


def is_without_payment(event: Event) -> bool:
    """Whether it is about a charge of another program, of a kind that we never make.

    Of all others Stripe is asked: the event does not name the refunds, nor is it the newest state
    of a dispute.
    """
    told: Object = event["data"]["object"]
    return "payment_intent" in told and told["payment_intent"] is None


def is_foreign_subscription(event: Event) -> bool:
    """Whether it is another program's; of ours Stripe is asked, since events come in any order."""
    told: Object = event["data"]["object"]
    is_ours = (told.get("metadata") or {}).get("order") or subscriptions.is_known(told["id"])
    return not is_ours


def is_foreign_invoice(event: Event) -> bool:
    """Whether it bills nothing of ours; for the rest Stripe is asked which payment paid it."""
    return speaks_our_version(event) and not subscriptions.is_our_invoice(event["data"]["object"])


def _session(why: str, apply: Callable[[Delivery], bool] = checkout_session_told) -> Handler:
    return Handler(why, apply, speaks_our_version, stripe_gateway.get_checkout_session)


def _subscription(why: str) -> Handler:
    return Handler(
        why, customer_subscription_told, is_foreign_subscription, stripe_gateway.get_subscription
    )


def _invoice(why: str) -> Handler:
    return Handler(why, invoice_told, is_foreign_invoice, stripe_gateway.get_invoice)


def _refund(why: str) -> Handler:
    return Handler(why, refund_told, is_of_known_payment, refunding.fetch_refund)


def _dispute(why: str) -> Handler:
    return Handler(why, dispute_told, is_without_payment, refunding.fetch_dispute)


HANDLERS: dict[str, Handler] = {
    "checkout.session.completed": _session("The buyer is done: paid, or waiting for the bank."),
    "checkout.session.async_payment_succeeded": _session("The bank has paid at last."),
    "checkout.session.async_payment_failed": _session(
        "The bank refused: the goods are free again.", checkout_session_async_payment_failed
    ),
    "checkout.session.expired": _session("Nobody paid in time: the goods are free again."),
    "customer.subscription.created": _subscription("A subscription has begun."),
    "customer.subscription.updated": _subscription("Its state, price or end has changed."),
    "customer.subscription.deleted": _subscription("It has ended."),
    "customer.subscription.paused": _subscription("Its trial ended without a means of payment."),
    "customer.subscription.resumed": _subscription("It goes on after a pause."),
    "customer.subscription.trial_will_end": _subscription("Its trial ends in three days."),
    "invoice.paid": _invoice("A first payment or a renewal was charged."),
    "invoice.payment_failed": _invoice("A renewal could not be charged."),
    "invoice.payment_action_required": _invoice("The buyer's bank wants him to confirm."),
    "refund.created": _refund("Money goes back, whoever has decided it."),
    "refund.updated": _refund("The bank has taken it on, or has decided."),
    "refund.failed": _refund("The bank could not give it back: it is the shop's again."),
    "charge.refund.updated": _refund("The same, by the name that some methods of payment use."),
    "charge.refunded": Handler(
        "Refunds made in Stripe's dashboard, should their own events be lost.",
        charge_refunded,
        is_without_payment,
        refunding.fetch_refunds_of_charge,
    ),
    "charge.dispute.created": _dispute("A buyer asks his bank for the money back."),
    "charge.dispute.updated": _dispute("It needs an answer, has one, or is looked at."),
    "charge.dispute.closed": _dispute("It is decided."),
    "charge.dispute.funds_withdrawn": _dispute("Stripe holds the money until it is decided."),
    "charge.dispute.funds_reinstated": _dispute("It was won: the money is the shop's again."),
}


def register(app: Flask, event_type: str, handler: Guest) -> None:
    """Let an extension take part in an event, inside the transaction that remembers it.

    It runs after ours, once for each event, also for types that HANDLERS does not name. When it
    raises, all is rolled back and Stripe delivers again. Raises ValueError for an event name that
    Stripe does not have, and for a handler that is registered already.
    """
    if event_type not in stripe_gateway.event_types():
        raise ValueError(f"Stripe has no event named {event_type!r}")
    handlers = _registered(app).setdefault(event_type, [])
    if handler in handlers:
        raise ValueError(f"{handler!r} is registered for {event_type} already")
    handlers.append(handler)


def _registered(app: Flask) -> dict[str, list[Guest]]:
    found: dict[str, list[Guest]] = app.extensions.setdefault("event_handlers", {})
    return found


def is_enough(event: Event) -> bool:
    """Whether the event can be applied as it is, so that Stripe need not be asked."""
    handler = HANDLERS.get(event["type"])
    return handler is None or handler.is_enough(event)


def fetch(event: Event, by: str = "") -> Delivery:
    """Everything the handler needs to know, asked of Stripe where the event is not enough."""
    asked_at = time.time_ns()
    handler, told = HANDLERS.get(event["type"]), event["data"]["object"]
    if handler and not handler.is_enough(event):
        told = handler.ask(told["id"])
    return Delivery(event, told, asked_at, by)


def apply(delivery: Delivery) -> str | None:
    """Do the event's work in the open transaction; None, or why it had no effect here."""
    kind = delivery.event["type"]
    guests = _registered(current_app).get(kind, ())
    ours = apply_ours(delivery)
    for guest in guests:
        guest(delivery.event)
    if ours or guests:
        return None
    known = kind in HANDLERS
    return "this shop has no such object" if known else "no handler for this type of event"


def apply_ours(delivery: Delivery) -> bool:
    """Do what we do ourselves about the event; False when it is not about a thing of ours."""
    handler = HANDLERS.get(delivery.event["type"])
    return handler.apply(delivery) if handler else False


def types() -> list[str]:
    """Every type of event that we or an extension take part in."""
    return sorted(HANDLERS.keys() | _registered(current_app).keys())
