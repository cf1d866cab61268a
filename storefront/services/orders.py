"""Orders: the only place that makes them and moves their state, each step leaving its evidence."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, bindparam, insert, select, update
from sqlalchemy.orm import aliased, selectinload

from storefront import database, signals
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.i18n import gettext as _
from storefront.models import Order, OrderLine, OrderStep
from storefront.models.columns import now
from storefront.models.order import FIRST_NUMBER, TRANSITIONS
from storefront.prepared import Prepared
from storefront.services import mailer, stock

HOLDING = ("open", "processing")

# What a step lets the outbox say. Expired is not failed: whoever just left is told nothing.
MAILS = {
    "paid": ("order_confirmation", "new_order"),
    "processing": ("payment_processing",),
    "failed": ("payment_failed",),
}

# Which columns it sets is told by the values it is executed with.
_move = update(Order.__table__).where(
    Order.id == bindparam("this"), Order.state == bindparam("seen")
)
MOVE = Prepared(_move)
ADD_STEP = Prepared(insert(OrderStep.__table__))

_twin = aliased(Order)
# Another order for the purchase of the order selected, paid while that one was open.
PAID_TWIN = (
    select(_twin.id)
    .where(
        _twin.buyer == Order.buyer,  # is part of the key, and has an index
        _twin.purchase_key == Order.purchase_key,
        _twin.id != Order.id,
        _twin.paid_at > Order.created_at,
    )
    .limit(1)
    .scalar_subquery()
)


def new_reference() -> str:
    """A name for the order that Stripe may know: unique, and opens nothing."""
    return f"ord_{secrets.token_hex(12)}"


def new_token() -> str:
    """The secret that opens a guest's order page: 256 bits."""
    return secrets.token_urlsafe(32)


def can_move(state: str, to: str) -> bool:
    """Whether the table of transitions knows this step."""
    return state in TRANSITIONS.get(to, ())


def move(
    order: Any,
    to: str,
    cause: str,
    *,
    lines: Iterable[stock.Line] = (),
    note: str = "",
    seen: str | None = None,
    only_if: Any = None,
    **facts: Any,
) -> bool:
    """Take one step from the state seen to another, with its stock and its evidence.

    `order` has id and state as they were read; `facts` are columns to set along. False, and nothing
    changed, when the order is no longer in that state, or `only_if` does not hold: somebody else
    was faster.
    """
    before = seen or order.state
    if not can_move(before, to):
        raise RuntimeError(f"an order never goes from {before} to {to}")
    values = {"this": order.id, "seen": before, "state": to, "stock": _stock_after(before, to)}
    changed = MOVE if only_if is None else Prepared(_move.where(only_if))
    if not changed(**values, **facts):
        return False
    note = _move_stock(order.id, before, to, lines) or note
    add_step(order.id, cause, before, to, note)
    number = order.id + FIRST_NUMBER - 1
    for kind in MAILS.get(to, ()):
        mailer.put(kind, f"order-{number}", order_id=order.id)
    if to == "paid":
        database.after_commit(signals.order_paid, order_id=order.id, number=number)
    return True


def _stock_after(before: str, to: str) -> str:
    if to in HOLDING:
        return "held"
    return "sold" if to == "paid" else "released"


def _move_stock(order_id: int, before: str, to: str, lines: Iterable[stock.Line]) -> str:
    """Follow the state with the goods; words when a late payment found the shelf empty."""
    if to in HOLDING:
        return ""
    if before in HOLDING:
        (stock.sell_held if to == "paid" else stock.release)(lines)
        return ""
    if stock.sell_free(lines):
        return "paid after its hold had ended; the goods were still there"
    short = update(Order).where(Order.id == order_id).values(stock="short", attention="oversold")
    db.session.execute(short.execution_options(synchronize_session=False))
    return "paid after its hold had ended, and the goods are gone"


def add_step(
    order_id: int, cause: str, before: str | None, after: str | None, note: str = ""
) -> None:
    """Write one line of evidence: what happened to the order, when, and what caused it."""
    ADD_STEP(order_id=order_id, at=now(), cause=cause, before=before, after=after, note=note)


def place_twin(order_id: int, session_id: str) -> None:
    """Make the order of a second paid session for one purchase, still without its payment.

    The session is told of the first order, so without a twin its money would have no order. The
    twin holds no stock; its payment is then settled like any late one, and flagged.
    """
    first = db.session.get_one(Order, order_id, options=[selectinload(Order.lines)])
    copied = (
        "buyer",
        "purchase_key",
        "user_id",
        "mode",
        "currency",
        "amount_subtotal",
        "amount_total",
        "livemode",
        "return_path",
        "expires_at",
        "created_at",
    )
    twin = Order(
        **{name: getattr(first, name) for name in copied},
        reference=new_reference(),
        token=new_token(),
        checkout_session=session_id,
        state="expired",
        stock="released",
        attention="duplicate",
    )
    line_copied = (
        "position",
        "variant_id",
        "sku",
        "name",
        "label",
        "quantity",
        "unit_amount",
        "amount_total",
        "interval",
        "interval_count",
        "trial_days",
    )
    twin.lines = [
        OrderLine(**{name: getattr(line, name) for name in line_copied}) for line in first.lines
    ]
    db.session.add(twin)
    db.session.flush()
    add_step(twin.id, session_id, None, "expired", f"a second session for order {first.number}")


def give_up(order: Order, cause: str, note: str) -> bool:
    """Cancel an order for which no Checkout Session could be opened, and free its goods.

    False when it has a session after all, or has moved on: the other half of a double click won.
    """
    return move(
        order,
        "cancelled",
        cause,
        lines=order.lines,
        note=note,
        only_if=Order.checkout_session.is_(None),
    )


def lapse(order: Order, cause: str, note: str) -> bool:
    """Expire an order whose time is over and of which Stripe knows no session to pay at.

    False when it has moved on, or when its buyer has just been given more time.
    """
    return move(
        order, "expired", cause, lines=order.lines, note=note, only_if=Order.expires_at < now()
    )


def find(number: int) -> Order | None:
    """The order with this number, with lines and steps."""
    return _one(Order.id == number - FIRST_NUMBER + 1)


def find_by_session(session_id: str) -> Order | None:
    """The order of this Checkout Session, with its lines."""
    return _one(Order.checkout_session == session_id)


def find_by_reference(reference: str) -> Order | None:
    """The order Stripe knows by this reference, with its lines."""
    return _one(Order.reference == reference)


def get_by_token(token: str) -> Order:
    """The order behind a guest's link. Raises NotFound."""
    order = _one(Order.token == token)
    if order is None:
        raise NotFound(_("There is no order behind this link."))
    return order


def get_of_user(number: int, user_id: int) -> Order:
    """A customer's own order. Raises NotFound for everybody else's, as if there were none."""
    order = find(number)
    if order is None or order.user_id != user_id:
        raise NotFound(_("You have no order with this number."))
    return order


def _one(condition: Any) -> Order | None:
    # Anew on each call: a page must not show what this process remembers from before a payment.
    return db.session.scalars(
        select(Order)
        .where(condition)
        .options(selectinload(Order.lines), selectinload(Order.steps))
        .execution_options(populate_existing=True)
    ).one_or_none()


def list_of_user(user_id: int, most: int = 50) -> Sequence[Order]:
    """A customer's newest orders that came to something, newest first."""
    return db.session.scalars(
        select(Order)
        .where(Order.user_id == user_id, Order.state.in_(("paid", "processing", "failed")))
        .order_by(Order.id.desc())
        .limit(most)
        .options(selectinload(Order.lines))
    ).all()


def iterate() -> Iterable[Order]:
    """Every order, oldest first, read in pages so that any number fits into memory."""
    last = 0
    while True:
        page = db.session.scalars(
            select(Order)
            .where(Order.id > last)
            .order_by(Order.id)
            .limit(500)
            .options(selectinload(Order.lines))
        ).all()
        if not page:
            return
        yield from page
        last = page[-1].id
        db.session.expunge_all()


def find_first_moment() -> datetime | None:
    """When the first order was placed, the oldest thing Stripe can have news of."""
    return db.session.scalar(select(Order.created_at).order_by(Order.id).limit(1))


def list_unsettled(asked_before: Any, most: int = 100) -> Sequence[Order]:
    """Open and processing orders that Stripe was not asked about since; longest unasked first."""
    return db.session.scalars(
        select(Order)
        .where(Order.state.in_(HOLDING), Order.asked_at <= asked_before)
        .order_by(Order.asked_at)
        .limit(most)
        .options(selectinload(Order.lines))
        .execution_options(populate_existing=True)
    ).all()


def claim_asking(order_id: int, asked_before: Any) -> bool:
    """Win the right to ask Stripe about this order now; False when somebody has just asked."""
    claimed = (
        update(Order)
        .where(Order.id == order_id, Order.asked_at <= asked_before)
        .values(asked_at=now())
        .execution_options(synchronize_session=False)
    )
    result = db.session.connection().execute(claimed)
    assert isinstance(result, CursorResult)
    return result.rowcount == 1
