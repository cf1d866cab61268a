"""What happens by itself when its time has come, for each type of object that can fall due."""

from collections.abc import Callable

from storefront.sandbox.store import Store, Stored, Tx

DUE: dict[str, Callable[[Tx, Stored], None]] = {}
MAX_PER_SWEEP = 200


def when_due(type: str) -> Callable[[Callable[[Tx, Stored], None]], Callable[[Tx, Stored], None]]:
    """Register what happens to objects of this type when their due_at has passed."""

    def register(happen: Callable[[Tx, Stored], None]) -> Callable[[Tx, Stored], None]:
        DUE[type] = happen
        return happen

    return register


def sweep(store: Store) -> int:
    """Let everything happen that is due; return how much that was. Writes only if needed."""
    with store.read() as tx:
        due = tx.connection.execute(
            "SELECT 1 FROM objects WHERE due_at <= ? LIMIT 1", (tx.now,)
        ).fetchone()
    if due is None:
        return 0
    with store.write() as tx:
        objects = tx.select("due_at <= ?", (tx.now,), f"ORDER BY due_at, seq LIMIT {MAX_PER_SWEEP}")
        for obj in objects:
            obj.due_at = None
            DUE[obj["object"]](tx, obj)
        return len(objects)
