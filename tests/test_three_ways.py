"""Webhook, success page and `work`: each alone brings home what happened at Stripe."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from storefront.sandbox import control
from tests.books import Bookmark, dump
from tests.payments.interventions import on_sqlite
from tests.stage import Stage
from tests.webhooks.telling import invoices, subscriptions

YEAR = 366


@pytest.fixture
def stage(stage: Stage) -> Stage:
    """The common stage, and nothing is told until a test says which way it comes home."""
    stage.silence()
    stage.add_user()
    return stage


class Scene:
    """What a buyer and Stripe do, and how the shop must see it in the end."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.browser: FlaskClient = stage.browser()
        self.session = ""

    def buy(self, sku: str = "MUG", how: str = "pm_card_visa") -> None:
        if sku.startswith("CLUB"):
            self.browser = self.stage.signed_in()
        self.session = self.stage.open_session(self.browser, sku)
        if how:
            self.stage.pay(self.session, how)

    def plan(self) -> str:
        client = self.stage.app.extensions["stripe"]
        found: str = client.v1.subscriptions.list({"status": "all"}).data[0].id
        return found

    def paid(self) -> Any:
        self.buy()
        return lambda: self.stage.order().state == "paid" and self.stage.stock() == (4, 0, 1)

    def delayed_then_paid(self) -> Any:
        self.buy("MUG", "bank_debit")
        control.settle_payment(self.stage.sandbox, self.session)
        return lambda: self.stage.order().state == "paid" and self.stage.stock() == (4, 0, 1)

    def delayed_then_failed(self) -> Any:
        self.buy("MUG", "bank_debit")
        control.fail_payment(self.stage.sandbox, self.session)
        return lambda: self.stage.order().state == "failed" and self.stage.stock() == (5, 0, 0)

    def expired(self) -> Any:
        self.buy("MUG", "")
        control.expire_session(self.stage.sandbox, self.session)
        return lambda: self.stage.order().state == "expired" and self.stage.stock() == (5, 0, 0)

    def refunded(self) -> Any:
        self.buy()
        control.refund(self.stage.sandbox, self.session, 1000)
        return lambda: (
            (self.stage.order().state, self.stage.order().amount_refunded) == ("paid", 1000)
        )

    def disputed(self) -> Any:
        self.buy()
        control.dispute(self.stage.sandbox, self.session)
        return lambda: (
            (self.stage.order().state, self.stage.order().attention) == ("paid", "disputed")
        )

    def subscribed(self) -> Any:
        self.buy("CLUB-Y")
        return lambda: (
            self.stage.order().state == "paid"
            and [row.status for row in subscriptions(self.stage)] == ["active"]
        )

    def renewed(self) -> Any:
        self.buy("CLUB-Y")
        self.stage.work()
        control.advance_clock(self.stage.sandbox, YEAR * 86400)
        return lambda: (
            [row.amount_paid for row in invoices(self.stage)] == [9000, 9000]
            and all(row.payment_intent for row in invoices(self.stage))
            and self.stage.order().payment_intent == invoices(self.stage)[0].payment_intent
        )

    def cancelled(self) -> Any:
        self.buy("CLUB")
        control.cancel_subscription(self.stage.sandbox, self.plan())
        return lambda: [row.status for row in subscriptions(self.stage)] == ["canceled"]


def by_webhook(scene: Scene) -> None:
    control.set_switches(scene.stage.sandbox, paused=False)
    scene.stage.deliver()


def by_page(scene: Scene) -> None:
    page = scene.browser.get(f"/payment/success?sessid={scene.session}")
    assert page.status_code == 200


def by_work(scene: Scene) -> None:
    scene.stage.work()


SESSION_SCENES = ("paid", "delayed_then_paid", "delayed_then_failed", "expired", "subscribed")
OTHER_SCENES = ("refunded", "disputed", "renewed", "cancelled")
CASES = [(by_page, name) for name in SESSION_SCENES] + [
    (way, name) for way in (by_webhook, by_work) for name in SESSION_SCENES + OTHER_SCENES
]


@pytest.mark.parametrize(
    ("way", "name"), CASES, ids=[f"{way.__name__}-{name}" for way, name in CASES]
)
def test_each_way_alone_is_enough(stage: Stage, way: Callable[[Scene], None], name: str) -> None:
    scene = Scene(stage)
    is_home = getattr(scene, name)()
    assert not is_home()
    way(scene)
    assert is_home()


def live(stage: Stage, days: int = 3) -> None:
    """Some days of a small shop, of which nobody tells it."""
    for act in SESSION_SCENES:
        getattr(Scene(stage), act)()
    first, second = (order.checkout_session or "" for order in stage.orders()[:2])
    control.refund(stage.sandbox, first, 1000)
    control.dispute(stage.sandbox, second)
    control.end_with_period(stage.sandbox, Scene(stage).plan())
    for _ in range(days):
        control.advance_clock(stage.sandbox, 86400)


# How the news came, when, and over which steps, may differ; what is true now may not.
ON_THE_WAY = {
    *("order_step", "stripe_event", "outgoing_mail"),
    *("id", "created_at", "paid_at", "received_at"),
}


@on_sqlite
def test_after_three_days_without_a_webhook_one_pass_makes_good_for_all(stage: Stage) -> None:
    live(stage)
    deaf = Bookmark(stage.app)
    stage.work()
    by_one_pass = dump(stage.app, without=ON_THE_WAY)
    deaf.go_back()
    by_webhook(Scene(stage))
    assert dump(stage.app, without=ON_THE_WAY) == by_one_pass
    states = sorted(order.state for order in stage.orders())
    assert states == ["expired", "failed", "paid", "paid", "paid"]
    assert subscriptions(stage)[0].cancel_at_period_end is True


@on_sqlite
def test_what_was_fetched_changes_nothing_when_it_is_delivered_at_last(stage: Stage) -> None:
    live(stage)
    stage.work()
    before = dump(stage.app)
    by_webhook(Scene(stage))
    assert dump(stage.app) == before
