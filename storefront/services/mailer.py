"""The outbox: mail is written in the transaction of its cause, and sent later by `work`.

A mail is sent at least once. Whoever wants to send it takes it by one guarded statement for as long
as the lease lasts; who dies with it in hand leaves it to the next pass.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import cache
from typing import Any

from sqlalchemy import CursorResult, func, select, update

from storefront.database import insert_for_conflict
from storefront.extensions import db
from storefront.models import OutgoingMail
from storefront.models.columns import now
from storefront.prepared import Prepared

LEASE = timedelta(minutes=5)
# The pauses between tries, the last one again and again: about three days in all.
PAUSES = [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 15, 30, 60, 120, 240, 360)]
MOST_ATTEMPTS = 20
LONGEST_ERROR = 500


def put(
    kind: str,
    about: str,
    *,
    order_id: int | None = None,
    recipient: str | None = None,
    **details: Any,
) -> None:
    """Put a mail into the outbox, in the transaction of its cause.

    `kind` names its folder under templates/emails/, `about` the thing it tells of; of the two there
    is one mail ever, so a second call writes nothing. Without a recipient it goes to the order's
    buyer or to the merchant, as its kind says. `details` are what the order does not tell: amount
    and currency for `refunded`; for `needs_a_hand` why (amount_mismatch, duplicate, oversold,
    disputed, refund_failed, event_failing), and amount, currency, reason, due_by, event or note.
    """
    moment = now()
    _put_statement(db.engine.dialect.name)(
        key=f"{kind}:{about}",
        kind=kind,
        order_id=order_id,
        recipient=recipient,
        details=details,
        state="waiting",
        attempts=0,
        next_try_at=moment,
        last_error="",
        subject="",
        created_at=moment,
    )


@cache
def _put_statement(dialect: str) -> Prepared:
    """Built once for each dialect: the webhook runs it for every payment."""
    add = insert_for_conflict(OutgoingMail.__table__)
    return Prepared(add.on_conflict_do_nothing(index_elements=["key"]))


def list_due(most: int) -> Sequence[int]:
    """The ids of mails that may be sent now, the longest due first."""
    return db.session.scalars(
        select(OutgoingMail.id)
        .where(OutgoingMail.state == "waiting", OutgoingMail.next_try_at <= now())
        .order_by(OutgoingMail.next_try_at, OutgoingMail.id)
        .limit(most)
    ).all()


def claim(mail_id: int) -> bool:
    """Take a due mail in hand for the time of the lease; False when somebody else has it."""
    moment = now()
    return _change(
        OutgoingMail.id == mail_id,
        OutgoingMail.state == "waiting",
        OutgoingMail.next_try_at <= moment,
        attempts=OutgoingMail.attempts + 1,
        next_try_at=moment + LEASE,
    )


def get(mail_id: int) -> OutgoingMail:
    """The mail as it stands now."""
    return db.session.get_one(OutgoingMail, mail_id, populate_existing=True)


def mark_sent(mail: OutgoingMail, subject: str) -> None:
    """Note that a server has taken the mail, whoever else may have it in hand."""
    _change(OutgoingMail.id == mail.id, state="sent", subject=subject, sent_at=now(), last_error="")


def drop(mail: OutgoingMail, why: str) -> None:
    """Never send a mail that is no longer true."""
    _change(*_in_hand(mail), state="dropped", last_error=why[:LONGEST_ERROR])


def fail(mail: OutgoingMail, error: str) -> None:
    """Give a mail up, visibly."""
    _change(*_in_hand(mail), state="failed", last_error=error[:LONGEST_ERROR])


def put_off(mail: OutgoingMail, error: str) -> bool:
    """Try again later, each time after a longer pause; False when it was the last try."""
    if mail.attempts >= MOST_ATTEMPTS:
        fail(mail, error)
        return False
    pause = PAUSES[min(mail.attempts, len(PAUSES)) - 1]
    _change(*_in_hand(mail), next_try_at=now() + pause, last_error=error[:LONGEST_ERROR])
    return True


def _in_hand(mail: OutgoingMail) -> tuple[Any, ...]:
    """Still the mail we have taken: nobody has taken it since, sent it or given it up."""
    return (
        OutgoingMail.id == mail.id,
        OutgoingMail.state == "waiting",
        OutgoingMail.attempts == mail.attempts,
    )


def retry(key: str | None = None) -> int:
    """Send again at once what failed or waits for its next try, or only the one with this key."""
    is_it = OutgoingMail.key == key if key else db.true()
    return _changed(
        is_it,
        OutgoingMail.state.in_(("waiting", "failed") if key else ("failed",)),
        state="waiting",
        attempts=0,
        next_try_at=now(),
    )


def iterate(state: str | None = None) -> Iterable[OutgoingMail]:
    """Every mail, or every mail in this state, oldest first, in pages of bounded size."""
    last, is_wanted = 0, OutgoingMail.state == state if state else db.true()
    while True:
        page = db.session.scalars(
            select(OutgoingMail)
            .where(OutgoingMail.id > last, is_wanted)
            .order_by(OutgoingMail.id)
            .limit(500)
        ).all()
        yield from page
        if not page:
            return
        last = page[-1].id
        db.session.expunge_all()


def count_by_state() -> dict[str, int]:
    """How many mails wait, were sent, dropped and given up."""
    rows = db.session.execute(select(OutgoingMail.state, func.count()).group_by(OutgoingMail.state))
    return {state: count for state, count in rows}


def _change(*conditions: Any, **values: Any) -> bool:
    return _changed(*conditions, **values) == 1


def _changed(*conditions: Any, **values: Any) -> int:
    statement = update(OutgoingMail).where(*conditions).values(values)
    result = db.session.connection().execute(statement.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount
