"""What happened in a run, as far as anybody outside the shop can know."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from tests.faults.plan import Plan


@dataclass(frozen=True)
class Answer:
    """What somebody was answered: by which part of the shop, with what."""

    asked: str
    status: int
    body: str


@dataclass
class Session:
    """What a buyer knows of his session, and Stripe of its payment."""

    id: str
    buyer: int
    email: str
    reference: str = ""
    payment: str = ""


@dataclass
class Story:
    """One run: who had which session, what was answered, and which events the shop has taken."""

    plan: Plan
    skus: list[str]
    started: float = field(default_factory=time.time)
    sessions: dict[str, Session] = field(default_factory=dict)
    answers: list[Answer] = field(default_factory=list)
    taken: dict[str, dict[str, Any]] = field(default_factory=dict)  # events by id, answered 2xx
    never_taken: list[str] = field(default_factory=list)
    said_by_work: list[str] = field(default_factory=list)
    kills: int = 0
    deliveries: int = 0

    def has_taken_payment(self, session_id: str) -> bool:
        """Whether the shop has said of any event that tells this session's payment: I have it."""
        return any(
            event["data"]["object"]["id"] == session_id
            and event["data"]["object"].get("payment_status") == "paid"
            for event in list(self.taken.values())
        )
