"""What the sandbox remembers: one SQLite file, written in short IMMEDIATE transactions.

Any number of threads and processes may do so at once.
"""

import contextlib
import json
import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storefront.sandbox import clock
from storefront.sandbox.errors import not_found
from storefront.sandbox.schema import SCHEMA


class Stored(dict[str, Any]):
    """One object as the API shows it, with what only the sandbox knows about it beside it."""

    hidden: dict[str, Any]
    due_at: int | None

    def __init__(
        self,
        data: dict[str, Any],
        hidden: dict[str, Any] | None = None,
        due_at: int | None = None,
    ) -> None:
        super().__init__(data)
        self.hidden = hidden if hidden is not None else {}
        self.due_at = due_at


@dataclass(frozen=True)
class Cause:
    """The request that led to a change; both are None when time or the control page did."""

    request_id: str | None = None
    idempotency_key: str | None = None


NOBODY = Cause()


class Tx:
    """One open transaction, in the present of the sandbox's clock unless `at` says otherwise."""

    def __init__(self, connection: sqlite3.Connection, cause: Cause) -> None:
        self.connection = connection
        self.cause = cause
        self.present = clock.now(connection)
        self.now = self.present
        self.clock: str | None = None
        self.emitted = False

    @contextlib.contextmanager
    def at(self, moment: int, clock: str | None = None) -> Iterator[None]:
        """Let things happen at a moment other than the present, by a test clock if one is named.

        What is added meanwhile belongs to that test clock: see timekeeping.
        """
        before = self.now, self.clock
        self.now, self.clock = moment, clock or self.clock
        try:
            yield
        finally:
            self.now, self.clock = before

    def add(self, obj: Stored) -> Stored:
        """Store a new object and return it."""
        if self.clock:
            obj.hidden["clock"] = self.clock
        self.connection.execute(
            "INSERT INTO objects (id, type, created, due_at, data, hidden)"
            " VALUES (?, ?, ?, ?, ?, ?)",
            (
                obj["id"],
                obj["object"],
                obj.get("created", self.now),
                obj.due_at,
                _dump(obj),
                _dump(obj.hidden),
            ),
        )
        return obj

    def save(self, obj: Stored) -> Stored:
        """Store the present state of an object read in this transaction, and return it."""
        self.connection.execute(
            "UPDATE objects SET data = ?, hidden = ?, due_at = ? WHERE id = ?",
            (_dump(obj), _dump(obj.hidden), obj.due_at, obj["id"]),
        )
        return obj

    def delete(self, obj: Stored) -> None:
        """Forget an object for good."""
        self.connection.execute("DELETE FROM objects WHERE id = ?", (obj["id"],))

    def find(self, type: str, id: str | None) -> Stored | None:
        """Return the object of this type and id, or None."""
        found = self.select("type = ? AND id = ?", (type, id)) if id else []
        return found[0] if found else None

    def get(self, type: str, id: str, param: str = "id") -> Stored:
        """Return the object of this type and id; raise resource_missing naming `param`."""
        obj = self.find(type, id)
        if obj is None:
            raise not_found(type.replace(".", " ").replace("_", " "), id, param)
        return obj

    def select(
        self, where: str, values: tuple[Any, ...], tail: str = "ORDER BY seq"
    ) -> list[Stored]:
        """Return the objects that a fixed SQL condition selects; only values come from outside."""
        rows = self.connection.execute(
            f"SELECT data, hidden, due_at FROM objects WHERE {where} {tail}", values
        )
        return [Stored(json.loads(data), json.loads(hidden), due) for data, hidden, due in rows]


class Store:
    """The file and a few idle connections to it; safe to share between threads and across fork."""

    def __init__(self, database: str | Path) -> None:
        self.database = str(database)
        self.notify = lambda: None
        self._idle: list[sqlite3.Connection] = []
        self._lock = threading.Lock()
        self._writing = threading.Lock()
        self._pid = os.getpid()
        self._inherited: list[sqlite3.Connection] = []
        weakref.finalize(self, _close_all, self._idle)
        Path(self.database).parent.mkdir(parents=True, exist_ok=True)
        self._create()

    @contextlib.contextmanager
    def write(self, cause: Cause = NOBODY) -> Iterator[Tx]:
        """Open a transaction that may write: all of it is stored, or, on an exception, nothing."""
        with (
            self._writing,
            self._connection() as connection,
            _transaction(connection, "BEGIN IMMEDIATE", cause) as tx,
        ):
            yield tx
        if tx.emitted:
            self.notify()

    @contextlib.contextmanager
    def read(self) -> Iterator[Tx]:
        """Open a transaction that sees one consistent state and never waits for a writer."""
        with self._connection() as connection, _transaction(connection, "BEGIN", NOBODY) as tx:
            yield tx

    def close(self) -> None:
        """Close the idle connections; the store opens new ones when it is used again."""
        with self._lock:
            _close_all(self._idle)

    @contextlib.contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        connection = self._take()
        try:
            yield connection
        finally:
            if connection.in_transaction:
                connection.close()
            else:
                with self._lock:
                    self._idle.append(connection)

    def _take(self) -> sqlite3.Connection:
        with self._lock:
            if self._pid != os.getpid():
                # A forked child must neither use nor close the parent's connections.
                self._inherited.extend(self._idle)
                self._idle.clear()
                self._pid = os.getpid()
            if self._idle:
                return self._idle.pop()
        return self._open()

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.database, timeout=30, isolation_level=None, check_same_thread=False
        )
        # The file outlives a killed process; only a power cut may lose the last commits.
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _create(self) -> None:
        with contextlib.closing(self._open()) as connection:
            _switch_to_wal(connection)
            connection.execute("BEGIN IMMEDIATE")
            for statement in filter(str.strip, SCHEMA.split(";")):
                connection.execute(statement)
            connection.execute("COMMIT")


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, begin: str, cause: Cause) -> Iterator[Tx]:
    connection.execute(begin)
    try:
        yield Tx(connection, cause)
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Set WAL mode, which SQLite refuses without waiting while another process does the same."""
    for _ in range(500):
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            return
        except sqlite3.OperationalError:
            time.sleep(0.02)
    raise TimeoutError("the sandbox's database stayed locked while it was being created")


def _close_all(connections: list[sqlite3.Connection]) -> None:
    while connections:
        connections.pop().close()


def _dump(value: dict[str, Any]) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
