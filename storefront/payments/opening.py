"""Opening a payment: place and hold, ask Stripe, note its answer; in that order, never at once."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import current_app

from storefront import database, security, stripe_gateway
from storefront.errors import Conflict, ShopError
from storefront.i18n import gettext as _
from storefront.models import Order, User
from storefront.models.columns import now
from storefront.services import checkout, orders, settlement

LAST_MINUTE = timedelta(seconds=60)


@dataclass(frozen=True)
class OpenPayment:
    """A Checkout Session the buyer can pay at."""

    session_id: str
    url: str


def open_payment(purchase: checkout.Purchase, user: User | None) -> OpenPayment:
    """Place the order, hold its goods, and open its Checkout Session; the same one for a repeat.

    Raises a ShopError; then the goods are free again. A crash at any point leaves at most a hold
    that ends by itself.
    """
    order = _place(purchase)
    if order.checkout_session and order.expires_at < now() + LAST_MINUTE:
        # Its page would close under the buyer's hands: ask what became of it and start anew.
        session = stripe_gateway.close_checkout_session(order.checkout_session)
        with database.writing():
            settlement.settle(session, cause="checkout")
        order = _place(purchase)
    if order.checkout_session and order.checkout_url:
        return OpenPayment(order.checkout_session, order.checkout_url)
    try:
        return _open_at_stripe(order, user)
    except ShopError as error:
        with database.writing():
            orders.give_up(order, "checkout", f"no Checkout Session: {error.code}")
        raise


def _place(purchase: checkout.Purchase) -> Order:
    config = current_app.config
    hold = timedelta(minutes=config["CHECKOUT_HOLD_MINUTES"])
    with database.writing():
        placed = checkout.place(
            purchase,
            livemode=config["LIVEMODE"],
            hold=hold,
            sign_in_required=config["REQUIRE_SIGN_IN"],
        )
        checkout.renew(placed.id, hold)
        order = orders.find_by_reference(placed.reference)
    assert order is not None
    return order


def _open_at_stripe(order: Order, user: User | None) -> OpenPayment:
    customer = _customer(user, order.livemode) if user else None
    try:
        session = _create(order, customer)
    except stripe_gateway.StripeRefused as refusal:
        if not (user and customer and refusal.param == "customer"):
            raise
        # Deleted at Stripe, or of an account we no longer use: make the buyer known anew.
        with database.writing():
            checkout.forget_customer(customer)
            checkout.next_attempt(order.id)
            order = orders.find_by_reference(order.reference) or order
        session = _create(order, _customer(user, order.livemode, instead_of=customer))
    with database.writing():
        attached = checkout.attach(order.id, session)
    if not attached:
        _close(session["id"])
        raise Conflict(_("This payment has just been cancelled. Please start again."))
    return OpenPayment(session["id"], session["url"] or _result_url(session["id"]))


def _create(order: Order, customer: str | None) -> dict[str, Any]:
    params = checkout.session_params(
        order,
        shop_url=current_app.config["SHOP_URL"],
        public_url=security.public_url(),
        customer=customer,
    )
    return stripe_gateway.create_checkout_session(params, checkout.idempotency_key(order))


def _result_url(session_id: str) -> str:
    """Where to go when the session is over already: its page would only say so."""
    return f"{security.public_url()}/payment/success?sessid={session_id}"


def _customer(user: User, livemode: bool, instead_of: str | None = None) -> str:
    """The user's Customer at Stripe, made at the first purchase."""
    known = checkout.find_customer(user.id, livemode)
    if known:
        return known
    params, key = checkout.customer_params(user, instead_of)
    made: str = stripe_gateway.create_customer(params, key)["id"]
    with database.writing():
        checkout.remember_customer(user.id, livemode, made)
    return checkout.find_customer(user.id, livemode) or made


def _close(session_id: str) -> None:
    # Without success it closes by itself at its time-out; a payment until then is settled as late.
    with suppress(ShopError):
        stripe_gateway.expire_checkout_session(session_id)
