"""Events in the shapes of older API versions, for endpoints that were registered long ago."""

import json

import pytest
import stripe

from storefront.sandbox import control, ensure_webhook_endpoint, run_due
from tests.sandbox.conftest import HOOK_URL, SECRET
from tests.sandbox.orders import order, plan

ACACIA = "2025-02-24.acacia"


def tell(sandbox, shop, version):
    """Deliver what waits in a version and return the objects of the events by type."""
    ensure_webhook_endpoint(sandbox, HOOK_URL, SECRET, api_version=version)
    run_due(sandbox)
    events = [json.loads(body) for body, _ in shop.received]
    assert {event["api_version"] for event in events} == {version}
    return {event["type"]: event["data"] for event in events}


@pytest.fixture
def subscribed(api, sandbox, endpoint):
    control.set_switches(sandbox, paused=True)
    control.complete(sandbox, api.checkout.sessions.create(plan()).id)
    session = api.checkout.sessions.list().data[0]
    api.subscriptions.update(session.subscription, {"cancel_at_period_end": True})
    control.set_switches(sandbox, paused=False)


def test_before_basil_things_hung_together_the_other_way(api, sandbox, shop, subscribed):
    told = tell(sandbox, shop, ACACIA)
    session = api.checkout.sessions.list().data[0]
    subscription = api.subscriptions.retrieve(session.subscription)
    invoice = api.invoices.retrieve(session.invoice, {"expand": ["payments"]})
    intent = invoice.payments.data[0].payment.payment_intent

    old = told["checkout.session.completed"]["object"]
    assert (old["ui_mode"], old["shipping_details"]) == ("hosted", None)
    assert "shipping_details" not in old["collected_information"]
    old = told["customer.subscription.created"]["object"]
    now = subscription["items"].data[0]
    assert old["current_period_end"] == now.current_period_end
    assert "current_period_end" not in old["items"]["data"][0]
    old = told["invoice.paid"]["object"]
    assert (old["subscription"], old["payment_intent"]) == (subscription.id, intent)
    assert (old["paid"], old["charge"]) == (
        True,
        api.payment_intents.retrieve(intent).latest_charge,
    )
    assert not {"parent", "payments"} & set(old)
    assert old["lines"]["data"][0]["price"]["id"] == now.price.id
    assert told["payment_intent.succeeded"]["object"]["invoice"] == invoice.id
    assert told["charge.succeeded"]["object"]["invoice"] == invoice.id
    assert told["customer.subscription.updated"]["previous_attributes"] is not None


@pytest.mark.parametrize(
    ("version", "mode", "moved"),
    [
        ("2024-06-20", "hosted", False),
        ("2025-03-31.basil", "hosted", True),
        ("2026-03-25.dahlia", "hosted_page", True),
        (stripe.api_version, "hosted_page", True),
    ],
)
def test_each_version_has_its_own_shape(api, sandbox, shop, endpoint, version, mode, moved):
    control.set_switches(sandbox, api_version=version)
    control.complete(sandbox, api.checkout.sessions.create(order()).id)
    (event,) = (event for event in shop.events if event["type"] == "checkout.session.completed")
    session = event["data"]["object"]
    assert (event["api_version"], session["ui_mode"]) == (version, mode)
    assert ("shipping_details" in session["collected_information"]) == moved
    # What is kept, and what the API tells, stays in the present version.
    assert api.events.retrieve(event["id"]).api_version == stripe.api_version


def test_the_same_event_looks_the_same_each_time(sandbox, shop, subscribed):
    shop.status = 500
    tell(sandbox, shop, ACACIA)
    first = {body for body, _ in shop.received}
    control.deliver_now(sandbox)
    assert {body for body, _ in shop.received} == first
