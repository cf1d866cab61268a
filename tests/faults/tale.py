"""What may happen between buyers, banks, merchant and Stripe, and what may become of the news.

A tale says only what happens at Stripe and who does it; a schedule says how the shop comes to hear
of it. Whatever the shop knows when an act is due, the act has the same result: goods that several
want are only in the life that is about that, and a merchant never asks for more than is left.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

DAY = 86400


@dataclass(frozen=True)
class Act:
    """One thing that somebody does about one of the purchases."""

    verb: str
    given: tuple[Any, ...] = ()
    who: int = 0

    def __repr__(self) -> str:
        return f"{self.who}:{self.verb}{self.given or ''}"


@dataclass(frozen=True)
class Life:
    """One purchase: what happens at once, and what happens after some time has gone by."""

    soon: tuple[Act, ...]
    late: tuple[Act, ...] = ()


@dataclass(frozen=True)
class Tale:
    """The acts in their order, with the seconds that pass in the middle of them."""

    soon: tuple[Act, ...]
    passes: int
    late: tuple[Act, ...]


@dataclass(frozen=True)
class Schedule:
    """How the shop hears of it: rates of chaos by seed, and what happens after each act.

    `then` is used in turn: `work` makes a pass, `page` lets a buyer come back, `deliver` sends
    what is due. `rest` says when Stripe sends what it still has: before the last passes of work,
    after them, or never.
    """

    seed: int = 0
    duplicate: float = 0.0
    delay: float = 0.0
    reorder: float = 0.0
    drop: float = 0.0
    unheard: float = 0.0
    faults: float = 0.0
    forever: bool = False
    deaf: bool = False
    twins: bool = False
    reverse: bool = False
    webhook_first: bool = False
    api_version: str = ""
    then: tuple[str, ...] = ("deliver",)
    rest: str = "before"

    @property
    def dial(self) -> dict[str, Any]:
        """Where the sandbox's chaos dial stands."""
        names = ("seed", "duplicate", "delay", "reorder", "drop", "unheard", "faults", "forever")
        return {name: getattr(self, name) for name in names} | {"path": "GET "}

    @property
    def switches(self) -> dict[str, Any]:
        """How the sandbox's switches stand."""
        names = ("twins", "reverse", "webhook_first", "api_version")
        return {name: getattr(self, name) for name in names} | {"paused": self.deaf}


def _acts(*told: Any) -> tuple[Act, ...]:
    return tuple(Act(one) if isinstance(one, str) else Act(one[0], one[1:]) for one in told)


SHELF: tuple[dict[str, Any], ...] = (
    {"sku": "MUG", "on_hand": 40},
    {"sku": "LAST", "on_hand": 1, "unit_amount": 5000},
    {"sku": "FREE", "on_hand": 9, "unit_amount": 0},
    {"sku": "YEN", "on_hand": 40, "unit_amount": 1200, "currency": "jpy"},
    {"sku": "DINAR", "on_hand": None, "unit_amount": 12340, "currency": "kwd"},
    {"sku": "CLUB", "on_hand": None, "interval": "month", "trial_days": 14},
    {"sku": "CLUB-M", "on_hand": None, "interval": "month"},
)
SKUS = ("MUG", "MUG", "YEN", "DINAR")
PRICES = {"MUG": 2400, "YEN": 1200, "DINAR": 12340}
PARTS = {"MUG": 500, "YEN": 7, "DINAR": 1230}  # three of them are less than the price
SLOW_REFUNDS = ("pm_card_pendingRefund", "pm_card_refundFail")
CARDS = ("pm_card_visa", *SLOW_REFUNDS)
OPEN_BY_CARD = ("pm_card_createDispute", "pm_card_createDisputeInquiry")

skus = st.sampled_from(SKUS)


@st.composite
def repaid(draw: Any, cards: tuple[str, ...] = (*CARDS, "bank_debit")) -> Life:
    """Paid, by card or by a bank, and given back: by the merchant here or at Stripe, in parts."""
    sku, card = draw(skus), draw(st.sampled_from(cards))
    bought = _acts(("buy", sku), ("pay", card))
    if card == "bank_debit":
        bought += _acts("settle")
    backs = draw(st.lists(st.sampled_from(("refund", "refund_there")), min_size=1, max_size=3))
    parts = _acts(*((back, PARTS[sku]) for back in backs))
    if draw(st.booleans()):
        rest = PRICES[sku] - len(parts) * PARTS[sku]
        parts += _acts((draw(st.sampled_from(("refund", "refund_there"))), rest))
    cut = draw(st.integers(0, len(parts)))
    return Life(bought + parts[:cut], parts[cut:])


@st.composite
def restocked(draw: Any) -> Life:
    """Two pieces bought, and one or both of them brought back."""
    bought = _acts(("buy", "MUG", 2), ("pay", "pm_card_visa"))
    back = _acts(draw(st.sampled_from((("bring_back", 1), ("bring_back", 2)))))
    return Life(bought + back) if draw(st.booleans()) else Life(bought, back)


@st.composite
def by_bank(draw: Any) -> Life:
    """The bank takes its time, and says yes or no, or is left to."""
    bought = _acts(("buy", draw(skus)), ("pay", "bank_debit"))
    end = _acts(draw(st.sampled_from(("settle", "fail"))))
    return draw(st.sampled_from((Life(bought + end), Life(bought))))


@st.composite
def disputed(draw: Any) -> Life:
    """A buyer complains to his bank, which decides, or does not."""
    bought = _acts(("buy", draw(skus)))
    if draw(st.booleans()):
        bought += _acts(("pay", draw(st.sampled_from(OPEN_BY_CARD))))
    else:
        bought += _acts(("pay", "pm_card_visa"), ("dispute", draw(st.booleans())))
    end = _acts(*draw(st.sampled_from(((), (("decide", True),), (("decide", False),)))))
    return Life(bought, end) if draw(st.booleans()) else Life(bought + end)


@st.composite
def unpaid(draw: Any) -> Life:
    """Nobody pays: it is expired, given up, or left lying."""
    end = draw(st.sampled_from(((), ("expire",), ("give_up",))))
    return Life(_acts(("buy", draw(skus)), *end))


@st.composite
def subscribed(draw: Any) -> Life:
    """A plan with or without a trial, and what becomes of it."""
    card = draw(st.sampled_from(("pm_card_visa", "pm_card_chargeCustomerFail")))
    bought = _acts(("subscribe", draw(st.sampled_from(("CLUB", "CLUB-M")))), ("pay", card))
    verbs: tuple[Any, ...] = (
        "end_later",
        "end_now",
        ("change_card", "pm_card_chargeCustomerFail"),
        ("change_card", "pm_card_visa"),
        ("repay_invoice", 300),
    )
    soon = draw(st.lists(st.sampled_from(verbs[:-1]), max_size=2))
    late = draw(st.lists(st.sampled_from(verbs), max_size=2))
    return Life(bought + _acts(*soon), _acts(*late))


# Stripe's answer was lost and the order cancelled; its session is paid all the same.
late_payment = Life(_acts(("buy_unheard", "MUG"), ("pay_unheard", "pm_card_visa")))
# The same, and the buyer had pressed again and pays that as well.
paid_twice = Life(
    _acts(
        ("buy_unheard", "MUG"),
        ("buy", "MUG"),
        ("pay", "pm_card_visa"),
        ("pay_unheard", "pm_card_visa"),
    )
)
# The same, but the last piece is another's by now.
oversold = Life(
    _acts(
        ("buy_unheard", "LAST"),
        ("buy_as_another", "LAST"),
        ("pay", "pm_card_visa"),
        ("pay_unheard", "pm_card_visa"),
    )
)
free = Life(_acts(("buy", "FREE"), ("pay", "pm_card_visa")))
canned = st.sampled_from((late_payment, paid_twice, free))

any_life = st.one_of(
    repaid(), by_bank(), disputed(), unpaid(), subscribed(), restocked(), repaid(), canned
)


@st.composite
def tales(draw: Any, lives: st.SearchStrategy[Life] = any_life, most: int = 3) -> Tale:
    """A few lives, their acts in any order that keeps each life's own."""
    told = draw(st.lists(lives, min_size=1, max_size=most))
    if lives is any_life and draw(st.integers(0, 3)) == 0:
        told.append(oversold)
    passes = draw(st.sampled_from((3600, 0, 2 * DAY, 6 * DAY, 15 * DAY, 20 * DAY)))
    soon, late = [life.soon for life in told], [life.late for life in told]
    return Tale(_mixed(draw, soon), passes, _mixed(draw, late))


def _mixed(draw: Any, lives: list[tuple[Act, ...]]) -> tuple[Act, ...]:
    waiting = [
        [Act(act.verb, act.given, who) for act in acts] for who, acts in enumerate(lives) if acts
    ]
    mixed = []
    while waiting:
        next_one = draw(st.integers(0, len(waiting) - 1)) if len(waiting) > 1 else 0
        mixed.append(waiting[next_one].pop(0))
        waiting = [acts for acts in waiting if acts]
    return tuple(mixed)


rates = st.sampled_from((0.0, 0.0, 0.3, 0.8))
_drawn = st.builds(
    Schedule,
    seed=st.integers(0, 999),
    **dict.fromkeys(("duplicate", "delay", "reorder", "drop", "unheard"), rates),
    faults=st.sampled_from((0.0, 0.2, 0.6)),
    **dict.fromkeys(("forever", "twins", "reverse", "webhook_first"), st.booleans()),
    deaf=st.sampled_from((False, False, False, True)),
    api_version=st.sampled_from(("", "", "2024-06-20")),
    then=st.one_of(
        st.just(("",)),
        st.lists(st.sampled_from(("", "deliver", "work", "page")), max_size=4).map(
            lambda rest: ("deliver", *rest)
        ),
    ),
    rest=st.sampled_from(("before", "before", "after", "never")),
)
# Nothing is heard until all is over, and then the newest first.
backwards = Schedule(reverse=True, then=("",))
schedules = st.one_of(_drawn, _drawn, st.just(backwards))
