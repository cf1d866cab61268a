"""The control page and its twin for programs."""

import pytest

from storefront.sandbox import control
from tests.sandbox.orders import order, plan


def test_the_page_shows_what_happened(api, browser, sandbox, endpoint):
    paid = api.checkout.sessions.create(order())
    control.complete(sandbox, paid.id)
    control.complete(sandbox, api.checkout.sessions.create(plan()).id)
    control.complete(sandbox, api.checkout.sessions.create(order()).id, "bank_debit")

    page = browser.get("/").text

    for expected in ("checkout.session.completed", "Bank confirms", "Resend", "active", "$25.00"):
        assert expected in page


def test_an_empty_sandbox_says_so(browser):
    assert "No session yet" in browser.get("/").text


def test_a_bank_debit_is_settled_by_a_press(api, browser, sandbox):
    session = api.checkout.sessions.create(order())
    control.complete(sandbox, session.id, "bank_debit")
    intent = api.checkout.sessions.retrieve(session.id).payment_intent

    answer = browser.post(f"/control/payments/{intent}/settle")

    assert (answer.status_code, answer.location) == (303, "/")
    assert api.checkout.sessions.retrieve(session.id).payment_status == "paid"


def test_programs_use_json(api, browser, sandbox):
    session = api.checkout.sessions.create(order())
    url = f"/control/sessions/{session.id}/complete"
    declined = browser.post(url, json={"payment_method": "pm_card_visa_chargeDeclined"})
    assert declined.json == {"outcome": "declined"}
    assert browser.post(url, json={}).json == {"outcome": "completed"}
    again = browser.post(url, json={})
    assert (again.status_code, again.json["error"]["type"]) == (400, "invalid_request_error")
    assert browser.post("/control/faults", json={"fault": "500"}).json == {}
    assert browser.get("/v1/account").status_code == 500


def test_switches_move_together_from_the_form_and_one_by_one_from_programs(browser):
    browser.post("/control/switches", data={"paused": "on", "stripe_js": "throws", "drop": "2"})
    state = browser.get("/control/state").json
    assert (state["paused"], state["stripe_js"], state["drop"]) == (True, "throws", 2)
    browser.post("/control/switches", json={"paused": False})
    assert browser.get("/control/state").json == state | {"paused": False}


@pytest.mark.parametrize(
    "changes", [{"gravity": True}, {"paused": "no"}, {"stripe_js": "sings"}, {"drop": "1"}]
)
def test_a_switch_or_position_that_does_not_exist_is_refused(browser, changes):
    assert browser.post("/control/switches", json=changes).status_code == 400


def test_other_machines_are_kept_out(browser):
    answer = browser.get("/", environ_overrides={"REMOTE_ADDR": "192.0.2.7"})
    assert answer.status_code == 403


def test_a_subscription_is_ended_and_a_session_expired_by_a_press(api, browser, sandbox):
    bought = api.checkout.sessions.create(plan())
    control.complete(sandbox, bought.id)
    subscription = api.checkout.sessions.retrieve(bought.id).subscription
    opened = api.checkout.sessions.create(order())

    browser.post(f"/control/subscriptions/{subscription}/cancel")
    browser.post(f"/control/sessions/{opened.id}/expire")

    assert api.subscriptions.retrieve(subscription).status == "canceled"
    assert api.checkout.sessions.retrieve(opened.id).status == "expired"


def test_forgetting_everything_keeps_the_address_of_the_shop(api, browser, sandbox, endpoint):
    control.complete(sandbox, api.checkout.sessions.create(order()).id)
    browser.post("/control/reset")
    assert api.checkout.sessions.list().data == []
    assert api.events.list().data == []
    assert [found.id for found in api.webhook_endpoints.list().data] == [endpoint["id"]]


def test_time_moves_forward_only(browser):
    before = browser.post("/control/advance", json={"seconds": 0}).json["now"]
    after = browser.post("/control/advance", json={"seconds": 3600}).json["now"]
    assert 3600 <= after - before < 3700
    assert browser.post("/control/advance", json={"seconds": -1}).status_code == 400
