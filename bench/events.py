"""Signed webhook requests: what the sandbox tells of a payment, retold for each open order."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import stripe

from bench import goods
from bench.references import SECRET
from storefront.sandbox import InProcessClient, close, control, create_sandbox

BASE = "http://localhost/sandbox"


def payment_told(folder: Path) -> dict[str, Any]:
    """The `checkout.session.completed` that the sandbox makes when somebody buys a bowl."""
    sandbox = create_sandbox(folder / "sandbox.sqlite", BASE, background=False)
    client = stripe.StripeClient(
        "sk_test_0123456789abcdef",
        base_addresses={"api": BASE},
        http_client=InProcessClient(sandbox),
    )
    price: Any = {
        "currency": goods.CURRENCY,
        "unit_amount": goods.AMOUNT,
        "product_data": {"name": "Bowl number 7"},
    }
    opened = client.v1.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"price_data": price, "quantity": 1}],
            "success_url": "http://localhost/payment/success?sessid={CHECKOUT_SESSION_ID}",
            "cancel_url": "http://localhost/payment/cancel",
            "client_reference_id": goods.reference(0),
            "metadata": {"shop": "http://localhost", "order": goods.reference(0)},
        }
    )
    control.complete(sandbox, opened.id)
    (event,) = client.v1.events.list({"type": "checkout.session.completed"}).data
    close(sandbox)
    told: dict[str, Any] = event.to_dict(for_json=True)
    return told


def signed(template: dict[str, Any], number: int) -> tuple[bytes, str]:
    """The event of another order, as (payload, signature header), signed now."""
    session = template["data"]["object"] | {
        "id": goods.session_id(number),
        "client_reference_id": goods.reference(number),
        "metadata": {"shop": "http://localhost", "order": goods.reference(number)},
        "payment_intent": f"pi_bench{number:017d}",
    }
    event = template | {"id": f"evt_bench{number:017d}", "data": {"object": session}}
    body = json.dumps(event, separators=(",", ":"))
    header: str = stripe.WebhookSignature.generate_signature_header(body, SECRET, int(time.time()))
    return body.encode(), header
