"""The shape of a new Checkout Session, with every field that Stripe's has."""

from typing import Any

from storefront.sandbox.customers import address
from storefront.sandbox.ids import new_id
from storefront.sandbox.shapes import nulls
from storefront.sandbox.store import Tx


def new_session(tx: Tx, params: dict[str, Any], base_url: str) -> dict[str, Any]:
    """Return an open session without amounts; `params` has been validated."""
    id = new_id("cs_test")
    return {
        "id": id,
        "object": "checkout.session",
        "created": tx.now,
        "livemode": False,
        "mode": params["mode"],
        "status": "open",
        "payment_status": "unpaid",
        "url": f"{base_url}/pay/{id}",
        **_as_given(params),
        **_of_the_buyer(tx, params),
        **_of_the_page(params),
        **_not_yet(),
    }


def _as_given(params: dict[str, Any]) -> dict[str, Any]:
    names = (
        "allow_promotion_codes",
        "allowed_payment_method_types",
        "billing_address_collection",
        "cancel_url",
        "client_reference_id",
        "excluded_payment_method_types",
        "integration_identifier",
        "locale",
        "name_collection",
        "origin_context",
        "submit_type",
        "success_url",
    )
    return {
        **{name: params.get(name) for name in names},
        "metadata": params.get("metadata") or {},
        "customer_creation": _customer_creation(params),
        "payment_method_collection": params.get(
            "payment_method_collection",
            "if_required" if params["mode"] == "payment" else "always",
        ),
        "invoice_creation": _invoice_creation(params.get("invoice_creation")),
        "shipping_address_collection": params.get("shipping_address_collection"),
        "phone_number_collection": params.get("phone_number_collection", {"enabled": False}),
        "consent_collection": _consent_collection(params.get("consent_collection")),
    }


def _of_the_buyer(tx: Tx, params: dict[str, Any]) -> dict[str, Any]:
    customer = tx.find("customer", params.get("customer"))
    email = customer["email"] if customer else params.get("customer_email")
    return {
        "customer": customer["id"] if customer else None,
        "customer_account": None,
        "customer_email": params.get("customer_email"),
        "customer_details": customer_details(email=email) if email else None,
        "collected_information": {
            "business_name": None,
            "individual_name": None,
            "shipping_details": None,
        },
        "consent": None,
    }


def customer_details(
    email: str | None = None,
    name: str | None = None,
    phone: str | None = None,
    postal: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """Return what a session tells about its buyer."""
    return {
        "address": address(postal),
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": phone,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def _of_the_page(params: dict[str, Any]) -> dict[str, Any]:
    texts = ("after_submit", "shipping_address", "submit", "terms_of_service_acceptance")
    custom_text = params.get("custom_text", {})
    return {
        **nulls(
            """
            after_expiration branding_settings client_secret optional_items payment_link
            payment_method_configuration_details permissions redirect_on_completion return_url
            saved_payment_method_options tax_id_collection wallet_options
            """
        ),
        "adaptive_pricing": {"enabled": False},
        "automatic_tax": {
            "enabled": False,
            "liability": None,
            "provider": None,
            "status": None,
        },
        "custom_fields": [],
        "custom_text": {name: custom_text.get(name) for name in texts},
        "managed_payments": {"enabled": False},
        "payment_method_options": {"card": {"request_three_d_secure": "automatic"}},
        "payment_method_types": ["card"],
        "ui_mode": "hosted_page",
    }


def _not_yet() -> dict[str, Any]:
    return {
        **nulls(
            """
            amount_subtotal amount_total currency currency_conversion invoice payment_intent
            presentment_details recovered_from setup_intent shipping_cost subscription
            total_details
            """
        ),
        "discounts": [],
        "expires_at": 0,
        "shipping_options": [],
    }


def _customer_creation(params: dict[str, Any]) -> str | None:
    if "customer" in params:
        return None
    default = "if_required" if params["mode"] == "payment" else "always"
    return str(params.get("customer_creation", default))


def _consent_collection(given: dict[str, Any] | None) -> dict[str, Any] | None:
    empty = {"payment_method_reuse_agreement": None, "promotions": None, "terms_of_service": None}
    return given and {**empty, **given}


def _invoice_creation(given: dict[str, Any] | None) -> dict[str, Any] | None:
    return given and {
        "enabled": given["enabled"],
        "invoice_data": {
            **nulls("account_tax_ids custom_fields description footer issuer rendering_options"),
            "metadata": {},
        },
    }
