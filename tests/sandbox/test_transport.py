"""The sandbox over real sockets: any SDK may call it, and webhooks go to this machine only."""

from collections.abc import Iterator

import pytest
import stripe

from storefront.sandbox import control, ensure_webhook_endpoint, faults, run_due
from storefront.sandbox.transport import post_to_loopback
from tests.sandbox.orders import form, order
from tests.sandbox.street import Street, open_street


@pytest.fixture
def street(tmp_path) -> Iterator[Street]:
    with open_street(tmp_path / "s.sqlite") as street:
        yield street


def test_an_ordinary_client_buys_over_http(street):
    ensure_webhook_endpoint(street.sandbox, f"{street.url}/hook", "whsec_a")
    api = street.client()
    session = api.checkout.sessions.create(order())
    answer = street.sandbox.test_client().post(f"/pay/{session.id}", data=form())
    assert answer.status_code == 303
    assert b"checkout.session.completed" in street.received[0]
    assert api.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_a_dropped_connection_is_healed_by_the_retry(street):
    api = street.client(retries=2)
    control.inject_fault(street.sandbox, "drop")
    session = api.checkout.sessions.create(order())
    assert [found.id for found in api.checkout.sessions.list().data] == [session.id]


@pytest.mark.parametrize("fault", faults.KINDS)
def test_every_fault_is_an_error_of_the_sdk_over_sockets_too(street, fault):
    api = street.client()
    control.inject_fault(street.sandbox, fault)
    with pytest.raises(stripe.StripeError):
        api.checkout.sessions.create(order())
    carried_out = len(api.checkout.sessions.list().data)
    assert carried_out == (1 if fault in faults.AFTER else 0)


def test_a_redirect_of_a_webhook_is_not_followed(street):
    ensure_webhook_endpoint(street.sandbox, f"{street.url}/moved", "whsec_a")
    street.client().customers.create({})
    run_due(street.sandbox)
    assert street.received == []
    assert control.list_deliveries(street.sandbox)[0]["status"] == 307


@pytest.mark.parametrize(
    "url", ["http://192.0.2.1/hook", "https://127.0.0.1/hook", "http://shop.example/", "ftp://x"]
)
def test_webhooks_go_to_this_machine_only(url):
    with pytest.raises(ValueError, match="only to http addresses on loopback"):
        post_to_loopback(url, b"{}", {}, 1)
