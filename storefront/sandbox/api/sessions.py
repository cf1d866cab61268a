"""/v1/checkout/sessions: opened by the shop's server, finished on the hosted page."""

from typing import Any

from storefront.sandbox import catalog, sessions
from storefront.sandbox.errors import invalid
from storefront.sandbox.expand import includable
from storefront.sandbox.listing import PAGING, Moments, list_objects, make_list, page_of
from storefront.sandbox.params import (
    Anything,
    Boolean,
    Clearable,
    Email,
    Field,
    Group,
    Integer,
    ListOf,
    Metadata,
    Only,
    Refused,
    Text,
    Url,
    merge_metadata,
)
from storefront.sandbox.router import Api, Call
from storefront.sandbox.store import Tx

api = Api()
URL = "/v1/checkout/sessions"
ENABLED = Group({"enabled": Boolean()}, ("enabled",))
CUSTOM_TEXT = Clearable(Group({"message": Text(max_length=1200)}, ("message",)))
LATER = "This sandbox cannot do that yet; Stripe itself can."
NO_CODES = "This sandbox's page takes no promotion codes yet; Stripe's does."
NO_STEPPER = "This sandbox's page does not let the buyer change quantities yet; Stripe's does."

LINE_ITEM = Group(
    {
        "price": Text(),
        "price_data": catalog.PRICE_DATA,
        "quantity": Integer(1, 999_999),
        "adjustable_quantity": Group(
            {
                "enabled": Only("false", NO_STEPPER),
                "minimum": Integer(0, 999_999),
                "maximum": Integer(1, 999_999),
            },
            ("enabled",),
        ),
        "dynamic_tax_rates": Refused(LATER),
        "tax_rates": Refused(LATER),
        "metadata": Metadata(),
    }
)
PAYMENT_INTENT_DATA = Group(
    {
        "application_fee_amount": Refused(LATER),
        "capture_method": Text(("automatic", "automatic_async")),
        "description": Text(max_length=1000),
        "metadata": Metadata(),
        "on_behalf_of": Refused(LATER),
        "receipt_email": Email(),
        "setup_future_usage": Text(("off_session", "on_session")),
        "shipping": Anything(),
        "statement_descriptor": Text(max_length=22),
        "statement_descriptor_suffix": Text(max_length=22),
        "transfer_data": Refused(LATER),
        "transfer_group": Text(),
    }
)
SUBSCRIPTION_DATA = Group(
    {
        "application_fee_percent": Refused(LATER),
        "billing_cycle_anchor": Refused(LATER),
        "billing_mode": Anything(),
        "default_tax_rates": Refused(LATER),
        "description": Text(max_length=500),
        "invoice_settings": Anything(),
        "metadata": Metadata(),
        "on_behalf_of": Refused(LATER),
        "proration_behavior": Text(("create_prorations", "none")),
        "transfer_data": Refused(LATER),
        "trial_end": Integer(0),
        "trial_period_days": Integer(1, 730),
        "trial_settings": Group(
            {
                "end_behavior": Group(
                    {"missing_payment_method": Text(("cancel", "create_invoice", "pause"))},
                    ("missing_payment_method",),
                )
            },
            ("end_behavior",),
        ),
    }
)
CREATE: dict[str, Field] = {
    "adaptive_pricing": Anything(),
    "after_expiration": Refused(LATER),
    "allow_promotion_codes": Only("false", NO_CODES),
    "allowed_payment_method_types": ListOf(Text()),
    "automatic_tax": Group({"enabled": Boolean(), "liability": Anything()}, ("enabled",)),
    "billing_address_collection": Text(("auto", "required")),
    "branding_settings": Anything(),
    "cancel_url": Url(),
    "client_reference_id": Text(max_length=200),
    "consent_collection": Group(
        {
            "payment_method_reuse_agreement": Anything(),
            "promotions": Text(("auto", "none")),
            "terms_of_service": Text(("none", "required")),
        }
    ),
    "currency": Text(),
    "custom_fields": Refused(LATER),
    "custom_text": Group(
        {
            "after_submit": CUSTOM_TEXT,
            "shipping_address": CUSTOM_TEXT,
            "submit": CUSTOM_TEXT,
            "terms_of_service_acceptance": CUSTOM_TEXT,
        }
    ),
    "customer": Text(),
    "customer_account": Refused(LATER),
    "customer_creation": Text(("always", "if_required")),
    "customer_email": Email(),
    "customer_update": Group(
        {
            "address": Text(("auto", "never")),
            "name": Text(("auto", "never")),
            "shipping": Text(("auto", "never")),
        }
    ),
    "discounts": Refused(LATER),
    "excluded_payment_method_types": ListOf(Text()),
    "expires_at": Integer(0),
    "integration_identifier": Text(),
    "invoice_creation": Group({"enabled": Boolean(), "invoice_data": Anything()}, ("enabled",)),
    "line_items": ListOf(LINE_ITEM, 100),
    "locale": Text(),
    "managed_payments": Refused(LATER),
    "metadata": Metadata(),
    "mode": Text(("payment", "setup", "subscription")),
    "name_collection": Refused(LATER),
    "optional_items": Refused(LATER),
    "origin_context": Text(("mobile_app", "web")),
    "payment_intent_data": PAYMENT_INTENT_DATA,
    "payment_method_collection": Text(("always", "if_required")),
    "payment_method_configuration": Text(),
    "payment_method_data": Anything(),
    "payment_method_options": Anything(),
    "permissions": Refused(LATER),
    "phone_number_collection": ENABLED,
    "redirect_on_completion": Refused("Only for embedded pages."),
    "return_url": Refused("Only for embedded pages."),
    "saved_payment_method_options": Anything(),
    "setup_intent_data": Refused(LATER),
    "shipping_address_collection": Group(
        {"allowed_countries": ListOf(Text(max_length=2), 250)}, ("allowed_countries",)
    ),
    "shipping_options": ListOf(
        Group({"shipping_rate": Text(), "shipping_rate_data": catalog.SHIPPING_RATE_DATA}), 5
    ),
    "submit_type": Text(("auto", "book", "donate", "pay", "subscribe")),
    "subscription_data": SUBSCRIPTION_DATA,
    "success_url": Url(),
    "tax_id_collection": Anything(),
    "ui_mode": Text(("elements", "embedded_page", "form", "hosted_page")),
    "wallet_options": Anything(),
}


@api.route("POST", URL, CREATE, required=("mode",))
def create_session(call: Call) -> dict[str, Any]:
    """Open a session in payment or subscription mode."""
    if call.params["mode"] == "setup" or call.params.get("ui_mode", "hosted_page") != "hosted_page":
        raise invalid(LATER, "mode" if call.params["mode"] == "setup" else "ui_mode")
    return sessions.create(call.tx, call.params, call.base_url)


@api.route("GET", f"{URL}/<id>")
def retrieve_session(call: Call, id: str) -> dict[str, Any]:
    """Return one session."""
    return call.tx.get(sessions.TYPE, id)


@api.route("POST", f"{URL}/<id>", {"metadata": Metadata()})
def update_session(call: Call, id: str) -> dict[str, Any]:
    """Change the metadata of a session in any state."""
    session = call.tx.get(sessions.TYPE, id)
    if "metadata" in call.params:
        session["metadata"] = merge_metadata(session["metadata"], call.params["metadata"])
    return call.tx.save(session)


@api.route("POST", f"{URL}/<id>/expire")
def expire_session(call: Call, id: str) -> dict[str, Any]:
    """End an open session; one in another state is refused."""
    session = call.tx.get(sessions.TYPE, id)
    if session["status"] != "open":
        raise invalid(
            'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout '
            f"Session has a status of `{session['status']}`."
        )
    return sessions.expire(call.tx, session)


FILTERS = {
    "customer": "$.customer",
    "payment_intent": "$.payment_intent",
    "status": "$.status",
    "subscription": "$.subscription",
}


@api.route(
    "GET",
    URL,
    {**PAGING, "created": Moments(), **{name: Text() for name in FILTERS}},
)
def list_sessions(call: Call) -> dict[str, Any]:
    """Return a page of sessions, newest first."""
    return list_objects(call, sessions.TYPE, URL, FILTERS)


@api.route("GET", f"{URL}/<id>/line_items", PAGING)
def list_line_items(call: Call, id: str) -> dict[str, Any]:
    """Return a page of what a session sells, in the order given by the shop."""
    session = call.tx.get(sessions.TYPE, id)
    return page_of(call, session.hidden["lines"], f"{URL}/{id}/line_items")


@includable(sessions.TYPE, "line_items")
def first_line_items(tx: Tx, session: dict[str, Any]) -> dict[str, Any]:
    """Return the first ten lines, as `expand` shows them."""
    lines = tx.get(sessions.TYPE, session["id"]).hidden["lines"]
    url = f"{URL}/{session['id']}/line_items"
    return make_list(lines[:10], url, has_more=len(lines) > 10)
