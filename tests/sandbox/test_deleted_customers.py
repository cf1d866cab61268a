"""A customer who is deleted while his session is open can still pay it."""

import pytest

from storefront.sandbox import control
from tests.sandbox.orders import form, order, plan


@pytest.fixture
def customer(api):
    return api.customers.create({"email": "ann@example.com", "name": "Ann"})


def test_a_payment_goes_through_without_him(api, browser, customer):
    session = api.checkout.sessions.create(order(customer=customer.id))
    api.customers.delete(customer.id)
    assert browser.get(f"/pay/{session.id}").status_code == 200

    assert browser.post(f"/pay/{session.id}", data=form()).status_code == 303

    paid = api.checkout.sessions.retrieve(session.id)
    assert (paid.payment_status, paid.customer) == ("paid", None)
    assert paid.customer_details.email == "ann@example.com"
    assert api.customers.retrieve(customer.id).deleted is True


def test_a_subscription_gets_a_new_one(api, browser, customer):
    session = api.checkout.sessions.create(plan(customer=customer.id))
    api.customers.delete(customer.id)

    assert browser.post(f"/pay/{session.id}", data=form()).status_code == 303

    paid = api.checkout.sessions.retrieve(session.id, {"expand": ["customer", "subscription"]})
    assert paid.customer.id != customer.id
    assert paid.customer.email == "ann@example.com"
    assert paid.subscription.customer == paid.customer.id


def test_his_debit_is_answered_and_his_card_taken_off(api, sandbox, customer):
    session = api.checkout.sessions.create(order(customer=customer.id))
    control.complete(sandbox, session.id, "bank_debit")
    method = api.payment_methods.attach("pm_card_visa", {"customer": customer.id})
    api.customers.delete(customer.id)
    control.settle_payment(sandbox, session.id)
    assert api.checkout.sessions.retrieve(session.id).payment_status == "paid"
    assert api.payment_methods.detach(method.id).customer is None
