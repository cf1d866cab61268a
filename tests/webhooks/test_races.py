"""Deliveries that meet: one effect, whoever stands in between, proven against a careless inbox.

The first delivery is held inside its transaction until the second has looked at the database and
found nothing done. On SQLite the second then waits in line for the only writer, on PostgreSQL for
the row. What happens in between is told to happen; nothing sleeps.
"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from storefront import database, signals
from storefront.extensions import db
from storefront.models import StripeEvent
from storefront.services import inbox, orders
from storefront.webhooks import handlers, taking
from tests.stage import Stage
from tests.webhooks.telling import SCENES, Event, effects, expire, pay, retold

PATIENCE = 20.0


class Meeting:
    """Two deliveries: when the first is about to commit, the second starts and gets half-way."""

    def __init__(self, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
        self.stage = stage
        self.second: Future[Any] | None = None
        self.half_way = threading.Event()
        self.guests_told: list[str] = []
        self._patch = monkeypatch
        self._first = threading.get_ident()

    def stop_at(self, module: Any, name: str) -> None:
        """Half-way is where the second delivery calls this function."""
        original = getattr(module, name)

        def stopping(*args: Any, **options: Any) -> Any:
            if threading.get_ident() != self._first:
                self.half_way.set()
            return original(*args, **options)

        self._patch.setattr(module, name, stopping)

    def of(self, first: Event, second: Event, *, fail_first: bool = False) -> tuple[int, int]:
        """Let the two meet, and return both answers."""
        with ThreadPoolExecutor(1) as pool:

            def guest(event: Event) -> None:
                self.guests_told.append(event["id"])
                if self.second is None:
                    self.second = pool.submit(self.stage.send, second)
                    assert self.half_way.wait(PATIENCE), "the second delivery never came so far"
                    if fail_first:
                        raise RuntimeError("the first one fails")

            handlers.register(self.stage.app, first["type"], guest)
            status = self.stage.send(first).status_code
            assert self.second is not None
            return status, self.second.result(PATIENCE).status_code


@pytest.fixture
def meeting(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> Meeting:
    """A meeting where the second has found the event not done yet, and is about to claim it."""
    meeting = Meeting(stage, monkeypatch)
    meeting.stop_at(handlers, "fetch")
    return meeting


@pytest.mark.parametrize("event_type", sorted(SCENES))
def test_it_does_a_thing_once_for_two_deliveries_that_meet(
    stage: Stage, meeting: Meeting, event_type: str
) -> None:
    event = SCENES[event_type](stage)
    assert meeting.of(event, event) == (200, 200)
    assert meeting.guests_told == [event["id"]]
    after = effects(stage)
    stage.send(event)
    assert effects(stage) == after


def test_it_pays_one_order_for_two_events_that_meet(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    event = pay(stage, quantity=2)
    meeting = Meeting(stage, monkeypatch)
    # PostgreSQL lets the second read and waits at the order; SQLite has one writer at a time.
    is_sqlite = "sqlite" in stage.app.config["DATABASE_URL"]
    meeting.stop_at(*((handlers, "fetch") if is_sqlite else (orders, "move")))
    assert meeting.of(event, retold(event)) == (200, 200)
    assert stage.steps() == [(None, "open"), ("open", "paid")]
    assert stage.stock() == (3, 0, 2)


def test_it_decides_once_between_payment_and_end(stage: Stage, meeting: Meeting) -> None:
    event = pay(stage)
    over = retold(event, status="expired", payment_status="unpaid")
    assert meeting.of(event, over) == (200, 200)
    assert (stage.steps()[1:], stage.stock()) == ([("open", "paid")], (4, 0, 1))


def test_it_pays_late_when_the_end_was_first(stage: Stage, meeting: Meeting) -> None:
    event = pay(stage)
    over = retold(event, status="expired", payment_status="unpaid")
    assert meeting.of(over, event) == (200, 200)
    assert stage.steps()[1:] == [("open", "expired"), ("expired", "paid")]
    assert stage.stock() == (4, 0, 1)


def test_it_makes_one_order_of_a_second_payment_told_twice(stage: Stage, meeting: Meeting) -> None:
    event = pay(stage)
    stage.send(event)
    twin = retold(event, id="cs_test_twin", payment_intent="pi_twin")
    again = retold(twin)
    first, _second = meeting.of(twin, again)
    assert first == 200
    # The one that may have lost the race for the new row is delivered again by Stripe.
    assert stage.send(again).status_code == 200
    assert [order.attention for order in stage.orders()] == [None, "duplicate"]


def test_it_applies_what_the_first_delivery_failed_at(stage: Stage, meeting: Meeting) -> None:
    event = pay(stage)
    assert meeting.of(event, event, fail_first=True) == (500, 200)
    assert (stage.order().state, stage.events()[0].state) == ("paid", "applied")


def test_it_does_not_note_a_failure_over_a_success(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    event, note_failure, outcomes = pay(stage), taking._failed, iter((True, False))

    def fail_once(_event: Event) -> None:
        if next(outcomes):
            raise RuntimeError("the first one fails")

    def deliver_again_before_that(*args: Any) -> Any:
        assert stage.send(event).status_code == 200
        return note_failure(*args)

    handlers.register(stage.app, event["type"], fail_once)
    monkeypatch.setattr(taking, "_failed", deliver_again_before_that)
    assert stage.send(event).status_code == 500
    (row,) = stage.events()
    assert (stage.order().state, row.state, row.note) == ("paid", "applied", "")


def test_it_pays_once_in_a_crowd(stage: Stage) -> None:
    events = [pay(stage, quantity=3)]
    events += [retold(events[0]) for _ in range(3)]
    paid: list[int] = []

    def note(_app: Any, order_id: int, number: int) -> None:
        paid.append(order_id)

    crowd = events * 5
    with signals.order_paid.connected_to(note, stage.app), ThreadPoolExecutor(10) as pool:
        answers = [answer.status_code for answer in pool.map(stage.send, crowd)]
    assert answers == [200] * 20
    assert (len(paid), stage.stock()) == (1, (2, 0, 3))
    assert [row.state for row in stage.events()] == ["applied"] * 4


def test_it_frees_once_in_a_crowd_with_a_sweeper(stage: Stage) -> None:
    event = expire(stage, quantity=3)
    with ThreadPoolExecutor(8) as pool:
        sweeps = [pool.submit(stage.work) for _ in range(4)]
        answers = [a.status_code for a in pool.map(stage.send, [retold(event) for _ in range(8)])]
        for sweep in sweeps:
            sweep.result(PATIENCE)
    assert answers == [200] * 8
    assert stage.stock() == (5, 0, 0)


# -- a test that cannot fail proves nothing: the same meetings with careless code


def look_then_insert(event: Event, payload: bytes, _by: str) -> bool:
    """An inbox as it is often written: whether the event is there was asked some time ago."""
    add = database.insert_for_conflict(StripeEvent).values(inbox._columns(event, payload))
    db.session.execute(add.on_conflict_do_nothing())
    return True


def test_it_would_notice_an_inbox_that_looks_before_it_inserts(
    stage: Stage, meeting: Meeting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inbox, "claim", look_then_insert)
    event = pay(stage)
    meeting.of(event, event)
    assert meeting.guests_told == [event["id"], event["id"]]
    assert stage.order().state == "paid"  # the order's own guard still holds
