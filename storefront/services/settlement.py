"""One function settles a Checkout Session, whoever brings it: webhook, success page or `work`.

Given the session as Stripe tells it, it finds the order, compares them, and moves the order along
its table of states, with stock, evidence and subscription, in the caller's transaction. Each caller
alone is enough, and any number of them at once leave one paid order.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import Row, bindparam, or_, select

from storefront import stripe_gateway
from storefront.errors import Conflict
from storefront.extensions import db
from storefront.models import Order, OrderLine
from storefront.models.columns import now
from storefront.models.order import FIRST_NUMBER
from storefront.services import disputes, mailer, orders, payments, refunds, subscriptions

Session = dict[str, Any]


class OrderMissing(Exception):
    """A paid session of this very shop whose order is not in the database: never to be forgotten.

    `args[0]` is the session's id. With `lost_orders.place` it can be settled after all.
    """


class WrongMode(Exception):
    """A live session for a test order, or the other way round."""


class Unreadable(Exception):
    """A session that says what we do not know: never guessed at, when it is about money."""


FIND = (
    select(
        Order.id,
        Order.reference,
        Order.state,
        Order.stock,
        Order.attention,
        Order.mode,
        Order.currency,
        Order.amount_subtotal,
        Order.livemode,
        Order.checkout_session,
        Order.user_id,
        OrderLine.variant_id,
        OrderLine.quantity,
        OrderLine.trial_days,
        orders.PAID_TWIN.label("paid_twin"),
        payments.IS_ASTRAY.label("astray"),
    )
    .join(OrderLine, OrderLine.order_id == Order.id)
    .where(or_(Order.checkout_session == bindparam("session"), Order.reference == bindparam("ref")))
    .order_by(Order.id, OrderLine.position)
)


def settle(session: Session, *, cause: str, bank_refused: bool = False) -> int | None:
    """Bring our order to what this Checkout Session says; its id, or None when it is not ours.

    `bank_refused` tells that a delayed payment has failed, which the session itself does not say;
    its PaymentIntent does, when the session was fetched with it.
    A second call with the same session changes nothing. Raises OrderMissing, WrongMode, and
    Unreadable or KeyError when a field that decides about money is missing or says nothing we know.
    """
    bank_refused = bank_refused or stripe_gateway.bank_refused(session)
    for _attempt in range(3):
        rows = _find(session)
        if not rows:
            _refuse_to_forget(session)
            return None
        order = rows[0]
        if order.livemode != session["livemode"]:
            raise WrongMode(session["id"])
        if order.checkout_session not in (None, session["id"]):
            if not _is_paid(session):
                return int(order.id)  # an abandoned twin of an order that has its own session
            orders.place_twin(order.id, session["id"])
            continue
        if _bring_to(_target(session, bank_refused), order, rows, session, cause):
            return int(order.id)
    raise Conflict(f"{session['id']} is being settled elsewhere")


def _find(session: Session) -> list[Row[Any]]:
    """The order and its lines; the one that holds this session before the one it refers to."""
    reference = session.get("client_reference_id") or ""
    asked = {
        "session": session["id"],
        "ref": _text(reference, 255) or "",
        "payment": _id(session.get("payment_intent")),
    }
    rows: list[Any] = list(db.session.connection().execute(FIND, asked))
    own = [row for row in rows if row.checkout_session == session["id"]]
    return own or rows


def _refuse_to_forget(session: Session) -> None:
    """A stranger's session is no concern of ours; one that names this shop and no order is, once
    it is paid."""
    if payments.bears_our_mark(session.get("metadata")) and _is_paid(session):
        raise OrderMissing(session["id"])


def _is_paid(session: Session) -> bool:
    return _target(session, bank_refused=False) == "paid"


def stands(session: Session) -> str:
    """The state that the order of this session should be in; it was fetched with its payment."""
    return _target(session, stripe_gateway.bank_refused(session))


def _target(session: Session, bank_refused: bool) -> str:
    """The state of an order whose session stands like this; every pair that we know is named."""
    if session["status"] in ("open", "expired"):
        return str(session["status"])
    stands = (session["status"], session["payment_status"])
    if stands in (("complete", "paid"), ("complete", "no_payment_required")):
        return "paid"
    if stands == ("complete", "unpaid"):
        return "failed" if bank_refused else "processing"
    raise Unreadable(f"a Checkout Session that is {stands}")


def _bring_to(
    target: str, order: Row[Any], lines: list[Row[Any]], session: Session, cause: str
) -> bool:
    """False when somebody else moved the order in between, so that it must be read again."""
    if target == "paid" and order.state != "paid":
        return _pay(order, lines, session, cause)
    if target == "failed" and order.state == "open":
        # The failure overtook the news that the buyer was done: take both steps.
        buyer = _buyer(session)
        if not orders.move(order, "processing", cause, checkout_session=session["id"], **buyer):
            return False
        return orders.move(order, "failed", cause, lines=lines, seen="processing")
    if not orders.can_move(order.state, target):
        return True
    facts = {} if target == "expired" else _buyer(session)
    return orders.move(order, target, cause, lines=lines, checkout_session=session["id"], **facts)


def _pay(order: Row[Any], lines: list[Row[Any]], session: Session, cause: str) -> bool:
    totals = _totals(session)
    attention, note = _doubts(order, lines, session, totals)
    subscription = _id(session["subscription"])
    facts = {
        "paid_at": now(),
        "checkout_session": session["id"],
        "payment_intent": _payment(session, subscription),
        "stripe_subscription": subscription,
        "stripe_customer": _id(session["customer"]),
        "attention": attention,
        **totals,
        **_buyer(session),
    }
    if not orders.move(order, "paid", cause, lines=lines, note=note, **facts):
        return False
    if attention in ("amount_mismatch", "duplicate"):
        about = f"order-{order.id + FIRST_NUMBER - 1}-{attention}"
        mailer.put("needs_a_hand", about, order_id=order.id, why=attention)
    if facts["stripe_subscription"]:
        subscriptions.remember(
            facts["stripe_subscription"],
            order_id=order.id,
            user_id=order.user_id,
            variant_id=lines[0].variant_id,
            livemode=order.livemode,
            stripe_customer=facts["stripe_customer"],
            status="trialing" if any(line.trial_days for line in lines) else "active",
        )
    if order.astray or subscription:  # told of before the order was paid
        refunds.adopt(facts["payment_intent"], cause)
        disputes.adopt(facts["payment_intent"], cause)
    if order.stock != "held":
        refunds.give_back_if_short(order.id, cause)
    return True


def _payment(session: Session, subscription: str | None) -> str | None:
    """The PaymentIntent; of a subscription only its first invoice tells, perhaps already."""
    told = _id(session["payment_intent"])
    if told or not subscription:
        return told
    return subscriptions.find_first_payment(subscription)


def _doubts(
    order: Row[Any], lines: list[Row[Any]], session: Session, totals: dict[str, Any]
) -> tuple[str | None, str]:
    """Why a human should look before the goods leave: (attention, words), or (None, "")."""
    asked = (order.amount_subtotal, order.currency, order.mode)
    told = (session["amount_subtotal"], session["currency"], session["mode"])
    # A trial costs nothing today, however Stripe words the subtotal.
    free_trial = any(line.trial_days for line in lines) and session["amount_total"] == 0
    if asked != told and not (free_trial and asked[1:] == told[1:]):
        return "amount_mismatch", f"asked for {asked}, Stripe says {told}"
    if not _adds_up(totals):
        return "amount_mismatch", f"what Stripe charged does not add up: {totals}"
    if order.paid_twin is not None:
        twin = order.paid_twin + FIRST_NUMBER - 1
        return "duplicate", f"the same purchase was paid by order {twin}"
    return order.attention, ""


def _totals(session: Session) -> dict[str, Any]:
    """What Stripe charged in minor units, never recomputed."""
    details = session.get("total_details") or {}
    return {
        "currency": session["currency"],
        "amount_subtotal": _minor_units(session["amount_subtotal"]),
        "amount_total": _minor_units(session["amount_total"]),
        "amount_discount": _minor_units(details.get("amount_discount") or 0),
        "amount_shipping": _minor_units(details.get("amount_shipping") or 0),
        "amount_tax": _minor_units(details.get("amount_tax") or 0),
    }


def _minor_units(value: Any) -> int:
    # SQLite would keep any text in an integer's column.
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise Unreadable(f"an amount that is {value!r}")
    return value


def _adds_up(totals: dict[str, Any]) -> bool:
    added = totals["amount_shipping"] + totals["amount_tax"] - totals["amount_discount"]
    return bool(totals["amount_total"] == totals["amount_subtotal"] + added)


def _buyer(session: Session) -> dict[str, Any]:
    details = session.get("customer_details") or {}
    shipping = (session.get("collected_information") or {}).get("shipping_details")
    return {
        "email": _text(details.get("email") or session.get("customer_email"), 254),
        "name": _text(details.get("name"), 200),
        "phone": _text(details.get("phone"), 40),
        "shipping": _clean(shipping),
    }


def _id(value: Any) -> str | None:
    """The id of a field that Stripe sends as an id or, expanded, as the object."""
    return value["id"] if isinstance(value, dict) else value


def _text(value: Any, most: int) -> str | None:
    """Words from outside, fit for any database: no NUL, no lone surrogate, cut to size."""
    if not value:
        return None
    return str(value).encode("utf-8", "replace").decode().replace("\0", "")[:most]


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _clean(item) for key, item in value.items()}
    return _text(value, 500) if isinstance(value, str) else value
