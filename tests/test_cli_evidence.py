"""flask shop order, events and replay: what happened, and that it may happen again harmlessly."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import update

from storefront import database
from storefront.extensions import db
from storefront.models import Order, StripeEvent, SubscriptionInvoice
from storefront.sandbox import control
from tests.books import dump
from tests.payments.interventions import on_sqlite
from tests.stage import Stage
from tests.test_cli import records, run
from tests.test_three_ways import Scene, by_webhook, live
from tests.webhooks.telling import invoices, pay, subscribe, told

pytestmark = on_sqlite


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The common stage, and nothing is told until a test says so."""
    stage.silence()
    return stage


def test_an_order_shows_each_step_and_what_caused_it(stage: Stage) -> None:
    event = pay(stage, quantity=2)
    stage.send(event)
    result = run(stage, "order", "1001")
    assert result.exit_code == 0
    assert "Order 1001 · paid · unfulfilled · €48.00" in result.output
    assert "2 × MUG · Mug · €48.00" in result.output
    steps = [line.split()[2:] for line in result.output.splitlines() if "→" in line]
    assert steps[0] == ["·", "→", "open", "checkout"]
    assert steps[1] == ["open", "→", "paid", "checkout.session.completed", event["id"]]
    assert "order_confirmation" in result.output


def test_the_same_as_json(stage: Stage) -> None:
    event = subscribe(stage)
    stage.work()
    (record,) = records(run(stage, "order", "1001", "--json"))
    assert (record["number"], record["state"]) == (1001, "paid")
    assert [(step["before"], step["after"]) for step in record["steps"]] == [
        (None, "open"),
        ("open", "paid"),
    ]
    assert record["subscription"]["status"] == "trialing"
    assert {each["id"] for each in record["events"]} >= {event["id"]}
    assert record["refunds"] == record["disputes"] == []


def test_an_order_that_does_not_exist_is_said_in_words(stage: Stage) -> None:
    result = run(stage, "order", "4711")
    assert (result.exit_code, result.output) == (1, "Error: There is no order 4711.\n")


def test_events_are_listed_newest_first_with_their_state(stage: Stage) -> None:
    assert "(none yet)" in run(stage, "events").output
    event = subscribe(stage)
    stage.fault("500", 3)
    stage.send(event)
    (record,) = records(run(stage, "events", "--json", "--failed"))
    assert (record["id"], record["state"], record["attempts"]) == (event["id"], "failed", 1)
    stage.work()
    shown = records(run(stage, "events", "--json"))
    assert len(shown) == len(stage.events())
    assert event["id"] in run(stage, "events").output


def rich_history(stage: Stage) -> list[str]:
    """Everything that the shop was told of a few eventful days."""
    stage.add_user()
    live(stage)
    by_webhook(Scene(stage))
    return [event.id for event in stage.events()]


def test_every_event_of_a_rich_history_may_be_replayed_and_changes_nothing(stage: Stage) -> None:
    events = rich_history(stage)
    assert len(events) >= 9
    before = dump(stage.app)
    result = run(stage, "replay", *events, *reversed(events))
    assert result.exit_code == 0, result.output
    said = {line.split(": ", 1)[1] for line in result.output.splitlines()}
    assert said == {"nothing had to be changed"}
    assert dump(stage.app) == before


def change(stage: Stage, statement: Any) -> None:
    with stage.app.app_context(), database.writing():
        db.session.execute(statement)


def test_a_replay_mends_what_was_missing_and_says_what(stage: Stage) -> None:
    pay(stage, "CLUB-Y")
    event = told(stage, "invoice.paid")
    stage.send(event)
    change(stage, update(SubscriptionInvoice).values(status="open", amount_paid=0))
    result = run(stage, "replay", event["id"])
    assert "amount_paid 0 → 9000" in result.output and "status open → paid" in result.output
    assert invoices(stage)[0].amount_paid == 9000


def test_a_replay_says_in_the_evidence_who_did_it(stage: Stage) -> None:
    event = pay(stage)
    change(stage, update(Order).values(livemode=True))
    assert stage.send(event).status_code == 500
    change(stage, update(Order).values(livemode=False))
    result = run(stage, "replay", "--failed")
    assert (result.exit_code, result.output) == (0, f"{event['id']}: applied now\n")
    assert stage.order().state == "paid"
    assert stage.order().steps[-1].cause.endswith("(command line)")
    assert run(stage, "replay", "--failed").output == "No event has failed.\n"


def test_what_cannot_be_replayed_is_said(stage: Stage) -> None:
    event = subscribe(stage)
    stage.fault("500", 6)
    stage.send(event)
    result = run(stage, "replay", "evt_unknown", event["id"])
    assert result.exit_code == 1
    assert "evt_unknown: this shop has not received it." in result.output
    assert f"{event['id']}: StripeUnavailable" in result.output
    assert run(stage, "replay").exit_code == 2


def test_an_event_of_another_mode_stays_refused(stage: Stage) -> None:
    event = pay(stage) | {"livemode": True}
    assert stage.send(event).status_code == 400
    result = run(stage, "replay", event["id"])
    assert (result.exit_code, stage.order().state) == (1, "open")
    assert "other mode" in result.output


def test_an_event_ignored_by_mistake_is_of_use_when_replayed(stage: Stage) -> None:
    pay(stage, "CLUB-Y")
    event = told(stage, "invoice.paid")
    stage.send(event)
    change(stage, db.delete(SubscriptionInvoice))
    change(stage, update(StripeEvent).values(state="ignored", note="this shop has no such object"))
    assert run(stage, "replay", event["id"]).exit_code == 0
    assert (stage.events()[0].state, len(invoices(stage))) == ("applied", 1)


def test_work_reports_as_json(stage: Stage) -> None:
    stage.pay(stage.open_session(stage.browser()))
    control.advance_clock(stage.sandbox, 60)
    (report,) = records(run(stage, "work", "--json"))
    assert (report["settled"], report["failed"]) == (1, 0)
    assert json.dumps(report)
