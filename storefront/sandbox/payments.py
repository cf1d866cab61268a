"""PaymentMethods, PaymentIntents and Charges: how money is said to have moved."""

from typing import Any

from storefront.sandbox.cards import BankDebit, Card, Decline, by_payment_method
from storefront.sandbox.customers import ADDRESS_KEYS, shipping
from storefront.sandbox.ids import client_secret, new_id
from storefront.sandbox.outbox import emit
from storefront.sandbox.payment_shapes import method_details, payment_method_shape, radar_outcome
from storefront.sandbox.shapes import nulls
from storefront.sandbox.store import Stored, Tx

Means = Card | BankDebit


def create_method(tx: Tx, means: Means, details: dict[str, Any], customer: str | None) -> Stored:
    """Create the PaymentMethod a buyer used; `details` are the buyer's, as a session tells them."""
    method = Stored(payment_method_shape(means, billing(details)))
    method.update(id=new_id("pm"), created=tx.now, customer=customer)
    method.hidden = {"test": means.payment_method}
    return tx.add(method)


def billing(details: dict[str, Any]) -> dict[str, Any]:
    """Return a session's customer_details as the billing details of a payment."""
    return {
        "address": dict.fromkeys(ADDRESS_KEYS) | (details.get("address") or {}),
        "email": details.get("email"),
        "name": details.get("name"),
        "phone": details.get("phone"),
        "tax_id": None,
    }


def create_intent(
    tx: Tx, amount: int, currency: str, data: dict[str, Any], types: list[str]
) -> Stored:
    """Create a PaymentIntent; `data` is a session's payment_intent_data."""
    id = new_id("pi")
    intent = Stored(
        {
            "id": id,
            "object": "payment_intent",
            **nulls(
                """
                allowed_payment_method_types application application_fee_amount
                automatic_payment_methods canceled_at cancellation_reason customer
                customer_account excluded_payment_method_types hooks last_payment_error
                latest_charge managed_payments next_action on_behalf_of payment_details
                payment_method payment_method_configuration_details payment_record
                presentment_details processing review shipping source transfer_data
                """
            ),
            "amount": amount,
            "amount_capturable": 0,
            "amount_details": {"tip": {}},
            "amount_received": 0,
            "capture_method": data.get("capture_method", "automatic_async"),
            "client_secret": client_secret(id),
            "confirmation_method": "automatic",
            "created": tx.now,
            "currency": currency,
            "description": data.get("description"),
            "livemode": False,
            "metadata": data.get("metadata") or {},
            "payment_method_options": {},
            "payment_method_types": types,
            "receipt_email": data.get("receipt_email"),
            "setup_future_usage": data.get("setup_future_usage"),
            "statement_descriptor": data.get("statement_descriptor"),
            "statement_descriptor_suffix": data.get("statement_descriptor_suffix"),
            "status": "requires_payment_method",
            "transfer_group": data.get("transfer_group"),
        }
    )
    tx.add(intent)
    emit(tx, "payment_intent.created", intent)
    return intent


def require_action(tx: Tx, intent: Stored) -> None:
    """Note that the buyer has to prove to the bank who he is."""
    intent["status"] = "requires_action"
    tx.save(intent)
    emit(tx, "payment_intent.requires_action", intent)


def succeed(tx: Tx, intent: Stored, method: Stored) -> Stored:
    """Charge the intent's whole amount and return the charge."""
    charge = _charge(tx, intent, method, "succeeded")
    _receive(tx, intent, charge)
    return charge


def authorize(tx: Tx, intent: Stored, method: Stored) -> Stored:
    """Set the intent's amount aside, to be captured later, and return the charge."""
    charge = _charge(tx, intent, method, "succeeded", held=True)
    intent.update(status="requires_capture", amount_capturable=intent["amount"])
    tx.save(intent)
    emit(tx, "payment_intent.amount_capturable_updated", intent)
    return charge


def capture(tx: Tx, intent: Stored, amount: int) -> None:
    """Take what was set aside, or a part of it."""
    charge = tx.get("charge", intent["latest_charge"])
    charge.update(captured=True, amount_captured=amount)
    tx.save(charge)
    emit(tx, "charge.captured", charge)
    intent["amount_capturable"] = 0
    _receive(tx, intent, charge, amount)


def release(tx: Tx, intent: Stored) -> None:
    """Set free what was set aside: the charge counts as refunded."""
    charge = tx.get("charge", intent["latest_charge"])
    charge.update(refunded=True, amount_refunded=charge["amount"])
    tx.save(charge)
    emit(tx, "charge.refunded", charge)


def process(tx: Tx, intent: Stored, method: Stored) -> Stored:
    """Hand the intent to a bank that will answer later, and return the pending charge."""
    charge = _charge(tx, intent, method, "pending")
    intent["status"] = "processing"
    intent.due_at = tx.now + _bank(intent, method).seconds
    tx.save(intent)
    emit(tx, "payment_intent.processing", intent)
    return charge


def means_of(method: Stored, currency: str) -> Means:
    """Return the test card or account behind a PaymentMethod."""
    return by_payment_method(method.hidden["test"], currency)


def settle(tx: Tx, intent: Stored) -> None:
    """Let the bank confirm a processing intent."""
    intent.due_at = None
    charge = tx.get("charge", intent["latest_charge"])
    charge.update(status="succeeded", paid=True, amount_captured=charge["amount"])
    if means_of(tx.get("payment_method", charge["payment_method"]), charge["currency"]).complaint:
        charge.due_at = tx.now
    tx.save(charge)
    emit(tx, "charge.succeeded", charge)
    _receive(tx, intent, charge)


def fail(tx: Tx, intent: Stored, method: Stored, decline: Decline) -> Stored:
    """Record a refused attempt and return its charge; the intent stays open for another one."""
    charge = _charge(tx, intent, method, "failed", decline)
    _refuse(tx, intent, method, charge, decline)
    return charge


def fail_later(tx: Tx, intent: Stored, decline: Decline) -> None:
    """Let the bank refuse a processing intent."""
    intent.due_at = None
    charge = tx.get("charge", intent["latest_charge"])
    charge.update(
        status="failed", paid=False, failure_code=decline.code, failure_message=decline.message
    )
    tx.save(charge)
    emit(tx, "charge.failed", charge)
    method = tx.get("payment_method", intent["payment_method"])
    _refuse(tx, intent, method, charge, decline)


def refuse_authentication(tx: Tx, intent: Stored, method: Stored, decline: Decline) -> None:
    """Record that the buyer did not prove who he is; there is no charge."""
    _refuse(tx, intent, method, None, decline)


def _bank(intent: Stored, method: Stored) -> BankDebit:
    means = means_of(method, intent["currency"])
    assert isinstance(means, BankDebit)
    return means


def _receive(tx: Tx, intent: Stored, charge: Stored, amount: int | None = None) -> None:
    intent.update(
        status="succeeded",
        amount_received=amount or intent["amount"],
        latest_charge=charge["id"],
        last_payment_error=None,
        next_action=None,
    )
    tx.save(intent)
    emit(tx, "payment_intent.succeeded", intent)


def _refuse(
    tx: Tx, intent: Stored, method: Stored, charge: Stored | None, decline: Decline
) -> None:
    intent["status"] = "requires_payment_method"
    intent["payment_method"] = None
    intent["latest_charge"] = charge["id"] if charge else intent["latest_charge"]
    intent["last_payment_error"] = {
        "charge": charge["id"] if charge else None,
        "code": decline.code,
        "decline_code": decline.decline_code,
        "doc_url": f"https://docs.stripe.com/error-codes#{decline.code}",
        "message": decline.message,
        "payment_method": dict(method),
        "type": "card_error",
    }
    tx.save(intent)
    emit(tx, "payment_intent.payment_failed", intent)


def _charge(
    tx: Tx,
    intent: Stored,
    method: Stored,
    status: str,
    decline: Decline | None = None,
    *,
    held: bool = False,
) -> Stored:
    paid = status == "succeeded"
    captured = paid and not held
    charge = Stored(
        {
            "id": new_id("ch"),
            "object": "charge",
            **nulls(
                """
                application application_fee application_fee_amount authorization_code
                balance_transaction failure_balance_transaction level3 on_behalf_of
                presentment_details receipt_number receipt_url review source source_transfer
                transfer transfer_data
                """
            ),
            "amount": intent["amount"],
            "amount_captured": intent["amount"] if captured else 0,
            "amount_refunded": 0,
            "billing_details": method["billing_details"],
            "calculated_statement_descriptor": "SANDBOX",
            "captured": status != "failed" and not held,
            "created": tx.now,
            "currency": intent["currency"],
            "customer": intent["customer"],
            "description": intent["description"],
            "disputed": False,
            "failure_code": decline.code if decline else None,
            "failure_message": decline.message if decline else None,
            "fraud_details": {},
            "livemode": False,
            "metadata": dict(intent["metadata"]),
            "outcome": radar_outcome(status, decline),
            "paid": paid,
            "payment_intent": intent["id"],
            "payment_method": method["id"],
            "payment_method_details": method_details(method),
            "radar_options": {},
            "receipt_email": intent["receipt_email"],
            "refunded": False,
            "shipping": shipping(intent["shipping"]),
            "statement_descriptor": intent["statement_descriptor"],
            "statement_descriptor_suffix": intent["statement_descriptor_suffix"],
            "status": status,
            "transfer_group": intent["transfer_group"],
        }
    )
    if captured and means_of(method, intent["currency"]).complaint:
        charge.due_at = tx.now
    tx.add(charge)
    intent["latest_charge"] = charge["id"]
    intent["payment_method"] = method["id"]
    emit(tx, f"charge.{status}", charge)
    return charge
