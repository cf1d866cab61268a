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


def planned(**params):
    """A customer on a plan, as it was done before there were prices."""
    plan = {"currency": "usd", "interval": "month", "product": {"name": "Tea"}}
    return [
        step("customer", "customers", source="tok_visa"),
        step("plan", "plans", amount="2000", **plan),
        step(
            "sub",
            "subscriptions",
            customer="${customer:id}",
            items=[{"plan": "${plan:id}"}],
            **params,
        ),
    ]


def on_trial(ending):
    behavior = {"end_behavior": {"missing_payment_method": ending}}
    return [
        step("customer", "customers", description="Ann"),
        *goods(**{"recurring[interval]": "month"}),
        subscribed(trial_period_days=7, trial_settings=behavior),
        step("end", "subscriptions/${sub:id}", trial_end="now"),
    ]


def drafted(card="pm_card_visa"):
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
    ]


def billed(card, error=None):
    return [
        *drafted(card),
        step("pay", "invoices/${invoice:id}/pay", "post", error, payment_method="${method:id}"),
    ]


BACS = {"type": "bacs_debit", "bacs_debit": {"account_number": "00012345", "sort_code": "108800"}}
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
    "charge.pending": checkout("gbp", BACS, payment_method_types=["bacs_debit"]),
    "charge.refunded": [*paid(), step("refund", "refunds", payment_intent="${intent:id}")],
    "refund.created": [
        step("charge", "charges", amount=500, currency="usd", source="tok_visa"),
        step("refund", "charges/${charge:id}/refund", amount=200),
    ],
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
    "customer.subscription.paused": on_trial("pause"),
    "customer.subscription.resumed": [
        *on_trial("pause"),
        step("resume", "subscriptions/${sub:id}/resume"),
    ],
    "invoice.paid": billed("pm_card_visa"),
    "invoice.payment_action_required": billed("pm_card_threeDSecure2Required", "card_error"),
    "invoice.deleted": [*drafted(), step("delete", "invoices/${invoice:id}", "delete")],
    "invoice.sent": [
        *drafted()[:3],
        step(
            "invoice",
            "invoices",
            customer="${customer:id}",
            collection_method="send_invoice",
            days_until_due=7,
        ),
        step("send", "invoices/${invoice:id}/send"),
    ],
    "invoice.voided": [
        *drafted(),
        step("finalize", "invoices/${invoice:id}/finalize"),
        step("void", "invoices/${invoice:id}/void"),
    ],
    "invoiceitem.deleted": [*drafted()[:3], step("delete", "invoiceitems/${item:id}", "delete")],
    "invoice.payment_succeeded": billed("pm_card_visa"),
    "invoice.payment_failed": billed("pm_card_chargeCustomerFail", "card_error"),
    "invoiceitem.created": billed("pm_card_visa"),
    "plan.created": planned(),
    "plan.updated": [*planned(), step("update", "plans/${plan:id}", metadata={"a": "b"})],
    "plan.deleted": [*planned(), step("delete", "plans/${plan:id}", "delete")],
    "product.created": goods(),
    "product.updated": [*goods(), step("update", "products/${product:id}", metadata={"a": "b"})],
    "product.deleted": [*goods()[:1], step("delete", "products/${product:id}", "delete")],
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
    ("currency", "kind", "account", "type"),
    [
        ("eur", "sepa_debit", "LU280019400644750000", "succeeded"),
        ("eur", "sepa_debit", "AT61 1904 3002 3457 3201", "succeeded"),
        ("eur", "sepa_debit", "LU980019400644750001", "failed"),
        ("eur", "sepa_debit", "AT861904300235473202", "failed"),
        ("gbp", "bacs_debit", "33333335", "failed"),
        ("usd", "us_bank_account", "000123456789", "succeeded"),
    ],
)
def test_a_test_account_answers_when_its_time_has_come(
    sandbox, shop, endpoint, currency, kind, account, type
):
    type = f"checkout.session.async_payment_{type}"
    field = "iban" if kind == "sepa_debit" else "account_number"
    play(sandbox, checkout(currency, {"type": kind, kind: {field: account}}))
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


def test_only_a_test_cards_number_is_taken(sandbox):
    test = {"type": "card", "card": {"number": "4000000000003220", "exp_month": 7, "exp_year": 34}}
    answers = play(sandbox, [step("method", "payment_methods", **test)])
    assert "4000000000003220" not in str(answers["method"])
    real = {"type": "card", "card": {"number": "4929000000006"}}
    play(sandbox, [step("method", "payment_methods", "post", "invalid_request_error", **real)])


@pytest.mark.parametrize("account", [{}, {"iban": "DE02120300000000202051"}])
def test_an_account_that_is_none_for_tests_is_not_taken(sandbox, account):
    given = {"type": "sepa_debit", "sepa_debit": account}
    play(sandbox, [step("method", "payment_methods", "post", "invalid_request_error", **given)])


def test_lines_without_a_price_are_taken_from_old_programs(sandbox):
    line = {"name": "Teapot", "description": "Round", "amount": 1500, "currency": "usd"}
    script = [
        step("session", "checkout/sessions", line_items=[{**line, "quantity": 2}], **PAGE),
        step("lines", "checkout/sessions/${session:id}/line_items", "get"),
    ]
    answers = play(sandbox, script)
    assert (answers["session"]["mode"], answers["session"]["amount_total"]) == ("payment", 3000)
    assert answers["lines"]["data"][0]["description"] == "Teapot"
    with pytest.raises(AssertionError, match="mode"):
        play(sandbox, script, "2022-08-01")


def test_an_address_agreed_on_before_is_the_payments(sandbox, api):
    shipping = {"name": "Ann", "address": {"line1": "1 Main St", "country": "US"}}
    answers = play(sandbox, checkout(payment_intent_data={"shipping": shipping}))
    intent = api.payment_intents.retrieve(answers["confirm"]["payment_intent"])
    assert intent.shipping.address.line1 == "1 Main St"


def test_a_trial_that_ends_early_is_billed_at_once(sandbox, api):
    script = [*subscriber(), subscribed(trial_period_days=7)]
    answers = play(sandbox, [*script, step("end", "subscriptions/${sub:id}", trial_end="now")])
    assert answers["end"]["status"] == "active"
    assert api.invoices.retrieve(answers["end"]["latest_invoice"]).amount_paid == 1500


def test_what_is_sold_or_billed_cannot_be_deleted(sandbox):
    refused = "invalid_request_error"
    play(sandbox, [*goods(), step("delete", "products/${product:id}", "delete", refused)])
    play(
        sandbox,
        [
            *billed("pm_card_visa"),
            step("delete", "invoices/${invoice:id}", "delete", refused),
            step("again", "invoiceitems/${item:id}", "delete", refused),
            step("send", "invoices/${invoice:id}/send", "post", refused),
        ],
    )


def test_what_a_draft_was_to_bill_goes_with_it(sandbox):
    gone = step("item again", "invoiceitems/${item:id}", "get", "invalid_request_error")
    play(sandbox, [*drafted(), step("delete", "invoices/${invoice:id}", "delete"), gone])


def test_what_the_sandbox_does_not_have_is_refused_in_words(sandbox):
    error = play(sandbox, [step("quote", "quotes", "post", "invalid_request_error")])["quote"]
    assert "this sandbox does not" in error["error"]["message"]
