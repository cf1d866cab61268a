"""Subscriptions: a copy of Stripe's newest state, whatever the order in which answers arrive."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from storefront import database, stripe_gateway
from storefront.extensions import db
from storefront.models import Subscription, SubscriptionInvoice, User, Variant
from storefront.models.columns import TOO_LONG
from storefront.services import subscriptions
from tests.stage import Stage

Told = dict[str, Any]


class Member:
    """Ada, who has the yearly plan; and what the shop knows of it."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.user: User = stage.add_user()
        stage.pay(stage.open_session(stage.signed_in(), "CLUB-Y"))
        stage.deliver()
        self.id = stage.order().stripe_subscription or ""

    def do(self, verb: str, *given: Any) -> Any:
        with self.stage.app.app_context(), database.writing():
            return getattr(subscriptions, verb)(*given)

    def told(self, **changes: Any) -> Told:
        """The subscription as Stripe tells it, with these fields changed."""
        with self.stage.app.app_context():
            return stripe_gateway.get_subscription(self.id) | changes

    def copy(self) -> Subscription:
        with self.stage.app.app_context():
            return db.session.scalars(select(Subscription)).one()

    def invoice(self, stripe_id: str) -> tuple[str, int, int, str | None]:
        with self.stage.app.app_context():
            row = db.session.scalars(
                select(SubscriptionInvoice).filter_by(stripe_id=stripe_id)
            ).one()
            return row.status, row.amount_paid, row.attempt_count, row.payment_intent

    def variant_id(self, sku: str) -> int:
        with self.stage.app.app_context():
            return db.session.scalars(select(Variant.id).where(Variant.sku == sku)).one()

    def has(self, sku: str) -> bool:
        found: bool = self.do("has_plan", self.user.id, self.variant_id(sku))
        return found


LATER = 2**62  # nanoseconds: later than anything the clock says
MUCH_LATER = LATER + 1


@pytest.fixture
def member(stage: Stage) -> Member:
    return Member(stage)


def test_a_paid_session_leaves_its_subscription(member: Member) -> None:
    copy = member.copy()
    assert (copy.stripe_id, copy.user_id, copy.status) == (member.id, member.user.id, "active")
    assert copy.order_id == member.stage.order().id
    assert copy.variant_id == member.variant_id("CLUB-Y")


def test_it_copies_what_stripe_says(member: Member) -> None:
    told = member.told(status="past_due", cancel_at_period_end=True)
    assert member.do("mirror", told, LATER) is True
    copy = member.copy()
    assert (copy.status, copy.cancel_at_period_end) == ("past_due", True)
    assert copy.current_period_end is not None
    end = told["items"]["data"][0]["current_period_end"]
    assert copy.current_period_end.timestamp() == end


@pytest.mark.parametrize("asked_at", [LATER, LATER - 1, LATER - TOO_LONG])
def test_an_older_answer_never_takes_us_back(member: Member, asked_at: int) -> None:
    member.do("mirror", member.told(status="canceled"), LATER)
    assert member.do("mirror", member.told(status="active"), asked_at) is False
    assert member.copy().status == "canceled"


def test_a_clock_that_was_ahead_does_not_freeze_the_copy(member: Member) -> None:
    member.do("mirror", member.told(status="past_due"), LATER)
    assert member.do("mirror", member.told(status="active"), LATER - TOO_LONG - 1) is True
    assert member.copy().status == "active"


def test_a_newer_answer_may_take_any_turn(member: Member) -> None:
    member.do("mirror", member.told(status="past_due"), LATER)
    assert member.do("mirror", member.told(status="active"), MUCH_LATER) is True
    assert member.copy().status == "active"


def test_what_was_never_bought_here_is_left_alone(member: Member) -> None:
    foreign = member.told(id="sub_foreign", metadata={})
    assert member.do("mirror", foreign, LATER) is False
    assert member.do("is_known", "sub_foreign") is False
    assert member.copy().stripe_id == member.id


def test_told_of_before_its_purchase_it_finds_its_owner_later(member: Member) -> None:
    early = {"livemode": False, "status": "active"}
    with member.stage.app.app_context(), database.writing():
        subscriptions.remember("sub_early", **early)
        subscriptions.remember("sub_early", **early, user_id=member.user.id)
        row = db.session.scalars(select(Subscription).filter_by(stripe_id="sub_early")).one()
        assert row.user_id == member.user.id


def test_remembering_twice_keeps_the_newer_state(member: Member) -> None:
    member.do("mirror", member.told(status="canceled"), LATER)
    with member.stage.app.app_context(), database.writing():
        subscriptions.remember(member.id, livemode=False, status="active")
    assert member.copy().status == "canceled"


@pytest.mark.parametrize(
    "status, has",
    [
        ("active", True),
        ("trialing", True),
        ("past_due", True),
        ("unpaid", True),
        ("paused", True),
        ("incomplete", True),
        ("canceled", False),
        ("incomplete_expired", False),
    ],
)
def test_who_still_has_a_plan(member: Member, status: str, has: bool) -> None:
    member.do("mirror", member.told(status=status), LATER)
    assert member.has("CLUB-Y") is has


def test_a_plan_at_another_price_is_the_same_plan(member: Member) -> None:
    assert member.has("CLUB") is True
    assert member.has("MUG") is False


def test_a_plan_is_nobody_elses(member: Member) -> None:
    eve = member.stage.add_user("eve@example.com")
    assert member.do("has_plan", eve.id, member.variant_id("CLUB-Y")) is False
    assert member.do("list_of_user", eve.id) == []


def test_the_account_lists_it_at_the_price_it_was_bought_for(member: Member) -> None:
    with member.stage.app.app_context():
        (row,) = subscriptions.list_of_user(member.user.id)
    assert (row.name, row.label, row.unit_amount, row.interval) == ("Club", "Yearly", 9000, "year")


def test_each_invoice_is_one_row(member: Member) -> None:
    with member.stage.app.app_context():
        rows = db.session.scalars(select(SubscriptionInvoice)).all()
        told = stripe_gateway.get_invoice(rows[0].stripe_id)
    assert member.do("record_invoice", told) is True
    assert member.do("record_invoice", told) is True
    with member.stage.app.app_context():
        (row,) = db.session.scalars(select(SubscriptionInvoice))
    assert (row.status, row.amount_paid, row.currency) == ("paid", 9000, "eur")


def test_a_paid_invoice_never_becomes_unpaid(member: Member) -> None:
    with member.stage.app.app_context():
        row = db.session.scalars(select(SubscriptionInvoice)).one()
        told = stripe_gateway.get_invoice(row.stripe_id)
    member.do("record_invoice", told | {"status": "open", "amount_paid": 0})
    with member.stage.app.app_context():
        assert db.session.scalars(select(SubscriptionInvoice)).one().status == "paid"


def test_a_payment_that_fails_and_then_succeeds_is_followed(member: Member) -> None:
    with member.stage.app.app_context():
        row = db.session.scalars(select(SubscriptionInvoice)).one()
        told = stripe_gateway.get_invoice(row.stripe_id) | {"id": "in_second"}
    for tries in (1, 2, 3):
        failed = {"status": "open", "amount_paid": 0, "attempt_count": tries}
        member.do("record_invoice", told | failed | {"payments": {"data": []}})
    assert member.invoice("in_second") == ("open", 0, 3, None)
    member.do("record_invoice", told | {"attempt_count": 4})
    assert member.invoice("in_second") == ("paid", 9000, 4, row.payment_intent)


def test_a_strangers_invoice_is_left_alone(member: Member) -> None:
    with member.stage.app.app_context():
        row = db.session.scalars(select(SubscriptionInvoice)).one()
        told = stripe_gateway.get_invoice(row.stripe_id)
    assert member.do("record_invoice", told | {"id": "in_other", "parent": None}) is False
