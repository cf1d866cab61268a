"""The sweep: killed at, and the disk failing at, each write and sync of one request after another.

The short form takes points evenly from all of them, `make faults` every one. Whatever was answered,
then the event comes again, the buyer presses again, the merchant asks again: it is done, once.
"""

from __future__ import annotations

import os
import random
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from storefront.extensions import db
from storefront.models import OutgoingMail, Refund, StripeEvent
from storefront.sandbox.core import state
from tests.faults.clerk import DONE, KILLED, UNEXPECTED, Clerk
from tests.faults.databases import make_empty
from tests.faults.judging import check_paid_once, check_stock
from tests.faults.serving import CUT_OFF, Served, Visitor
from tests.faults.strace import ENOSPC, KILL, KINDS, Blow, need_strace, watching
from tests.faults.stripe_apart import LocalStripe
from tests.faults.together import wait_until

EVERY = os.environ.get("SWEEP") == "every"
SYNCS = ("fsync", "fdatasync")
CHOSEN = 5  # points of each request and each kind of blow, in the short form
MOST = 400


class Swept:
    """The shop with one worker, on a disk that fails when it is told to."""

    def __init__(self, shop: Served) -> None:
        self.shop, self.clerk = shop, Clerk(shop)
        path = shop.folder / "shop.sqlite"
        self.files = [path, *(path.with_name(path.name + end) for end in ("-wal", "-journal"))]
        self.buyers = 0

    def visitor(self) -> Visitor:
        """Each from an address of his own, so that nobody is told that he tries too often."""
        self.buyers += 1
        address = f"10.8.{self.buyers // 250}.{self.buyers % 250}"
        return Visitor(self.shop.url, address=address)

    def paid_session(self, sku: str) -> str:
        """Somebody has paid, and the shop does not know."""
        session_id = self.visitor().open_session(sku)
        self.shop.stage.pay(session_id)
        return session_id

    def worker(self) -> int:
        """The process that serves, once it does."""
        wait_until(lambda: self.shop.visitor().get("/readyz").status_code == 200)
        (pid,) = self.shop.workers()
        return pid

    def check_file(self) -> None:
        """The database is whole."""
        with self.shop.stage.app.app_context():
            assert db.session.scalar(db.text("PRAGMA integrity_check")) == "ok"
            db.session.rollback()


class Scene(ABC):
    """One request on goods of its own: `act` under a fault, `again` without, then `judge`."""

    def __init__(self, swept: Swept) -> None:
        self.swept, self.shop = swept, swept.shop
        self.sku = self.shop.add_goods(1)
        self.prepare()

    @abstractmethod
    def prepare(self) -> None:
        """Everything before the request."""

    def pid(self) -> int:
        """The process that writes."""
        return self.swept.worker()

    @abstractmethod
    def act(self) -> int:
        """Do it; an answer's status, 0 for none."""

    @abstractmethod
    def again(self) -> None:
        """Do it until it is done, and what follows from it."""

    @abstractmethod
    def judge(self) -> None:
        """It is done once."""


class Webhook(Scene):
    """Stripe tells of a payment."""

    def prepare(self) -> None:
        self.session = self.swept.paid_session(self.sku)
        self.event = self.shop.event(self.session)

    def act(self) -> int:
        status = self.shop.deliver(self.event)
        if status == 200:  # never forgotten, whatever the disk did after it
            assert self.is_remembered()
        return status

    def again(self) -> None:
        assert self.shop.deliver_until_taken(self.event) == 200

    def judge(self) -> None:
        check_paid_once(self.shop, self.session)
        assert self.is_remembered()
        assert self.shop.stage.stock(self.sku) == (0, 0, 1)
        assert kinds_of_mail(self.shop, self.session) == ["new_order", "order_confirmation"]

    def is_remembered(self) -> bool:
        """Whether the event is in the inbox with its effect."""
        id = self.shop.id_of(self.event)
        with self.shop.stage.app.app_context():
            found = db.session.scalar(select(StripeEvent.state).filter_by(id=id))
            db.session.rollback()
        return found == "applied"


class Purchase(Scene):
    """A buyer presses Buy."""

    def prepare(self) -> None:
        self.buyer = self.swept.visitor()

    def act(self) -> int:
        try:
            return self.buyer.buy(self.sku).status_code
        except CUT_OFF:
            return 0

    def again(self) -> None:
        self.session = self.buyer.open_session(self.sku)

    def judge(self) -> None:
        (order,) = self.shop.orders_of(self.sku)
        assert (order.state, order.checkout_session) == ("open", self.session)
        assert len(self.shop.sessions_at_stripe(order.reference)) == 1
        assert self.shop.stage.stock(self.sku) == (1, 1, 0)
        self.shop.stage.pay(self.session)
        assert self.shop.deliver(self.shop.event(self.session)) == 200
        check_paid_once(self.shop, self.session)


class GivingBack(Scene):
    """The merchant gives the money back, in a process of his own, and puts the goods back."""

    def prepare(self) -> None:
        session = self.swept.paid_session(self.sku)
        assert self.shop.deliver(self.shop.event(session)) == 200
        (self.order,) = self.shop.orders_of(self.sku)
        self.wish = {
            "number": self.order.number,
            "amount": self.order.amount_total,
            "key": str(uuid.uuid4()),
            "restock": True,
        }
        self.swept.clerk.give_back([])  # it is there

    def pid(self) -> int:
        assert self.swept.clerk.process is not None
        return self.swept.clerk.process.pid

    def act(self) -> int:
        (end,) = self.swept.clerk.give_back([self.wish])
        return {DONE: 200, KILLED: 0, UNEXPECTED: 503}[end]

    def again(self) -> None:
        assert self.swept.clerk.give_back([self.wish]) == [DONE]
        report = self.shop.stage.work()
        assert (report["failed"], report["unanswered"]) == (0, 0)

    def judge(self) -> None:
        payment = self.order.payment_intent
        told = "type = 'refund' AND data ->> '$.payment_intent' = ?"
        with state(self.shop.stage.sandbox).store.read() as tx:
            (made,) = tx.select(told, (payment,))
        with self.shop.stage.app.app_context():
            (row,) = db.session.scalars(select(Refund).filter_by(payment_intent=payment)).all()
            assert (row.stripe_id, row.state, row.amount) == (
                made["id"],
                "succeeded",
                made["amount"],
            )
            db.session.rollback()
        (order,) = self.shop.orders_of(self.sku)
        assert (order.amount_refunded, order.amount_refunding) == (order.amount_total, 0)
        assert self.shop.stage.stock(self.sku) == (1, 0, 0)
        assert kinds_of_mail(self.shop, order.checkout_session).count("refunded") == 1
        check_stock(self.shop)


SCENES = {"webhook": Webhook, "purchase": Purchase, "refund": GivingBack}


def kinds_of_mail(shop: Served, session: str | None) -> list[str]:
    """The mails about the order of this session."""
    (order,) = shop.stage.orders(checkout_session=session)
    with shop.stage.app.app_context():
        kinds = db.session.scalars(select(OutgoingMail.kind).filter_by(order_id=order.id)).all()
        db.session.rollback()
    return sorted(kinds)


@pytest.fixture(scope="module")
def swept(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Swept]:
    folder = tmp_path_factory.mktemp("sweep")
    need_strace(folder)
    stripe = LocalStripe(folder)
    url = make_empty("sqlite", folder, request)
    wsgi = "tests.faults.checkpointing:app"
    shop = Served(folder, url, wsgi, stripe, TRUSTED_PROXIES="1")
    try:
        shop.run("init")
        shop.start("--preload", "--workers", "1")
        swept = Swept(shop)
        yield swept
        swept.clerk.stop()
        swept.check_file()
    finally:
        shop.stop()
        stripe.stop()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", SCENES)
def test_it_is_done_once_whichever_write_fails(swept: Swept, name: str, kind: str) -> None:
    landed = tried = 0
    for blow in _blows(swept, name, kind):
        tried += 1
        landed += _survives(SCENES[name](swept), blow)
    assert landed >= tried * 0.7, f"only {landed} of {tried} points were met: nothing was tried"


def _blows(swept: Swept, name: str, kind: str) -> list[Blow]:
    """The points of this request, which writes a page more or less from time to time."""
    for _run in range(2):  # the first also writes what those before it left
        scene = SCENES[name](swept)
        with watching([scene.pid()], swept.files, swept.shop.folder) as watch:
            assert scene.act() == 200
        scene.again()
        scene.judge()
    points = [Blow(call, nth, kind) for call, n in watch.calls.items() for nth in range(1, n + 1)]
    assert {point.call for point in points} >= {"pwrite64", "fdatasync"}
    assert len(points) < MOST
    return points if EVERY else _choose(points, f"{name} {kind}")


def _choose(points: list[Blow], seed: str) -> list[Blow]:
    """Some, evenly, about half of them syncs: the same ones each time."""
    chance = random.Random(seed)
    syncs = [point for point in points if point.call in SYNCS]
    writes = [point for point in points if point.call not in SYNCS]
    return _evenly(syncs, CHOSEN // 2, chance) + _evenly(writes, CHOSEN - CHOSEN // 2, chance)


def _evenly(points: list[Blow], count: int, chance: random.Random) -> list[Blow]:
    step = len(points) / count
    return [points[int((place + chance.random()) * step)] for place in range(count)]


def _survives(scene: Scene, blow: Blow) -> bool:
    """Whether the blow landed; whatever it did is made good, or the test fails."""
    with watching([scene.pid()], scene.swept.files, scene.shop.folder, blow) as watch:
        status = scene.act()
    assert status in (200, 503, 0), blow
    if watch.landed and blow.kind == KILL:
        assert status == 0, f"{blow}: it outlived its death"
    if blow.kind == ENOSPC and watch.landed:
        assert status in (200, 503), blow
    try:
        scene.again()
        scene.judge()
    except AssertionError as error:
        raise AssertionError(f"after {blow}, answered {status}: {error}") from error
    return watch.landed
