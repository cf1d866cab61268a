"""Sound samples of what goes over the wire, and a way to spoil a copy of one."""

import copy
from typing import Any

import stripe

ABSENT = object()

ORDER: dict[str, Any] = {
    "mode": "payment",
    "line_items": [
        {
            "quantity": 2,
            "price_data": {
                "currency": "eur",
                "unit_amount": 1250,
                "product_data": {"name": "Teapot", "images": ["https://shop.example/1.jpg"]},
            },
            "adjustable_quantity": {"enabled": False},
        }
    ],
    "success_url": "https://shop.example/done?sessid={CHECKOUT_SESSION_ID}",
    "expires_at": 1900000000,
    "metadata": {"order": "17"},
    "payment_intent_data": {"metadata": {"order": "17"}},
    "shipping_address_collection": {"allowed_countries": ["DE", "FR"]},
    "allow_promotion_codes": True,
}
PRICE: dict[str, Any] = {
    "id": "price_1",
    "object": "price",
    "active": True,
    "billing_scheme": "per_unit",
    "created": 1900000000,
    "currency": "eur",
    "custom_unit_amount": None,
    "livemode": False,
    "lookup_key": None,
    "metadata": {},
    "nickname": None,
    "product": "prod_1",
    "recurring": {
        "interval": "month",
        "interval_count": 1,
        "meter": None,
        "trial_period_days": None,
        "usage_type": "licensed",
    },
    "tax_behavior": "unspecified",
    "tiers_mode": None,
    "transform_quantity": None,
    "type": "recurring",
    "unit_amount": 1250,
    "unit_amount_decimal": "1250",
}
LINE_ITEM: dict[str, Any] = {
    "id": "li_1",
    "object": "item",
    "amount_discount": 0,
    "amount_subtotal": 2500,
    "amount_tax": 0,
    "amount_total": 2500,
    "currency": "eur",
    "description": "Teapot",
    "price": PRICE,
    "quantity": 2,
}
SESSION: dict[str, Any] = {
    "id": "cs_test_1",
    "object": "checkout.session",
    "amount_total": 2500,
    "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
    "created": 1900000000,
    "currency": "eur",
    "custom_fields": [],
    "custom_text": {
        "after_submit": None,
        "shipping_address": None,
        "submit": {"message": "Thank you."},
        "terms_of_service_acceptance": None,
    },
    "customer": None,
    "customer_details": {
        "address": {
            "city": "Ulm",
            "country": "DE",
            "line1": "Am Platz 1",
            "line2": None,
            "postal_code": "89073",
            "state": None,
        },
        "business_name": None,
        "email": "ada@example.com",
        "individual_name": None,
        "name": "Ada",
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    },
    "expires_at": 1900001800,
    "line_items": {
        "object": "list",
        "url": "/v1/checkout/sessions/cs_test_1/line_items",
        "has_more": False,
        "data": [LINE_ITEM],
    },
    "livemode": False,
    "metadata": {"order": "17"},
    "mode": "payment",
    "payment_intent": "pi_1",
    "payment_method_types": ["card"],
    "payment_status": "paid",
    "shipping_options": [],
    "status": "complete",
    "url": None,
}
EVENT: dict[str, Any] = {
    "id": "evt_1",
    "object": "event",
    "api_version": stripe.api_version,
    "created": 1900000000,
    "data": {"object": SESSION},
    "livemode": False,
    "pending_webhooks": 1,
    "request": {"id": None, "idempotency_key": None},
    "type": "checkout.session.completed",
}


def altered(sample: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """Return a copy of a sample with another value, or with none, at a path such as `a.0.b`."""
    changed = copy.deepcopy(sample)
    *parents, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    node: Any = changed
    for step in parents:
        node = node[step]
    if value is ABSENT:
        del node[last]
    else:
        node[last] = value
    return changed
