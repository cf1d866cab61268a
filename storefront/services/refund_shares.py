"""What a refund comes to: an amount as it was wished, or the share that the goods named had."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from storefront.errors import RefundRefused
from storefront.i18n import gettext as _
from storefront.models import Order
from storefront.money import format_money, step

Pieces = Mapping[int, int]  # of an order's lines, by their id


@dataclass(frozen=True)
class Wish:
    """What the merchant wants given back: an amount, or lines, or (neither) all that is left.

    With both, the lines say which goods it is for. `restock` puts those goods on the shelf again.
    """

    amount: int | None = None
    pieces: Pieces = field(default_factory=dict)
    reason: str | None = None
    note: str = ""
    restock: bool = False


@dataclass(frozen=True)
class Plan:
    """What will be given back, in minor units, and for how many pieces of which lines."""

    amount: int
    pieces: Pieces


def left_of(order: Order) -> int:
    """What is neither given back nor on its way: as it was read, so good for words alone."""
    return order.amount_total - order.amount_refunded - order.amount_refunding


def plan(order: Order, wish: Wish, returned: Pieces) -> Plan:
    """What this wish comes to. Raises RefundRefused, with words for the merchant.

    `returned` is how many pieces of each line earlier refunds were for. Whether there is still as
    much left is decided when it is claimed, not here.
    """
    left = left_of(order)
    _refuse_impossible(order, left)
    _refuse_foreign_pieces(order, wish.pieces, returned)
    amount = _amount(order, wish, returned, left)
    _refuse_unpayable(order, amount, left)
    return Plan(amount, _pieces(order, wish, returned, amount == left))


def _refuse_impossible(order: Order, left: int) -> None:
    if order.state != "paid":
        raise RefundRefused(_("This order is not paid, so there is nothing to give back."))
    if order.payment_intent is None:
        raise RefundRefused(_("Stripe took no money for this order: there is nothing to refund."))
    if left <= 0:
        raise RefundRefused(
            _("Everything that was paid for this order is given back or on its way already.")
        )


def _refuse_foreign_pieces(order: Order, pieces: Pieces, returned: Pieces) -> None:
    lines = {line.id: line for line in order.lines}
    for line_id, wished in pieces.items():
        line = lines.get(line_id)
        if line is None:
            raise RefundRefused(_("This order has no such line."))
        rest = line.quantity - returned.get(line_id, 0)
        if wished < 1 or wished > rest:
            raise RefundRefused(
                _("Of “%(name)s” %(rest)s can be given back.", name=line.name, rest=rest)
            )


def _amount(order: Order, wish: Wish, returned: Pieces, left: int) -> int:
    if wish.amount is not None:
        return wish.amount
    if not wish.pieces or _is_last(order, wish.pieces, returned):
        return left
    return min(_share(order, wish.pieces, returned), left)


def _is_last(order: Order, pieces: Pieces, returned: Pieces) -> bool:
    """Whether nothing of the order stays with the buyer: then delivery is given back as well."""
    return all(
        pieces.get(line.id, 0) + returned.get(line.id, 0) == line.quantity for line in order.lines
    )


def _share(order: Order, pieces: Pieces, returned: Pieces) -> int:
    """These pieces' part of what was charged for goods, with their part of discount and tax.

    It is the distance between two marks on one scale, so that the parts add up to the whole
    however they are cut.
    """
    before = _worth(order, returned)
    return _mark(order, before + _worth(order, pieces)) - _mark(order, before)


def _worth(order: Order, pieces: Pieces) -> int:
    return sum(line.amount_total * pieces.get(line.id, 0) // line.quantity for line in order.lines)


def _mark(order: Order, worth: int) -> int:
    whole = sum(line.amount_total for line in order.lines)
    charged = order.amount_total - order.amount_shipping
    smallest = step(order.currency)
    return charged * worth // whole // smallest * smallest if whole else 0


def _refuse_unpayable(order: Order, amount: int, left: int) -> None:
    if amount <= 0:
        raise RefundRefused(_("There is nothing to give back: the amount must be more than zero."))
    if amount > left:
        most = format_money(left, order.currency)
        raise RefundRefused(_("At most %(most)s can be given back now.", most=most))
    if amount % step(order.currency):
        code = order.currency.upper()
        raise RefundRefused(_("%(code)s cannot be paid in parts this small.", code=code))


def _pieces(order: Order, wish: Wish, returned: Pieces, is_all: bool) -> Pieces:
    if not wish.restock:
        return wish.pieces
    if order.stock != "sold":
        raise RefundRefused(
            _("This order took nothing from the shelf, so nothing can be put back.")
        )
    if wish.pieces:
        return wish.pieces
    if not is_all:
        raise RefundRefused(
            _("For a part of the money, please say which goods go back on the shelf.")
        )
    rest = {line.id: line.quantity - returned.get(line.id, 0) for line in order.lines}
    return {line_id: pieces for line_id, pieces in rest.items() if pieces > 0}
