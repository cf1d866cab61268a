"""Webhook deliveries: signed by the SDK, retried, never lost and never sent by two at once."""

import os
import signal
import subprocess
import sys
import threading

import pytest
import stripe

from storefront import sandbox as sandbox_package
from storefront.sandbox import control, ensure_webhook_endpoint, run_due
from storefront.sandbox.core import state
from tests.sandbox.conftest import BASE_URL, HOOK_URL, SECRET
from tests.sandbox.orders import form, order


@pytest.fixture
def event(api, endpoint):
    """One event that waits for its delivery."""
    api.customers.create({"email": "ann@example.com", "name": "Änn"})
    return api.events.list().data[0]


def test_the_sdk_verifies_what_is_delivered(sandbox, shop, event):
    assert run_due(sandbox) == 1
    body, _ = shop.received[0]
    assert shop.events[0]["id"] == event.id
    assert shop.events[0]["api_version"] == stripe.api_version
    assert "Änn".encode() in body


def test_a_refused_delivery_is_repeated_later_with_a_signature_of_its_own(sandbox, shop, event):
    shop.status = 500
    assert run_due(sandbox) == 1
    assert run_due(sandbox) == 0
    control.advance_clock(sandbox, 61)
    assert run_due(sandbox) == 1
    assert run_due(sandbox) == 0
    shop.status = 204
    control.advance_clock(sandbox, 301)
    run_due(sandbox)

    assert len({body for body, _ in shop.received}) == 1
    assert len(shop.received) == 3
    delivery = control.list_deliveries(sandbox)[0]
    assert (delivery["state"], delivery["attempts"], delivery["status"]) == ("delivered", 3, 204)


@pytest.mark.parametrize("status", [301, 303, 400, 404])
def test_only_2xx_counts(sandbox, shop, event, status):
    shop.status = status
    run_due(sandbox)
    delivery = control.list_deliveries(sandbox)[0]
    assert (delivery["state"], delivery["status"], delivery["answer"]) == (
        "due",
        status,
        "thank you",
    )


def test_after_days_of_failure_it_gives_up(sandbox, shop, event):
    shop.status = 500
    for _ in range(20):
        run_due(sandbox)
        control.advance_clock(sandbox, 86400)
    assert control.list_deliveries(sandbox)[0]["state"] == "failed"
    assert len(shop.received) == 1 + len(state(sandbox).retry_delays)


def test_an_endpoint_that_breaks_is_noted_and_tried_again(sandbox, event):
    def explode(*_):
        raise ConnectionRefusedError("nobody there")

    state(sandbox).deliver = explode
    run_due(sandbox)
    delivery = control.list_deliveries(sandbox)[0]
    assert (delivery["state"], delivery["status"]) == ("due", 0)
    assert "nobody there" in delivery["answer"]


def test_the_way_back_waits_for_the_webhook_and_goes_on_without_it(api, browser, shop, endpoint):
    shop.status = 500
    session = api.checkout.sessions.create(order())
    assert browser.post(f"/pay/{session.id}", data=form()).status_code == 303
    assert shop.types == ["checkout.session.completed"]


def test_an_endpoint_gets_only_what_it_asked_for(api, sandbox, shop):
    ensure_webhook_endpoint(sandbox, HOOK_URL, SECRET, ["product.created"])
    api.customers.create({})
    api.products.create({"name": "Mug"})
    run_due(sandbox)
    assert shop.types == ["product.created"]


def test_registering_twice_keeps_one_endpoint(api, sandbox, shop):
    ensure_webhook_endpoint(sandbox, HOOK_URL, "whsec_old")
    ensure_webhook_endpoint(sandbox, HOOK_URL, SECRET, api_version="2025-03-31.basil")
    api.customers.create({})
    run_due(sandbox)
    assert [event["api_version"] for event in shop.events] == ["2025-03-31.basil"]


def test_a_deleted_endpoint_gets_nothing_more(api, sandbox, shop, endpoint, event):
    api.webhook_endpoints.delete(endpoint["id"])
    run_due(sandbox)
    assert shop.received == []
    assert control.list_deliveries(sandbox)[0]["state"] == "dropped"


def test_resending_is_a_delivery_of_the_same_event(sandbox, shop, event):
    run_due(sandbox)
    assert control.resend_event(sandbox, event.id) == 1
    run_due(sandbox)
    assert [told["id"] for told in shop.events] == [event.id, event.id]


def test_paused_deliveries_wait(api, browser, sandbox, shop, event):
    control.set_switches(sandbox, paused=True)
    session = api.checkout.sessions.create(order())
    browser.post(f"/pay/{session.id}", data=form())
    assert (run_due(sandbox), shop.received) == (0, [])
    control.set_switches(sandbox, paused=False)
    run_due(sandbox)
    assert "checkout.session.completed" in shop.types


def test_held_types_wait_and_the_others_go(api, sandbox, shop, event):
    control.set_switches(sandbox, hold=["customer.created"])
    api.products.create({"name": "Mug"})
    run_due(sandbox)
    assert shop.types == ["product.created"]


def test_lost_deliveries_are_lost_for_good(api, sandbox, shop, event):
    control.set_switches(sandbox, drop=1)
    api.products.create({"name": "Mug"})
    run_due(sandbox)
    control.advance_clock(sandbox, 86400)
    run_due(sandbox)
    assert shop.types == ["product.created"]


def test_duplicates_and_reverse_order_on_demand(api, sandbox, shop, event):
    api.products.create({"name": "Mug"})
    control.set_switches(sandbox, duplicate=True, reverse=True)
    run_due(sandbox)
    assert shop.types == ["product.created"] * 2 + ["customer.created"] * 2


def test_no_transaction_is_open_while_a_webhook_is_under_way(api, sandbox, event):
    seen = []

    def call_back(*_):
        seen.append(api.customers.create({}).id)
        return 200, ""

    state(sandbox).deliver = call_back
    ensure_webhook_endpoint(sandbox, HOOK_URL, SECRET, ["product.created"])
    run_due(sandbox)
    assert len(seen) == 1


def test_two_couriers_never_send_the_same(api, sandbox, shop, endpoint):
    for _ in range(30):
        api.customers.create({})
    barrier = threading.Barrier(4)
    sent = []

    def work():
        barrier.wait()
        sent.append(run_due(sandbox))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sum(sent) == 30
    assert len({told["id"] for told in shop.events}) == len(shop.received) == 30


KILLED = """
import os, signal, sys
from storefront.sandbox import control, create_sandbox

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

sandbox = create_sandbox(sys.argv[1], sys.argv[2], deliver=die, background=False)
control.complete(sandbox, sys.argv[3])
"""


def test_a_process_that_dies_while_delivering_loses_no_event(api, sandbox, shop, endpoint):
    session = api.checkout.sessions.create(order())
    run_due(sandbox)
    shop.received.clear()
    command = [sys.executable, "-c", KILLED, state(sandbox).store.database, BASE_URL, session.id]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL

    run_due(sandbox)
    assert "checkout.session.completed" not in shop.types
    state(sandbox).claim_seconds = 0
    run_due(sandbox)

    assert shop.types.count("checkout.session.completed") == 1
    assert api.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_in_the_background_deliveries_go_out_by_themselves(tmp_path):
    arrived = threading.Event()

    def deliver(*_):
        arrived.set()
        return 200, ""

    app = sandbox_package.create_sandbox(tmp_path / "s.sqlite", BASE_URL, deliver=deliver)
    try:
        ensure_webhook_endpoint(app, HOOK_URL, SECRET)
        headers = {"Authorization": "Bearer sk_test_a"}
        app.test_client().post("/v1/customers", headers=headers)
        assert arrived.wait(10)
    finally:
        sandbox_package.close(app)
    assert os.path.exists(tmp_path / "s.sqlite")
