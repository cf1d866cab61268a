"""A sandbox in a temporary file, an untouched SDK that calls it, and a shop that listens."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe
from flask import Flask
from flask.testing import FlaskClient

from storefront import sandbox as sandbox_package
from storefront.sandbox import InProcessClient

BASE_URL = "http://127.0.0.1:8000/sandbox"
HOOK_URL = "http://127.0.0.1:8000/webhooks/stripe"
SECRET = "whsec_test"


class Shop:
    """The other end of the webhooks: answers with `status` and verifies everything with the SDK."""

    def __init__(self) -> None:
        self.status = 200
        self.received: list[tuple[bytes, str]] = []

    def deliver(self, url: str, body: bytes, headers: Any, timeout: float) -> tuple[int, str]:
        assert url == HOOK_URL
        stripe.WebhookSignature.verify_header(
            body.decode(), headers["Stripe-Signature"], SECRET, 300
        )
        self.received.append((body, headers["Stripe-Signature"]))
        return self.status, "thank you"

    @property
    def events(self) -> list[dict[str, Any]]:
        client = stripe.StripeClient("sk_test_shop")
        return [
            client.construct_event(body, signature, SECRET).to_dict(for_json=True)
            for body, signature in self.received
        ]

    @property
    def types(self) -> list[str]:
        return [event["type"] for event in self.events]


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture
def sandbox(tmp_path: Path, shop: Shop) -> Iterator[Flask]:
    app = sandbox_package.create_sandbox(
        tmp_path / "sandbox.sqlite", BASE_URL, deliver=shop.deliver, background=False
    )
    app.testing = True
    yield app
    sandbox_package.close(app)


@pytest.fixture
def endpoint(sandbox: Flask) -> dict[str, Any]:
    return sandbox_package.ensure_webhook_endpoint(sandbox, HOOK_URL, SECRET)


@pytest.fixture
def api(sandbox: Flask) -> Any:
    client = stripe.StripeClient(
        "sk_test_shop",
        http_client=InProcessClient(sandbox),
        base_addresses={"api": BASE_URL},
        max_network_retries=0,
    )
    return client.v1


@pytest.fixture
def browser(sandbox: Flask) -> FlaskClient:
    return sandbox.test_client()
