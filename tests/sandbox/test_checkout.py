"""The hosted page from opening a session to the way back, with the SDK on the shop's side."""

import re
import threading

import pytest
import stripe

from storefront.sandbox import cards, control, run_due
from tests.sandbox.orders import form, line, order, plan


def pay(browser, session, **changes):
    return browser.post(f"/pay/{session.id}", data=form(**changes))


def authenticate(browser, session, answer):
    page = browser.get(f"/pay/{session.id}/authenticate")
    token = re.search(r'name="token" value="([^"]+)"', page.text)[1]
    data = {"token": token, "answer": answer}
    return browser.post(f"/pay/{session.id}/authenticate", data=data)


def test_a_session_is_paid_told_and_returned_from(api, browser, shop, endpoint):
    session = api.checkout.sessions.create(order())
    assert session.url == f"http://127.0.0.1:8000/sandbox/pay/{session.id}"
    assert b"$25.00" in browser.get(f"/pay/{session.id}").data

    answer = pay(browser, session)

    assert answer.status_code == 303
    assert answer.location == f"http://127.0.0.1:8000/payment/success?sessid={session.id}"
    assert shop.types == ["checkout.session.completed"]
    told = shop.events[0]["data"]["object"]
    assert (told["status"], told["payment_status"]) == ("complete", "paid")
    assert (told["amount_total"], told["url"], told["customer"]) == (2500, None, None)
    assert told["customer_details"]["email"] == "ann@example.com"


def test_the_other_events_follow(api, browser, shop, endpoint, sandbox):
    session = api.checkout.sessions.create(order())
    run_due(sandbox)
    shop.received.clear()

    pay(browser, session)
    run_due(sandbox)

    assert shop.types == [
        "checkout.session.completed",
        "payment_intent.created",
        "charge.succeeded",
        "payment_intent.succeeded",
    ]


def test_payment_intent_and_charge_can_be_read(api, browser):
    data = {"metadata": {"order": "1"}}
    session = api.checkout.sessions.create(order(payment_intent_data=data))
    assert session.payment_intent is None
    pay(browser, session)

    found = api.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent.latest_charge"]})

    assert found.payment_intent.amount_received == 2500
    assert found.payment_intent.metadata.order == "1"
    charge = found.payment_intent.latest_charge
    assert (charge.paid, charge.payment_method_details.card.last4) == (True, "4242")


@pytest.mark.parametrize("card", [card for card in cards.ALL if card.decline], ids=str)
def test_a_decline_says_why_and_leaves_the_session_open(api, browser, card):
    session = api.checkout.sessions.create(order())
    answer = pay(browser, session, card_number=card.number)
    if card.three_d_secure:
        answer = authenticate(browser, session, "complete")

    assert answer.status_code == 402
    assert card.decline.message.replace("'", "&#39;") in answer.text
    found = api.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert (found.status, found.payment_status) == ("open", "unpaid")
    assert found.payment_intent.status == "requires_payment_method"
    assert found.payment_intent.last_payment_error.code == card.decline.code


def test_after_a_decline_another_card_pays_the_same_intent(api, browser):
    session = api.checkout.sessions.create(order())
    pay(browser, session, card_number="4000000000000002")
    declined = api.checkout.sessions.retrieve(session.id).payment_intent

    assert pay(browser, session).status_code == 303

    assert api.checkout.sessions.retrieve(session.id).payment_intent == declined
    charges = api.charges.list({"payment_intent": declined}).data
    assert [charge.status for charge in charges] == ["succeeded", "failed"]


def test_3d_secure_completed_pays(api, browser):
    session = api.checkout.sessions.create(order())
    answer = pay(browser, session, card_number="4000002760003184")
    assert answer.location == f"/pay/{session.id}/authenticate"
    assert api.checkout.sessions.retrieve(session.id).status == "open"

    assert authenticate(browser, session, "complete").status_code == 303
    assert api.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_3d_secure_failed_lets_the_buyer_try_again(api, browser):
    session = api.checkout.sessions.create(order())
    pay(browser, session, card_number="4000002760003184")

    answer = authenticate(browser, session, "fail")

    assert answer.status_code == 402
    assert "unable to authenticate" in answer.text
    assert pay(browser, session).status_code == 303


def test_a_guessed_3d_secure_token_pays_nothing(api, browser):
    session = api.checkout.sessions.create(order())
    pay(browser, session, card_number="4000002760003184")

    browser.post(f"/pay/{session.id}/authenticate", data={"token": "auth_x", "answer": "complete"})

    assert api.checkout.sessions.retrieve(session.id).payment_status == "unpaid"


@pytest.mark.parametrize(
    ("settle", "event", "payment_status", "intent_status"),
    [
        (control.settle_payment, "async_payment_succeeded", "paid", "succeeded"),
        (control.fail_payment, "async_payment_failed", "unpaid", "requires_payment_method"),
    ],
)
def test_a_bank_debit_is_complete_first_and_decided_later(
    api, browser, sandbox, shop, endpoint, settle, event, payment_status, intent_status
):
    session = api.checkout.sessions.create(order())
    assert pay(browser, session, method="bank_debit").status_code == 303
    told = shop.events[0]["data"]["object"]
    assert (told["status"], told["payment_status"]) == ("complete", "unpaid")

    settle(sandbox, session.id)
    run_due(sandbox)

    assert shop.types[-1] == f"checkout.session.{event}"
    assert shop.events[-1]["data"]["object"]["payment_status"] == payment_status
    found = api.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent"]})
    assert found.payment_intent.status == intent_status


def test_a_bank_decides_only_once(api, browser, sandbox):
    session = api.checkout.sessions.create(order())
    pay(browser, session, method="bank_debit")
    control.settle_payment(sandbox, session.id)

    with pytest.raises(Exception, match="only a `processing` one"):
        control.fail_payment(sandbox, session.id)


def test_nothing_to_pay_needs_no_card(api, browser, shop, endpoint):
    session = api.checkout.sessions.create(order(line_items=[line(0)]))
    assert b"card_number" not in browser.get(f"/pay/{session.id}").data

    answer = browser.post(f"/pay/{session.id}", data={"email": "ann@example.com"})

    assert answer.status_code == 303
    told = shop.events[0]["data"]["object"]
    assert (told["payment_status"], told["payment_intent"]) == ("no_payment_required", None)


def test_a_paid_session_is_not_paid_again(api, browser):
    session = api.checkout.sessions.create(order())
    pay(browser, session)

    assert "already complete" in pay(browser, session).text
    assert "already complete" in browser.get(f"/pay/{session.id}").text
    assert len(api.charges.list().data) == 1


def test_many_tabs_at_once_make_one_charge(api, sandbox):
    session = api.checkout.sessions.create(order())
    answers = []
    barrier = threading.Barrier(8)

    def press():
        client = sandbox.test_client()
        barrier.wait()
        answers.append(client.post(f"/pay/{session.id}", data=form()).status_code)

    tabs = [threading.Thread(target=press) for _ in range(8)]
    for tab in tabs:
        tab.start()
    for tab in tabs:
        tab.join()

    assert sorted(answers) == [200] * 7 + [303]
    assert len(api.charges.list().data) == 1
    completed = api.events.list({"type": "checkout.session.completed"}).data
    assert len(completed) == 1


def test_an_expired_session_cannot_be_paid(api, browser, sandbox):
    session = api.checkout.sessions.create(order())
    control.advance_clock(sandbox, 24 * 3600)

    assert "has expired" in pay(browser, session).text
    assert api.charges.list().data == []


def test_a_trial_takes_a_card_and_no_money(api, browser, shop, endpoint):
    session = api.checkout.sessions.create(plan(7))
    assert session.amount_total == 0
    assert "7 days free, then $9.00 per month" in browser.get(f"/pay/{session.id}").text

    assert pay(browser, session).status_code == 303

    told = shop.events[0]["data"]["object"]
    assert told["payment_status"] == "no_payment_required"
    subscription = api.subscriptions.retrieve(told["subscription"])
    assert subscription.status == "trialing"
    assert subscription.trial_end == subscription["items"].data[0].current_period_end
    assert api.charges.list().data == []


def test_a_trial_without_a_card_where_the_shop_wants_none(api, browser):
    session = api.checkout.sessions.create(plan(7, payment_method_collection="if_required"))

    answer = browser.post(f"/pay/{session.id}", data={"email": "ann@example.com"})

    assert answer.status_code == 303


def test_a_declined_subscription_leaves_no_trace(api, browser):
    session = api.checkout.sessions.create(plan())
    assert pay(browser, session, card_number="4000000000000002").status_code == 402

    assert api.subscriptions.list({"status": "all"}).data == []
    assert api.payment_intents.list().data == []
    assert api.customers.list().data == []


def test_the_shipping_rate_that_the_buyer_chose_is_charged(api, browser):
    rates = [
        {
            "shipping_rate_data": {
                "display_name": name,
                "type": "fixed_amount",
                "fixed_amount": {"amount": amount, "currency": "usd"},
            }
        }
        for name, amount in (("Standard", 500), ("Express", 1500))
    ]
    collection = {"allowed_countries": ["US", "DE"]}
    session = api.checkout.sessions.create(
        order(shipping_options=rates, shipping_address_collection=collection)
    )
    assert (session.amount_subtotal, session.amount_total) == (2500, 3000)
    express = session.shipping_options[1].shipping_rate

    missing = pay(browser, session, shipping_rate=express)
    assert missing.status_code == 422
    assert "Enter a street and number." in missing.text
    address = {
        "shipping_name": "Ann Buyer",
        "shipping_line1": "Elm Street 1",
        "shipping_city": "Bonn",
        "shipping_postal_code": "53111",
        "shipping_country": "DE",
    }
    assert pay(browser, session, shipping_rate=express, **address).status_code == 303

    paid = api.checkout.sessions.retrieve(session.id)
    assert (paid.amount_total, paid.total_details.amount_shipping) == (4000, 1500)
    assert paid.collected_information.shipping_details.address.city == "Bonn"
    assert api.payment_intents.retrieve(paid.payment_intent).amount == 4000


def test_one_press_fills_in_what_is_missing(api, browser):
    collection = {"allowed_countries": ["FR"]}
    session = api.checkout.sessions.create(
        order(
            shipping_address_collection=collection,
            phone_number_collection={"enabled": True},
            billing_address_collection="required",
        )
    )

    answer = browser.post(f"/pay/{session.id}", data={"test": "pm_card_visa"})

    assert answer.status_code == 303
    details = api.checkout.sessions.retrieve(session.id).collected_information.shipping_details
    assert details.address.country == "FR"


def test_a_payment_page_is_confirmed_without_a_browser(api, sandbox):
    session = api.checkout.sessions.create(order())
    client = sandbox.test_client()
    key = {"Authorization": "Bearer sk_test_shop"}
    confirm = f"/v1/payment_pages/{session.id}/confirm"

    wrong = client.post(confirm, headers=key, data={"expected_amount": "1"})
    assert wrong.status_code == 400
    refused = {"payment_method": "pm_card_visa_chargeDeclined", "expected_amount": "2500"}
    declined = client.post(confirm, headers=key, data=refused)
    assert (declined.status_code, declined.json["error"]["type"]) == (402, "card_error")
    paid = client.post(confirm, headers=key, data={"payment_method": "pm_card_visa"})

    assert paid.json["payment_status"] == "paid"
    page = client.get(f"/v1/payment_pages/{session.id}", headers=key)
    assert page.json["status"] == "complete"
    assert stripe.api_version == page.headers["Stripe-Version"]
