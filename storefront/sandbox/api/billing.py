"""/v1/subscriptions, /v1/invoices and /v1/invoice_payments."""

from typing import Any

from storefront.sandbox import subscriptions
from storefront.sandbox.listing import PAGING, Moments, list_objects
from storefront.sandbox.params import Boolean, Group, Metadata, Text
from storefront.sandbox.router import Api, Call

api = Api()
SUBSCRIPTIONS = "/v1/subscriptions"
INVOICES = "/v1/invoices"
PAYMENTS = "/v1/invoice_payments"
STATUSES = (
    "active",
    "all",
    "canceled",
    "ended",
    "incomplete",
    "incomplete_expired",
    "past_due",
    "paused",
    "trialing",
    "unpaid",
)
DETAILS = Group(
    {
        "comment": Text(clearable=True),
        "feedback": Text(clearable=True),
    }
)


@api.route("GET", f"{SUBSCRIPTIONS}/<id>")
def retrieve_subscription(call: Call, id: str) -> dict[str, Any]:
    """Return a subscription in any state."""
    return call.tx.get(subscriptions.TYPE, id)


@api.route(
    "POST",
    f"{SUBSCRIPTIONS}/<id>",
    {
        "cancel_at_period_end": Boolean(),
        "cancellation_details": DETAILS,
        "default_payment_method": Text(),
        "description": Text(clearable=True),
        "metadata": Metadata(),
    },
)
def update_subscription(call: Call, id: str) -> dict[str, Any]:
    """Change a subscription, or have it end with its period."""
    if "default_payment_method" in call.params:
        method = call.params["default_payment_method"]
        call.tx.get("payment_method", method, "default_payment_method")
    return subscriptions.update(call.tx, call.tx.get(subscriptions.TYPE, id), call.params)


@api.route(
    "DELETE",
    f"{SUBSCRIPTIONS}/<id>",
    {"cancellation_details": DETAILS, "invoice_now": Boolean(), "prorate": Boolean()},
)
def cancel_subscription(call: Call, id: str) -> dict[str, Any]:
    """End a subscription at once."""
    details = call.params.get("cancellation_details")
    return subscriptions.cancel(call.tx, call.tx.get(subscriptions.TYPE, id), details)


@api.route(
    "GET",
    SUBSCRIPTIONS,
    {**PAGING, "created": Moments(), "customer": Text(), "price": Text(), "status": Text(STATUSES)},
)
def list_subscriptions(call: Call) -> dict[str, Any]:
    """Return a page of subscriptions, newest first; the ended ones only when asked for."""
    status = call.params.pop("status", None)
    extra = "json_extract(data, '$.status') NOT IN ('canceled', 'incomplete_expired')"
    if status == "ended":
        extra = "json_extract(data, '$.status') IN ('canceled', 'incomplete_expired')"
    elif status == "all":
        extra = "1"
    elif status:
        extra = f"json_extract(data, '$.status') = '{status}'"
    filters = {"customer": "$.customer", "price": "$.items.data[0].price.id"}
    return list_objects(call, subscriptions.TYPE, SUBSCRIPTIONS, filters, extra)


@api.route("GET", f"{INVOICES}/<id>")
def retrieve_invoice(call: Call, id: str) -> dict[str, Any]:
    """Return an invoice; its payments come with expand."""
    return call.tx.get("invoice", id)


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
