"""The inbox of Stripe's events: each is claimed once, and what became of it stays visible."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import CursorResult, bindparam, select, update

from storefront.database import insert_for_conflict
from storefront.extensions import db
from storefront.models import StripeEvent
from storefront.models.columns import now
from storefront.prepared import Prepared

FIRST_PAUSE = timedelta(minutes=1)
LONGEST_PAUSE = timedelta(hours=6)

IS_SETTLED = select(StripeEvent.id).where(
    StripeEvent.id == bindparam("event"), StripeEvent.state != "failed"
)


def is_settled(event_id: str) -> bool:
    """Whether the event has been applied or ignored already."""
    return db.session.execute(IS_SETTLED, {"event": event_id}).scalar() is not None


def claim(event: dict[str, Any], payload: bytes, by: str = "") -> bool:
    """Take the event for work in this transaction; True for one of any number of deliveries.

    `by` is who brought it, where that was not Stripe itself. One that failed before is taken again.
    The row is the memory of the event: it is committed with the event's effects or not at all.
    """
    add = _claim_statement(db.engine.dialect.name)
    return add(**_columns(event, payload), brought_by=by[:60]) == 1


@cache
def _claim_statement(dialect: str) -> Prepared:
    """Built once for each dialect: the webhook runs it on every event."""
    add = insert_for_conflict(StripeEvent.__table__)
    return Prepared(
        add.on_conflict_do_update(
            index_elements=["id"],
            set_={"attempts": StripeEvent.attempts + 1, "state": "applied", "note": ""},
            where=StripeEvent.state == "failed",
        )
    )


def _columns(event: dict[str, Any], payload: bytes) -> dict[str, Any]:
    version = event.get("api_version")
    return {
        "id": event["id"],
        "type": event["type"],
        "object_id": _printable(event["data"]["object"].get("id")),
        "livemode": event["livemode"],
        "api_version": version[:60] if isinstance(version, str) else None,
        "payload": payload.decode("utf-8"),
        "received_at": now(),
        "state": "applied",
        "note": "",
        "attempts": 1,
        "next_try_at": now() + FIRST_PAUSE,
    }


def _printable(object_id: Any) -> str | None:
    """An id that any database holds: PostgreSQL takes no NUL, neither takes half a character."""
    if not isinstance(object_id, str) or len(object_id) > 255 or not object_id.isprintable():
        return None
    return object_id


def ignore(event_id: str, why: str) -> None:
    """Say of a claimed event that it had no effect here, and why."""
    _set_state(event_id, "ignored", why)


def record_failure(event: dict[str, Any], payload: bytes, error: str, by: str = "") -> None:
    """Keep an event whose work was rolled back, so that it is seen and tried again."""
    columns = _columns(event, payload) | {"state": "failed", "note": error[:2000]}
    columns["brought_by"] = by[:60]
    add = insert_for_conflict(StripeEvent).values(columns)
    db.session.execute(
        add.on_conflict_do_update(
            index_elements=["id"],
            set_={"attempts": StripeEvent.attempts + 1, "note": error[:2000]},
            where=StripeEvent.state == "failed",
        )
    )


def record_refusal(event: dict[str, Any], payload: bytes, why: str) -> None:
    """Keep a signed event that must not touch this shop (of another mode or account), with why."""
    columns = _columns(event, payload) | {"state": "ignored", "note": why}
    db.session.execute(
        insert_for_conflict(StripeEvent)
        .values(columns)
        .on_conflict_do_update(index_elements=["id"], set_={"attempts": StripeEvent.attempts + 1})
    )


def list_due(most: int) -> Sequence[StripeEvent]:
    """Failed events whose next try is due, longest waiting first."""
    return db.session.scalars(
        select(StripeEvent)
        .where(StripeEvent.state == "failed", StripeEvent.next_try_at <= now())
        .order_by(StripeEvent.next_try_at)
        .limit(most)
        .execution_options(populate_existing=True)
    ).all()


def claim_try(event: StripeEvent) -> bool:
    """Win the next try of a failed event, and put the one after it off for longer each time."""
    pause = min(FIRST_PAUSE * 2 ** min(event.attempts, 20), LONGEST_PAUSE)
    claimed = (
        update(StripeEvent)
        .where(
            StripeEvent.id == event.id,
            StripeEvent.state == "failed",
            StripeEvent.next_try_at == event.next_try_at,
        )
        .values(next_try_at=now() + pause)
        .execution_options(synchronize_session=False)
    )
    result = db.session.connection().execute(claimed)
    assert isinstance(result, CursorResult)
    return result.rowcount == 1


def find(event_id: str) -> StripeEvent | None:
    """The stored event with this id."""
    return db.session.get(StripeEvent, event_id, populate_existing=True)


def list_newest(most: int, state: str | None = None) -> Sequence[StripeEvent]:
    """The newest events, in this state or in any, newest first."""
    of_state = StripeEvent.state == state if state else db.true()
    return db.session.scalars(
        select(StripeEvent)
        .where(of_state)
        .order_by(StripeEvent.received_at.desc(), StripeEvent.id)
        .limit(most)
    ).all()


def list_known(event_ids: Iterable[str]) -> set[str]:
    """Which of these events have been received, whatever became of them."""
    return set(db.session.scalars(select(StripeEvent.id).where(StripeEvent.id.in_(event_ids))))


def count_attempt(event_id: str, applied: bool) -> None:
    """Note that a stored event was applied once more, and that it was of use if it was."""
    values: dict[str, Any] = {"attempts": StripeEvent.attempts + 1}
    if applied:
        values |= {"state": "applied", "note": ""}
    db.session.connection().execute(
        update(StripeEvent).where(StripeEvent.id == event_id).values(values)
    )


def _set_state(event_id: str, state: str, note: str) -> None:
    db.session.connection().execute(
        update(StripeEvent).where(StripeEvent.id == event_id).values(state=state, note=note)
    )
