"""A court tries seeds on one shop: it lets each plan happen, reads both books, and finds faults."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from tests.faults.books import Step, read_books, read_ledger, read_steps
from tests.faults.campaign import Run
from tests.faults.clerk import Clerk
from tests.faults.oracle import (
    Fault,
    judge_answers,
    judge_books,
    judge_deliveries,
    judge_memory,
)
from tests.faults.plan import draw
from tests.faults.serving import Served
from tests.faults.story import Story
from tests.faults.stripe_apart import LocalStripe


@dataclass(frozen=True)
class Verdict:
    """What a seed came to; without faults the shop kept all its promises."""

    story: Story
    faults: list[Fault]

    def __str__(self) -> str:
        seed = self.story.plan.seed
        found = "\n  ".join(str(fault) for fault in self.faults) or "nothing wrong"
        again = f'make faults ARGS="--seed {seed}"'
        return f"seed {seed} (again: {again})\n  {found}\n  {self.story.plan}"


class Court:
    """Tries any number of seeds on a shop; each has goods, buyers and sessions of its own."""

    def __init__(self, shop: Served, clerk: Clerk) -> None:
        self.shop, self.clerk = shop, clerk
        self.sessions: set[str] = set()  # of earlier seeds
        self.faults: list[Fault] = []
        self.remembered: dict[int, list[Step]] = {}

    def try_seed(self, seed: int) -> Verdict:
        """Carry out the plan of this seed and judge it."""
        self.faults, self.remembered = [], {}
        traces = len(self.shop.troubles())
        story = Run(self.shop, self.clerk, draw(seed), self._look_at_histories).carry_out()
        self.faults += judge_answers(story)
        self._judge_what_was_delivered(story)
        self._let_work_finish()
        self._judge_everything(story)
        for line in self.shop.troubles()[traces:]:
            self.faults.append(Fault("I9", f"in the log: {line[:300]}"))
        return Verdict(story, self.faults)

    def _look_at_histories(self, story: Story) -> None:
        now = read_steps(self.shop, story.started)
        self.faults += judge_memory(self.remembered, now)
        self.remembered = now

    def _judge_what_was_delivered(self, story: Story) -> None:
        books = read_books(self.shop, story.skus, story.started)
        self.faults += judge_deliveries(story, books)

    def _let_work_finish(self) -> None:
        """What `flask shop work` does, without waiting until everything is due."""
        report = self.shop.stage.work()
        if report["failed"] or report["unanswered"]:
            self.faults.append(Fault("I9", f"work left something undone: {report}"))

    def _judge_everything(self, story: Story) -> None:
        books = read_books(self.shop, story.skus, story.started)
        ledger = read_ledger(self.shop, story.started)
        own = {id: one for id, one in ledger.sessions.items() if id not in self.sessions}
        self.sessions |= set(own)
        self.faults += judge_books(story, books, replace(ledger, sessions=own))
        self.faults += judge_memory(self.remembered, books.steps)


@contextmanager
def court(
    folder: Path, database_url: str, *options: str, wsgi: str = "wsgi:app", **settings: str
) -> Iterator[Court]:
    """A court over a fresh shop, whose Stripe is a process of its own; `options` are gunicorn's."""
    stripe = LocalStripe(folder)
    # Each buyer comes from an address of his own, as through a proxy.
    shop = Served(folder, database_url, wsgi, stripe, TRUSTED_PROXIES="1", **settings)
    try:
        result = shop.stage.app.test_cli_runner().invoke(args=["shop", "init"])
        assert result.exit_code == 0, result.output
        shop.start(*options)
        clerk = Clerk(shop)
        try:
            yield Court(shop, clerk)
        finally:
            clerk.stop()
    finally:
        shop.stop()
        stripe.stop()
