"""Invoices and their payments: drafted, finalized, and then paid, refused, voided or given up."""

from typing import Any

from storefront.sandbox import catalog
from storefront.sandbox.expand import includable
from storefront.sandbox.ids import new_id
from storefront.sandbox.invoice_shapes import invoice_shape, line_shape
from storefront.sandbox.listing import make_list
from storefront.sandbox.outbox import emit
from storefront.sandbox.store import Stored, Tx

TYPE = "invoice"
DRAFT_SECONDS = 3600


def create(
    tx: Tx, session: Stored, customer: Stored, subscription: Stored | None, intent: Stored | None
) -> Stored:
    """Store the finalized invoice of a session that completes, open until pay() is called."""
    shipping = session["total_details"]["amount_shipping"]
    amounts = session["amount_subtotal"], session["amount_total"], shipping
    invoice = Stored(invoice_shape(tx, customer, session["currency"], *amounts))
    _fill(tx, invoice, session.hidden["lines"], subscription, "subscription_create")
    _number(tx, invoice)
    tx.add(invoice)
    if intent is not None:
        add_payment(tx, invoice, intent)
    emit(tx, "invoice.created", invoice)
    emit(tx, "invoice.finalized", invoice)
    return invoice


def draft(tx: Tx, subscription: Stored, reason: str) -> Stored:
    """Store the draft that bills a subscription's present period; the caller saves both ids.

    By itself it is finalized an hour later, unless auto_advance is taken away.
    """
    lines = [_line_of(tx, subscription, item) for item in subscription["items"]["data"]]
    total = sum(line["amount_total"] for line in lines)
    customer = tx.get("customer", subscription["customer"])
    invoice = Stored(invoice_shape(tx, customer, subscription["currency"], total, total))
    _fill(tx, invoice, lines, subscription, reason)
    invoice["auto_advance"] = True
    invoice.due_at = invoice["automatically_finalizes_at"] = tx.now + DRAFT_SECONDS
    tx.add(invoice)
    emit(tx, "invoice.created", invoice)
    return invoice


def bill(tx: Tx, customer: Stored, currency: str, lines: list[dict[str, Any]]) -> Stored:
    """Store a draft of lines as a session has them; the caller tells of it once it is complete."""
    total = sum(line["amount_total"] for line in lines)
    invoice = Stored(invoice_shape(tx, customer, currency, total, total))
    _fill(tx, invoice, lines, None, "manual")
    invoice["billing_reason"] = "manual"
    return tx.add(invoice)


def finalize(tx: Tx, invoice: Stored) -> None:
    """Give a draft its number and open it; from then on its amounts are fixed."""
    _number(tx, invoice)
    invoice.update(automatically_finalizes_at=None)
    invoice.due_at = None
    tx.save(invoice)
    emit(tx, "invoice.finalized", invoice)


def send(tx: Tx, invoice: Stored) -> Stored:
    """Say that the customer was sent an invoice, which is opened if it was a draft."""
    if invoice["status"] == "draft":
        finalize(tx, invoice)
    emit(tx, "invoice.sent", invoice)
    return invoice


def leave(tx: Tx, invoice: Stored) -> Stored:
    """Leave an unpaid invoice to the merchant: it is neither finalized nor tried by itself."""
    invoice.due_at = None
    moments = {"automatically_finalizes_at": None, "next_payment_attempt": None}
    return change(tx, invoice, auto_advance=False, **moments)


def pay(tx: Tx, invoice: Stored) -> Stored:
    """Mark an invoice as paid in full; the events come separately, after the subscription's."""
    attempts = invoice["attempt_count"]
    invoice.update(
        status="paid",
        amount_paid=invoice["total"],
        amount_remaining=0,
        attempted=True,
        attempt_count=attempts + 1 if invoice["total"] else attempts,
        auto_advance=False,
        next_payment_attempt=None,
    )
    invoice.due_at = None
    invoice["status_transitions"]["paid_at"] = tx.now
    for payment in payments_of(tx, invoice):
        payment.update(status="paid", amount_paid=payment["amount_requested"])
        payment["status_transitions"]["paid_at"] = tx.now
        tx.save(payment)
        emit(tx, "invoice_payment.paid", payment)
    return tx.save(invoice)


def tell_paid(tx: Tx, invoice: Stored) -> None:
    """Send the two events of a paid invoice."""
    emit(tx, "invoice.paid", invoice)
    emit(tx, "invoice.payment_succeeded", invoice)


def fail(tx: Tx, invoice: Stored, again: int | None) -> Stored:
    """Note that the payment of an open invoice was refused, and when it is tried again."""
    invoice.due_at = again
    change(
        tx,
        invoice,
        attempted=True,
        attempt_count=invoice["attempt_count"] + 1,
        auto_advance=again is not None,
        next_payment_attempt=again,
    )
    emit(tx, "invoice.payment_failed", invoice)
    return invoice


def give_up(tx: Tx, invoice: Stored, status: str) -> Stored:
    """End an open invoice that nobody will pay: as `void`, or as `uncollectible`."""
    event, moment = "invoice.voided", "voided_at"
    if status == "uncollectible":
        event, moment = "invoice.marked_uncollectible", "marked_uncollectible_at"
    invoice["status_transitions"][moment] = tx.now
    invoice.due_at = None
    change(tx, invoice, status=status, auto_advance=False, next_payment_attempt=None)
    emit(tx, event, invoice)
    return invoice


def stop_collecting(tx: Tx, subscription: Stored) -> None:
    """Try no further to collect what an ended subscription still owes."""
    for invoice in tx.select(
        "type = 'invoice' AND json_extract(data, '$.status') IN ('draft', 'open')"
        " AND json_extract(data, '$.parent.subscription_details.subscription') = ?",
        (subscription["id"],),
    ):
        leave(tx, invoice)


def change(tx: Tx, invoice: Stored, **changes: Any) -> Stored:
    """Set fields of an invoice, and tell of those that really changed."""
    previous = {name: invoice[name] for name, value in changes.items() if invoice[name] != value}
    invoice.update(changes)
    tx.save(invoice)
    if previous:
        emit(tx, "invoice.updated", invoice, previous)
    return invoice


def subscription_of(tx: Tx, invoice: Stored) -> Stored | None:
    """Return the subscription that an invoice bills, or None."""
    details = (invoice["parent"] or {}).get("subscription_details")
    return tx.find("subscription", details["subscription"]) if details else None


def payments_of(tx: Tx, invoice: dict[str, Any]) -> list[Stored]:
    """Return the payments that were tried for an invoice."""
    return tx.select(
        "type = 'invoice_payment' AND json_extract(data, '$.invoice') = ?", (invoice["id"],)
    )


def add_payment(tx: Tx, invoice: Stored, intent: Stored) -> Stored:
    """Note that a PaymentIntent is to pay an invoice."""
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
    intent.hidden["invoice"] = invoice["id"]
    tx.save(intent)
    return tx.add(Stored(payment))


@includable(TYPE, "payments")
def list_payments(tx: Tx, invoice: dict[str, Any]) -> dict[str, Any]:
    """Return an invoice's payments as `expand` shows them."""
    found: dict[str, Any] = make_list(payments_of(tx, invoice), "/v1/invoice_payments")
    return found


def _fill(
    tx: Tx,
    invoice: Stored,
    lines: list[dict[str, Any]],
    subscription: Stored | None,
    reason: str,
) -> None:
    """Add the lines, and what the invoice has of its subscription."""
    shown = [line_shape(tx, invoice["id"], line, subscription) for line in lines]
    invoice["lines"] = make_list(shown, f"/v1/invoices/{invoice['id']}/lines")
    if subscription is None:
        return
    invoice["billing_reason"] = reason
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


def _line_of(tx: Tx, subscription: Stored, item: dict[str, Any]) -> dict[str, Any]:
    """Return what an item costs for a period, as a session has its lines; nothing on a trial."""
    trial = subscription["status"] == "trialing"
    amount = 0 if trial else catalog.amount_of(item["price"], item["quantity"])
    return {
        "price": item["price"],
        "quantity": item["quantity"],
        "currency": item["price"]["currency"],
        "amount_subtotal": amount,
        "amount_total": amount,
        "description": tx.get("product", item["price"]["product"])["name"],
        "metadata": item["metadata"],
    }


def _number(tx: Tx, invoice: Stored) -> None:
    """Open an invoice under its customer's next number."""
    customer = tx.get("customer", invoice["customer"])
    number = f"{customer['invoice_prefix']}-{customer['next_invoice_sequence']:04d}"
    customer["next_invoice_sequence"] += 1
    tx.save(customer)
    invoice.update(number=number, status="open", effective_at=tx.now)
    invoice["status_transitions"]["finalized_at"] = tx.now
