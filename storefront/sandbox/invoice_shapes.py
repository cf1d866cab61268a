"""Invoices and their lines as the API shows them."""

from typing import Any

from storefront.sandbox.ids import new_id
from storefront.sandbox.shapes import nulls
from storefront.sandbox.store import Stored, Tx


def line_shape(
    tx: Tx, invoice: str, line: dict[str, Any], subscription: Stored | None
) -> dict[str, Any]:
    """Return one line of an invoice for a line of a session or an item of a subscription."""
    item = _item_of(line, subscription)
    price = line["price"]
    return {
        "id": new_id("il"),
        "object": "line_item",
        "amount": line["amount_total"],
        "currency": line["currency"],
        "description": f"{line['quantity']} × {line['description']}",
        "discount_amounts": [],
        "discountable": True,
        "discounts": [],
        "invoice": invoice,
        "livemode": False,
        "metadata": dict(line["metadata"]),
        "parent": _line_parent(subscription, item),
        "period": {
            "end": item["current_period_end"] if item else tx.now,
            "start": item["current_period_start"] if item else tx.now,
        },
        "pretax_credit_amounts": [],
        "pricing": {
            "price_details": {"price": price["id"], "product": price["product"]},
            "type": "price_details",
            "unit_amount_decimal": price["unit_amount_decimal"],
        },
        "quantity": line["quantity"],
        "quantity_decimal": str(line["quantity"]),
        "subscription": subscription["id"] if subscription and item else None,
        "subtotal": line["amount_subtotal"],
        "taxes": [],
    }


def _item_of(line: dict[str, Any], subscription: Stored | None) -> dict[str, Any] | None:
    items = subscription["items"]["data"] if subscription else []
    same = [item for item in items if item["price"]["id"] == line["price"]["id"]]
    return same[0] if same else None


def _line_parent(subscription: Stored | None, item: dict[str, Any] | None) -> dict[str, Any]:
    common = {"proration": False, "proration_details": None}
    if subscription and item:
        details = {"subscription": subscription["id"], "subscription_item": item["id"]}
        return {
            "invoice_item_details": None,
            "subscription_item_details": {"invoice_item": None, **common, **details},
            "type": "subscription_item_details",
        }
    details = {"invoice_item": new_id("ii"), "subscription": None}
    return {
        "invoice_item_details": {**common, **details},
        "subscription_item_details": None,
        "type": "invoice_item_details",
    }


def invoice_shape(
    tx: Tx, customer: dict[str, Any], currency: str, subtotal: int, total: int, shipping: int = 0
) -> dict[str, Any]:
    """Return a draft invoice, which has neither number nor lines yet."""
    return {
        "id": new_id("in"),
        "object": "invoice",
        **nulls(
            """
            account_tax_ids application automatically_finalizes_at confirmation_secret
            custom_fields customer_account default_payment_method default_source description
            due_date footer from_invoice hosted_invoice_url invoice_pdf last_finalization_error
            latest_revision next_payment_attempt number on_behalf_of parent receipt_number rendering
            shipping_cost shipping_details statement_descriptor status_details
            threshold_reason
            """
        ),
        "account_country": "US",
        "account_name": "Sandbox",
        "amount_due": total,
        "amount_overpaid": 0,
        "amount_paid": 0,
        "amount_paid_off_stripe": 0,
        "amount_remaining": total,
        "amount_shipping": shipping,
        "attempt_count": 0,
        "attempted": False,
        "auto_advance": False,
        "automatic_tax": {
            "disabled_reason": None,
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "billing_reason": "manual",
        "collection_method": "charge_automatically",
        "created": tx.now,
        "currency": currency,
        "customer": customer["id"],
        "customer_address": customer["address"],
        "customer_email": customer["email"],
        "customer_name": customer["name"],
        "customer_phone": customer["phone"],
        "customer_shipping": customer["shipping"],
        "customer_tax_exempt": "none",
        "customer_tax_ids": [],
        "default_tax_rates": [],
        "discounts": [],
        "effective_at": None,
        "ending_balance": 0,
        "issuer": {"type": "self"},
        "livemode": False,
        "metadata": {},
        "payment_settings": {
            "default_mandate": None,
            "payment_method_options": None,
            "payment_method_types": None,
        },
        "period_end": tx.now,
        "period_start": tx.now,
        "post_payment_credit_notes_amount": 0,
        "pre_payment_credit_notes_amount": 0,
        "starting_balance": 0,
        "status": "draft",
        "status_transitions": {
            "finalized_at": None,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": subtotal,
        "subtotal_excluding_tax": subtotal,
        "test_clock": tx.clock,
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": tx.now,
    }
