"""What must be true whatever was killed when: the invariants I1 to I9, held against both books.

It judges by what the shop says of itself, what Stripe's API says, and what those who asked the
shop were answered. It knows nothing of how the shop is made.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from storefront.models.order import TRANSITIONS
from tests.faults.books import Books, Ledger, Record, Step
from tests.faults.plan import SHELVES
from tests.faults.story import Story

QUEUED = {"failed", "waiting"}
UNPAID_END = {"expired": {"expired", "cancelled"}, "open": {"open"}}
STRANGERS_SEE = ("Traceback", "sk_test_", "whsec_")
GIVEN_BACK = ("pending", "requires_action", "succeeded")
PAYMENT_EVENTS = {
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
}


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong, and which promise it breaks."""

    invariant: str
    what: str

    def __str__(self) -> str:
        return f"{self.invariant}: {self.what}"


def judge_answers(story: Story) -> Iterator[Fault]:
    """I9: nobody was shown an error's inside, and nothing that anybody did made one."""
    for answer in story.answers:
        if any(mark in answer.body for mark in STRANGERS_SEE):
            yield Fault("I9", f"{answer.asked} showed {answer.body[:300]!r}")
        elif answer.status >= 500 and answer.status != 503:
            yield Fault("I9", f"{answer.asked} was answered {answer.status}: {answer.body[:300]!r}")
    for event in story.never_taken:
        yield Fault("I2", f"never taken: {event}")
    for said in story.said_by_work:
        yield Fault("I9", f"work failed: {said[-600:]}")


def judge_deliveries(story: Story, books: Books) -> Iterator[Fault]:
    """I2: what was answered 2xx is remembered, and has had its effect or waits for it."""
    by_session = {order["checkout_session"]: order for order in books.orders.values()}
    for id, event in story.taken.items():
        state = books.inbox.get(id)
        if state is None:
            yield Fault("I2", f"{event['type']} {id} was taken and is forgotten")
            continue
        told = event["data"]["object"]
        if state in QUEUED or told["id"] not in story.sessions:
            continue
        order = by_session.get(told["id"])
        wanted = _states_after(event)
        if wanted and (order is None or order["state"] not in wanted):
            what = order["state"] if order else "no order"
            yield Fault("I2", f"{event['type']} was taken without effect: {what}")


def _states_after(event: Record) -> set[str]:
    """What an order may be once this event was applied, whatever else has come since."""
    kind, told = event["type"], event["data"]["object"]
    if kind in PAYMENT_EVENTS:
        return {"paid"} if told["payment_status"] == "paid" else {"processing", "paid", "failed"}
    if kind == "checkout.session.async_payment_failed":
        return {"failed"}
    return {"expired", "cancelled"} if kind == "checkout.session.expired" else set()


def judge_books(story: Story, books: Books, ledger: Ledger) -> Iterator[Fault]:
    """Everything else, once all is delivered and `work` has run."""
    yield from _judge_orders(books, ledger)
    yield from _judge_stock(story, books)
    for order in books.orders.values():
        yield from _judge_amounts(order, ledger)
        yield from _judge_refunds(order, books, ledger)
        yield from judge_history(order, books.steps.get(order["number"], []))
        yield from _judge_mails(order, books.mails.get(order["number"], []))


def _judge_orders(books: Books, ledger: Ledger) -> Iterator[Fault]:
    """I1: each paid session is one paid order, and each order is as its session."""
    by_session: dict[str, list[Record]] = {}
    for order in books.orders.values():
        by_session.setdefault(order["checkout_session"], []).append(order)
    for id, session in ledger.sessions.items():
        orders = by_session.get(id, [])
        if session["payment_status"] == "paid" and [one["state"] for one in orders] != ["paid"]:
            states = [one["state"] for one in orders]
            yield Fault("I1", f"session {id} is paid, and its orders are {states}")
    for order in books.orders.values():
        found = ledger.sessions.get(order["checkout_session"])
        if found and order["state"] not in _states_of(found):
            yield Fault(
                "I1",
                f"order {order['number']} is {order['state']}, but its session is"
                f" {found['status']}, {found['payment_status']}",
            )
        elif not found and order["state"] in ("paid", "processing", "failed"):
            yield Fault("I1", f"order {order['number']} is {order['state']} without a session")


def _states_of(session: Record) -> set[str]:
    if session["payment_status"] == "paid":
        return {"paid"}
    if session["status"] == "complete":
        return {"processing", "failed"}
    return UNPAID_END[session["status"]]


def _judge_stock(story: Story, books: Books) -> Iterator[Fault]:
    """I3: nothing leaked, nothing sold twice; what is held and sold is so by orders."""
    for sku, start in zip(story.skus, SHELVES, strict=True):
        level = books.stock[sku]
        on_hand, held, sold = level["on_hand"], level["held"], level["sold"]
        by_orders = {"held": 0, "sold": 0}
        for order in books.orders.values():
            where = _where_goods_are(order)
            for line in order["lines"]:
                if line["sku"] == sku and where:
                    by_orders[where] += line["quantity"] - line.get("restocked", 0)
        if not 0 <= held <= on_hand:
            yield Fault("I3", f"{sku}: {held} of {on_hand} are held")
        if on_hand + sold != start:
            yield Fault("I3", f"{sku}: {on_hand} on hand and {sold} sold of {start}")
        if by_orders != {"held": held, "sold": sold}:
            yield Fault("I3", f"{sku}: {held} held and {sold} sold, but by orders {by_orders}")


def _where_goods_are(order: Record) -> str | None:
    if order["state"] in ("open", "processing"):
        return "held"
    return "sold" if order["state"] == "paid" and order["attention"] != "oversold" else None


def _judge_amounts(order: Record, ledger: Ledger) -> Iterator[Fault]:
    """I4: charged to the minor unit what Stripe says."""
    session = ledger.sessions.get(order["checkout_session"])
    if session is None or order["state"] != "paid":
        return
    asked, told = (
        (one["amount_total"], one["amount_subtotal"], one["currency"]) for one in (order, session)
    )
    if asked != told:
        yield Fault("I4", f"order {order['number']} says {asked}, Stripe says {told}")
    if order["amount_total"] != sum(line["amount_total"] for line in order["lines"]):
        yield Fault("I4", f"the lines of order {order['number']} do not add up")


def _judge_refunds(order: Record, books: Books, ledger: Ledger) -> Iterator[Fault]:
    """I5: what Stripe gave back is what the shop says, refund by refund, never more than paid."""
    payment, number = order["payment_intent"], order["number"]
    made, known = ledger.refunds.get(payment, []), books.refunds.get(payment, [])
    back = sum(refund["amount"] for refund in made if refund["status"] in GIVEN_BACK)
    if back > order["amount_total"]:
        yield Fault("I5", f"order {number}: {back} of {order['amount_total']} given back")
    if back != order["amount_refunded"]:
        yield Fault("I4", f"order {number}: {order['amount_refunded']} refunded, by Stripe {back}")
    at_stripe = sorted((one["id"], one["amount"], one["status"]) for one in made)
    here = [(one["stripe_id"], one["amount"], one["state"]) for one in known]
    if at_stripe != sorted(one for one in here if one[0]):
        yield Fault("I5", f"order {number} has the refunds {here}, Stripe {at_stripe}")
    for id, amount, state in here:
        if id is None:
            # No bank says no in these runs: whatever Stripe refused was more than there was left.
            yield Fault("I5", f"order {number}: Stripe has no refund of {amount} that is {state}")


def judge_history(order: Record, steps: list[Step]) -> Iterator[Fault]:
    """I6: from nothing to where it is now, each step where the last one ended, along an edge."""
    moves = [(step.before, step.after) for step in steps if step.before != step.after]
    stands: Any = None
    for before, after in moves:
        is_edge = before in TRANSITIONS.get(after or "", ()) if before else stands is None
        if before != stands or not is_edge:
            yield Fault("I6", f"order {order['number']} went {moves}")
            return
        stands = after
    if stands != order["state"]:
        yield Fault("I6", f"order {order['number']} is {order['state']}, but went {moves}")


def judge_memory(early: dict[int, list[Step]], now: dict[int, list[Step]]) -> Iterator[Fault]:
    """I6: what was once written in a history stays there, as it was."""
    for number, steps in early.items():
        if now.get(number, [])[: len(steps)] != steps:
            yield Fault("I6", f"the history of order {number} has changed: {steps}")


def _judge_mails(order: Record, kinds: list[str]) -> Iterator[Fault]:
    """I7: one confirmation for a paid order, none for any other."""
    wanted = 1 if order["state"] == "paid" else 0
    if kinds.count("order_confirmation") != wanted:
        yield Fault("I7", f"order {order['number']}, {order['state']}, has the mails {kinds}")
