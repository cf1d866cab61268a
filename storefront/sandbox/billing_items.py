"""Invoice items: what a customer is to be billed for besides, and the invoice that gathers them."""

from typing import Any

from storefront.sandbox import catalog, invoices
from storefront.sandbox.core import DAY
from storefront.sandbox.errors import invalid
from storefront.sandbox.ids import new_id
from storefront.sandbox.outbox import emit
from storefront.sandbox.store import Stored, Tx

TYPE = "invoiceitem"


def add(tx: Tx, customer: Stored, params: dict[str, Any]) -> Stored:
    """Note an amount that the customer's next invoice is to contain."""
    name = params.get("description") or "Invoice item"
    data = {
        "currency": params["currency"],
        "unit_amount": params["amount"],
        "product_data": {"name": name},
    }
    price = catalog.create_price(tx, data, active=False)
    item = Stored(
        {
            "id": new_id("ii"),
            "object": TYPE,
            "amount": params["amount"],
            "currency": price["currency"],
            "customer": customer["id"],
            "customer_account": None,
            "date": tx.now,
            "description": params.get("description"),
            "discountable": True,
            "discounts": [],
            "frozen_fields": None,
            "invoice": None,
            "invoicing_rules": None,
            "livemode": False,
            "metadata": params.get("metadata") or {},
            "net_amount": params["amount"],
            "parent": None,
            "period": {"end": tx.now, "start": tx.now},
            "pricing": {
                "price_details": {"price": price["id"], "product": price["product"]},
                "type": "price_details",
                "unit_amount_decimal": price["unit_amount_decimal"],
            },
            "proration": False,
            "proration_details": None,
            "quantity": 1,
            "quantity_decimal": "1",
            "tax_rates": [],
            "test_clock": tx.clock,
        }
    )
    item.hidden = {"price": dict(price), "name": name}
    tx.add(item)
    emit(tx, "invoiceitem.created", item)
    return item


def bill(tx: Tx, customer: Stored, params: dict[str, Any]) -> Stored:
    """Draft an invoice for what waits for one; raise ApiError when that is in two currencies."""
    by_mail = params.get("collection_method") == "send_invoice"
    if by_mail != ("days_until_due" in params):
        raise invalid(
            "`days_until_due` must be given, and only, when `collection_method` is `send_invoice`.",
            "days_until_due",
        )
    items = pending(tx, customer["id"])
    if params.get("pending_invoice_items_behavior", "include") == "exclude":
        items = []
    currencies = {item["currency"] for item in items} | {params.get("currency")} - {None}
    if len(currencies) > 1:
        raise invalid("All items of an invoice must have the same `currency`.", "currency")
    currency = str(currencies.pop()) if currencies else "usd"
    invoice = invoices.bill(tx, customer, currency, [_line(item) for item in items])
    invoice["description"] = params.get("description")
    invoice["metadata"] = params.get("metadata") or {}
    if by_mail:
        invoice["collection_method"] = "send_invoice"
        invoice["due_date"] = tx.now + params["days_until_due"] * DAY
    tx.save(invoice)
    for item in items:
        item["invoice"] = invoice["id"]
        tx.save(item)
    emit(tx, "invoice.created", invoice)
    return invoice


def delete(tx: Tx, item: Stored) -> dict[str, Any]:
    """Forget an item for good and tell of it."""
    tx.delete(item)
    emit(tx, "invoiceitem.deleted", item)
    return {"id": item["id"], "object": TYPE, "deleted": True}


def discard(tx: Tx, invoice: Stored) -> dict[str, Any]:
    """Forget a draft for good, and the items that it was to bill."""
    for item in tx.select(
        "type = 'invoiceitem' AND json_extract(data, '$.invoice') = ?", (invoice["id"],)
    ):
        delete(tx, item)
    tx.delete(invoice)
    emit(tx, "invoice.deleted", invoice)
    return {"id": invoice["id"], "object": invoices.TYPE, "deleted": True}


def pending(tx: Tx, customer: str) -> list[Stored]:
    """Return a customer's items that no invoice contains yet."""
    return tx.select(
        "type = 'invoiceitem' AND json_extract(data, '$.customer') = ?"
        " AND json_extract(data, '$.invoice') IS NULL",
        (customer,),
    )


def _line(item: Stored) -> dict[str, Any]:
    """Return an item as a session has its lines."""
    return {
        "price": item.hidden["price"],
        "quantity": 1,
        "currency": item["currency"],
        "amount_subtotal": item["amount"],
        "amount_total": item["amount"],
        "description": item.hidden["name"],
        "metadata": item["metadata"],
    }
