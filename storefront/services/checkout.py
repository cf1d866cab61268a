"""From "I want this" to an open Checkout Session: prices from the database, goods held first.

The order, its lines and the hold on stock are committed before Stripe is asked; what Stripe answers
is written in a second transaction, if the order is still as it was left.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import CursorResult, Row, func, select, update

from storefront import money
from storefront.database import insert_for_conflict
from storefront.errors import (
    AlreadySubscribed,
    InvalidInput,
    NotFound,
    SignInRequired,
    TooMany,
)
from storefront.extensions import db
from storefront.i18n import gettext as _
from storefront.models import Order, OrderLine, Product, StripeCustomer, User, Variant
from storefront.models.columns import now
from storefront.services import orders, stock, subscriptions

MAX_QUANTITY = 99
MAX_OPEN_ORDERS = 5  # of one buyer: nobody locks the shelf away by opening payments
SHORTEST_STRIPE_HOLD = timedelta(minutes=30)


@dataclass(frozen=True)
class Purchase:
    """What somebody wants to buy. `buyer` names the account or the browser it belongs to."""

    buyer: str
    sku: str
    quantity: int
    user_id: int | None = None
    return_path: str = "/"


WANTED = select(
    Variant.id,
    Variant.sku,
    Variant.label,
    Variant.unit_amount,
    Variant.currency,
    Variant.interval,
    Variant.interval_count,
    Variant.trial_days,
    Variant.is_active,
    Product.name,
    Product.slug,
    Product.is_active.label("product_is_active"),
).join(Product, Product.id == Variant.product_id)


def get_wanted(sku: str) -> Row[Any]:
    """The variant and its product as they are sold now. Raises NotFound."""
    found: Any = db.session.execute(WANTED.where(Variant.sku == sku)).one_or_none()
    if found is None or not (found.is_active and found.product_is_active):
        raise NotFound(_("This product is not for sale."))
    return found


def place(
    purchase: Purchase, *, livemode: bool, hold: timedelta, sign_in_required: bool = False
) -> Order:
    """Place the order and hold its goods; or return the one this buyer already has open for it.

    Raises NotFound, InvalidInput, SignInRequired, AlreadySubscribed, TooMany or SoldOut; then
    nothing was placed and nothing is held.
    """
    wanted = get_wanted(purchase.sku)
    _check(purchase, wanted, sign_in_required)
    key = _purchase_key(purchase, wanted, livemode)
    existing = _find_open(key)
    if existing is not None:
        return existing
    _check_cap(purchase.buyer)
    order_id = _insert(purchase, wanted, key, livemode, now() + hold)
    if order_id is None:  # the other half of a double click was faster
        existing = _find_open(key)
        if existing is None:
            raise TooMany(_("Please try again in a moment."))
        return existing
    line = _add_line(order_id, purchase, wanted)
    stock.reserve([line])
    orders.add_step(order_id, "checkout", None, "open")
    return db.session.get_one(Order, order_id)


def _check(purchase: Purchase, wanted: Row[Any], sign_in_required: bool) -> None:
    if not 1 <= purchase.quantity <= MAX_QUANTITY:
        raise InvalidInput(_("Please choose a quantity from 1 to %(most)s.", most=MAX_QUANTITY))
    if wanted.interval and purchase.quantity != 1:
        raise InvalidInput(_("A subscription is bought one at a time."))
    if purchase.user_id is None and (sign_in_required or wanted.interval):
        raise SignInRequired(_("Please sign in first."))
    if not money.is_chargeable(wanted.unit_amount * purchase.quantity, wanted.currency):
        raise InvalidInput(_unchargeable(wanted.currency))
    if purchase.user_id is not None and wanted.interval:
        _check_plan(purchase.user_id, wanted.id)


def _check_plan(user_id: int, variant_id: int) -> None:
    if subscriptions.has_plan(user_id, variant_id):
        raise AlreadySubscribed(
            _("You already have this subscription. You find it in your account.")
        )


def _unchargeable(currency: str) -> str:
    least = money.format_money(money.minimum(currency), currency)
    most = money.format_money(money.MAX_AMOUNT, currency)
    return _("A payment must be between %(least)s and %(most)s.", least=least, most=most)


def _purchase_key(purchase: Purchase, wanted: Row[Any], livemode: bool) -> str:
    """Names buyer and contents with their price, so that a new price is a new purchase."""
    parts = (
        purchase.buyer,
        livemode,
        wanted.sku,
        purchase.quantity,
        wanted.unit_amount,
        wanted.currency,
        wanted.interval,
        wanted.interval_count,
        wanted.trial_days,
    )
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def _find_open(key: str) -> Order | None:
    return db.session.scalars(
        select(Order)
        .where(Order.purchase_key == key, Order.state == "open")
        .execution_options(populate_existing=True)
    ).one_or_none()


def _check_cap(buyer: str) -> None:
    count = select(func.count()).where(Order.buyer == buyer, Order.state == "open")
    if (db.session.scalar(count) or 0) >= MAX_OPEN_ORDERS:
        raise TooMany(
            _("You have several payments open. Please finish one, or wait until they have ended.")
        )


def _insert(
    purchase: Purchase, wanted: Row[Any], key: str, livemode: bool, expires_at: Any
) -> int | None:
    """The new order's id, or None when the same purchase has been opened in the same moment."""
    due = _due_today(purchase, wanted)
    add = (
        insert_for_conflict(Order)
        .values(
            reference=orders.new_reference(),
            token=orders.new_token(),
            buyer=purchase.buyer,
            purchase_key=key,
            user_id=purchase.user_id,
            return_path=purchase.return_path,
            mode="subscription" if wanted.interval else "payment",
            currency=wanted.currency,
            amount_subtotal=due,
            amount_total=due,
            livemode=livemode,
            expires_at=expires_at,
        )
        .on_conflict_do_nothing(
            index_elements=["purchase_key"], index_where=db.text("state = 'open'")
        )
        .returning(Order.id)
    )
    return db.session.execute(add).scalar()


def _due_today(purchase: Purchase, wanted: Row[Any]) -> int:
    """What the line is charged now, in minor units: nothing during a trial."""
    return 0 if wanted.trial_days else wanted.unit_amount * purchase.quantity


def _add_line(order_id: int, purchase: Purchase, wanted: Row[Any]) -> OrderLine:
    line = OrderLine(
        order_id=order_id,
        position=0,
        variant_id=wanted.id,
        sku=wanted.sku,
        name=wanted.name,
        label=wanted.label,
        quantity=purchase.quantity,
        unit_amount=wanted.unit_amount,
        amount_total=_due_today(purchase, wanted),
        interval=wanted.interval,
        interval_count=wanted.interval_count,
        trial_days=wanted.trial_days,
    )
    db.session.add(line)
    db.session.flush()
    return line


def renew(order_id: int, hold: timedelta) -> None:
    """Give an order that never got its session a fresh time-out and, so, a new attempt."""
    late = now() + SHORTEST_STRIPE_HOLD
    db.session.execute(
        update(Order)
        .where(
            Order.id == order_id,
            Order.state == "open",
            Order.checkout_session.is_(None),
            Order.expires_at < late,
        )
        .values(attempt=Order.attempt + 1, expires_at=now() + hold)
        .execution_options(synchronize_session=False)
    )


def next_attempt(order_id: int) -> None:
    """Ask under a new key from now on, since what is asked has changed."""
    db.session.execute(
        update(Order)
        .where(Order.id == order_id, Order.state == "open", Order.checkout_session.is_(None))
        .values(attempt=Order.attempt + 1)
        .execution_options(synchronize_session=False)
    )


def idempotency_key(order: Order) -> str:
    """The same for each try of an attempt, so that Stripe opens one session however often asked."""
    return f"{order.reference}-{order.attempt}"


def session_params(
    order: Order, *, shop_url: str, public_url: str, customer: str | None
) -> dict[str, Any]:
    """What Stripe is asked for, built from the stored order alone: a retry says the same."""
    marks = {"order": order.reference, "shop": shop_url}
    params: dict[str, Any] = {
        "mode": order.mode,
        "client_reference_id": order.reference,
        "metadata": marks,
        "line_items": [_line_item(line, order.currency) for line in order.lines],
        "expires_at": int(order.expires_at.timestamp()),
        # The braces are filled in by Stripe and must reach it as they are.
        "success_url": f"{public_url}/payment/success?sessid={{CHECKOUT_SESSION_ID}}",
        "cancel_url": f"{public_url}/payment/cancel?order={order.reference}",
    }
    if customer:
        params["customer"] = customer
    if order.mode == "payment":
        params["payment_intent_data"] = {"metadata": marks}
        return params
    trial = order.lines[0].trial_days
    params["subscription_data"] = {"metadata": marks} | (
        {"trial_period_days": trial} if trial else {}
    )
    return params


def _line_item(line: OrderLine, currency: str) -> dict[str, Any]:
    name = f"{line.name} – {line.label}" if line.label else line.name
    price: dict[str, Any] = {
        "currency": currency,
        "unit_amount": line.unit_amount,
        "product_data": {"name": name[:250], "metadata": {"sku": line.sku}},
    }
    if line.interval:
        price["recurring"] = {"interval": line.interval, "interval_count": line.interval_count}
    return {"quantity": line.quantity, "price_data": price}


def attach(order_id: int, session: dict[str, Any]) -> bool:
    """Note the session that Stripe opened; False when the order is no longer waiting for one.

    True also when the same session is there already: the other half of a double click, or the
    webhook, was faster.
    """
    added = (
        update(Order)
        .where(Order.id == order_id, Order.state == "open", Order.checkout_session.is_(None))
        .values(checkout_session=session["id"], checkout_url=session["url"])
        .execution_options(synchronize_session=False)
    )
    result = db.session.connection().execute(added)
    assert isinstance(result, CursorResult)
    if result.rowcount:
        return True
    held_by = select(Order.id).where(Order.checkout_session == session["id"])
    return db.session.scalar(held_by) == order_id


def find_customer(user_id: int, livemode: bool) -> str | None:
    """The user's Customer at Stripe in this mode."""
    return db.session.scalar(
        select(StripeCustomer.stripe_id).where(
            StripeCustomer.user_id == user_id, StripeCustomer.livemode == livemode
        )
    )


def customer_params(user: User, instead_of: str | None) -> tuple[dict[str, Any], str]:
    """What to make a Customer of, and the key under which two clicks at once make only one.

    `instead_of` is the Customer that Stripe no longer has: its key would only bring it back.
    """
    params: dict[str, Any] = {"email": user.email}
    if user.name:
        params["name"] = user.name
    made_from = repr((user.id, user.email, user.name, user.created_at.isoformat(), instead_of))
    return params, f"customer-{hashlib.sha256(made_from.encode()).hexdigest()[:40]}"


def remember_customer(user_id: int, livemode: bool, stripe_id: str) -> None:
    """Keep the user's Customer; the first one told stays."""
    add = insert_for_conflict(StripeCustomer).values(
        user_id=user_id, livemode=livemode, stripe_id=stripe_id
    )
    db.session.execute(add.on_conflict_do_nothing())


def forget_customer(stripe_id: str) -> None:
    """Drop a Customer that Stripe no longer has (deleted there, or of another account)."""
    db.session.execute(db.delete(StripeCustomer).where(StripeCustomer.stripe_id == stripe_id))
