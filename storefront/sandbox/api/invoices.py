"""/v1/invoices and /v1/invoice_payments."""

from typing import Any

from storefront.sandbox import billing_items, collecting, customers, invoices, methods, test_clocks
from storefront.sandbox.errors import ApiError, card_error, invalid
from storefront.sandbox.listing import PAGING, Moments, list_objects
from storefront.sandbox.money import MAXIMUM
from storefront.sandbox.params import Boolean, Group, Integer, Metadata, Text, merge_metadata
from storefront.sandbox.router import Api, Call
from storefront.sandbox.store import Stored

api = Api()
INVOICES = "/v1/invoices"
ITEMS = "/v1/invoiceitems"
PAYMENTS = "/v1/invoice_payments"
OFF = Text(("false",))
BY_HAND: dict[str, str] = {"void": "void", "mark_uncollectible": "uncollectible"}


@api.route("GET", f"{INVOICES}/<id>")
def retrieve_invoice(call: Call, id: str) -> dict[str, Any]:
    """Return an invoice; its payments come with expand."""
    return call.tx.get(invoices.TYPE, id)


@api.route(
    "GET",
    INVOICES,
    {
        **PAGING,
        "created": Moments(),
        "customer": Text(),
        "status": Text(("draft", "open", "paid", "uncollectible", "void")),
        "subscription": Text(),
    },
)
def list_invoices(call: Call) -> dict[str, Any]:
    """Return a page of invoices, newest first."""
    filters = {
        "customer": "$.customer",
        "status": "$.status",
        "subscription": "$.parent.subscription_details.subscription",
    }
    return list_objects(call, "invoice", INVOICES, filters)


@api.route(
    "POST",
    INVOICES,
    {
        "auto_advance": OFF,
        "collection_method": Text(("charge_automatically", "send_invoice")),
        "currency": Text(),
        "customer": Text(),
        "days_until_due": Integer(0, 10_000),
        "description": Text(),
        "metadata": Metadata(),
        "pending_invoice_items_behavior": Text(("exclude", "include")),
    },
    ("customer",),
)
def create_invoice(call: Call) -> dict[str, Any]:
    """Draft an invoice for a customer's pending items."""
    customer = customers.get_live(call.tx, call.params["customer"], "customer")
    with test_clocks.following(call.tx, customer):
        return billing_items.bill(call.tx, customer, call.params)


@api.route(
    "POST",
    ITEMS,
    {
        "amount": Integer(0, MAXIMUM),
        "currency": Text(),
        "customer": Text(),
        "description": Text(),
        "metadata": Metadata(),
    },
    ("amount", "currency", "customer"),
)
def create_item(call: Call) -> dict[str, Any]:
    """Note an amount for a customer's next invoice."""
    customer = customers.get_live(call.tx, call.params["customer"], "customer")
    with test_clocks.following(call.tx, customer):
        return billing_items.add(call.tx, customer, call.params)


@api.route("GET", f"{ITEMS}/<id>")
def retrieve_item(call: Call, id: str) -> dict[str, Any]:
    """Return an invoice item."""
    return call.tx.get(billing_items.TYPE, id)


@api.route("DELETE", f"{ITEMS}/<id>")
def delete_item(call: Call, id: str) -> dict[str, Any]:
    """Take back what no invoice contains yet."""
    item = call.tx.get(billing_items.TYPE, id)
    if item["invoice"]:
        raise invalid("This invoice item is part of an invoice and cannot be deleted.", "id")
    return billing_items.delete(call.tx, item)


@api.route("DELETE", f"{INVOICES}/<id>")
def delete_invoice(call: Call, id: str) -> dict[str, Any]:
    """Throw a draft away, and with it what it was to bill; a subscription's stays."""
    invoice = call.tx.get(invoices.TYPE, id)
    _refuse_unless(invoice, "draft")
    if invoice["parent"]:
        raise invalid("You can't delete invoices created by subscriptions.", "id")
    return billing_items.discard(call.tx, invoice)


@api.route("POST", f"{INVOICES}/<id>", {"auto_advance": OFF, "metadata": Metadata()})
def update_invoice(call: Call, id: str) -> dict[str, Any]:
    """Change an invoice's metadata, or leave it to the merchant."""
    invoice = call.tx.get(invoices.TYPE, id)
    with test_clocks.following(call.tx, invoice):
        if "metadata" in call.params:
            merged = merge_metadata(invoice["metadata"], call.params["metadata"])
            invoices.change(call.tx, invoice, metadata=merged)
        if call.params.get("auto_advance") == "false":
            invoices.leave(call.tx, invoice)
    return invoice


@api.route("POST", f"{INVOICES}/<id>/finalize", {"auto_advance": Boolean()})
def finalize_invoice(call: Call, id: str) -> dict[str, Any]:
    """Open a draft before its hour is over."""
    invoice = call.tx.get(invoices.TYPE, id)
    _refuse_unless(invoice, "draft")
    with test_clocks.following(call.tx, invoice):
        invoices.finalize(call.tx, invoice)
    return invoice


@api.route(
    "POST",
    f"{INVOICES}/<id>/pay",
    {"off_session": Boolean(), "paid_out_of_band": Boolean(), "payment_method": Text()},
)
def pay_invoice(call: Call, id: str) -> dict[str, Any] | ApiError:
    """Charge an open invoice, or a draft, now: to the method named, or to the stored one."""
    tx = call.tx
    invoice = tx.get(invoices.TYPE, id)
    _refuse_unless(invoice, "draft", "open")
    with test_clocks.following(tx, invoice):
        if invoice["status"] == "draft":
            invoices.finalize(tx, invoice)
        if call.params.get("paid_out_of_band"):
            collecting.take(tx, invoice)
            return invoice
        method = collecting.stored_method(tx, invoice)
        if "payment_method" in call.params:
            customer = customers.get_live(tx, invoice["customer"], "customer")
            name, currency = call.params["payment_method"], invoice["currency"]
            method = methods.find_or_make(tx, name, customer, "payment_method", currency)
        if method is None and invoice["total"]:
            raise invalid(collecting.NO_METHOD.message, "payment_method")
        decline = collecting.collect(tx, invoice, method, by_hand=True)
    return card_error(vars(decline), None, None) if decline else invoice


@api.route("POST", f"{INVOICES}/<id>/send")
def send_invoice(call: Call, id: str) -> dict[str, Any]:
    """Open a draft and say that it was sent; no mail ever leaves the sandbox."""
    invoice = call.tx.get(invoices.TYPE, id)
    _refuse_unless(invoice, "draft", "open")
    if invoice["collection_method"] != "send_invoice":
        raise invalid("You can only manually send an invoice that is to be sent.", "id")
    with test_clocks.following(call.tx, invoice):
        return invoices.send(call.tx, invoice)


@api.route("POST", f"{INVOICES}/<id>/<any(void,mark_uncollectible):ending>")
def give_up_invoice(call: Call, id: str, ending: str) -> dict[str, Any]:
    """End an open invoice that nobody is to pay."""
    invoice = call.tx.get(invoices.TYPE, id)
    _refuse_unless(invoice, "open")
    with test_clocks.following(call.tx, invoice):
        return invoices.give_up(call.tx, invoice, BY_HAND[ending])


def _refuse_unless(invoice: Stored, *statuses: str) -> None:
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid")
    if invoice["status"] not in statuses:
        raise invalid(
            f"This invoice's status is `{invoice['status']}`; it must be {' or '.join(statuses)}.",
            code="invoice_not_editable",
        )


PAYMENT = Group(
    {"payment_intent": Text(), "type": Text(("payment_intent",))},
    ("type",),
)


@api.route(
    "GET",
    PAYMENTS,
    {
        **PAGING,
        "created": Moments(),
        "invoice": Text(),
        "payment": PAYMENT,
        "status": Text(("canceled", "open", "paid")),
    },
)
def list_invoice_payments(call: Call) -> dict[str, Any]:
    """Return a page of invoice payments, of one invoice or of one PaymentIntent."""
    payment = call.params.pop("payment", {})
    if "payment_intent" in payment:
        call.params["payment_intent"] = payment["payment_intent"]
    filters = {
        "invoice": "$.invoice",
        "status": "$.status",
        "payment_intent": "$.payment.payment_intent",
    }
    return list_objects(call, "invoice_payment", PAYMENTS, filters)


@api.route("GET", f"{PAYMENTS}/<id>")
def retrieve_invoice_payment(call: Call, id: str) -> dict[str, Any]:
    """Return an invoice payment."""
    return call.tx.get("invoice_payment", id)
