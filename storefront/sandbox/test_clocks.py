"""Test clocks: time that belongs to some customers only, and moves when it is told to."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from storefront.sandbox import customers, subscriptions
from storefront.sandbox.core import DAY
from storefront.sandbox.errors import invalid
from storefront.sandbox.ids import new_id
from storefront.sandbox.outbox import emit
from storefront.sandbox.periods import end_of_period
from storefront.sandbox.store import Stored, Tx
from storefront.sandbox.timekeeping import run, when_due

TYPE = "test_helpers.test_clock"
KEPT = 30 * DAY
WITHOUT_SUBSCRIPTIONS = {"interval": "year", "interval_count": 1}
MAX_EVENTS = 100_000


def create(tx: Tx, frozen_time: int, name: str | None) -> Stored:
    """Store a clock that stands still at a moment."""
    clock = Stored(
        {
            "id": new_id("clock"),
            "object": TYPE,
            "created": tx.now,
            "deletes_after": tx.now + KEPT,
            "frozen_time": frozen_time,
            "livemode": False,
            "name": name,
            "status": "ready",
            "status_details": {"advancing": None},
        }
    )
    tx.add(clock)
    emit(tx, "test_helpers.test_clock.created", clock)
    return clock


def advance(tx: Tx, clock: Stored, target: int) -> Stored:
    """Let a clock set out for a later moment; it arrives, and is ready, with the next sweep."""
    if clock["status"] != "ready":
        raise invalid("The test clock is advancing already.", code="test_clock_advancing")
    if target <= clock["frozen_time"]:
        raise invalid("`frozen_time` must be after the test clock's present time.", "frozen_time")
    if target > _furthest(tx, clock):
        raise invalid(
            "A test clock can be advanced by at most two intervals of its shortest subscription "
            "at once, or by two years when it has none.",
            "frozen_time",
        )
    clock.update(status="advancing")
    clock["status_details"] = {"advancing": {"target_frozen_time": target}}
    clock.due_at = tx.now
    tx.save(clock)
    emit(tx, "test_helpers.test_clock.advancing", clock)
    # Somebody has to let it arrive, also where no endpoint wants the event.
    tx.emitted = True
    return clock


@when_due(TYPE)
def arrive(tx: Tx, clock: Stored) -> None:
    """Let everything happen that falls due on the way, then stand still again."""
    if clock["status"] != "advancing":
        return
    target = clock["status_details"]["advancing"]["target_frozen_time"]
    run(tx, target, clock["id"], MAX_EVENTS)
    clock.update(frozen_time=target, status="ready", status_details={"advancing": None})
    tx.save(clock)
    emit(tx, "test_helpers.test_clock.ready", clock)


def delete(tx: Tx, clock: Stored) -> dict[str, Any]:
    """Delete a clock with the customers that live by it."""
    for customer in _owned(tx, clock, "customer"):
        if not customer.get("deleted"):
            with following(tx, customer):
                customers.delete(tx, customer)
    emit(tx, "test_helpers.test_clock.deleted", clock)
    tx.delete(clock)
    return {"id": clock["id"], "object": TYPE, "deleted": True}


@contextmanager
def following(tx: Tx, owner: dict[str, Any] | None, param: str = "test_clock") -> Iterator[None]:
    """Let things happen at the time of an object's test clock, if it has one."""
    id = owner.get("test_clock") if owner else None
    if id is None:
        yield
        return
    clock = tx.get(TYPE, id, param)
    with tx.at(clock["frozen_time"], id):
        yield


def _furthest(tx: Tx, clock: Stored) -> int:
    """Return the latest moment that a clock may be advanced to in one step."""
    now = clock["frozen_time"]
    intervals = [
        item["price"]["recurring"]
        for subscription in _owned(tx, clock, "subscription")
        if subscription["status"] not in subscriptions.ENDED
        for item in subscription["items"]["data"]
    ]
    return min(end_of_period(now, each, 2) for each in intervals or [WITHOUT_SUBSCRIPTIONS])


def _owned(tx: Tx, clock: Stored, type: str) -> list[Stored]:
    return tx.select("type = ? AND json_extract(data, '$.test_clock') = ?", (type, clock["id"]))
