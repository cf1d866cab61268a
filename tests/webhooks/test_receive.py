"""POST /webhooks/stripe: its address, and what a genuine event may and may not do here."""

import json
import time
from typing import Any

import pytest
import time_machine
from flask import Flask

from storefront import create_app
from storefront.extensions import db
from tests.conftest import SETTINGS
from tests.stage import Stage
from tests.webhooks.posting import GOOD, HOOK, mac
from tests.webhooks.telling import asking, invented, pay, retold

# -- the address


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_it_answers_no_other_method(stage: Stage, method: str) -> None:
    answer = stage.browser().open(HOOK, method=method, headers={"Stripe-Signature": mac(GOOD)})
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")


@pytest.mark.parametrize("path", [f"{HOOK}/", "/webhooks", "/webhooks/"])
def test_it_redirects_nobody(stage: Stage, path: str) -> None:
    answer = stage.browser().post(path, data=GOOD, headers={"Stripe-Signature": mac(GOOD)})
    assert answer.status_code == 404


def test_it_does_not_send_stripe_to_https(database_url: str, tmp_path: Any) -> None:
    safe = {"SHOP_URL": "https://shop.example", "DATABASE_URL": database_url, "STRIPE_JS_URL": ""}
    app = create_app(SETTINGS | safe | {"SHOP_INSTANCE": str(tmp_path / "https")})
    browser = app.test_client()
    answer = browser.post(
        HOOK, base_url="http://shop.example", data=GOOD, headers={"Stripe-Signature": mac(GOOD)}
    )
    assert answer.status_code == 200
    with app.app_context():
        db.engine.dispose()


def test_it_needs_no_session_and_gives_none(stage: Stage) -> None:
    answer = stage.send(
        pay(stage), **{"Sec-Fetch-Site": "cross-site", "Origin": "https://x.example"}
    )
    assert (answer.status_code, answer.headers.get("Set-Cookie")) == (200, None)
    assert stage.order().state == "paid"


ELSEWHERE = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
]


def unsafe_rules(app: Flask) -> list[tuple[str, str, str]]:
    """(endpoint, method, path) of every route that may change something."""
    found = []
    adapter = app.url_map.bind("localhost")
    for rule in app.url_map.iter_rules():
        methods = (rule.methods or set()) - {"GET", "HEAD", "OPTIONS"}
        values = {name: _example(rule, name) for name in rule.arguments}
        for method in sorted(methods):
            path = adapter.build(rule.endpoint, values, method=method, append_unknown=False)
            found.append((rule.endpoint, method, path))
    return found


def _example(rule: Any, name: str) -> Any:
    is_number = type(rule._converters[name]).__name__ == "IntegerConverter"
    return 1 if is_number else "x"


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_it_is_the_only_unsafe_route_open_to_other_sites(
    stage: Stage, headers: dict[str, str]
) -> None:
    browser, open_to_all = stage.browser(), set()
    rules = unsafe_rules(stage.app)
    assert len(rules) >= 4
    for endpoint, method, path in rules:
        answer = browser.open(path, method=method, headers=headers | {"Accept": "application/json"})
        error = answer.json["error"] if answer.status_code == 400 else ""
        if isinstance(error, str):  # ours come with a code; the webhook's are words for Stripe
            open_to_all.add(endpoint)
        else:
            assert error["code"] == "csrf", path
    assert open_to_all == {"webhooks.stripe"}


# -- what a genuine event may do


def test_it_does_a_thing_once_in_fifty_deliveries(stage: Stage) -> None:
    event = pay(stage)
    answers = [stage.send(event).json["received"] for _ in range(50)]  # type: ignore[index]
    assert answers == ["now"] + ["already"] * 49
    assert stage.steps() == [(None, "open"), ("open", "paid")]
    (row,) = stage.events()
    assert (row.state, row.attempts) == ("applied", 1)


def test_it_keeps_what_it_was_told(stage: Stage) -> None:
    event = pay(stage)
    stage.send(event)
    (row,) = stage.events()
    assert (row.id, row.type, row.livemode) == (event["id"], event["type"], False)
    assert (row.object_id, row.api_version) == (
        event["data"]["object"]["id"],
        event["api_version"],
    )
    assert json.loads(row.payload) == event


def test_it_takes_note_of_events_it_does_not_know(stage: Stage) -> None:
    assert stage.send(invented("ping.unknown")).status_code == 200
    (row,) = stage.events()
    assert (row.state, row.note) == ("ignored", "no handler for this type of event")


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"livemode": True}, "a live event, but this shop's Stripe key is of the other mode"),
        ({"account": "acct_1"}, "an event of another (connected) account"),
    ],
)
def test_it_refuses_and_shows_what_is_meant_for_another_shop(
    stage: Stage, changes: dict[str, Any], note: str
) -> None:
    event = retold(pay(stage)) | changes
    for attempts in (1, 2):
        assert (stage.send(event).status_code, stage.order().state) == (400, "open")
        (row,) = stage.events()
        assert (row.state, row.note, row.attempts) == ("ignored", note, attempts)


def test_it_does_not_undo_an_event_that_is_refused_later(stage: Stage) -> None:
    event = pay(stage)
    stage.send(event)
    assert stage.send(event | {"account": "acct_1"}).status_code == 400
    assert (stage.order().state, stage.events()[0].state) == ("paid", "applied")


def test_it_does_not_ask_stripe_about_what_others_sold(stage: Stage) -> None:
    with asking(stage) as asked:
        stage.send(invented("customer.subscription.updated", {"id": "sub_x", "livemode": False}))
    assert asked == []


def test_it_answers_within_a_second(stage: Stage) -> None:
    event = pay(stage)
    started = time.monotonic()
    assert stage.send(event).status_code == 200
    assert time.monotonic() - started < 1


def test_it_makes_the_right_order_three_days_late(stage: Stage) -> None:
    event = pay(stage)
    with time_machine.travel(time.time() + 3 * 86400):
        stage.fault("timeout_before", count=3)
        assert stage.work()["unanswered"] == 1
        assert stage.send(event).status_code == 200
    assert (stage.order().state, stage.order().attention) == ("paid", None)
