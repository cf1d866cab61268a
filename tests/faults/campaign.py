"""One run: buyers, postmen and kills at once on one shop, and what everybody was answered.

The shop and its Stripe may serve many runs one after the other; each brings goods of its own.
"""

from __future__ import annotations

import random
import subprocess
import threading
import time
import uuid
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import requests
from sqlalchemy import select

from storefront.extensions import db
from storefront.models import Order
from storefront.models.order import FIRST_NUMBER
from storefront.sandbox import control
from storefront.sandbox.checkout import Buyer as Payer
from storefront.sandbox.core import state
from storefront.sandbox.errors import ApiError
from tests.faults.clerk import KILLED, UNEXPECTED, Clerk
from tests.faults.fate import Mortal
from tests.faults.plan import SHELVES, Buyer, GivenBack, Plan
from tests.faults.post import Newsroom, Post
from tests.faults.serving import Served
from tests.faults.story import Answer, Session, Story
from tests.faults.together import PATIENCE, wait_until
from tests.faults.visitors import CUT_OFF, Visitor

POSTMEN = 4
AT_ONCE = 6  # buyers
PRICE = 2400
A_MOMENT = 0.05  # seconds


class Run:
    """Carries out a plan on a shop that serves. `tell` is called after each kill and at the end."""

    def __init__(
        self, shop: Served, clerk: Clerk, plan: Plan, tell: Callable[[Story], None]
    ) -> None:
        name = f"{plan.seed}-{uuid.uuid4().hex[:6]}"
        skus = [f"run-{name}-{place}" for place in range(len(SHELVES))]
        self.story = Story(plan, skus)
        self.shop, self.clerk, self.plan, self.tell = shop, clerk, plan, tell
        self.mortal = Mortal(shop)
        self.post = Post(self.mortal, self.story)
        self.news = Newsroom(shop, plan, self.story, self.post)
        self.buying_is_over = False

    def carry_out(self) -> Story:
        """Everything until the last event is taken and the last kill is over."""
        for sku, on_hand in zip(self.story.skus, SHELVES, strict=True):
            self.shop.stage.add_product(
                {"sku": sku, "on_hand": on_hand, "unit_amount": PRICE}, slug=sku, name="Mug"
            )
        with ThreadPoolExecutor(AT_ONCE + POSTMEN + 2) as pool:
            postmen = [pool.submit(self.post.deliver) for _ in range(POSTMEN)]
            try:
                fate = pool.submit(self._kill)
                work = pool.submit(self._work_beside)
                self._let_them_buy(pool)
                for task in (fate, work):
                    task.result(PATIENCE * 2)
                self.news.read()
                wait_until(self.post.is_empty, lambda: "the post is never empty")
            finally:
                self.post.is_over = self.buying_is_over = True
            for task in postmen:
                task.result(PATIENCE)
        self.tell(self.story)
        return self.story

    def _let_them_buy(self, pool: ThreadPoolExecutor) -> None:
        buying = [pool.submit(self._buy, place) for place in range(len(self.plan.buyers))]
        while not all(task.done() for task in buying):
            self.news.read()
            time.sleep(0.02)
        self.buying_is_over = True
        self.news.read()
        for task in buying:
            task.result()

    # -- a buyer

    def _buy(self, place: int) -> None:
        buyer = self.plan.buyers[place]
        visitor = Visitor(self.shop.url, address=_address(self.plan.seed, place))
        time.sleep(buyer.starts)
        session = self._press_buy(visitor, place)
        if session is None:
            return
        self._end(buyer, session, visitor)
        if buyer.returns and session.payment:
            self._give_back(buyer.returns, session)
        if buyer.looks:
            path = f"/payment/success?sessid={session.id}"
            self._ask("success page", lambda: visitor.get(path))
            stranger = Visitor(self.shop.url)
            seen = self._ask("a stranger's success page", lambda: stranger.get(path))
            if seen.status_code != 404 or session.email in seen.text:
                self.story.answers.append(Answer("a stranger sees an order", 500, seen.text))

    def _press_buy(self, visitor: Visitor, place: int) -> Session | None:
        buyer = self.plan.buyers[place]
        sku = self.story.skus[buyer.shelf]
        answer = self._ask("Buy", lambda: visitor.buy(sku, buyer.quantity))
        if answer.status_code != 200:
            return None
        id = answer.json()["sessionId"]
        session = Session(id, place, f"buyer-{place}-{self.plan.seed}@example.com")
        self.story.sessions[id] = session
        return session

    def _ask(self, what: str, call: Callable[[], requests.Response]) -> requests.Response:
        """Do it, and do it again when the shop died over it, as a person would."""
        end = time.monotonic() + PATIENCE
        while True:
            self.mortal.is_up.wait(PATIENCE)
            try:
                answer = call()
            except CUT_OFF:
                assert time.monotonic() < end, f"{what}: cut off again and again"
                time.sleep(A_MOMENT)
                continue
            self.story.answers.append(Answer(what, answer.status_code, answer.text))
            return answer

    def _end(self, buyer: Buyer, session: Session, visitor: Visitor) -> None:
        sandbox = self.shop.stage.sandbox
        with suppress(ApiError):  # somebody else ended it first
            if buyer.ends in ("pays", "bank pays", "bank refuses"):
                self._pay(buyer, session)
            elif buyer.ends == "expires":
                control.expire_session(sandbox, session.id)
            elif buyer.ends == "cancels":
                self._cancel(session, visitor)
            elif buyer.ends == "pays while cancelling":
                cancelling = threading.Thread(target=self._cancel, args=(session, visitor))
                cancelling.start()
                try:
                    self._pay(buyer, session)
                finally:
                    cancelling.join()

    def _pay(self, buyer: Buyer, session: Session) -> None:
        sandbox = self.shop.stage.sandbox
        means = "bank_debit" if buyer.ends.startswith("bank") else "pm_card_visa"
        control.complete(sandbox, session.id, means, Payer(session.email, "A. Buyer"))
        with state(sandbox).store.read() as tx:
            session.payment = tx.get("checkout.session", session.id)["payment_intent"]
        if buyer.ends == "bank pays":
            control.settle_payment(sandbox, session.id)
        elif buyer.ends == "bank refuses":
            control.fail_payment(sandbox, session.id)

    def _cancel(self, session: Session, visitor: Visitor) -> None:
        with state(self.shop.stage.sandbox).store.read() as tx:
            reference = tx.get("checkout.session", session.id)["client_reference_id"]
        path = f"/payment/cancel?order={reference}"
        self._ask("cancel page", lambda: visitor.get(path))

    # -- the merchant

    def _give_back(self, returns: GivenBack, session: Session) -> None:
        with state(self.shop.stage.sandbox).store.read() as tx:
            paid = tx.get("checkout.session", session.id)["amount_total"]
        amount = paid * returns.share // 100
        if returns.by == "stripe":
            for _ in range(returns.asked):
                with suppress(ApiError):  # there is not as much left
                    control.refund(self.shop.stage.sandbox, session.payment, amount)
            return
        number = self._wait_until_paid(session)
        if number is None:
            return  # the oracle will have a word about it
        names = [f"{number}-{time}" for time in range(returns.asked)]
        wish = {"number": number, "amount": amount, "restock": returns.restock}
        wishes = [wish | {"key": name} for name in names]
        ends = self.clerk.give_back(wishes, returns.dies_after)
        self.story.kills += ends[0] == KILLED
        if ends[0] == KILLED:
            ends = [*ends[1:], *self.clerk.give_back(wishes[:1])]
        if UNEXPECTED in ends:
            self.story.said_by_work.append(f"a refund ended with {ends}")

    def _wait_until_paid(self, session: Session) -> int | None:
        """The number of the paid order; None from a shop that took the news and has none."""
        paid = select(Order.id).where(Order.checkout_session == session.id, Order.state == "paid")
        end = time.monotonic() + PATIENCE / 3
        while time.monotonic() < end:
            is_told = self.story.has_taken_payment(session.id)
            with self.shop.stage.app.app_context():
                order_id = db.session.scalar(paid)
            if order_id:
                return int(order_id) + FIRST_NUMBER - 1
            if is_told or self.story.never_taken:
                return None
            time.sleep(A_MOMENT)
        return None

    # -- fate

    def _kill(self) -> None:
        choice = random.Random(self.plan.seed)
        for kill in self.plan.kills:
            self._wait_for_answers(kill.after)
            time.sleep(kill.delay)
            self.mortal.kill(kill, choice.random())
            self.story.kills += 1
            self.tell(self.story)

    def _work_beside(self) -> None:
        """`work` runs as a process of its own while all this goes on, in some runs."""
        if self.plan.work_after is None:
            return
        self._wait_for_answers(self.plan.work_after)
        with self.shop.command("work") as process:
            try:
                said, _nothing = process.communicate(timeout=PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        if process.returncode:
            self.story.said_by_work.append(said)

    def _wait_for_answers(self, count: int) -> None:
        """Until so many answers were heard; or until it is too quiet for more to come."""
        while len(self.story.answers) < count:
            if self.buying_is_over and self.post.is_empty():
                return
            time.sleep(0.002)


def _address(seed: int, place: int) -> str:
    """An own address for each buyer: many from one would be slowed down."""
    return f"10.{seed % 250}.{seed // 250 % 250}.{place + 1}"
