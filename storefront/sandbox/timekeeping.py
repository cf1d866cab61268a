"""What happens by itself when its time has come, for each type of object that can fall due."""

import logging
from collections.abc import Callable

from storefront.sandbox.store import Store, Stored, Tx

log = logging.getLogger(__name__)
DUE: dict[str, Callable[[Tx, Stored], None]] = {}
MAX_PER_TRANSACTION = 200
MAX_PER_SWEEP = 20_000


def when_due(type: str) -> Callable[[Callable[[Tx, Stored], None]], Callable[[Tx, Stored], None]]:
    """Register what happens to objects of this type when their due_at has passed.

    It may set a new due_at and save the object: then it falls due again.
    """

    def register(happen: Callable[[Tx, Stored], None]) -> Callable[[Tx, Stored], None]:
        DUE[type] = happen
        return happen

    return register


def sweep(store: Store) -> int:
    """Let everything happen that is due; return how much that was. Writes only if needed."""
    with store.read() as tx:
        if _next_due(tx, tx.present) is None:
            return 0
    total = 0
    while total < MAX_PER_SWEEP:
        with store.write() as tx:
            happened = run(tx, tx.present)
        total += happened
        if happened < MAX_PER_TRANSACTION:
            return total
    log.warning("more than %d things fell due; the rest happens later", MAX_PER_SWEEP)
    return total


def run(tx: Tx, until: int, clock: str | None = None, limit: int = MAX_PER_TRANSACTION) -> int:
    """Let happen what falls due by `until` on one clock, in order, each at its own moment.

    What happens may make other things fall due in between. Returns how much happened: less than
    `limit` when nothing is left.
    """
    moment = 0
    for happened in range(limit):
        obj = _next_due(tx, until, clock)
        if obj is None or obj.due_at is None:
            return happened
        moment = max(moment, obj.due_at)
        obj.due_at = None
        with tx.at(moment, clock):
            tx.save(obj)
            DUE[obj["object"]](tx, obj)
    return limit


def _next_due(tx: Tx, until: int, clock: str | None = None) -> Stored | None:
    """Return what falls due first, on the sandbox's own clock or on a test clock."""
    found = tx.select(
        "due_at <= ? AND json_extract(hidden, '$.clock') IS ?",
        (until, clock),
        "ORDER BY due_at, seq LIMIT 1",
    )
    return found[0] if found else None
