"""Idempotency keys: one execution, one answer, replayed; errors for misuse and for impatience."""

import json
import threading

import pytest
import stripe

from storefront.sandbox import control, idempotency
from storefront.sandbox.core import DAY, state
from tests.sandbox.orders import order

KEY = {"idempotency_key": "order:1:attempt:1"}


def test_the_same_key_gives_the_same_session(api):
    first = api.checkout.sessions.create(order(), KEY)
    again = api.checkout.sessions.create(order(), KEY)

    assert again.to_dict() == first.to_dict()
    assert len(api.checkout.sessions.list().data) == 1
    assert first.last_response.headers.get("Idempotent-Replayed") is None
    assert again.last_response.headers["Idempotent-Replayed"] == "true"


def test_other_parameters_under_the_same_key_are_an_error(api):
    api.checkout.sessions.create(order(), KEY)
    with pytest.raises(stripe.IdempotencyError) as caught:
        api.checkout.sessions.create(order(client_reference_id="order-2"), KEY)
    assert caught.value.http_status == 400


def test_the_same_key_on_another_path_is_another_matter(api):
    api.checkout.sessions.create(order(), KEY)
    assert api.customers.create({"email": "ann@example.com"}, KEY).id.startswith("cus_")


def test_a_wrong_parameter_is_not_remembered(api):
    with pytest.raises(stripe.InvalidRequestError):
        api.checkout.sessions.create(order(nonsense="x"), KEY)
    assert api.checkout.sessions.create(order(), KEY).status == "open"


def test_a_refusal_after_validation_is_remembered(api):
    params = order(customer="cus_later")
    for _ in range(2):
        with pytest.raises(stripe.InvalidRequestError) as caught:
            api.checkout.sessions.create(params, KEY)
        assert caught.value.code == "resource_missing"
    assert caught.value.headers["Idempotent-Replayed"] == "true"


def test_a_500_is_replayed_as_well(api, sandbox):
    control.inject_fault(sandbox, "500_stored")
    for _ in range(2):
        with pytest.raises(stripe.APIError):
            api.checkout.sessions.create(order(), KEY)
    assert api.checkout.sessions.list().data == []


def test_while_the_first_is_running_the_second_is_told_so(api, sandbox):
    store = state(sandbox).store
    claim = idempotency.begin(store, "busy", "/v1/customers", {"email": "ann@example.com"})

    with pytest.raises(stripe.APIError) as caught:
        api.customers.create({"email": "ann@example.com"}, {"idempotency_key": "busy"})
    assert (caught.value.http_status, caught.value.error.code) == (409, "idempotency_key_in_use")

    idempotency.abandon(store, claim)
    assert api.customers.create({"email": "ann@example.com"}, {"idempotency_key": "busy"}).id


def test_a_key_of_a_dead_process_is_taken_over(api, sandbox, monkeypatch):
    store = state(sandbox).store
    dead = idempotency.begin(store, "dead", "/v1/customers", {})
    monkeypatch.setattr(idempotency, "ABANDONED_AFTER", 0)

    assert api.customers.create({}, {"idempotency_key": "dead"}).id.startswith("cus_")

    with store.write() as tx, pytest.raises(Exception, match="in-progress"):
        idempotency.finish(tx, dead, 200, "{}")


def test_a_key_is_forgotten_after_a_day(api, sandbox):
    first = api.customers.create({}, KEY)
    control.advance_clock(sandbox, DAY + 60)
    assert api.customers.create({}, KEY).id != first.id


def test_many_at_once_with_one_key_make_one_session(api):
    made, barrier = [], threading.Barrier(8)

    def create():
        barrier.wait()
        try:
            made.append(api.checkout.sessions.create(order(), KEY).id)
        except stripe.APIError as error:
            assert error.http_status == 409
            made.append(None)

    threads = [threading.Thread(target=create) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(made) - {None}) == 1
    assert len(api.checkout.sessions.list().data) == 1


def test_the_key_is_told_in_the_event(api):
    session = api.checkout.sessions.create(order(), KEY)
    api.checkout.sessions.expire(session.id, None, {"idempotency_key": "expire:1"})
    event = api.events.list({"type": "checkout.session.expired"}).data[0]
    assert event.request.idempotency_key == "expire:1"
    assert event.request.id.startswith("req_")


def test_a_get_ignores_the_key(api, sandbox):
    headers = {"Authorization": "Bearer sk_test_shop", "Idempotency-Key": "read"}
    client = sandbox.test_client()
    before = client.get("/v1/customers", headers=headers)
    api.customers.create({})
    after = client.get("/v1/customers", headers=headers)
    assert (len(json.loads(before.data)["data"]), len(after.json["data"])) == (0, 1)
