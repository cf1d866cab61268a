"""Stripe away, the disk full, the server told to end, the clock wrong: what is answered meanwhile.

Afterwards everything goes on without a hand, and nothing is lost. (The locked database, PostgreSQL
and the mail server have tests of their own.)
"""

from __future__ import annotations

import signal
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
import requests

from tests.faults.databases import make_empty
from tests.faults.judging import check_paid_once, check_stock
from tests.faults.serving import Served, Visitor, serving
from tests.faults.strace import ENOSPC, Blow, need_strace, watching
from tests.faults.stripe_apart import LocalStripe
from tests.faults.together import wait_until


@pytest.fixture(scope="module")
def stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalStripe]:
    stripe = LocalStripe(tmp_path_factory.mktemp("stripe"))
    yield stripe
    stripe.stop()


@pytest.fixture(scope="module")
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, stripe: LocalStripe
) -> Iterator[Served]:
    """A shop on a disk of its own, where that is permitted."""
    folder = tmp_path_factory.mktemp("outages")
    mounting = ["mount", "-t", "tmpfs", "-o", "size=4m", "storefront-tests", str(folder)]
    mounted = subprocess.run(mounting, capture_output=True, check=False).returncode == 0
    try:
        with serving(folder, make_empty("sqlite", folder, request), stripe=stripe) as shop:
            yield shop
    finally:
        if mounted:
            subprocess.run(["umount", "--lazy", str(folder)], check=False)


def check_come_back(answer: requests.Response) -> None:
    """A script is told in words to come back, and how soon."""
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["error"]["message"]


def check_going_on(shop: Served, buyer: Visitor, sku: str) -> None:
    """Who was sent away presses again: one order, one session, and it can be paid."""
    session_id = buyer.open_session(sku)
    *given_up, order = shop.orders_of(sku)
    assert {earlier.state for earlier in given_up} <= {"cancelled"}
    assert order.checkout_session == session_id
    assert len(shop.sessions_at_stripe(order.reference)) == 1
    shop.stage.pay(session_id)
    assert shop.deliver(shop.event(session_id)) == 200
    check_paid_once(shop, session_id)


# -- Stripe


def test_without_stripe_the_shop_is_open_and_buyers_are_asked_to_come_back(
    shop: Served, stripe: LocalStripe
) -> None:
    sku, late = shop.add_goods(1), shop.paid_session(shop.add_goods(1))
    event, buyer = shop.event(late), shop.visitor()
    stripe.stop()
    try:
        answer = buyer.buy(sku)
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "payment_unavailable"
        assert buyer.get(f"/products/{sku}").status_code == 200
        assert shop.deliver(event) == 200, "what Stripe has said already needs no Stripe"
        assert shop.stage.work()["unanswered"] <= 3
        check_stock(shop)
    finally:
        stripe.start()
    check_paid_once(shop, late)
    check_going_on(shop, buyer, sku)


# -- the disk


@contextmanager
def full_disk(shop: Served) -> Iterator[None]:
    """No byte more fits on the shop's disk; on one that it shares, strace says so."""
    if not shop.folder.is_mount():
        need_strace(shop.folder)
        files = [shop.folder / name for name in ("shop.sqlite", "shop.sqlite-wal")]
        with watching(shop.workers(), files, shop.folder, Blow("pwrite64", 1, ENOSPC)):
            yield
        return
    filler = shop.folder / "filler"
    try:
        _fill(filler)
        yield
    finally:
        filler.unlink()


def _fill(path: Path) -> None:
    with path.open("wb", buffering=0) as file:
        for size in (65536, 4096, 1):
            try:
                while file.write(bytes(size)) == size:
                    pass
            except OSError:
                continue


def test_on_a_full_disk_pages_are_served_and_what_must_be_written_waits(shop: Served) -> None:
    sku, session_id = shop.add_goods(1), shop.paid_session(shop.add_goods(1))
    event, buyer = shop.event(session_id), shop.visitor()
    with full_disk(shop):
        check_come_back(buyer.buy(sku))
        assert shop.deliver(event) == 503
        assert buyer.get(f"/products/{sku}").status_code == 200
    check_stock(shop)
    assert shop.deliver(event) == 200
    check_paid_once(shop, session_id)
    check_going_on(shop, buyer, sku)


# -- the end of the server


def test_a_purchase_under_way_is_finished_before_the_server_ends(
    shop: Served, stripe: LocalStripe
) -> None:
    sku, buyer = shop.add_goods(1), shop.visitor()
    assert shop.master is not None
    stripe.process.send_signal(signal.SIGSTOP)
    try:
        with ThreadPoolExecutor(1) as pool:
            pressed = pool.submit(buyer.buy, sku)
            wait_until(lambda: bool(shop.orders_of(sku)))
            shop.master.terminate()
            stripe.process.send_signal(signal.SIGCONT)
            answer = pressed.result(30)
    finally:
        stripe.process.send_signal(signal.SIGCONT)
    assert answer.status_code == 200, answer.text
    assert shop.master.wait(30) == 0
    shop.start()
    check_going_on(shop, buyer, sku)


# -- the clock


def skewed(
    request: pytest.FixtureRequest, folder: Path, stripe: LocalStripe, minutes: int
) -> AbstractContextManager[Served]:
    """A shop on a computer whose clock is so many minutes ahead."""
    wsgi = f"tests.faults.skewed:make({minutes})"
    url = make_empty("sqlite", folder, request)
    return serving(folder, url, wsgi, "--preload", "--workers", "1", stripe=stripe)


def test_with_a_fast_clock_payments_find_home_without_webhooks(
    request: pytest.FixtureRequest, tmp_path: Path, stripe: LocalStripe
) -> None:
    with skewed(request, tmp_path, stripe, 10) as shop:
        sku, buyer = shop.add_goods(2), shop.visitor()
        session_id = buyer.open_session(sku)
        assert shop.visitor().open_session(sku) != session_id
        shop.stage.pay(session_id)
        assert shop.deliver(shop.event(session_id)) == 400
        assert "clock skew" in shop.log.read_text()
        assert buyer.get(f"/payment/success?sessid={session_id}").status_code == 200
        shop.stage.work()
        assert shop.stage.stock(sku) == (1, 1, 1), "a hold ended before its time"
        check_paid_once(shop, session_id)


def test_with_a_slow_clock_nobody_is_charged_and_nothing_stays_held(
    request: pytest.FixtureRequest, tmp_path: Path, stripe: LocalStripe
) -> None:
    """The shortest hold ends too soon by Stripe's clock, which then opens no session."""
    with skewed(request, tmp_path, stripe, -10) as shop:
        sku, buyer = shop.add_goods(1), shop.visitor()
        answer = buyer.buy(sku)
        assert answer.status_code == 503
        assert answer.json()["error"]["code"] == "payment_unavailable"
        assert buyer.get(f"/products/{sku}").status_code == 200
        assert shop.deliver(b"{}") == 400
        assert "clock skew" in shop.log.read_text()
        assert shop.stage.stock(sku) == (1, 0, 0)
        check_stock(shop)
