"""Every object, event and error of the sandbox, held against the types of the installed SDK."""

import json
import re

import pytest
import stripe

from storefront.sandbox import InProcessClient, cards, control
from storefront.sandbox.core import DAY, state
from tests.contract.recording import RecordingClient
from tests.contract.stripe_types import check_error, check_event, check_object
from tests.sandbox.conftest import BASE_URL
from tests.sandbox.lives import buy
from tests.sandbox.orders import form, line, order, plan

SHIPPING = [
    {
        "shipping_rate_data": {
            "display_name": "Standard",
            "type": "fixed_amount",
            "fixed_amount": {"amount": 500, "currency": "usd"},
            "delivery_estimate": {"minimum": {"unit": "business_day", "value": 2}},
        }
    }
]
EVERYTHING = order(
    shipping_options=SHIPPING,
    shipping_address_collection={"allowed_countries": ["US"]},
    phone_number_collection={"enabled": True},
    billing_address_collection="required",
    customer_creation="always",
    consent_collection={"terms_of_service": "required"},
    invoice_creation={"enabled": True},
    custom_text={"submit": {"message": "Thank you."}},
    payment_intent_data={"description": "Mugs", "setup_future_usage": "off_session"},
)


def pay(sandbox, session, test):
    answer = sandbox.test_client().post(f"/pay/{session.id}", data={"test": test})
    assert answer.status_code in (303, 402)


def paid_with_everything(api, sandbox):
    pay(sandbox, api.checkout.sessions.create(EVERYTHING), "pm_card_visa")


def paid_in_yen(api, sandbox):
    pay(
        sandbox,
        api.checkout.sessions.create(order(line_items=[line(currency="jpy")])),
        "pm_card_amex",
    )


def declined(api, sandbox):
    session = api.checkout.sessions.create(order())
    for card in cards.ALL:
        if card.decline and not card.three_d_secure:
            pay(sandbox, session, card.payment_method)


def authenticated(api, sandbox):
    session = api.checkout.sessions.create(order())
    client = sandbox.test_client()
    for answer in ("fail", "complete"):
        client.post(f"/pay/{session.id}", data=form(card_number="4000002760003184"))
        page = client.get(f"/pay/{session.id}/authenticate").text
        token = re.search(r'name="token" value="([^"]+)"', page)[1]
        client.post(f"/pay/{session.id}/authenticate", data={"token": token, "answer": answer})


def debited(api, sandbox):
    for currency, decide in (("usd", control.settle_payment), ("eur", control.fail_payment)):
        session = api.checkout.sessions.create(order(line_items=[line(currency=currency)]))
        pay(sandbox, session, "bank_debit")
        decide(sandbox, session.id)


def subscribed(api, sandbox):
    for decide in (control.settle_payment, control.fail_payment):
        session = api.checkout.sessions.create(plan())
        pay(sandbox, session, "bank_debit")
        decide(sandbox, session.id)
    session = api.checkout.sessions.create(plan())
    pay(sandbox, session, "pm_card_visa")
    id = api.checkout.sessions.retrieve(session.id).subscription
    api.subscriptions.update(id, {"cancel_at_period_end": True})
    api.subscriptions.cancel(id)


def on_trial(api, sandbox):
    customer = api.customers.create({"email": "ann@example.com", "address": {"city": "Bonn"}})
    update = {"address": "auto", "name": "auto"}
    params = plan(14, customer=customer.id, customer_update=update)
    pay(sandbox, api.checkout.sessions.create(params), "pm_card_visa")
    api.customers.delete(customer.id)


def free_and_expired(api, sandbox):
    free = api.checkout.sessions.create(order(line_items=[line(0)]))
    sandbox.test_client().post(f"/pay/{free.id}", data={"email": "ann@example.com"})
    api.checkout.sessions.expire(api.checkout.sessions.create(order()).id)


def kept_a_catalog(api, sandbox):
    product = api.products.create({"name": "Mug"})
    api.products.update(product.id, {"description": "Round"})
    price = api.prices.create({"currency": "usd", "product": product.id, "unit_amount": 5})
    api.prices.update(price.id, {"nickname": "old"})
    customer = api.customers.create({"name": "Ann"})
    api.customers.update(customer.id, {"name": "Anna"})


def refunded(api, sandbox):
    for card in ("pm_card_visa", "pm_card_pendingRefund", "pm_card_refundFail", "bank_debit"):
        session = api.checkout.sessions.create(order())
        pay(sandbox, session, card)
        if card == "bank_debit":
            control.settle_payment(sandbox, session.id)
        intent = api.checkout.sessions.retrieve(session.id).payment_intent
        params = {"amount": 700, "reason": "fraudulent", "metadata": {"refund": "1"}}
        made = api.refunds.create({"payment_intent": intent, **params})
        api.refunds.update(made.id, {"metadata": {"note": "late"}})
        control.refund(sandbox, session.id)
    control.advance_clock(sandbox, 300)


def disputed(api, sandbox):
    for card in cards.ALL:
        if card.complaint:
            pay(sandbox, api.checkout.sessions.create(order()), card.payment_method)
    texts = ("winning_evidence", "losing_evidence", "escalate_inquiry_evidence")
    for dispute, text in zip(api.disputes.list().data[::-1], texts, strict=True):
        evidence = {"uncategorized_text": text, "receipt": "file_1"}
        api.disputes.update(dispute.id, {"evidence": evidence, "metadata": {"order": "1"}})
    session = api.checkout.sessions.create(order())
    pay(sandbox, session, "bank_debit")
    control.settle_payment(sandbox, session.id)
    api.disputes.close(control.dispute(sandbox, session.id, "insufficient_funds")["id"])


def renewed(api, sandbox):
    """Every way in which a subscription's time goes by."""
    pause = {"behavior": "void", "resumes_at": control.advance_clock(sandbox, 0) + 50 * DAY}
    for card in ("pm_card_visa", "pm_card_chargeCustomerFail", "pm_card_authenticationRequired"):
        id = buy(api, sandbox, days=1).id
        control.change_card(sandbox, id, card)
    api.subscriptions.update(buy(api, sandbox).id, {"pause_collection": pause})
    control.change_card(sandbox, buy(api, sandbox).id, "LU980019400644750001")
    api.subscriptions.update(buy(api, sandbox).id, {"cancel_at_period_end": True})
    end = {"end_behavior": {"missing_payment_method": "pause"}}
    data = {"trial_period_days": 1, "trial_settings": end}
    id = buy(api, sandbox, payment_method_collection="if_required", subscription_data=data).id
    for _ in range(3):
        control.advance(sandbox, "20 days")
    control.change_card(sandbox, id, "pm_card_visa")
    api.subscriptions.resume(id, {"billing_cycle_anchor": "now"})


def on_a_test_clock(api, sandbox):
    start = 1_801_353_600
    clock = api.test_helpers.test_clocks.create({"frozen_time": start})
    card = {"default_payment_method": "pm_card_chargeCustomerFail"}
    customer = api.customers.create({"test_clock": clock.id, "invoice_settings": card})
    product = api.products.create({"name": "Paper"})
    data = {"currency": "usd", "product": product.id, "unit_amount": 900}
    items = [{"price_data": {**data, "recurring": {"interval": "month"}}, "quantity": 2}]
    made = api.subscriptions.create({"customer": customer.id, "items": items})
    api.invoices.pay(made.latest_invoice, {"payment_method": "pm_card_visa"})
    api.test_helpers.test_clocks.advance(clock.id, {"frozen_time": start + 32 * DAY})
    api.test_helpers.test_clocks.retrieve(clock.id)
    last = api.subscriptions.retrieve(made.id).latest_invoice
    api.invoices.mark_uncollectible(last)
    api.subscriptions.list({"test_clock": clock.id})


STORIES = [
    renewed,
    on_a_test_clock,
    paid_with_everything,
    paid_in_yen,
    declined,
    authenticated,
    debited,
    subscribed,
    on_trial,
    free_and_expired,
    refunded,
    disputed,
    kept_a_catalog,
]


@pytest.mark.parametrize("story", STORIES)
def test_all_that_a_story_leaves_behind_is_whole(api, sandbox, story):
    story(api, sandbox)
    with state(sandbox).store.read() as tx:
        objects = [json.loads(json.dumps(obj)) for obj in tx.select("1", ())]
    assert len(objects) > 2
    for obj in objects:
        check = check_event if obj["object"] == "event" else check_object
        assert check(obj, complete=True) == [], obj["object"]


def test_what_the_sdk_reads_and_expands_is_clean(sandbox):
    recorder = RecordingClient(InProcessClient(sandbox))
    api = stripe.StripeClient(
        "sk_test_a", http_client=recorder, base_addresses={"api": BASE_URL}
    ).v1
    for story in (paid_with_everything, subscribed, refunded, disputed):
        story(api, sandbox)
    deep = ["data.line_items", "data.payment_intent.latest_charge", "data.customer"]
    api.checkout.sessions.list({"expand": deep})
    api.checkout.sessions.list({"expand": ["data.invoice.payments"]})
    api.subscriptions.list({"status": "all", "expand": ["data.latest_invoice"]})
    for invoice in api.invoices.list({"expand": ["data.payments"]}).data:
        api.invoices.retrieve(invoice.id, {"expand": ["payments.data.payment.payment_intent"]})
    for nouns in (api.charges, api.prices, api.products, api.events, api.invoice_payments):
        assert nouns.list({"limit": 100}).data
    api.charges.list({"expand": ["data.refunds"]})
    movements = ["data.balance_transaction.source", "data.failure_balance_transaction"]
    assert api.refunds.list({"expand": [*movements, "data.charge", "data.payment_method"]}).data
    assert api.disputes.list({"expand": ["data.charge", "data.payment_intent"]}).data
    assert api.radar.early_fraud_warnings.list({"expand": ["data.charge"]}).data
    assert api.balance_transactions.list().data
    endpoint = {"url": "http://127.0.0.1:9/x", "enabled_events": ["*"]}
    api.webhook_endpoints.create(endpoint)
    assert recorder.problems() == []


@pytest.mark.parametrize(
    ("method", "path", "data"),
    [
        ("GET", "/v1/account", None),
        ("GET", "/v1/nothing", None),
        ("GET", "/v1/customers/cus_x", None),
        ("POST", "/v1/checkout/sessions", {"mode": "payment"}),
        ("POST", "/v1/checkout/sessions", {"payment_method_types[]": "card"}),
        ("POST", "/v1/customers", {"email": "ann"}),
        ("GET", "/v1/customers?limit=x", None),
        ("POST", "/v1/refunds", {"amount": "0", "charge": "ch_x"}),
        ("POST", "/v1/refunds", {"payment_intent": "pi_x"}),
        ("GET", "/v1/disputes/du_x", None),
    ],
)
def test_errors_are_clean_too(sandbox, method, path, data):
    headers = {"Authorization": "Bearer sk_test_a"} if path != "/v1/account" else {}
    answer = sandbox.test_client().open(path, method=method, data=data, headers=headers)
    assert answer.status_code >= 400
    assert check_error(answer.json) == []


def test_a_card_error_is_clean(api, sandbox):
    session = api.checkout.sessions.create(order())
    answer = sandbox.test_client().post(
        f"/v1/payment_pages/{session.id}/confirm",
        headers={"Authorization": "Bearer sk_test_a"},
        data={"payment_method": "pm_card_visa_chargeDeclined"},
    )
    assert check_error(answer.json) == []
