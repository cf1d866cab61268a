"""Orders: the table of transitions, evidence for each step, and no effect for who comes second."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import product
from types import SimpleNamespace

import pytest

from storefront import database
from storefront.errors import NotFound
from storefront.extensions import db
from storefront.models import Order
from storefront.models.columns import now
from storefront.models.order import STATES
from storefront.services import orders
from tests.payments.interventions import change_order
from tests.stage import Stage

ALLOWED = {
    ("open", "paid"),
    ("open", "processing"),
    ("open", "expired"),
    ("open", "cancelled"),
    ("processing", "paid"),
    ("processing", "failed"),
    ("expired", "paid"),
    ("cancelled", "paid"),
    ("failed", "paid"),
}


def move(stage: Stage, order: Order, to: str, cause: str = "test") -> bool:
    with stage.app.app_context(), database.writing():
        return orders.move(order, to, cause, lines=order.lines)


@pytest.fixture
def order(stage: Stage) -> Order:
    """An open order for two mugs."""
    stage.open_session(stage.browser(), quantity=2)
    return stage.order()


@pytest.mark.parametrize("before, to", list(product(STATES, STATES)))
def test_it_knows_which_step_may_follow_which(before: str, to: str) -> None:
    assert orders.can_move(before, to) == ((before, to) in ALLOWED)


@pytest.mark.parametrize("before, to", sorted(set(product(STATES, STATES)) - ALLOWED))
def test_it_takes_no_other_step(before: str, to: str) -> None:
    with pytest.raises(RuntimeError, match=f"from {before} to {to}"):
        orders.move(SimpleNamespace(id=1, state=before), to, "test")


@pytest.mark.parametrize(
    "to, stock",
    [
        ("paid", (3, 0, 2)),
        ("processing", (5, 2, 0)),
        ("expired", (5, 0, 0)),
        ("cancelled", (5, 0, 0)),
    ],
)
def test_the_goods_follow_the_state(
    stage: Stage, order: Order, to: str, stock: tuple[int, int, int]
) -> None:
    assert move(stage, order, to) is True
    assert stage.order().state == to
    assert stage.stock() == stock


def test_each_step_leaves_its_evidence(stage: Stage, order: Order) -> None:
    move(stage, order, "paid", "the test")
    first, last = stage.order().steps
    assert (first.before, first.after, first.cause) == (None, "open", "checkout")
    assert (last.before, last.after, last.cause) == ("open", "paid", "the test")
    assert first.at <= last.at <= now()


def test_who_saw_an_older_state_changes_nothing(stage: Stage, order: Order) -> None:
    move(stage, order, "paid")
    for to in ("expired", "cancelled", "processing", "paid"):
        assert move(stage, order, to) is False
    assert stage.steps() == [(None, "open"), ("open", "paid")]
    assert stage.stock() == (3, 0, 2)


def test_of_many_at_once_one_ends_the_hold(stage: Stage, order: Order) -> None:
    turns = ["expired", "cancelled", "paid"] * 2
    with ThreadPoolExecutor(6) as pool:
        won = list(pool.map(lambda to: move(stage, order, to), turns))
    assert won.count(True) == 1
    assert len(stage.steps()) == 2


def test_a_late_payment_takes_the_goods_if_they_are_there(stage: Stage, order: Order) -> None:
    move(stage, order, "expired")
    move(stage, stage.order(), "paid")
    assert (stage.order().stock, stage.order().attention) == ("sold", None)
    assert "the goods were still there" in stage.order().steps[-1].note


def test_a_late_payment_for_what_is_gone_calls_for_a_human(stage: Stage, order: Order) -> None:
    move(stage, order, "expired")
    stage.pay(stage.open_session(stage.browser(), quantity=4))
    move(stage, stage.orders()[0], "paid")
    late = stage.orders()[0]
    assert (late.state, late.stock, late.attention) == ("paid", "short", "oversold")
    assert stage.stock() == (1, 0, 4)


def test_an_order_with_a_session_is_not_given_up(stage: Stage, order: Order) -> None:
    with stage.app.app_context(), database.writing():
        assert orders.give_up(order, "test", "why") is False
    assert stage.order().state == "open"


def test_stripe_is_asked_by_one_at_a_time(stage: Stage, order: Order) -> None:
    def claim(_number: int) -> bool:
        with stage.app.app_context(), database.writing():
            return orders.claim_asking(order.id, now() - timedelta(minutes=1))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(claim, range(4))).count(True) == 1


def test_a_number_opens_nobody_elses_order(stage: Stage, order: Order) -> None:
    stage.add_user()
    eve = stage.add_user("eve@example.com")
    stage.pay(stage.open_session(stage.signed_in()))
    with stage.app.app_context():
        for number in (1001, 1002, 1003, 0, -5):
            with pytest.raises(NotFound):
                orders.get_of_user(number, eve.id)


def test_numbers_are_unique_and_links_cannot_be_guessed(stage: Stage) -> None:
    for _ in range(3):
        stage.open_session(stage.browser())
    found = stage.orders()
    assert [order.number for order in found] == [1001, 1002, 1003]
    assert len({order.token for order in found}) == 3
    assert all(len(order.token) >= 43 for order in found)
    assert not any(order.reference in order.token for order in found)


def test_an_unknown_link_finds_nothing(stage: Stage, order: Order) -> None:
    with stage.app.app_context():
        assert orders.get_by_token(order.token).id == order.id
        for token in ("", order.token[:-1], order.reference, "1001"):
            with pytest.raises(NotFound):
                orders.get_by_token(token)


def test_the_longest_unasked_come_first(stage: Stage) -> None:
    ids = [stage.open_session(stage.browser()) for _ in range(3)]
    for age, session_id in zip((5, 9, 7), ids, strict=True):
        change_order(stage, session_id, asked_at=now() - timedelta(minutes=age))
    with stage.app.app_context():
        found = orders.list_unsettled(now() - timedelta(minutes=6))
        assert [order.checkout_session for order in found] == [ids[1], ids[2]]


def test_an_account_lists_what_came_to_something(stage: Stage) -> None:
    user = stage.add_user()
    ada = stage.signed_in()
    stage.pay(stage.open_session(ada))
    stage.open_session(ada, "YEN")
    stage.pay(stage.open_session(ada, "LAST"))
    with stage.app.app_context():
        found = [order.lines[0].sku for order in orders.list_of_user(user.id)]
    assert found == ["LAST", "MUG"]


def test_it_reads_every_order_once(stage: Stage) -> None:
    for _ in range(3):
        stage.open_session(stage.browser())
    with stage.app.app_context():
        assert [order.number for order in orders.iterate()] == [1001, 1002, 1003]
        assert db.session.scalar(db.select(db.func.count()).select_from(Order)) == 3
