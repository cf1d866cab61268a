"""Why a human must look at an order: shown until he has, or until it is over by itself."""

from __future__ import annotations

from sqlalchemy import case, select, update

from storefront.errors import Conflict
from storefront.extensions import db
from storefront.i18n import gettext as _
from storefront.models import Dispute, Order
from storefront.models.dispute import CLOSED
from storefront.services import orders
from storefront.services.refund_effects import changed

_is_disputed = (
    select(Dispute.id)
    .where(Dispute.order_id == Order.id, Dispute.status.not_in(CLOSED))
    .correlate(Order)
    .exists()
)


def show_dispute(order_id: int) -> None:
    """Say `disputed` while a dispute is open, unless something else needs a look already.

    The order is locked first: the statements then see what others have just committed.
    """
    db.session.execute(select(Order.id).where(Order.id == order_id).with_for_update(key_share=True))
    this = update(Order).where(Order.id == order_id)
    changed(this.where(Order.attention.is_(None), _is_disputed).values(attention="disputed"))
    changed(this.where(Order.attention == "disputed", ~_is_disputed).values(attention=None))


def accept(order: Order, cause: str) -> bool:
    """The merchant has looked; False when there is nothing to look at, or no longer the same.

    An open dispute shows from then on. Raises Conflict when that is all there is: only its end
    takes it away.
    """
    seen = order.attention
    if seen == "disputed":
        raise Conflict(_("The dispute is still open. Please answer it in your Stripe dashboard."))
    accepted = seen is not None and changed(
        update(Order)
        .where(Order.id == order.id, Order.attention == seen)
        .values(attention=case((_is_disputed, "disputed"), else_=None))
    )
    if accepted:
        orders.add_step(order.id, cause, None, None, f"looked at and accepted: {seen}")
    return accepted
