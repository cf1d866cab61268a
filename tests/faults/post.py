"""Webhooks on their way: what Stripe tells goes to postmen, who deliver until it is taken."""

from __future__ import annotations

import heapq
import json
import threading
import time
from typing import Any

from storefront.sandbox.core import state
from storefront.webhooks.handlers import HANDLERS
from tests.faults.fate import Mortal
from tests.faults.plan import Plan
from tests.faults.serving import Served
from tests.faults.story import Answer, Story
from tests.faults.together import PATIENCE

AGAIN_AFTER = 0.05  # seconds until what was not taken is delivered again
TRIES = 8  # that the shop may answer with something else than 2xx


class Post:
    """What waits to be delivered, by the moment it is due, which any number of postmen empty."""

    def __init__(self, mortal: Mortal, story: Story) -> None:
        self.mortal, self.story = mortal, story
        self.waiting: list[tuple[float, int, bytes, int]] = []
        self.lock, self.count, self.under_way = threading.Lock(), 0, 0
        self.is_over = False

    def add(self, event: bytes, wait: float, tries: int = 0) -> None:
        """Have it delivered after a while."""
        with self.lock:
            self.count += 1
            due = time.monotonic() + wait
            heapq.heappush(self.waiting, (due, self.count, event, tries))

    def is_empty(self) -> bool:
        """Whether all that was to be delivered has been taken."""
        with self.lock:
            return not self.waiting and not self.under_way

    def deliver(self) -> None:
        """Be a postman until the end of the run."""
        while not self.is_over:
            found = self._take()
            if found is None:
                time.sleep(0.005)
                continue
            try:
                self._hand_over(*found)
            finally:
                with self.lock:
                    self.under_way -= 1

    def _take(self) -> tuple[bytes, int] | None:
        with self.lock:
            if not self.waiting or self.waiting[0][0] > time.monotonic():
                return None
            self.under_way += 1
            _due, _count, event, tries = heapq.heappop(self.waiting)
            return event, tries

    def _hand_over(self, event: bytes, tries: int) -> None:
        self.mortal.is_up.wait(PATIENCE)
        answer = self.mortal.shop.post_event(event)
        told = json.loads(event)
        self.story.deliveries += 1
        if answer is None:
            # Cut off by a kill: that is no try which the shop could have answered.
            self.add(event, AGAIN_AFTER, tries)
            return
        self.story.answers.append(Answer(told["type"], answer.status_code, answer.text))
        if answer.ok:
            self.story.taken[told["id"]] = told
        elif tries < TRIES:
            self.add(event, AGAIN_AFTER, tries + 1)
        else:
            self.story.never_taken.append(f"{told['type']} {told['id']}: {answer.status_code}")


class Newsroom:
    """Reads what Stripe has to tell and gives it to the post, as often as the plan says."""

    def __init__(self, shop: Served, plan: Plan, story: Story, post: Post) -> None:
        self.shop, self.plan, self.story, self.post = shop, plan, story, post
        self.last = self._newest()

    def read(self) -> None:
        """Send on every event that is new."""
        with state(self.shop.stage.sandbox).store.read() as tx:
            rows = tx.connection.execute(
                "SELECT seq, data FROM objects WHERE type = 'event' AND seq > ? ORDER BY seq",
                (self.last,),
            ).fetchall()
        for seq, data in rows:
            self.last = seq
            event = json.loads(data)
            if event["type"] in HANDLERS:
                self._send(event)

    def _send(self, event: dict[str, Any]) -> None:
        for delivery in self.plan.deliveries(self._buyer_of(event), event["type"]):
            own = {"id": event["id"] + "again" * delivery.twin}
            self.post.add(json.dumps(event | own).encode(), delivery.wait)

    def _buyer_of(self, event: dict[str, Any]) -> int | None:
        told = event["data"]["object"]
        payment = told.get("payment_intent")
        for session in list(self.story.sessions.values()):
            if told["id"] == session.id or (payment and payment == session.payment):
                return session.buyer
        return None

    def _newest(self) -> int:
        with state(self.shop.stage.sandbox).store.read() as tx:
            row = tx.connection.execute("SELECT MAX(seq) FROM objects").fetchone()
            return int(row[0] or 0)
