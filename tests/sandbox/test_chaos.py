"""Chaos on order: by seed, by switch, and by events that nobody expects."""

import pytest
import stripe

from storefront import sandbox as sandbox_package
from storefront.sandbox import control, ensure_webhook_endpoint, oddities, run_due, signing
from tests.sandbox.conftest import BASE_URL, HOOK_URL, SECRET, Shop
from tests.sandbox.orders import form, order


def play(path, **dial):
    """Let twenty things happen in a fresh sandbox; return the names that arrived, and states."""
    shop = Shop()
    app = sandbox_package.create_sandbox(path, BASE_URL, deliver=shop.deliver, background=False)
    try:
        ensure_webhook_endpoint(app, HOOK_URL, SECRET)
        control.set_chaos(app, **dial)
        client = app.test_client()
        headers = {"Authorization": "Bearer sk_test_a"}
        for number in range(10):
            for noun in ("customers", "products"):
                data = {"name": f"{noun} {number}"}
                client.post(f"/v1/{noun}", headers=headers, data=data)
            run_due(app)
        for _ in range(6):
            control.advance_clock(app, 3 * 3600)
            run_due(app)
        states = [delivery["state"] for delivery in control.list_deliveries(app)]
        return [event["data"]["object"]["name"] for event in shop.events], states
    finally:
        sandbox_package.close(app)


EVENTS = [f"{noun} {number}" for number in range(10) for noun in ("customers", "products")]


def test_one_seed_is_one_fate_and_another_seed_another(tmp_path):
    dial = {"duplicate": 0.3, "delay": 0.3, "reorder": 0.3, "drop": 0.3, "unheard": 0.2}
    first, again, other = (
        play(tmp_path / f"{number}.sqlite", seed=seed, **dial)
        for number, seed in enumerate(["a", "a", "b"])
    )
    assert first == again
    assert first[0] != other[0]
    assert set(first[0]) == set(other[0]) == set(EVENTS)
    assert set(first[1]) == {"delivered"}


@pytest.mark.parametrize(
    ("dial", "check"),
    [
        ({}, lambda names: names == EVENTS),
        ({"duplicate": 1.0}, lambda names: sorted(names) == sorted(EVENTS * 2)),
        ({"delay": 1.0}, lambda names: names != EVENTS and sorted(names) == sorted(EVENTS)),
        ({"reorder": 0.4}, lambda names: names != EVENTS and sorted(names) == sorted(EVENTS)),
        ({"reorder": 1.0}, lambda names: names != EVENTS and sorted(names) == sorted(EVENTS)),
        ({"drop": 0.5}, lambda names: names != EVENTS and sorted(names) == sorted(EVENTS)),
        ({"drop": 0.5, "forever": True}, lambda names: 0 < len(names) < len(EVENTS)),
        ({"drop": 1.0}, lambda names: names == []),
        ({"unheard": 0.5}, lambda names: len(names) > len(EVENTS)),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "as it says",
)
def test_each_kind_of_chaos_does_what_it_says(tmp_path, dial, check):
    names, _ = play(tmp_path / "s.sqlite", seed=7, **dial)
    assert check(names), names


def test_what_was_overtaken_follows_at_once(api, sandbox, shop, endpoint):
    seeds = (str(number) for number in range(100))
    control.set_chaos(sandbox, seed=next(seeds), reorder=0.5)
    for seed in seeds:
        api.customers.create({})
        api.products.create({"name": "Mug"})
        run_due(sandbox)
        if shop.types == ["product.created", "customer.created"]:
            return
        control.deliver_now(sandbox)
        shop.received.clear()
        control.set_chaos(sandbox, seed=seed, reorder=0.5)
    pytest.fail("no seed let the customer be overtaken")


def test_what_waits_can_be_let_go_without_moving_the_clock(api, sandbox, shop, endpoint):
    control.set_chaos(sandbox, delay=1)
    api.customers.create({})
    assert (run_due(sandbox), shop.types) == (0, [])
    assert control.deliver_now(sandbox) == 1
    api.products.create({"name": "Mug"})
    control.set_chaos(sandbox)
    run_due(sandbox)
    assert shop.types == ["customer.created", "product.created"]


def test_calls_fail_by_seed_and_only_under_the_path(api, sandbox):
    def fates(seed):
        control.set_chaos(sandbox, seed=seed, faults=0.5, path="POST /v1/customers")
        found = []
        for _ in range(12):
            api.products.list()
            try:
                api.customers.create({})
                found.append("fine")
            except stripe.StripeError as error:
                found.append(f"{type(error).__name__} {error.http_status}")
        return found

    first = fates("x")
    assert fates("x") == first != fates("y")
    assert 0 < first.count("fine") < 12


@pytest.mark.parametrize(
    "wrong",
    [
        {"gravity": 1},
        {"drop": 1.5},
        {"drop": "0.5"},
        {"delay": True},
        {"kinds": ["sneeze"]},
        {"kinds": []},
        {"longest_delay": 0},
        {"forever": "no"},
    ],
)
def test_a_dial_that_cannot_be_is_refused(browser, wrong):
    assert browser.post("/control/chaos", json=wrong).status_code == 400


def test_the_dial_is_turned_by_page_and_by_program_alike(browser):
    browser.post("/control/chaos", data={"seed": "5", "chaos_drop": "25", "minutes": "2"})
    stands = browser.get("/control/chaos").json
    assert (stands["seed"], stands["drop"], stands["longest_delay"]) == ("5", 0.25, 120)
    assert browser.post("/control/chaos", json={"seed": 5, "drop": 0.25}).json["drop"] == 0.25
    browser.post("/control/reset", json={})
    assert browser.get("/control/chaos").json["drop"] == 0


def test_twins_are_one_change_under_two_ids(api, sandbox, shop, endpoint):
    control.set_switches(sandbox, twins=True)
    control.complete(sandbox, api.checkout.sessions.create(order()).id)
    run_due(sandbox)
    told = [event for event in shop.events if event["type"] == "checkout.session.completed"]
    assert len({event["id"] for event in told}) == 2
    assert told[0]["data"] == told[1]["data"]


def test_two_endpoints_at_one_address_each_sign_for_themselves(api, sandbox, shop, endpoint):
    other = api.webhook_endpoints.create({"url": HOOK_URL, "enabled_events": ["*"]})
    seen = []

    def deliver(url, body, headers, timeout):
        good = [
            secret
            for secret in (SECRET, other.secret)
            if is_good(body, headers["Stripe-Signature"], secret)
        ]
        seen.append((body, good))
        return 200, ""

    sandbox.extensions["sandbox"].deliver = deliver
    api.customers.create({})
    run_due(sandbox)
    assert [good for _, good in seen] == [[SECRET], [other.secret]]
    assert seen[0][0] == seen[1][0]


def is_good(body, header, secret):
    try:
        return stripe.WebhookSignature.verify_header(body.decode(), header, secret, 300)
    except stripe.SignatureVerificationError:
        return False


def test_the_buyer_is_back_before_the_webhook(api, browser, sandbox, shop, endpoint):
    control.set_switches(sandbox, redirect_first=True)
    session = api.checkout.sessions.create(order())
    assert browser.post(f"/pay/{session.id}", data=form()).status_code == 303
    run_due(sandbox)
    assert "checkout.session.completed" not in shop.types
    assert "payment_intent.succeeded" in shop.types
    control.advance_clock(sandbox, 11)
    run_due(sandbox)
    assert shop.types.count("checkout.session.completed") == 1


def test_the_webhook_is_there_before_the_answer(api, sandbox, shop, endpoint):
    control.set_switches(sandbox, webhook_first=True)
    session = api.checkout.sessions.create(order())
    control.inject_fault(sandbox, "drop", path=f"POST /v1/checkout/sessions/{session.id}/expire")
    with pytest.raises(stripe.APIConnectionError):
        api.checkout.sessions.expire(session.id)
    assert shop.types[-1] == "checkout.session.expired"
    assert run_due(sandbox) == 0


@pytest.mark.parametrize("mode", signing.MODES)
def test_signatures_in_every_mode(api, sandbox, endpoint, mode):
    headers = []
    sandbox.extensions["sandbox"].deliver = lambda url, body, given, timeout: (
        headers.append((body, given.get("Stripe-Signature"))) or (200, "")
    )
    control.set_switches(sandbox, signature=mode)
    api.customers.create({})
    run_due(sandbox)
    ((body, header),) = headers
    assert is_good(body, header, SECRET) == (mode in ("right", "two"))
    assert (header or "").count("v1=") == {"none": 0, "two": 2}.get(mode, 1)


def test_while_a_secret_is_rolled_both_are_good(api, browser, sandbox, shop, endpoint):
    rolled = browser.post(f"/control/endpoints/{endpoint['id']}/roll", json={"keep": 3600}).json
    for _ in range(2):
        api.customers.create({})
        run_due(sandbox)
        control.advance_clock(sandbox, 3600)
    (first, header), *rest = shop.received
    assert is_good(first, header, rolled["secret"])
    assert rest == []  # the shop's own check of the old secret failed by then
    assert control.list_deliveries(sandbox)[0]["status"] == 0


@pytest.mark.parametrize("kind", oddities.KINDS)
def test_unexpected_events_arrive_signed_and_whole(api, browser, sandbox, shop, endpoint, kind):
    told = browser.post("/control/events", json={"kind": kind}).json
    run_due(sandbox)
    received = next(event for event in shop.events if event["id"] == told["id"])
    obj = received["data"]["object"]
    if kind == "foreign_account":
        assert received["account"] == oddities.OTHER_ACCOUNT
    assert received["livemode"] == (kind == "live_mode")
    if kind in ("foreign_account", "live_mode"):
        with pytest.raises(stripe.InvalidRequestError):
            api.checkout.sessions.retrieve(obj["id"])
    if kind == "foreign_session":
        assert api.checkout.sessions.retrieve(obj["id"]).payment_status == "paid"


def test_any_event_at_all_can_be_told(browser, sandbox, shop, endpoint):
    told = {"type": "invoice.paid", "object": {"id": "in_1", "object": "invoice"}}
    browser.post("/control/events", json=told)
    run_due(sandbox)
    assert [(event["type"], event["data"]["object"]) for event in shop.events] == [
        ("invoice.paid", told["object"])
    ]
    for wrong in ({"kind": "dull"}, {"type": "no"}, {"type": "a.b", "object": 3}):
        assert browser.post("/control/events", json=wrong).status_code == 400
