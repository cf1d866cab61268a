"""PaymentMethods that a call names: one that exists, or a test name such as `pm_card_visa`."""

from storefront.sandbox import cards, payments
from storefront.sandbox.errors import invalid, not_found
from storefront.sandbox.outbox import emit
from storefront.sandbox.store import Stored, Tx


def find_or_make(tx: Tx, name: str, customer: Stored, param: str, currency: str = "usd") -> Stored:
    """Return the customer's PaymentMethod of this id; a test name makes and attaches a new one."""
    found = tx.find("payment_method", name)
    if found is None:
        return _make(tx, name, customer, param, currency)
    if found["customer"] is None:
        return attach(tx, found, customer)
    if found["customer"] != customer["id"]:
        raise invalid("The payment method belongs to another customer.", param)
    return found


def attach(tx: Tx, method: Stored, customer: Stored) -> Stored:
    """Keep a PaymentMethod for a customer, to be charged without him."""
    method["customer"] = customer["id"]
    tx.save(method)
    emit(tx, "payment_method.attached", method)
    return method


def _make(tx: Tx, name: str, customer: Stored, param: str, currency: str) -> Stored:
    if name not in cards.BY_PAYMENT_METHOD and name not in cards.ACCOUNTS:
        raise not_found("PaymentMethod", name, param)
    means = cards.by_payment_method(name, currency)
    details = {key: customer[key] for key in ("address", "email", "name", "phone")}
    return attach(tx, payments.create_method(tx, means, details, None), customer)
