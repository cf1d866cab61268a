"""What goods are worth when they come back: their share of what was charged, to the last cent."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront.errors import RefundRefused
from storefront.models import Order, OrderLine
from storefront.money import THREE_DECIMAL, WHOLE_UNITS, ZERO_DECIMAL, step
from storefront.services.refund_shares import Wish, plan

CURRENCIES = sorted({"eur", "usd", *THREE_DECIMAL, *WHOLE_UNITS, *ZERO_DECIMAL})


def order_of(*lines: tuple[int, int], currency: str = "eur", **amounts: int) -> Order:
    """A paid order of lines (quantity, price of one), as they were read from the database."""
    made = [
        OrderLine(
            id=place, sku=f"L{place}", name=f"Line {place}", quantity=quantity,
            unit_amount=price, amount_total=quantity * price,
        )
        for place, (quantity, price) in enumerate(lines, 1)
    ]  # fmt: skip
    total = sum(line.amount_total for line in made)
    columns = {"amount_total": total, "amount_shipping": 0} | amounts
    return Order(
        id=1, state="paid", stock="sold", payment_intent="pi_1", currency=currency, lines=made,
        amount_refunded=0, amount_refunding=0, **columns,
    )  # fmt: skip


def amount(order: Order, pieces: dict[int, int], returned: dict[int, int] | None = None) -> int:
    return plan(order, Wish(pieces=pieces), returned or {}).amount


def test_a_line_is_worth_what_was_charged_for_it() -> None:
    order = order_of((2, 1000), (1, 3000))
    assert amount(order, {1: 1}) == 1000
    assert amount(order, {2: 1}) == 3000


def test_a_discount_is_shared_by_all_lines() -> None:
    assert amount(order_of((2, 1000), (1, 3000), amount_total=4000), {1: 1}) == 800


def test_delivery_is_given_back_with_the_last_piece_only() -> None:
    order = order_of((1, 1000), (1, 3000), amount_total=4500, amount_shipping=500)
    assert amount(order, {1: 1}) == 1000
    order.amount_refunded = 1000
    assert amount(order, {2: 1}, {1: 1}) == 3500


def test_it_is_never_more_than_what_is_left() -> None:
    order = order_of((1, 1000), (1, 3000))
    order.amount_refunded = 3900
    assert amount(order, {1: 1}) == 100


def test_an_amount_named_with_the_goods_counts() -> None:
    assert plan(order_of((2, 1000)), Wish(amount=250, pieces={1: 1}), {}).amount == 250


@pytest.mark.parametrize("currency, much", [("kwd", 1005), ("ugx", 150), ("isk", 10)])
def test_parts_that_stripe_cannot_pay_are_refused(currency: str, much: int) -> None:
    with pytest.raises(RefundRefused, match="parts this small"):
        plan(order_of((1, 10000), currency=currency), Wish(amount=much), {})


@given(
    st.sampled_from(CURRENCIES),
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 5000)), min_size=1, max_size=4),
    st.integers(-40, 40),
    st.data(),
)
def test_the_parts_add_up_to_the_whole_however_they_are_cut(
    currency: str, lines: list[tuple[int, int]], percent: int, data: st.DataObject
) -> None:
    unit = step(currency)
    order = order_of(*[(n, price * unit) for n, price in lines], currency=currency)
    order.amount_total = order.amount_total * (100 + percent) // 100 // unit * unit or unit
    returned: dict[int, int] = {}
    one_by_one = data.draw(
        st.permutations([line.id for line in order.lines for _ in range(line.quantity)])
    )
    for line_id in one_by_one:
        try:
            part = amount(order, {line_id: 1}, returned)
        except RefundRefused:  # a piece worth less than the smallest part: nothing by itself
            part = 0
        assert 0 <= part <= order.amount_total - order.amount_refunded and part % unit == 0
        order.amount_refunded += part
        returned[line_id] = returned.get(line_id, 0) + 1
    assert order.amount_refunded == order.amount_total
