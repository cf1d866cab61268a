"""Another program holds SQLite's write lock for long: writers are told, readers served."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import partial
from typing import Any

import pytest

from storefront.database import BUSY_SECONDS
from tests.faults.databases import make_empty
from tests.faults.judging import check_paid_once, check_stock
from tests.faults.serving import Served, serving
from tests.faults.together import at_once


class Locked:
    """What visitors and Stripe were answered during one long lock, and in how many seconds."""

    def __init__(self, shop: Served) -> None:
        self.shop, self.sku = shop, shop.add_goods(5)
        self.visitor = shop.visitor()
        self.session_id = shop.paid_session(self.sku)
        self.event = shop.event(self.session_id)
        path = shop.folder / "shop.sqlite"
        with closing(sqlite3.connect(path, isolation_level=None)) as stranger:
            stranger.execute("BEGIN IMMEDIATE")
            # Two writers wait, so that no worker is out of threads for the pages.
            calls = [
                partial(self.visitor.buy, self.sku),
                partial(shop.deliver, self.event),
                *[partial(self.visitor.get, f"/products/{self.sku}")] * 4,
            ]
            answers = at_once([partial(timed, call) for call in calls], threads=6)
            stranger.execute("ROLLBACK")
        self.buy, self.webhook, *self.pages = answers


def timed(call: Callable[[], Any]) -> tuple[Any, float]:
    """What the call returned, and how many seconds that took."""
    started = time.monotonic()
    return call(), time.monotonic() - started


@pytest.fixture(scope="module")
def locked(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Locked]:
    folder = tmp_path_factory.mktemp("locked")
    with serving(folder, make_empty("sqlite", folder, request)) as shop:
        yield Locked(shop)


def test_a_buyer_is_asked_to_come_back(locked: Locked) -> None:
    answer, seconds = locked.buy
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0
    assert seconds < BUSY_SECONDS + 2


def test_pages_are_served_all_the_while(locked: Locked) -> None:
    for answer, seconds in locked.pages:
        assert answer.status_code == 200
        assert seconds < BUSY_SECONDS, "it waited with the writers"


def test_stripe_is_told_to_deliver_again(locked: Locked) -> None:
    status, seconds = locked.webhook
    assert status == 503
    assert seconds < BUSY_SECONDS + 2


def test_nothing_is_lost_once_the_lock_is_gone(locked: Locked) -> None:
    check_stock(locked.shop)
    assert locked.shop.deliver(locked.event) == 200
    check_paid_once(locked.shop, locked.session_id)
    locked.visitor.open_session(locked.sku)
    assert locked.shop.stage.stock(locked.sku) == (4, 1, 1)
