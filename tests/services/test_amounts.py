"""Amounts through shop and Stripe, to the minor unit: what is asked is charged, and can go back."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storefront import money
from storefront.errors import InvalidInput, RefundRefused
from storefront.money import MAX_AMOUNT, format_money, parse_money, to_decimal
from storefront.sandbox import money as stripes
from storefront.services.refund_shares import Wish, left_of, plan
from tests.payments.interventions import calls, on_sqlite
from tests.payments.refunding import ASK, Sale
from tests.services.test_refund_shares import order_of
from tests.stage import Stage

ALL = sorted(stripes.CURRENCIES)
# Two decimals as most have, others than locales say, none, three of which two count, and the two
# that are written with decimals and charged in whole units.
TRIED = ("eur", "huf", "rsd", "jpy", "kwd", "tnd", "isk", "ugx")
tried = pytest.mark.parametrize("currency", TRIED)

currencies = st.sampled_from(ALL)
SIGNS = "".join({sign for code in ALL for sign in format_money(0, code)} - set("0."))


def least(currency: str) -> int:
    return max(money.minimum(currency), money.step(currency))


def most(currency: str) -> int:
    return MAX_AMOUNT // money.step(currency) * money.step(currency)


def odd(currency: str) -> int:
    """A price that nobody would round: a prime number of the smallest parts."""
    return 104_729 * money.step(currency)


def sell(stage: Stage, currency: str, unit_amount: int, quantity: int = 1) -> Sale:
    """Sell something at this price, in this currency, and hear that it was paid."""
    sku = f"{currency}-{unit_amount}"
    add(stage, currency, unit_amount, sku)
    return Sale(stage, sku, quantity=quantity)


def add(stage: Stage, currency: str, unit_amount: int, sku: str = "PRICED") -> None:
    variant = {"sku": sku, "unit_amount": unit_amount, "currency": currency, "on_hand": 9}
    stage.add_product(variant, slug=sku.lower(), name="Priced")


def charged(sale: Sale) -> tuple[int, str]:
    """What Stripe took."""
    client = sale.stage.app.extensions["stripe"]
    payment = client.v1.payment_intents.retrieve(sale.order.payment_intent)
    return payment.amount_received, payment.currency


def command(stage: Stage, *words: str) -> Any:
    return stage.app.test_cli_runner().invoke(args=["shop", *words])


def test_shop_and_sandbox_were_told_the_same_of_every_currency() -> None:
    """Two tables that were written apart from each other."""
    ours = {code: (money.exponent(code), money.step(code), money.minimum(code)) for code in ALL}
    assert ours == {
        code: (stripes.decimals(code), stripes.smallest_step(code), stripes.minimum(code))
        for code in ALL
    }


@on_sqlite
@tried
def test_the_least_the_most_and_odd_amounts_are_charged_and_given_back(
    stage: Stage, currency: str
) -> None:
    smallest = money.step(currency)
    for amount in (least(currency), odd(currency), most(currency)):
        sale = sell(stage, currency, amount)
        assert charged(sale) == (sale.order.amount_total, sale.order.currency) == (amount, currency)
        if amount > smallest:
            sale.give_back(smallest)
            assert sale.counted == (smallest, 0)
        sale.give_back()
        assert sale.counted == (amount, 0)
        assert sum(refund["amount"] for refund in sale.at_stripe()) == amount
        with pytest.raises(RefundRefused):
            sale.ask(smallest)


@on_sqlite
@tried
def test_pieces_come_back_one_by_one_until_nothing_is_left(stage: Stage, currency: str) -> None:
    sale = sell(stage, currency, odd(currency), quantity=3)
    assert charged(sale) == (sale.order.amount_total, currency) == (3 * odd(currency), currency)
    assert sum(line.amount_total for line in sale.order.lines) == sale.order.amount_total
    (line,) = sale.order.lines
    for back in (1, 2, 3):
        sale.give_back(pieces={line.id: 1}, restock=True)
        assert sale.counted == (back * odd(currency), 0)
    parts = [refund["amount"] for refund in sale.at_stripe()]
    assert parts == [odd(currency)] * 3
    assert stage.stock(line.sku) == (9, 0, 0)


@on_sqlite
@pytest.mark.parametrize("currency", ["kwd", "isk"])
def test_a_part_too_small_for_its_currency_never_reaches_stripe(
    stage: Stage, currency: str
) -> None:
    sale = sell(stage, currency, odd(currency))
    with pytest.raises(RefundRefused, match="parts this small"):
        sale.ask(money.step(currency) // 2)
    assert (sale.counted, calls(stage, ASK)) == ((0, 0), [])


@on_sqlite
@pytest.mark.parametrize(
    "currency, amount",
    [
        *(("eur", 49), ("jpy", 49), ("huf", 17_499), ("eur", MAX_AMOUNT + 1)),
        *(("kwd", 12_345), ("bhd", 1), ("isk", 1_250), ("ugx", 99)),
    ],
)
def test_what_stripe_would_not_charge_gets_no_price(
    stage: Stage, currency: str, amount: int
) -> None:
    with pytest.raises(InvalidInput):
        add(stage, currency, amount)


@on_sqlite
@pytest.mark.parametrize("currency", ["eur", "kwd"])
def test_many_of_a_dear_thing_are_more_than_stripe_charges(stage: Stage, currency: str) -> None:
    add(stage, currency, most(currency))
    answer = stage.buy(stage.browser(), "PRICED", quantity=2)
    assert (answer.status_code, stage.stock("PRICED")) == (400, (9, 0, 0))


@on_sqlite
@pytest.mark.parametrize(
    "currency, typed, amount",
    [
        ("eur", "12.50", 1250),
        ("eur", "12.505", None),
        ("eur", "-1", None),
        ("huf", "12.5", 1250),
        ("jpy", "1,250", 1250),
        ("jpy", "12.5", None),
        ("kwd", "1.23", 1230),
        ("kwd", "1.235", None),
        ("isk", "125", 12_500),
        ("ugx", "12.5", None),
    ],
)
def test_an_amount_on_the_command_line_is_in_the_orders_currency(
    stage: Stage, currency: str, typed: str, amount: int | None
) -> None:
    sale = sell(stage, currency, odd(currency))
    number = str(sale.order.number)
    answer = command(stage, "refund", number, f"--amount={typed}", "--yes")
    assert (answer.exit_code == 0) is (amount is not None), answer.output
    assert sale.counted == (amount or 0, 0)
    assert [refund["amount"] for refund in sale.at_stripe()] == ([amount] if amount else [])
    if amount is None:
        assert f"is not an amount in {currency.upper()}" in answer.output


@given(currencies, st.integers(0, MAX_AMOUNT))
def test_whatever_can_be_charged_is_written_and_read_again(currency: str, parts: int) -> None:
    amount = parts // money.step(currency) * money.step(currency)
    assert parse_money(f"{to_decimal(amount, currency):f}", currency) == amount
    shown = format_money(amount, currency).lstrip(SIGNS)
    assert parse_money(shown, currency) == amount


wishes = st.lists(st.tuples(st.booleans(), st.integers(1, 3), st.integers(1, 20_000)), max_size=8)


@given(
    currencies,
    st.lists(st.tuples(st.integers(1, 4), st.integers(1, 5000)), min_size=1, max_size=4),
    st.integers(0, 3000),
    st.integers(0, 60),
    wishes,
)
def test_amounts_and_pieces_in_any_turn_end_at_nothing_left(
    currency: str,
    lines: list[tuple[int, int]],
    delivery: int,
    percent_off: int,
    wished: list[tuple[bool, int, int]],
) -> None:
    smallest = money.step(currency)
    order = order_of(*[(n, price * smallest) for n, price in lines], currency=currency)
    goods = order.amount_total * (100 - percent_off) // 100 // smallest * smallest
    order.amount_shipping = delivery * smallest
    order.amount_total = goods + order.amount_shipping
    returned: dict[int, int] = {}
    for by_amount, place, parts in [*wished, (True, 0, 0)]:
        line = order.lines[place % len(order.lines)]
        wish = Wish(amount=parts * smallest) if by_amount else Wish(pieces={line.id: 1})
        try:
            planned = plan(order, wish if parts else Wish(), returned)
        except RefundRefused:
            continue
        assert 0 < planned.amount <= left_of(order)
        assert planned.amount % smallest == 0
        order.amount_refunded += planned.amount
        for line_id, pieces in planned.pieces.items():
            returned[line_id] = returned.get(line_id, 0) + pieces
    assert left_of(order) == 0
