"""Chaos by seed: which deliveries come late, twice, out of order or not at all; which calls fail.

All is drawn from the seed and from how often the same kind of thing happened before: one course of
events has one fate, however often it is played and however its ids are drawn.
"""

import json
import math
import random
from dataclasses import asdict, dataclass, fields
from typing import Any

from storefront.sandbox.errors import invalid
from storefront.sandbox.store import Tx

RATES = ("duplicate", "delay", "reorder", "drop", "unheard", "faults")
OVERTAKEN_WITHIN = 60  # seconds that a delivery waits to be overtaken by a later one


@dataclass(frozen=True)
class Dial:
    """How much goes wrong: rates from 0 to 1, and how far it goes.

    duplicate: another delivery of the same event. delay: sent up to `longest_delay` seconds late.
    reorder: sent after a later one. drop: lost on its way, and retried unless `forever`. unheard:
    it arrives, but the answer is lost. faults: a call under `path` fails in one of the `kinds`.
    """

    seed: str = "0"
    duplicate: float = 0.0
    delay: float = 0.0
    reorder: float = 0.0
    drop: float = 0.0
    unheard: float = 0.0
    faults: float = 0.0
    forever: bool = False
    longest_delay: int = 3600
    path: str = ""
    kinds: tuple[str, ...] = ("500", "500_stored", "409", "half", "timeout_before", "timeout_after")

    @property
    def troubles_deliveries(self) -> bool:
        """Say whether any delivery may fare other than usual."""
        return any((self.duplicate, self.delay, self.reorder, self.drop, self.unheard))


@dataclass(frozen=True)
class Fate:
    """What was drawn for one delivery when it was written; `luck` is what later draws go by."""

    luck: str = ""
    wait: int = 0
    overtaken: bool = False


ON_TIME = Fate()


def read(tx: Tx) -> Dial:
    """Return where the dial stands."""
    row = tx.connection.execute("SELECT positions FROM dial").fetchone()
    if row is None:
        return Dial()
    positions = json.loads(row[0])
    return Dial(**{**positions, "kinds": tuple(positions["kinds"])})


def write(tx: Tx, kinds: tuple[str, ...], positions: dict[str, Any]) -> Dial:
    """Turn the dial and begin its draws anew; what is not named goes back to its usual place.

    Lets go of what the former dial held back. `kinds` are the faults that exist.
    """
    dial = _check(kinds, positions)
    tx.connection.execute(
        "INSERT INTO dial (id, positions) VALUES (1, ?)"
        " ON CONFLICT (id) DO UPDATE SET positions = excluded.positions",
        (json.dumps(asdict(dial)),),
    )
    tx.connection.execute(
        "UPDATE deliveries SET due_at = ? WHERE state = 'due' AND attempts = 0 AND due_at > ?"
        " AND id IN (SELECT delivery FROM fates)",
        (tx.present, tx.present),
    )
    tx.connection.execute("DELETE FROM fates")
    tx.connection.execute("DELETE FROM draws")
    return dial


def draw_fates(tx: Tx, event_type: str, endpoint: str) -> list[Fate]:
    """Return the fate of each delivery to be made of one event for one endpoint."""
    dial = read(tx)
    if not dial.troubles_deliveries:
        return [ON_TIME]
    luck = _next(tx, f"{event_type}/{_number(tx, endpoint)}")
    copies = 2 if _strikes(dial, luck, "duplicate") else 1
    return [_fate(dial, f"{luck}/{copy}") for copy in range(copies)]


def remember(tx: Tx, delivery: int, fate: Fate) -> None:
    """Keep the fate of a delivery for its later tries."""
    if fate.luck:
        tx.connection.execute(
            "INSERT INTO fates (delivery, luck, overtaken) VALUES (?, ?, ?)",
            (delivery, fate.luck, fate.overtaken),
        )


def draw_accident(tx: Tx, delivery: int, attempts: int) -> str:
    """Return what befalls this try of a delivery: `lost`, `lost_forever`, `unheard` or nothing."""
    row = tx.connection.execute("SELECT luck FROM fates WHERE delivery = ?", (delivery,)).fetchone()
    if row is None:
        return ""
    dial, luck = read(tx), f"{row[0]}/{attempts}"
    if _strikes(dial, luck, "drop"):
        return "lost_forever" if dial.forever else "lost"
    return "unheard" if _strikes(dial, luck, "unheard") else ""


def threatens(tx: Tx, method: str, path: str) -> bool:
    """Say whether a call could be struck at all."""
    dial = read(tx)
    return dial.faults > 0 and (
        path.startswith(dial.path) or f"{method} {path}".startswith(dial.path)
    )


def draw_fault(tx: Tx, method: str, rule: str) -> str | None:
    """Return the kind of fault that strikes this call, if one does."""
    dial = read(tx)
    luck = _next(tx, f"{method} {rule}")
    if not _strikes(dial, luck, "faults"):
        return None
    return random.Random(f"{dial.seed}/{luck}/kind").choice(dial.kinds)


def _fate(dial: Dial, luck: str) -> Fate:
    if _strikes(dial, luck, "delay"):
        return Fate(luck, _seconds(dial, luck, dial.longest_delay))
    if _strikes(dial, luck, "reorder"):
        return Fate(luck, _seconds(dial, luck, OVERTAKEN_WITHIN), overtaken=True)
    return Fate(luck)


def _strikes(dial: Dial, luck: str, rate: str) -> bool:
    return random.Random(f"{dial.seed}/{luck}/{rate}").random() < getattr(dial, rate)


def _seconds(dial: Dial, luck: str, longest: int) -> int:
    return random.Random(f"{dial.seed}/{luck}/wait").randint(1, longest)


def _next(tx: Tx, thing: str) -> str:
    """Return a name for this occurrence of a thing: its kind and its number since the dial."""
    row = tx.connection.execute(
        "INSERT INTO draws (thing, number) VALUES (?, 1)"
        " ON CONFLICT (thing) DO UPDATE SET number = number + 1 RETURNING number",
        (thing,),
    ).fetchone()
    return f"{thing}/{row[0]}"


def _number(tx: Tx, endpoint: str) -> int:
    """Return which of the endpoints this is, by age: ids are drawn, their order is not."""
    row = tx.connection.execute(
        "SELECT COUNT(*) FROM objects WHERE type = 'webhook_endpoint'"
        " AND seq < (SELECT seq FROM objects WHERE id = ?)",
        (endpoint,),
    ).fetchone()
    return int(row[0])


def _check(kinds: tuple[str, ...], positions: dict[str, Any]) -> Dial:
    known = {field.name: field.default for field in fields(Dial)}
    for name, value in positions.items():
        if name not in known:
            raise invalid(f"The chaos dial has no '{name}'", name)
        if name in RATES and not _is_rate(value):
            raise invalid(f"{name} is a rate from 0 to 1", name)
    dial = Dial(**{**positions, "seed": str(positions.get("seed", "0"))})
    object.__setattr__(dial, "kinds", tuple(dial.kinds))
    if not dial.kinds or not set(dial.kinds) <= set(kinds):
        raise invalid(f"kinds are some of {', '.join(kinds)}", "kinds")
    if type(dial.longest_delay) is not int or dial.longest_delay < 1:
        raise invalid("longest_delay is a whole number of seconds, at least 1", "longest_delay")
    if type(dial.forever) is not bool or type(dial.path) is not str:
        raise invalid("forever is true or false, path is a text", "forever")
    return dial


def _is_rate(value: Any) -> bool:
    return type(value) in (int, float) and math.isfinite(value) and 0 <= value <= 1
