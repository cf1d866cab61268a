"""Payments without Checkout: PaymentIntents that a program makes, confirms, captures or cancels."""

from dataclasses import asdict
from typing import Any

from storefront.sandbox import catalog, customers, methods, money, payments
from storefront.sandbox.cards import BankDebit, by_payment_method
from storefront.sandbox.errors import ApiError, card_error, invalid
from storefront.sandbox.outbox import emit
from storefront.sandbox.store import Stored, Tx

OPEN = ("requires_payment_method", "requires_confirmation", "requires_action")
CANCELABLE = (*OPEN, "requires_capture")


def create(tx: Tx, params: dict[str, Any]) -> Stored:
    """Create an intent from validated parameters, to be confirmed in a step of its own."""
    currency = catalog.read_currency(params["currency"], "currency")
    if params["amount"] < money.minimum(currency):
        raise invalid(
            f"Amount must be at least {money.show(money.minimum(currency), currency)}",
            "amount",
            "amount_too_small",
        )
    types = params.get("allowed_payment_method_types") or ["card"]
    intent = payments.create_intent(tx, params["amount"], currency, params, types)
    if "customer" in params:
        intent["customer"] = customers.get_live(tx, params["customer"], "customer")["id"]
    intent["shipping"] = customers.shipping(params.get("shipping"))
    if "payment_method" in params:
        intent["payment_method"] = _method(tx, intent, params["payment_method"])["id"]
        intent["status"] = "requires_confirmation"
    return tx.save(intent)


def confirm(tx: Tx, intent: Stored, name: str | None = None) -> Stored | ApiError:
    """Try to take the money; a refusal is an answer, because it leaves its traces."""
    _refuse_unless(intent, OPEN, "confirmed")
    name = name or intent["payment_method"]
    if name is None:
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            "payment_method",
            "payment_intent_unexpected_state",
        )
    method = _method(tx, intent, name)
    means = payments.means_of(method, intent["currency"])
    if isinstance(means, BankDebit):
        payments.process(tx, intent, method)
    elif means.three_d_secure:
        intent["payment_method"] = method["id"]
        intent["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": {}}
        payments.require_action(tx, intent)
    elif means.decline:
        charge = payments.fail(tx, intent, method, means.decline)
        return card_error(asdict(means.decline), charge["id"], dict(intent))
    elif intent["capture_method"] == "manual":
        payments.authorize(tx, intent, method)
    else:
        payments.succeed(tx, intent, method)
    return intent


def capture(tx: Tx, intent: Stored, amount: int | None = None) -> Stored:
    """Take the money that was only set aside, or a part of it."""
    _refuse_unless(intent, ("requires_capture",), "captured")
    if amount is not None and amount > intent["amount_capturable"]:
        raise invalid("The amount to capture exceeds what was authorized.", "amount_to_capture")
    payments.capture(tx, intent, amount or intent["amount_capturable"])
    return intent


def cancel(tx: Tx, intent: Stored, reason: str | None) -> Stored:
    """End an intent that took no money; what was set aside is set free."""
    _refuse_unless(intent, CANCELABLE, "canceled")
    if intent["status"] == "requires_capture":
        payments.release(tx, intent)
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=tx.now,
        cancellation_reason=reason,
        next_action=None,
    )
    tx.save(intent)
    emit(tx, "payment_intent.canceled", intent)
    return intent


def _method(tx: Tx, intent: Stored, name: str) -> Stored:
    """Return the PaymentMethod of this id, or make the one of a test name."""
    if intent["customer"]:
        customer = tx.get("customer", intent["customer"])
        return methods.find_or_make(tx, name, customer, "payment_method", intent["currency"])
    found = tx.find("payment_method", name)
    if found is not None:
        return found
    return payments.create_method(tx, by_payment_method(name, intent["currency"]), {}, None)


def _refuse_unless(intent: Stored, statuses: tuple[str, ...], done: str) -> None:
    if intent["status"] not in statuses:
        raise invalid(
            f"This PaymentIntent could not be {done} because it has a status of "
            f"{intent['status']}.",
            code="payment_intent_unexpected_state",
        )
