"""What one run of the campaign will do, drawn from its seed before anything has happened.

Nothing here looks at the shop or at a clock, so a seed is the same plan on every machine; only what
the processes make of it differs. Decisions about one event are drawn by its name, not its turn.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

BUYERS = 12
KILLS = (2, 3)
# Goods by how many there are: enough for all, enough for some, and a few that many want.
SHELVES = (40, 6, 2)
ENDS = {
    "pays": 9,
    "bank pays": 4,
    "bank refuses": 3,
    "expires": 4,
    "cancels": 3,
    "pays while cancelling": 2,
    "leaves": 2,
}
SHARES = (30, 60, 100)
VICTIMS = {"worker": 16, "whole server": 3, "master": 1}


@dataclass(frozen=True)
class Buyer:
    """One session. `once`: one event, and one delivery that counts, must be enough for it."""

    shelf: int
    quantity: int
    ends: str
    once: bool
    looks: bool
    starts: float
    returns: GivenBack | None


@dataclass(frozen=True)
class GivenBack:
    """Money that goes back after the payment, as hundredths of it, by whom and how often asked.

    `dies_after`: so many seconds later the first of the shop's processes that ask is killed.
    `restock`: the goods go back on the shelf.
    """

    share: int
    by: str
    asked: int
    dies_after: float | None
    restock: bool


@dataclass(frozen=True)
class Kill:
    """kill -9 of whom, so many seconds after so many answers were heard."""

    victim: str
    after: int
    delay: float


@dataclass(frozen=True)
class Delivery:
    """One time that an event is handed over: when, counted from its news, and as which twin."""

    wait: float
    twin: int


@dataclass(frozen=True)
class Plan:
    """One run: who comes, who dies when, and after how many answers `work` runs beside it."""

    seed: int
    buyers: tuple[Buyer, ...]
    kills: tuple[Kill, ...]
    work_after: int | None

    def deliveries(self, buyer: int | None, event: str) -> list[Delivery]:
        """How often, when and under how many ids this event arrives."""
        random = Random(f"{self.seed} {buyer} {event}")
        if buyer is not None and self.buyers[buyer].once:
            return [Delivery(random.uniform(0, 0.1), twin=0)]
        twins = random.choice((1, 2, 2))
        moment = random.uniform(0, 0.1)
        return [
            Delivery(random.choice((moment, random.uniform(0, 0.2))), twin)
            for twin in range(twins)
            for _copy in range(random.choice((1, 2, 3)))
        ]


def draw(seed: int) -> Plan:
    """The plan of this seed."""
    random = Random(seed)
    buyers = tuple(_draw_buyer(random, once=place % 2 == 0) for place in range(BUYERS))
    kills = [
        Kill(_choose(random, VICTIMS), random.randrange(2, 34), random.uniform(0, 0.03))
        for _ in range(random.choice(KILLS))
    ]
    in_order = tuple(sorted(kills, key=lambda kill: kill.after))
    work_after = random.randrange(8, 30) if random.random() < 0.1 else None
    return Plan(seed, buyers, in_order, work_after)


def _draw_buyer(random: Random, *, once: bool) -> Buyer:
    shelf = random.choice((0, 0, 1, 2))
    ends = _choose(random, ENDS)
    returns = None
    if ends in ("pays", "bank pays") and random.random() < 0.5:
        by = random.choice(("shop", "stripe"))
        dies_after = random.uniform(0, 0.08) if random.random() < 0.4 else None
        share, asked = random.choice(SHARES), random.choice((1, 2, 2))
        restock = share == 100 and random.random() < 0.5
        returns = GivenBack(share, by, asked, dies_after, restock)
    return Buyer(
        shelf=shelf,
        quantity=1 if shelf == 2 else random.choice((1, 1, 2, 3)),
        ends=ends,
        once=once,
        looks=not once and random.random() < 0.5,
        starts=random.uniform(0, 0.3),
        returns=returns,
    )


def _choose(random: Random, weights: dict[str, int]) -> str:
    return random.choices(list(weights), list(weights.values()))[0]
