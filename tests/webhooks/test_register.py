"""The two ways for extensions to take part: handlers inside the transaction, signals after it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from blinker import NamedSignal
from flask import Flask
from sqlalchemy import select

from storefront import database, signals
from storefront.extensions import db
from storefront.models import Order, Setting
from storefront.sandbox import control
from storefront.webhooks.handlers import register
from tests.stage import Stage
from tests.webhooks.telling import Event, effects, invented, pay, retold, subscribe, told

PAID = "checkout.session.completed"


class Guest:
    """A handler that notes what it is told, and does or raises what a test wants of it."""

    def __init__(self, act: Callable[[], None] = lambda: None) -> None:
        self.act = act
        self.told: list[Event] = []

    def __call__(self, event: Event) -> None:
        self.told.append(event)
        self.act()


def fail() -> None:
    raise RuntimeError("the warehouse does not answer")


def write_a_setting() -> None:
    db.session.add(Setting(name="written_by_guest", value={}))
    db.session.flush()


def settings_written(stage: Stage) -> list[str]:
    with stage.app.app_context():
        named = select(Setting.name).where(Setting.name == "written_by_guest")
        return list(db.session.scalars(named))


# -- handlers


def test_it_tells_a_guest_of_an_event_we_handle_too(stage: Stage) -> None:
    guest = Guest(lambda: states.append(db.session.scalar(select(Order.state))))
    states: list[str | None] = []
    register(stage.app, PAID, guest)
    event = pay(stage)
    stage.send(event)
    assert (guest.told, states) == ([event], ["paid"])
    assert stage.order().state == "paid"


def test_it_tells_a_guest_once_for_each_event(stage: Stage) -> None:
    guest = Guest()
    register(stage.app, PAID, guest)
    event = pay(stage)
    for delivery in (event, event, retold(event), event):
        stage.send(delivery)
    assert len(guest.told) == 2


def test_it_lets_a_guest_handle_what_we_do_not(stage: Stage) -> None:
    guest = Guest()
    register(stage.app, "customer.created", guest)
    event = invented("customer.created")
    assert stage.send(event).status_code == 200
    assert (guest.told, stage.events()[0].state) == ([event], "applied")


def test_it_tells_a_guest_nothing_that_was_refused(stage: Stage) -> None:
    guest = Guest()
    register(stage.app, PAID, guest)
    assert stage.send(pay(stage) | {"livemode": True}).status_code == 400
    assert guest.told == []


def test_it_keeps_what_a_guest_writes(stage: Stage) -> None:
    register(stage.app, PAID, Guest(write_a_setting))
    stage.send(pay(stage))
    assert settings_written(stage) == ["written_by_guest"]


def test_it_takes_everything_back_when_a_guest_fails(stage: Stage) -> None:
    register(stage.app, PAID, Guest(write_a_setting))
    register(stage.app, PAID, Guest(fail))
    event = pay(stage)
    before = effects(stage)
    assert stage.send(event).status_code == 500
    assert (effects(stage), settings_written(stage)) == (before, [])
    (row,) = stage.events()
    assert (row.state, row.note) == ("failed", "RuntimeError: the warehouse does not answer")


def test_it_tries_again_at_the_next_delivery(stage: Stage) -> None:
    guest = Guest(fail)
    register(stage.app, PAID, guest)
    event = pay(stage)
    answers = [stage.send(event).status_code, stage.send(event).status_code]
    guest.act = lambda: None
    answers += [stage.send(event).status_code, stage.send(event).status_code]
    assert (answers, len(guest.told)) == ([500, 500, 200, 200], 3)
    (row,) = stage.events()
    assert (row.state, row.note, row.attempts) == ("applied", "", 3)
    assert (stage.order().state, stage.stock()) == ("paid", (4, 0, 1))


def test_it_comes_by_itself_when_stripe_delivers_again(stage: Stage) -> None:
    guest = Guest(fail)
    register(stage.app, PAID, guest)
    pay(stage)
    control.set_switches(stage.sandbox, paused=False)
    stage.deliver()
    assert (stage.order().state, stage.events()[0].state) == ("open", "failed")
    guest.act = lambda: None
    control.advance_clock(stage.sandbox, 120)
    stage.deliver()
    assert (stage.order().state, stage.events()[0].state) == ("paid", "applied")


def test_it_does_not_fail_others_for_one_event(stage: Stage) -> None:
    register(stage.app, "customer.created", Guest(fail))
    assert stage.send(invented("customer.created")).status_code == 500
    assert stage.send(pay(stage)).status_code == 200
    assert stage.order().state == "paid"


def test_it_knows_the_names_of_stripe_s_events(app: Flask) -> None:
    for name in ("checkout.session.complete", "order.paid", "", "*"):
        with pytest.raises(ValueError, match="no event named"):
            register(app, name, Guest())


def test_it_registers_a_guest_once(app: Flask) -> None:
    guest = Guest()
    register(app, PAID, guest)
    register(app, "invoice.paid", guest)
    with pytest.raises(ValueError, match="already"):
        register(app, PAID, guest)


# -- signals


@contextmanager
def listening(signal: NamedSignal, app: Flask, act: Any = None) -> Iterator[list[dict[str, Any]]]:
    """What a receiver is told within the block."""
    heard: list[dict[str, Any]] = []

    def receiver(sender: Flask, **payload: Any) -> None:
        assert sender is app
        heard.append(payload)
        if act:
            act()

    with signal.connected_to(receiver, app):
        yield heard


def test_it_says_once_that_an_order_was_paid(stage: Stage) -> None:
    event = pay(stage)
    with listening(signals.order_paid, stage.app) as heard:
        for delivery in (event, event, retold(event)):
            stage.send(delivery)
        stage.work()
    order = stage.order()
    assert heard == [{"order_id": order.id, "number": order.number}]


def test_it_says_so_when_it_is_committed(stage: Stage) -> None:
    seen: list[str] = []
    with listening(signals.order_paid, stage.app, lambda: seen.append(stage.order().state)):
        stage.send(pay(stage))
    assert seen == ["paid"]


def test_it_says_once_that_an_event_came(stage: Stage) -> None:
    event = pay(stage)
    with listening(signals.stripe_event_received, stage.app) as heard:
        stage.send(event)
        stage.send(event)
    assert heard == [{"event": event}]


def test_it_says_that_a_subscription_changed(stage: Stage) -> None:
    event = subscribe(stage)
    with listening(signals.subscription_changed, stage.app) as heard:
        stage.send(event)
        stage.send(event)
    (said,) = heard
    assert (said["stripe_id"], said["status"]) == (event["data"]["object"]["id"], "trialing")


def test_it_says_nothing_of_what_was_taken_back(stage: Stage) -> None:
    guest = Guest(fail)
    register(stage.app, PAID, guest)
    event = pay(stage)
    with (
        listening(signals.order_paid, stage.app) as paid,
        listening(signals.stripe_event_received, stage.app) as received,
    ):
        stage.send(event)
        assert (paid, received) == ([], [])
        guest.act = lambda: None
        stage.send(event)
    assert (len(paid), len(received)) == (1, 1)


def spoil_the_session() -> None:
    db.session.add(Order(reference="half an order"))
    fail()


@pytest.mark.parametrize("harm", [fail, spoil_the_session])
def test_it_is_not_harmed_by_a_receiver_that_fails(
    stage: Stage, harm: Any, caplog: pytest.LogCaptureFixture
) -> None:
    event = pay(stage)
    with (
        listening(signals.order_paid, stage.app, harm) as first,
        listening(signals.order_paid, stage.app, harm) as second,
        listening(signals.stripe_event_received, stage.app) as after,
    ):
        assert stage.send(event).status_code == 200
    assert (len(first), len(second), len(after)) == (1, 1, 1)
    assert (stage.order().state, stage.events()[0].state) == ("paid", "applied")
    assert "a receiver of signal 'order_paid' failed" in caplog.text


def test_it_gives_the_next_receiver_a_clean_session(stage: Stage) -> None:
    seen: list[str | None] = []

    def look() -> None:
        seen.append(db.session.scalar(select(Order.state)))

    with (
        listening(signals.order_paid, stage.app, spoil_the_session),
        listening(signals.stripe_event_received, stage.app, look),
    ):
        stage.send(pay(stage))
    assert seen == ["paid"]


def test_it_lets_a_receiver_write(stage: Stage) -> None:
    def write() -> None:
        with database.writing():
            write_a_setting()

    with listening(signals.order_paid, stage.app, write):
        assert stage.send(pay(stage)).status_code == 200
    assert settings_written(stage) == ["written_by_guest"]


def test_it_speaks_whoever_settles(stage: Stage) -> None:
    with listening(signals.order_paid, stage.app) as heard:
        event = pay(stage)
        stage.work()
        stage.send(event)
    assert [said["order_id"] for said in heard] == [stage.order().id]
    assert told(stage, PAID)["id"] == event["id"]
