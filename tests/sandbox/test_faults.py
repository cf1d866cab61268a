"""Faults on order, as the SDK meets them: what was carried out, and which error it becomes."""

import pytest
import stripe

from storefront.sandbox import InProcessClient, control
from tests.sandbox.conftest import BASE_URL
from tests.sandbox.orders import order


@pytest.mark.parametrize(
    ("fault", "error", "sessions"),
    [
        ("500", stripe.APIError, 0),
        ("409", stripe.APIError, 0),
        ("429", stripe.RateLimitError, 0),
        ("401", stripe.AuthenticationError, 0),
        ("403", stripe.PermissionError, 0),
        ("html", stripe.APIError, 0),
        ("timeout_before", stripe.APIConnectionError, 0),
        ("half", stripe.APIError, 1),
        ("timeout_after", stripe.APIConnectionError, 1),
        ("drop", stripe.APIConnectionError, 1),
    ],
)
def test_a_fault_strikes_once(api, sandbox, fault, error, sessions):
    control.inject_fault(sandbox, fault)
    with pytest.raises(error):
        api.checkout.sessions.create(order())
    assert len(api.checkout.sessions.list().data) == sessions


def test_a_fault_strikes_its_path_only_and_as_often_as_ordered(api, sandbox):
    control.inject_fault(sandbox, "429", count=2, path="/v1/customers")
    assert api.checkout.sessions.create(order()).status == "open"
    for _ in range(2):
        with pytest.raises(stripe.RateLimitError):
            api.customers.create({})
    assert api.customers.create({}).id


def test_an_answer_that_was_lost_is_found_by_the_sdks_own_retry(sandbox):
    transport = InProcessClient(sandbox)
    transport.INITIAL_DELAY = transport.MAX_DELAY = 0.001
    client = stripe.StripeClient(
        "sk_test_shop",
        http_client=transport,
        base_addresses={"api": BASE_URL},
        max_network_retries=2,
    )
    control.inject_fault(sandbox, "drop", count=2)

    session = client.v1.checkout.sessions.create(order())

    assert session.last_response.headers["Idempotent-Replayed"] == "true"
    assert [found.id for found in client.v1.checkout.sessions.list().data] == [session.id]


def test_an_unknown_fault_is_refused(sandbox):
    with pytest.raises(Exception, match="fault is one of"):
        control.inject_fault(sandbox, "earthquake")


def test_a_stored_500_is_what_the_key_answers_from_then_on(api, sandbox):
    control.inject_fault(sandbox, "500_stored")
    for _ in range(2):
        with pytest.raises(stripe.APIError) as answer:
            api.customers.create({}, {"idempotency_key": "once"})
        assert answer.value.http_status == 500
    assert answer.value.headers["Idempotent-Replayed"] == "true"
    assert api.customers.list().data == []
    assert api.customers.create({}, {"idempotency_key": "anew"}).id


def test_a_stored_500_strikes_calls_without_a_key_too(api, sandbox):
    control.inject_fault(sandbox, "500_stored")
    with pytest.raises(stripe.APIError):
        api.customers.list()
    assert api.customers.list().data == []


def test_a_fault_may_be_for_one_method_only(api, sandbox):
    control.inject_fault(sandbox, "500", path="POST /v1/customers")
    assert api.customers.list().data == []
    with pytest.raises(stripe.APIError):
        api.customers.create({})
