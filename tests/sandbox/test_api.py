"""What all calls have in common, and the smaller nouns: customers, catalog, endpoints, account."""

import pytest
import stripe

from storefront.sandbox import InProcessClient, run_due
from tests.sandbox.conftest import BASE_URL


@pytest.mark.parametrize(
    "key", ["sk_live_abc", "pk_test_abc", "sk_test_", "rubbish", "rk_live_abc"]
)
def test_other_keys_than_test_keys_are_refused(sandbox, key):
    client = stripe.StripeClient(
        key, http_client=InProcessClient(sandbox), base_addresses={"api": BASE_URL}
    )
    with pytest.raises(stripe.AuthenticationError) as caught:
        client.v1.customers.list()
    assert key not in str(caught.value) or len(key) < 9


@pytest.mark.parametrize("auth", [("sk_test_a", ""), ("rk_test_a", "")])
def test_a_key_may_come_as_a_user_name(sandbox, auth):
    assert sandbox.test_client().get("/v1/account", auth=auth).status_code == 200


def test_no_key_is_401(sandbox):
    answer = sandbox.test_client().get("/v1/account")
    assert answer.status_code == 401
    assert answer.json["error"]["type"] == "invalid_request_error"


def test_an_unknown_path_is_404(api, sandbox):
    answer = sandbox.test_client().get(
        "/v1/toasters", headers={"Authorization": "Bearer sk_test_a"}
    )
    assert answer.status_code == 404
    assert "Unrecognized request URL" in answer.json["error"]["message"]


def test_every_answer_has_a_request_id_and_the_version(sandbox):
    client = sandbox.test_client()
    headers = {"Authorization": "Bearer sk_test_a", "Stripe-Version": "2025-01-01.x"}
    for answer in (client.get("/v1/account", headers=headers), client.get("/v1/account")):
        assert answer.headers["Request-Id"].startswith("req_")
    assert client.get("/v1/account", headers=headers).headers["Stripe-Version"] == "2025-01-01.x"


@pytest.mark.parametrize(
    "body",
    [b"metadata[a]=1&metadata=2", b"a[b", b"[x]=1", b"a[b][c][d][e][f][g][h][i]=1", b"email=\xff"],
)
def test_a_body_that_makes_no_sense_is_400(sandbox, body):
    headers = {"Authorization": "Bearer sk_test_a"}
    answer = sandbox.test_client().post("/v1/customers", data=body, headers=headers)
    assert answer.status_code == 400
    assert answer.json["error"]["type"] == "invalid_request_error"


def test_a_customer_is_created_changed_found_and_deleted(api):
    customer = api.customers.create({"email": "ann@example.com", "metadata": {"user": "1"}})
    changed = api.customers.update(customer.id, {"name": "Ann", "metadata": {"vip": "yes"}})
    assert (changed.name, changed.metadata.to_dict()) == ("Ann", {"user": "1", "vip": "yes"})
    assert [found.id for found in api.customers.list({"email": "ann@example.com"})] == [customer.id]
    event = api.events.list({"type": "customer.updated"}).data[0]
    assert event.data.previous_attributes.name is None

    assert api.customers.delete(customer.id).deleted is True
    assert api.customers.retrieve(customer.id).deleted is True
    assert api.customers.list().data == []
    with pytest.raises(stripe.InvalidRequestError):
        api.customers.update(customer.id, {"name": "Ghost"})


def test_empty_text_unsets_a_field(api):
    customer = api.customers.create({"name": "Ann", "address": {"city": "Bonn"}})
    cleared = api.customers.update(customer.id, {"name": "", "address": ""})
    assert (cleared.name, cleared.address) == (None, None)


def test_a_price_keeps_its_amount_and_passes_its_lookup_key_on(api):
    product = api.products.create({"name": "Mug"})
    params = {"currency": "eur", "product": product.id, "lookup_key": "mug"}
    old = api.prices.create({**params, "unit_amount": 1200})
    with pytest.raises(stripe.InvalidRequestError, match="already uses"):
        api.prices.create({**params, "unit_amount": 1300})
    new = api.prices.create({**params, "unit_amount": 1300, "transfer_lookup_key": True})

    found = api.prices.list({"lookup_keys": ["mug"], "expand": ["data.product"]}).data
    assert [(price.id, price.product.name) for price in found] == [(new.id, "Mug")]
    assert api.prices.update(old.id, {"active": False}).active is False
    assert [price.id for price in api.prices.list({"active": True})] == [new.id]
    with pytest.raises(stripe.InvalidRequestError):
        api.prices.update(old.id, {"unit_amount": 1})


def test_an_endpoint_shows_its_secret_once(api):
    params = {"url": "http://127.0.0.1:9/hook", "enabled_events": ["invoice.paid"]}
    made = api.webhook_endpoints.create(params)
    assert made.secret.startswith("whsec_")
    assert "secret" not in api.webhook_endpoints.retrieve(made.id)
    changed = api.webhook_endpoints.update(made.id, {"disabled": True})
    assert (changed.status, len(api.webhook_endpoints.list().data)) == ("disabled", 1)
    assert api.webhook_endpoints.delete(made.id).deleted is True
    assert api.webhook_endpoints.list().data == []


def test_there_are_at_most_16_endpoints(api):
    params = {"url": "http://127.0.0.1:9/hook", "enabled_events": ["*"]}
    for _ in range(16):
        api.webhook_endpoints.create(params)
    with pytest.raises(stripe.InvalidRequestError, match="maximum of 16"):
        api.webhook_endpoints.create(params)


def test_an_event_name_that_cannot_be_is_refused(api):
    params = {"url": "http://127.0.0.1:9/hook", "enabled_events": ["Everything!"]}
    with pytest.raises(stripe.InvalidRequestError, match="Invalid event name"):
        api.webhook_endpoints.create(params)


def test_events_are_found_by_type_and_by_fate(api, sandbox, endpoint):
    api.customers.create({})
    api.products.create({"name": "Mug"})
    assert [e.type for e in api.events.list({"types": ["customer.created", "x.y"]})] == [
        "customer.created"
    ]
    assert len(api.events.list({"delivery_success": False}).data) == 2
    event = api.events.list().data[0]
    assert event.pending_webhooks == 1

    run_due(sandbox)

    assert api.events.list({"delivery_success": False}).data == []
    assert api.events.retrieve(event.id).pending_webhooks == 0


def test_the_account_can_take_payments(api, sandbox):
    account = sandbox.test_client().get(
        "/v1/account", headers={"Authorization": "Bearer sk_test_a"}
    )
    assert account.json["charges_enabled"] is True
