"""Invoices and their payments: what Checkout bills, and what the bank later says about it."""

from typing import Any

from storefront.sandbox.expand import includable
from storefront.sandbox.ids import new_id
from storefront.sandbox.listing import make_list
from storefront.sandbox.outbox import emit
from storefront.sandbox.shapes import nulls
from storefront.sandbox.store import Stored, Tx

TYPE = "invoice"


def create(
    tx: Tx, session: Stored, customer: Stored, subscription: Stored | None, intent: Stored | None
) -> Stored:
    """Store the finalized invoice of a session that completes, open until pay() is called."""
    invoice = Stored(_shape(tx, session, customer))
    lines = [_line(tx, invoice["id"], line, subscription) for line in session.hidden["lines"]]
    invoice["lines"] = make_list(lines, f"/v1/invoices/{invoice['id']}/lines")
    if subscription is not None:
        invoice["billing_reason"] = "subscription_create"
        invoice["parent"] = {
            "quote_details": None,
            "subscription_details": {
                "metadata": dict(subscription["metadata"]),
                "subscription": subscription["id"],
                "subscription_proration_date": None,
            },
            "type": "subscription_details",
        }
        subscription["latest_invoice"] = invoice["id"]
        tx.save(subscription)
    tx.add(invoice)
    if intent is not None:
        _add_payment(tx, invoice, intent)
    customer["next_invoice_sequence"] += 1
    tx.save(customer)
    emit(tx, "invoice.created", invoice)
    emit(tx, "invoice.finalized", invoice)
    return invoice


def pay(tx: Tx, invoice: Stored) -> Stored:
    """Mark an invoice as paid in full; the events come separately, after the subscription's."""
    invoice.update(
        status="paid",
        amount_paid=invoice["total"],
        amount_remaining=0,
        attempted=True,
        attempt_count=1 if invoice["total"] else 0,
    )
    invoice["status_transitions"]["paid_at"] = tx.now
    for payment in payments_of(tx, invoice):
        payment.update(status="paid", amount_paid=payment["amount_requested"])
        payment["status_transitions"]["paid_at"] = tx.now
        tx.save(payment)
    return tx.save(invoice)


def tell_paid(tx: Tx, invoice: Stored) -> None:
    """Send the two events of a paid invoice."""
    emit(tx, "invoice.paid", invoice)
    emit(tx, "invoice.payment_succeeded", invoice)


def fail(tx: Tx, invoice: Stored) -> Stored:
    """Note that the payment of an open invoice was refused, and tell of it."""
    invoice.update(attempted=True, attempt_count=invoice["attempt_count"] + 1)
    tx.save(invoice)
    emit(tx, "invoice.payment_failed", invoice)
    return invoice


def payments_of(tx: Tx, invoice: dict[str, Any]) -> list[Stored]:
    """Return the payments that were tried for an invoice."""
    return tx.select(
        "type = 'invoice_payment' AND json_extract(data, '$.invoice') = ?", (invoice["id"],)
    )


@includable(TYPE, "payments")
def list_payments(tx: Tx, invoice: dict[str, Any]) -> dict[str, Any]:
    """Return an invoice's payments as `expand` shows them."""
    found: dict[str, Any] = make_list(payments_of(tx, invoice), "/v1/invoice_payments")
    return found


def _add_payment(tx: Tx, invoice: Stored, intent: Stored) -> Stored:
    payment = {
        "id": new_id("inpay"),
        "object": "invoice_payment",
        "amount_paid": None,
        "amount_requested": invoice["total"],
        "created": tx.now,
        "currency": invoice["currency"],
        "invoice": invoice["id"],
        "is_default": True,
        "livemode": False,
        "payment": {"payment_intent": intent["id"], "type": "payment_intent"},
        "status": "open",
        "status_transitions": {"canceled_at": None, "paid_at": None},
    }
    return tx.add(Stored(payment))


def _line(
    tx: Tx, invoice: str, line: dict[str, Any], subscription: Stored | None
) -> dict[str, Any]:
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


def _shape(tx: Tx, session: Stored, customer: Stored) -> dict[str, Any]:
    total = session["amount_total"]
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    return {
        "id": new_id("in"),
        "object": TYPE,
        **nulls(
            """
            account_tax_ids application automatically_finalizes_at confirmation_secret
            custom_fields customer_account default_payment_method default_source description
            due_date footer from_invoice hosted_invoice_url invoice_pdf last_finalization_error
            latest_revision next_payment_attempt on_behalf_of parent receipt_number rendering
            shipping_cost shipping_details statement_descriptor status_details test_clock
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
        "amount_shipping": session["total_details"]["amount_shipping"],
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
        "currency": session["currency"],
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
        "effective_at": tx.now,
        "ending_balance": 0,
        "issuer": {"type": "self"},
        "livemode": False,
        "metadata": {},
        "number": number,
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
        "status": "open",
        "status_transitions": {
            "finalized_at": tx.now,
            "marked_uncollectible_at": None,
            "paid_at": None,
            "voided_at": None,
        },
        "subtotal": session["amount_subtotal"],
        "subtotal_excluding_tax": session["amount_subtotal"],
        "total": total,
        "total_discount_amounts": [],
        "total_excluding_tax": total,
        "total_pretax_credit_amounts": [],
        "total_taxes": [],
        "webhooks_delivered_at": tx.now,
    }
