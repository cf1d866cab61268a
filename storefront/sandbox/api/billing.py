"""/v1/subscriptions."""

from typing import Any

from storefront.sandbox import (
    amendments,
    catalog,
    customers,
    methods,
    renewals,
    signup,
    subscriptions,
    test_clocks,
)
from storefront.sandbox.errors import invalid
from storefront.sandbox.listing import PAGING, Moments, list_objects
from storefront.sandbox.params import (
    Anything,
    Boolean,
    Clearable,
    Field,
    Group,
    Integer,
    ListOf,
    Metadata,
    Refused,
    Text,
)
from storefront.sandbox.router import Api, Call
from storefront.sandbox.store import Stored

api = Api()
SUBSCRIPTIONS = "/v1/subscriptions"
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


ITEM = Group(
    {
        "deleted": Boolean(),
        "id": Text(),
        "metadata": Metadata(),
        "plan": Text(),
        "price": Text(),
        "price_data": catalog.PRICE_DATA,
        "quantity": Integer(0, 1_000_000),
    }
)
TRIAL_SETTINGS = Group(
    {
        "end_behavior": Group(
            {"missing_payment_method": Text(("cancel", "create_invoice", "pause"))},
            ("missing_payment_method",),
        )
    },
    ("end_behavior",),
)
PAUSE = Group(
    {
        "behavior": Text(("keep_as_draft", "mark_uncollectible", "void")),
        "resumes_at": Integer(1),
    },
    ("behavior",),
)
UNSUPPORTED = Refused("The sandbox knows this parameter, but does not support it.")
COMMON: dict[str, Field] = {
    **dict.fromkeys(
        """
        add_invoice_items application_fee_percent billing_schedules billing_thresholds
        days_until_due default_source default_tax_rates discounts invoice_settings on_behalf_of
        pending_invoice_item_interval transfer_data
        """.split(),
        UNSUPPORTED,
    ),
    "automatic_tax": Anything(),
    "cancel_at_period_end": Boolean(),
    "collection_method": Text(("charge_automatically",)),
    "default_payment_method": Text(),
    "description": Text(clearable=True),
    "items": ListOf(ITEM, 20),
    "metadata": Metadata(),
    "off_session": Boolean(),
    "payment_behavior": Text(("allow_incomplete", "default_incomplete", "error_if_incomplete")),
    "payment_settings": Anything(),
    "proration_behavior": Text(("always_invoice", "create_prorations", "none")),
    "trial_from_plan": Boolean(),
    "trial_settings": TRIAL_SETTINGS,
}


@api.route(
    "POST",
    SUBSCRIPTIONS,
    {
        **COMMON,
        "backdate_start_date": UNSUPPORTED,
        "billing_cycle_anchor": UNSUPPORTED,
        "billing_cycle_anchor_config": UNSUPPORTED,
        "billing_mode": Anything(),
        "cancel_at": UNSUPPORTED,
        "currency": Text(),
        "customer": Text(),
        "trial_end": Integer(1),
        "trial_period_days": Integer(1, 730),
    },
    ("customer", "items"),
)
def create_subscription(call: Call) -> dict[str, Any]:
    """Subscribe a customer, at the time of his test clock if he has one."""
    customer = customers.get_live(call.tx, call.params["customer"], "customer")
    with test_clocks.following(call.tx, customer):
        return signup.subscribe(call.tx, customer, call.params)


@api.route("GET", f"{SUBSCRIPTIONS}/<id>")
def retrieve_subscription(call: Call, id: str) -> dict[str, Any]:
    """Return a subscription in any state."""
    return call.tx.get(subscriptions.TYPE, id)


@api.route(
    "POST",
    f"{SUBSCRIPTIONS}/<id>",
    {
        **COMMON,
        "billing_cycle_anchor": UNSUPPORTED,
        "cancel_at": Clearable(Integer(1)),
        "cancellation_details": DETAILS,
        "pause_collection": Clearable(PAUSE),
        "proration_date": UNSUPPORTED,
        "trial_end": Text(("now",)),
    },
)
def update_subscription(call: Call, id: str) -> dict[str, Any]:
    """Change a subscription, or have it end with its period."""
    tx, params = call.tx, call.params
    subscription = tx.get(subscriptions.TYPE, id)
    with test_clocks.following(tx, subscription):
        if "default_payment_method" in params:
            subscriptions.refuse_ended(subscription)
            params["default_payment_method"] = _method(call, subscription)
        if params.get("pause_collection"):
            params["pause_collection"].setdefault("resumes_at", None)
        if params.get("items"):
            proration = params.get("proration_behavior")
            amendments.change_items(tx, subscription, params["items"], proration)
        subscriptions.update(tx, subscription, params)
        if "trial_end" in params and subscription["status"] == "trialing":
            return renewals.end_trial(tx, subscription)
        return subscription


def _method(call: Call, subscription: Stored) -> str:
    name, param = call.params["default_payment_method"], "default_payment_method"
    customer = customers.get_live(call.tx, subscription["customer"], "customer")
    method = methods.find_or_make(call.tx, name, customer, param, subscription["currency"])
    return str(method["id"])


@api.route(
    "POST",
    f"{SUBSCRIPTIONS}/<id>/resume",
    {
        "billing_cycle_anchor": Text(("now",)),
        "payment_behavior": Anything(),
        "proration_behavior": Anything(),
        "proration_date": UNSUPPORTED,
    },
)
def resume_subscription(call: Call, id: str) -> dict[str, Any]:
    """Let a paused subscription go on from now."""
    subscription = call.tx.get(subscriptions.TYPE, id)
    if subscription["status"] != "paused":
        raise invalid("Only a subscription whose status is `paused` can be resumed.")
    with test_clocks.following(call.tx, subscription):
        return renewals.resume(call.tx, subscription)


@api.route(
    "DELETE",
    f"{SUBSCRIPTIONS}/<id>",
    {"cancellation_details": DETAILS, "invoice_now": Boolean(), "prorate": Boolean()},
)
def cancel_subscription(call: Call, id: str) -> dict[str, Any]:
    """End a subscription at once."""
    if call.params.get("invoice_now") or call.params.get("prorate"):
        raise invalid("The sandbox does not prorate: leave out `invoice_now` and `prorate`.")
    details = call.params.get("cancellation_details")
    subscription = call.tx.get(subscriptions.TYPE, id)
    with test_clocks.following(call.tx, subscription):
        return subscriptions.cancel(call.tx, subscription, details)


@api.route(
    "GET",
    SUBSCRIPTIONS,
    {
        **PAGING,
        "created": Moments(),
        "customer": Text(),
        "price": Text(),
        "status": Text(STATUSES),
        "test_clock": Text(),
    },
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
    filters = {
        "customer": "$.customer",
        "price": "$.items.data[0].price.id",
        "test_clock": "$.test_clock",
    }
    return list_objects(call, subscriptions.TYPE, SUBSCRIPTIONS, filters, extra)
