"""How a buyer finishes a session: paid, declined, asked for proof, or confirmed days later."""

import hmac
from dataclasses import asdict, dataclass, field
from typing import Any

from storefront.sandbox import (
    customers,
    invoices,
    payments,
    subscriptions,
    test_clocks,
)
from storefront.sandbox.cards import (
    AUTHENTICATION_FAILED,
    BY_PAYMENT_METHOD,
    BankDebit,
    Card,
    Decline,
)
from storefront.sandbox.errors import ApiError, card_error, invalid
from storefront.sandbox.ids import new_id
from storefront.sandbox.outbox import emit
from storefront.sandbox.session_object import customer_details
from storefront.sandbox.store import Stored, Tx

Means = Card | BankDebit | None


@dataclass(frozen=True)
class Buyer:
    """What the buyer told on the hosted page."""

    email: str | None = None
    name: str | None = None
    phone: str | None = None
    address: dict[str, Any] | None = None
    shipping: dict[str, Any] | None = None
    consent: dict[str, Any] | None = field(default=None)


@dataclass(frozen=True)
class Completed:
    """The session is complete; `event` is its checkout.session.completed."""

    session: Stored
    event: Stored


@dataclass(frozen=True)
class Declined:
    """The bank said no; the session stays open for another try."""

    decline: Decline
    intent: Stored | None

    def as_error(self) -> ApiError:
        """Return what a confirming API call answers."""
        charge = self.intent["latest_charge"] if self.intent else None
        return card_error(asdict(self.decline), charge, dict(self.intent) if self.intent else None)


@dataclass(frozen=True)
class Challenged:
    """The bank wants proof before it decides; `token` belongs to the page that asks for it."""

    token: str


Outcome = Completed | Declined | Challenged


def needs_means(session: Stored) -> bool:
    """Say whether the buyer has to name a card or an account, be it only for later."""
    always = session["mode"] == "subscription" and session["payment_method_collection"] == "always"
    return session["amount_total"] > 0 or always


def pay(tx: Tx, session: Stored, buyer: Buyer, means: Means) -> Outcome:
    """Try to finish an open session; raise ApiError when it is not open any more."""
    refuse_closed(session)
    if not needs_means(session):
        means = None
    elif means is None:
        raise invalid("A payment method is required.", "payment_method", "parameter_missing")
    if isinstance(means, Card) and means.three_d_secure:
        return _challenge(tx, session, buyer, means)
    return _decide(tx, session, buyer, means)


def authenticate(tx: Tx, session: Stored, token: str, *, passed: bool) -> Outcome:
    """Go on after 3-D Secure; raise ApiError for a closed session or a challenge that is over."""
    refuse_closed(session)
    challenge = session.hidden.pop("challenge", None)
    if challenge is None or not hmac.compare_digest(challenge["token"], token):
        raise invalid("This confirmation is over. Please pay again.", "token")
    means = BY_PAYMENT_METHOD[challenge["payment_method"]]
    buyer = Buyer(**challenge["buyer"])
    if passed:
        return _decide(tx, session, buyer, means)
    return _decline(tx, session, buyer, means, AUTHENTICATION_FAILED)


def refuse_closed(session: Stored) -> None:
    """Raise ApiError unless the session is open."""
    if session["status"] != "open":
        raise invalid(
            f"This Checkout Session is not open any more: its status is `{session['status']}`."
        )


def _challenge(tx: Tx, session: Stored, buyer: Buyer, card: Card) -> Challenged:
    token = new_id("auth")
    session.hidden["challenge"] = {
        "token": token,
        "payment_method": card.payment_method,
        "buyer": asdict(buyer),
    }
    intent = _intent_for(tx, session)
    tx.save(session)
    if intent is not None:
        payments.require_action(tx, intent)
    return Challenged(token)


def _decide(tx: Tx, session: Stored, buyer: Buyer, means: Means) -> Outcome:
    if isinstance(means, Card) and means.decline:
        return _decline(tx, session, buyer, means, means.decline)
    return _complete(tx, session, buyer, means)


def _decline(tx: Tx, session: Stored, buyer: Buyer, card: Card, decline: Decline) -> Declined:
    """Record the refusal in payment mode; a subscription leaves no trace before it is paid."""
    intent = _intent_for(tx, session)
    tx.save(session)
    if intent is not None:
        method = payments.create_method(tx, card, _details(session, buyer), session["customer"])
        if decline is AUTHENTICATION_FAILED:
            payments.refuse_authentication(tx, intent, method, decline)
        else:
            payments.fail(tx, intent, method, decline)
    return Declined(decline, intent)


def _complete(tx: Tx, session: Stored, buyer: Buyer, means: Means) -> Completed:
    details = session["customer_details"] = _details(session, buyer)
    session["collected_information"]["shipping_details"] = buyer.shipping
    session["consent"] = buyer.consent
    customer = _customer_for(tx, session, buyer)
    session["customer"] = customer["id"] if customer else None
    owner = customer["id"] if session["mode"] == "subscription" and customer else None
    method = payments.create_method(tx, means, details, owner) if means else None
    if owner and method:
        emit(tx, "payment_method.attached", method)
    session["payment_status"] = _take_money(tx, session, customer, method, buyer)
    session.update(status="complete", url=None)
    session.due_at = None
    session.hidden.pop("challenge", None)
    tx.save(session)
    return Completed(session, emit(tx, "checkout.session.completed", session))


def _take_money(
    tx: Tx, session: Stored, customer: Stored | None, method: Stored | None, buyer: Buyer
) -> str:
    """Make the payment and what bills it, and return the session's payment_status."""
    free = session["amount_total"] == 0
    intent = None if free else _intent_for(tx, session) or _intent_of_invoice(tx, session)
    if intent is not None:
        intent["customer"] = customer["id"] if customer else None
        agreed = session.hidden["payment_intent_data"].get("shipping")
        intent["shipping"] = customers.shipping(buyer.shipping or agreed)
        intent.hidden["session"] = session["id"]
    delayed = intent is not None and method is not None and method["type"] != "card"
    if intent is not None and method is not None:
        (payments.process if delayed else payments.succeed)(tx, intent, method)
    _bill(tx, session, customer, method, intent, delayed=delayed)
    if free:
        return "no_payment_required"
    return "unpaid" if delayed else "paid"


def _bill(
    tx: Tx,
    session: Stored,
    customer: Stored | None,
    method: Stored | None,
    intent: Stored | None,
    *,
    delayed: bool,
) -> None:
    """Make the subscription and the invoice where the session calls for them."""
    wants_invoice = session["invoice_creation"] and session["invoice_creation"]["enabled"]
    if customer is None or not (session["mode"] == "subscription" or wants_invoice):
        return
    with test_clocks.following(tx, customer):
        subscription = None
        if session["mode"] == "subscription":
            method_id = method["id"] if method else None
            subscription = subscriptions.start(tx, session, customer["id"], method_id)
            session["subscription"] = subscription["id"]
        invoice = invoices.create(tx, session, customer, subscription, intent)
        session["invoice"] = invoice["id"]
        if not delayed:
            invoices.pay(tx, invoice)
        if subscription is not None:
            emit(tx, "customer.subscription.created", subscription)
        if not delayed:
            invoices.tell_paid(tx, invoice)


def _intent_for(tx: Tx, session: Stored) -> Stored | None:
    """Return the session's PaymentIntent, made at the first attempt; subscription mode has none."""
    if session["mode"] != "payment" or session["amount_total"] == 0:
        return None
    if session["payment_intent"]:
        return tx.get("payment_intent", session["payment_intent"])
    data = session.hidden["payment_intent_data"]
    intent = payments.create_intent(
        tx, session["amount_total"], session["currency"], data, session["payment_method_types"]
    )
    session["payment_intent"] = intent["id"]
    return intent


def _intent_of_invoice(tx: Tx, session: Stored) -> Stored:
    data = {"description": "Subscription creation", "setup_future_usage": "off_session"}
    return payments.create_intent(
        tx, session["amount_total"], session["currency"], data, session["payment_method_types"]
    )


def _details(session: Stored, buyer: Buyer) -> dict[str, Any]:
    known = (session["customer_details"] or {}).get("email")
    return customer_details(known or buyer.email, buyer.name, buyer.phone, buyer.address)


def _customer_for(tx: Tx, session: Stored, buyer: Buyer) -> Stored | None:
    """Return the session's customer: the one it was opened for, a new one where needed, or None.

    One that was deleted meanwhile is not brought back, and does not keep the buyer from paying.
    """
    customer = tx.find("customer", session["customer"])
    if customer is not None and not customer.get("deleted"):
        return customers.change(tx, customer, _customer_changes(session, buyer, customer))
    needed = session["customer_creation"] == "always" or session["mode"] == "subscription"
    wants_invoice = session["invoice_creation"] and session["invoice_creation"]["enabled"]
    later = session.hidden["payment_intent_data"].get("setup_future_usage")
    if not needed and not wants_invoice and not later:
        return None
    details = session["customer_details"]
    return customers.create(
        tx,
        {
            "address": buyer.address,
            "email": details["email"],
            "name": details["name"],
            "phone": details["phone"],
            "shipping": buyer.shipping,
        },
    )


def _customer_changes(session: Stored, buyer: Buyer, customer: Stored) -> dict[str, Any]:
    wanted = session.hidden["customer_update"]
    changes: dict[str, Any] = {}
    if customer["email"] is None and buyer.email:
        changes["email"] = buyer.email
    if wanted.get("name") == "auto" and buyer.name:
        changes["name"] = buyer.name
    if wanted.get("address") == "auto" and buyer.address:
        changes["address"] = customers.address(buyer.address)
    if wanted.get("shipping") == "auto" and buyer.shipping:
        changes["shipping"] = customers.shipping(buyer.shipping)
    return changes
