"""However Stripe's news come, the books end the same as when each comes at once and in order."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import update

from storefront import database, stripe_gateway
from storefront.extensions import db
from storefront.models import Variant
from storefront.sandbox import InProcessClient, control, mount
from storefront.services import accounts, refunds
from storefront.webhooks.handlers import HANDLERS
from tests.faults import books_as_said
from tests.faults.tale import (
    SHELF,
    SLOW_REFUNDS,
    Schedule,
    Tale,
    backwards,
    repaid,
    schedules,
    subscribed,
    tales,
)
from tests.faults.telling import Telling
from tests.stage import SHOP_URL, Stage

Fresh = Callable[[], Stage]
GOODS = ("product", "variant")
Careless = Callable[[pytest.MonkeyPatch], None]
EXAMPLES = 50
ANY = tales()


@pytest.fixture
def fresh(app: Flask, sandbox: Flask, monkeypatch: pytest.MonkeyPatch) -> Iterator[Fresh]:
    """Gives a new shop and a new Stripe each time: the same ones, with all forgotten."""
    logging.disable(logging.CRITICAL)  # thousands of failed calls, each with its traceback
    client = InProcessClient(sandbox)
    monkeypatch.setattr(client, "_sleep_time_seconds", lambda _retry: 0.0)
    monkeypatch.setattr(accounts, "HASH_METHOD", "scrypt:256:8:1")
    stripe_gateway.use(app, client, f"{SHOP_URL}/sandbox")
    mount(app, sandbox)

    stage = Stage(app, sandbox, client)
    for variant in SHELF:
        stage.add_product(variant, slug=variant["sku"].lower(), name=variant["sku"].title())

    def make() -> Stage:
        with app.app_context(), database.writing():
            for table in reversed(db.metadata.sorted_tables):
                if table.name not in GOODS:
                    db.session.execute(table.delete())
            for variant in SHELF:
                full = {"held": 0, "sold": 0, "on_hand": variant["on_hand"]}
                db.session.execute(update(Variant).filter_by(sku=variant["sku"]).values(full))
        control.reset(sandbox)
        return stage

    yield make
    logging.disable(logging.NOTSET)


def compare(fresh: Fresh, tale: Tale, schedule: Schedule) -> None:
    """Tell a tale twice, and hold the two shops' books against each other."""
    in_order, otherwise = (_told(fresh, tale, how) for how in (None, schedule))
    for name, books in in_order.items():
        assert otherwise[name] == books, name


def _told(fresh: Fresh, tale: Tale, schedule: Schedule | None) -> dict[str, Any]:
    telling = Telling(fresh(), schedule)
    telling.tell(tale)
    books = books_as_said.read(telling.stage)
    stripe = books_as_said.read_stripe(telling.stage)
    return {"acts": telling.outcomes, "Stripe": stripe} | books


def run(
    fresh: Fresh, examples: int, told: Any = ANY, heard: Any = schedules, *phases: Phase
) -> None:
    """Compare so many tales under schedules: always the same ones, but in the long form."""

    @settings(
        max_examples=examples,
        derandomize=examples <= EXAMPLES,
        database=None,
        deadline=None,
        phases=phases or (Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
        print_blob=False,
    )
    @given(told, heard)
    def every(tale: Tale, schedule: Schedule) -> None:
        compare(fresh, tale, schedule)

    every()


def test_any_schedule_ends_in_the_same_books(fresh: Fresh, database_url: str) -> None:
    """DIFFERENTIAL_EXAMPLES=1000 is a long form, of tales that are new each time."""
    few = 0 if database_url.startswith("sqlite") else 10
    run(fresh, few or int(os.environ.get("DIFFERENTIAL_EXAMPLES", EXAMPLES)))


def trust_what_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    """A subscription is what the event that came last says of it."""
    for name, handler in HANDLERS.items():
        if name.startswith("customer.subscription"):
            monkeypatch.setitem(HANDLERS, name, replace(handler, is_enough=lambda _event: True))


def take_refunds_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Any news of a refund counts as newer than what is known of it."""

    class Ranks(dict[str, int]):
        numbers = count()

        def __getitem__(self, _state: str) -> int:
            return -next(self.numbers)

    monkeypatch.setattr(refunds, "RANKS", Ranks())


@pytest.mark.parametrize(
    "careless, lives",
    [(trust_what_comes_last, subscribed()), (take_refunds_back, repaid(SLOW_REFUNDS))],
)
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_shop_that_goes_by_the_order_of_news_is_convicted(
    fresh: Fresh, monkeypatch: pytest.MonkeyPatch, careless: Careless, lives: Any
) -> None:
    careless(monkeypatch)
    with pytest.raises(AssertionError, match="orders"):
        run(fresh, 40, tales(lives, most=1), st.just(backwards), Phase.generate)
