"""Scripts in the form of Stripe's own triggers run to their end and cause what they are for."""

import pytest

from storefront.sandbox import control, run_due
from tests.sandbox.scripts import play

PAGE = {"success_url": "https://shop.example/ok", "cancel_url": "https://shop.example/no"}


def step(name, path, method="post", error=None, /, **params):
    found = {"name": name, "path": f"/v1/{path}", "method": method, "params": params}
    return found | ({"expected_error_type": error} if error else {})


def goods(currency="usd", **price):
    return [
        step("product", "products", name="Teapot", description="Round"),
        step(
            "price",
            "prices",
            product="${product:id}",
            unit_amount="1500",
            currency=currency,
            **price,
        ),
    ]


def checkout(currency="usd", method=None, **session):
    card = {"type": "card", "card": {"token": "tok_visa"}}
    return [
        *goods(currency),
        step(
            "session",
            "checkout/sessions",
            mode="payment",
            line_items=[{"price": "${price:id}", "quantity": 2}],
            **PAGE,
            **session,
        ),
        step("page", "payment_pages/${session:id}", "get"),
        step(
            "method",
            "payment_methods",
            billing_details={"email": "ann@example.com", "address": {"country": "US"}},
            **(method or card),
        ),
        step(
            "confirm",
            "payment_pages/${page:id}/confirm",
            payment_method="${method:id}",
            expected_amount="${session:amount_total}",
        ),
    ]


def paid(method="pm_card_visa", error=None, **params):
    return [
        step(
            "intent",
            "payment_intents",
            "post",
            error,
            amount=2000,
            currency="usd",
            confirm=True,
            payment_method=method,
            payment_method_types=["card"],
            **params,
        )
    ]


def subscriber(**customer):
    card = {"payment_method": "pm_card_visa"}
    card["invoice_settings"] = {"default_payment_method": "pm_card_visa"}
    return [
        step("customer", "customers", description="Ann", **(customer or card)),
        *goods(**{"recurring[interval]": "month"}),
    ]


def subscribed(**params):
    items = [{"price": "${price:id}"}]
    return step("sub", "subscriptions", customer="${customer:id}", items=items, **params)


def billed(card, error=None):
    return [
        step("customer", "customers", description="Ann"),
        step("method", f"payment_methods/{card}/attach", customer="${customer:id}"),
        step("item", "invoiceitems", amount=2000, currency="usd", customer="${customer:id}"),
        step(
            "invoice",
            "invoices",
            customer="${customer:id}",
            description="Tea",
            pending_invoice_items_behavior="include",
        ),
        step("pay", "invoices/${invoice:id}/pay", "post", error, payment_method="${method:id}"),
    ]


SEPA = {"type": "sepa_debit", "sepa_debit": {"iban": "LU980019400644750001"}}
SCRIPTS = {
    "checkout.session.completed": checkout(payment_method_types=["card"]),
    "checkout.session.expired": [
        *checkout()[:3],
        step("expire", "checkout/sessions/${session:id}/expire"),
    ],
    "payment_intent.processing": checkout("eur", SEPA, payment_method_types=["sepa_debit"]),
    "payment_intent.created": [step("intent", "payment_intents", amount=2000, currency="usd")],
    "payment_intent.succeeded": [
        step("intent", "payment_intents", amount=2000, currency="usd"),
        step("confirm", "payment_intents/${intent:id}/confirm", payment_method="pm_card_visa"),
    ],
    "payment_intent.payment_failed": paid("pm_card_chargeDeclined", "card_error"),
    "payment_intent.requires_action": paid("pm_card_threeDSecure2Required"),
    "payment_intent.amount_capturable_updated": paid(capture_method="manual"),
    "payment_intent.canceled": [
        *paid(capture_method="manual"),
        step("cancel", "payment_intents/${intent:id}/cancel", cancellation_reason="duplicate"),
    ],
    "charge.succeeded": paid(),
    "charge.failed": paid("pm_card_visa_chargeDeclined", "card_error"),
    "charge.captured": [
        step("charge", "charges", amount=500, currency="usd", source="tok_visa", capture=False),
        step("capture", "charges/${charge:id}/capture"),
    ],
    "charge.updated": [
        step("charge", "charges", amount=500, currency="usd", source="tok_visa"),
        step("update", "charges/${charge:id}", metadata={"a": "b"}),
    ],
    "charge.refunded": [*paid(), step("refund", "refunds", payment_intent="${intent:id}")],
    "refund.updated": [
        step("charge", "charges", amount=500, currency="usd", source="tok_visa"),
        step("refund", "refunds", charge="${charge:id}"),
        step("update", "refunds/${refund:id}", metadata={"order": "1"}),
    ],
    "charge.dispute.created": paid("pm_card_createDispute"),
    "charge.dispute.updated": [
        *paid("pm_card_createDisputeInquiry"),
        step("disputes", "disputes", "get", payment_intent="${intent:id}"),
        step("update", "disputes/${disputes:data.0.id}", metadata={"a": "b"}),
    ],
    "charge.dispute.closed": [
        *paid("pm_card_createDispute"),
        step("disputes", "disputes", "get", payment_intent="${intent:id}"),
        step("close", "disputes/${disputes:data.0.id}/close"),
    ],
    "customer.subscription.created": [*subscriber(), subscribed()],
    "customer.subscription.updated": [
        *subscriber(source="tok_visa"),
        subscribed(),
        step("update", "subscriptions/${sub:id}", metadata={"a": "b"}),
    ],
    "customer.subscription.deleted": [
        *subscriber(),
        subscribed(),
        step("cancel", "subscriptions/${sub:id}", "delete"),
    ],
    "customer.subscription.trial_will_end": [
        *subscriber(),
        subscribed(trial_period_days=1),
    ],
    "invoice.paid": billed("pm_card_visa"),
    "invoice.payment_succeeded": billed("pm_card_visa"),
    "invoice.payment_failed": billed("pm_card_chargeCustomerFail", "card_error"),
    "invoiceitem.created": billed("pm_card_visa"),
    "product.created": goods(),
    "price.created": goods(),
    "price.updated": [*goods(), step("update", "prices/${price:id}", metadata={"a": "b"})],
    "customer.created": [step("customer", "customers", description="Ann")],
    "customer.updated": [
        step("customer", "customers", description="Ann"),
        step("update", "customers/${customer:id}", metadata={"a": "b"}),
    ],
    "customer.deleted": [
        step("customer", "customers", description="Ann"),
        step("delete", "customers/${customer:id}", "delete"),
    ],
    "payment_method.attached": [
        step("customer", "customers", description="Ann"),
        step("attach", "payment_methods/pm_card_visa/attach", customer="${customer:id}"),
    ],
    "payment_method.detached": [
        step("customer", "customers", description="Ann"),
        step("attach", "payment_methods/pm_card_visa/attach", customer="${customer:id}"),
        step("detach", "payment_methods/${attach:id}/detach"),
    ],
}


@pytest.mark.parametrize("type", SCRIPTS)
def test_a_script_causes_what_it_is_named_after(sandbox, shop, endpoint, type):
    play(sandbox, SCRIPTS[type])
    run_due(sandbox)
    assert type in shop.types


@pytest.mark.parametrize(
    ("iban", "type"),
    [
        ("LU280019400644750000", "checkout.session.async_payment_succeeded"),
        ("LU980019400644750001", "checkout.session.async_payment_failed"),
    ],
)
def test_a_test_account_answers_when_its_time_has_come(sandbox, shop, endpoint, iban, type):
    play(sandbox, checkout("eur", {"type": "sepa_debit", "sepa_debit": {"iban": iban}}))
    run_due(sandbox)
    assert type not in shop.types
    control.advance_clock(sandbox, 60)
    run_due(sandbox)
    assert type in shop.types


def test_payment_method_types_are_of_the_past(sandbox):
    script = SCRIPTS["checkout.session.completed"]
    play(sandbox, script, "2026-08-26.dahlia")
    with pytest.raises(AssertionError, match="unknown parameter: payment_method_types"):
        play(sandbox, script, "2026-09-30.endive")


def test_what_was_set_aside_is_taken_in_part(sandbox, api):
    answers = play(
        sandbox,
        [
            *paid(capture_method="manual"),
            step("capture", "payment_intents/${intent:id}/capture", amount_to_capture=700),
            step("again", "payment_intents/${intent:id}/capture", "post", "invalid_request_error"),
        ],
    )
    assert answers["intent"]["status"] == "requires_capture"
    assert answers["capture"]["amount_received"] == 700
    charge = api.charges.retrieve(answers["capture"]["latest_charge"])
    assert (charge.captured, charge.amount_captured) == (True, 700)


def test_a_card_number_is_not_taken(sandbox):
    number = {"type": "card", "card": {"number": "4242424242424242"}}
    play(sandbox, [step("method", "payment_methods", "post", "invalid_request_error", **number)])
