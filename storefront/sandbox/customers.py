"""Customers: made by the API, or by Checkout for a buyer who needs one."""

from typing import Any

from storefront.sandbox import subscriptions
from storefront.sandbox.errors import not_found
from storefront.sandbox.ids import new_id
from storefront.sandbox.outbox import emit
from storefront.sandbox.shapes import nulls
from storefront.sandbox.store import Stored, Tx

ADDRESS_KEYS = ("city", "country", "line1", "line2", "postal_code", "state")


def create(tx: Tx, params: dict[str, Any]) -> Stored:
    """Create a customer from validated parameters."""
    id = new_id("cus")
    customer = Stored(
        {
            "id": id,
            "object": "customer",
            **nulls("cash_balance currency customer_account default_source discount"),
            "address": address(params.get("address")),
            "balance": 0,
            "business_name": params.get("business_name"),
            "created": tx.now,
            "delinquent": False,
            "description": params.get("description"),
            "email": params.get("email"),
            "individual_name": params.get("individual_name"),
            "invoice_credit_balance": {},
            "invoice_prefix": id[-8:].upper(),
            "invoice_settings": {
                "custom_fields": None,
                "default_payment_method": None,
                "footer": None,
                "rendering_options": None,
            },
            "livemode": False,
            "metadata": params.get("metadata") or {},
            "name": params.get("name"),
            "next_invoice_sequence": 1,
            "phone": params.get("phone"),
            "preferred_locales": params.get("preferred_locales", []),
            "shipping": shipping(params.get("shipping")),
            "test_clock": tx.clock,
            "tax_exempt": params.get("tax_exempt") or "none",
        }
    )
    tx.add(customer)
    emit(tx, "customer.created", customer)
    return customer


def delete(tx: Tx, customer: Stored) -> Stored:
    """Delete a customer for good and cancel what it subscribes to."""
    for subscription in tx.select(
        "type = 'subscription' AND json_extract(data, '$.customer') = ?", (customer["id"],)
    ):
        if subscription["status"] not in subscriptions.ENDED:
            subscriptions.cancel(tx, subscription)
    emit(tx, "customer.deleted", customer)
    id = customer["id"]
    customer.clear()
    customer.update(id=id, object="customer", deleted=True)
    return tx.save(customer)


def get_live(tx: Tx, id: str, param: str = "id") -> Stored:
    """Return a customer that was not deleted; raise resource_missing naming `param` otherwise."""
    customer = tx.get("customer", id, param)
    if customer.get("deleted"):
        raise not_found("customer", id, param)
    return customer


def change(tx: Tx, customer: Stored, changes: dict[str, Any]) -> Stored:
    """Set fields of a customer and tell of those that really changed."""
    previous = {name: customer[name] for name, value in changes.items() if customer[name] != value}
    if previous:
        customer.update(changes)
        tx.save(customer)
        emit(tx, "customer.updated", customer, previous)
    return customer


def address(given: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return an address with all its keys, or None."""
    return given and {key: given.get(key) for key in ADDRESS_KEYS}


def shipping(given: dict[str, Any] | None) -> dict[str, Any] | None:
    """Return a name, phone and address to ship to with all their keys, or None."""
    if not given:
        return None
    return {
        "address": address(given.get("address")),
        "carrier": None,
        "name": given.get("name"),
        "phone": given.get("phone"),
        "tracking_number": None,
    }
