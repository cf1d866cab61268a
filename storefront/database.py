"""How the shop uses its database: one door to writing, fair queues on SQLite, signals at the end.

SQLite has one writer. Left alone, writers that meet sleep and retry, and a transaction that reads
first and writes later fails at once. So a transaction that will write says so by `writing()`: it
queues on a lock file, begins IMMEDIATE, and commits at the end of the block.
"""

from __future__ import annotations

import logging
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from blinker import NamedSignal
from flask import Flask, current_app
from sqlalchemy import Connection, Engine, event
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from storefront.config import ConfigError
from storefront.extensions import db

try:
    import fcntl
except ImportError:  # Windows: SQLite's own busy timeout has to do
    fcntl = None  # type: ignore[assignment]

log = logging.getLogger(__name__)

BUSY_SECONDS = 5.0


class QueueingConnection(sqlite3.Connection):
    """A SQLite connection whose writers wait in line on a lock file beside the database."""

    gate: int | None = None
    gate_path: str | None = None

    def begin_writing(self) -> None:
        """Begin IMMEDIATE; waits at most about BUSY_SECONDS for a writer outside this queue."""
        started = time.monotonic()
        self._enter_gate()
        # The time in line counts: behind a foreign lock all fail together, not one after another.
        left = max(0.0, BUSY_SECONDS - (time.monotonic() - started))
        try:
            self.execute(f"PRAGMA busy_timeout={int(left * 1000)}")
            self.execute("BEGIN IMMEDIATE")
        except BaseException:
            self._leave_gate()
            raise

    def commit(self) -> None:
        try:
            super().commit()
        finally:
            self._leave_gate()

    def rollback(self) -> None:
        try:
            super().rollback()
        finally:
            self._leave_gate()

    def close(self) -> None:
        try:
            super().close()
        finally:
            self._leave_gate()
            if self.gate is not None:
                os.close(self.gate)
                self.gate = None

    def _enter_gate(self) -> None:
        if fcntl is None or self.gate_path is None:
            return
        if self.gate is None:
            self.gate = os.open(self.gate_path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        fcntl.flock(self.gate, fcntl.LOCK_EX)

    def _leave_gate(self) -> None:
        if fcntl is not None and self.gate is not None:
            fcntl.flock(self.gate, fcntl.LOCK_UN)


def init_app(app: Flask) -> None:
    """Bind SQLAlchemy to the configured database; connects to nothing yet."""
    url = make_url(app.config["DATABASE_URL"])
    app.config["SQLALCHEMY_DATABASE_URI"] = url
    if url.get_backend_name() == "sqlite":
        options: dict[str, Any] = {
            "connect_args": {"factory": QueueingConnection, "timeout": BUSY_SECONDS}
        }
    else:
        _require_driver()
        # A server that swallows what is sent to it must not hold a buyer for minutes.
        brief = {"connect_timeout": int(BUSY_SECONDS)}
        options = {"pool_pre_ping": True, "pool_size": 8, "connect_args": brief}
    # An error quotes its statement, never the values in it: they may be a customer's.
    app.config["SQLALCHEMY_ENGINE_OPTIONS"] = options | {"hide_parameters": True}
    db.init_app(app)
    with app.app_context():
        engine = db.engine
    event.listen(engine, "before_cursor_execute", _refuse_stray_writes)
    if engine.dialect.name == "sqlite":
        _set_up_sqlite(engine, url.database)
    else:
        event.listen(engine, "connect", _wait_as_briefly)


def _require_driver() -> None:
    if find_spec("psycopg") is None:
        raise ConfigError(
            "DATABASE_URL names PostgreSQL, and its driver is not installed. Run: "
            ".venv/bin/pip install -r requirements-postgres.txt"
        )


def _wait_as_briefly(connection: Any, _record: object) -> None:
    """A row that somebody else keeps locked must not keep a buyer waiting without end."""
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{int(BUSY_SECONDS * 1000)}ms'")
    connection.commit()


def _set_up_sqlite(engine: Engine, path: str | None) -> None:
    in_file = path not in (None, "", ":memory:")

    @event.listens_for(engine, "connect")
    def prepare(connection: QueueingConnection, _record: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves
        if in_file:
            connection.gate_path = f"{path}.lock"
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")  # an order answered 2xx survives a power cut
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        # Reads need no BEGIN: each statement sees one snapshot and never takes the write lock.
        if connection.get_execution_options().get("writing"):
            _begin_writing(connection)


def _begin_writing(connection: Connection) -> None:
    try:
        connection.connection.dbapi_connection.begin_writing()  # type: ignore[union-attr]
    except sqlite3.OperationalError as error:
        # Inside an event SQLAlchemy wraps nothing, and a locked database must be known as such.
        raise OperationalError("BEGIN IMMEDIATE", None, error) from error


def _refuse_stray_writes(
    connection: Connection, _cursor: Any, statement: str, _params: Any, context: Any, _many: bool
) -> None:
    """A write outside `writing()` would be lost or would fight for the lock: a bug, so say it."""
    writes = context.isinsert or context.isupdate or context.isdelete
    if writes and not connection.get_execution_options().get("writing"):
        raise RuntimeError(f"a write outside database.writing(): {statement.split()[0]}")


@contextmanager
def writing() -> Iterator[None]:
    """One writing transaction: begun at once, committed at the end of the block, else rolled back.

    Surfaces (views, webhook, commands) open it; services only work inside it. Nothing that waits
    for a stranger (Stripe, mail) belongs into the block. Signals queued by `after_commit` go out
    when the commit has succeeded. Raises RuntimeError when one is open already.
    """
    session = db.session()
    if session.info.get("writing"):
        raise RuntimeError("database.writing() is open already")
    if session.in_transaction():
        session.commit()  # ends a transaction that only read: SQLite could not upgrade it
    queued: list[tuple[NamedSignal, dict[str, Any]]] = []
    session.info["after_commit"] = queued
    try:
        session.info["writing"] = session.connection(execution_options={"writing": True})
        yield
        session.commit()
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop("writing", None)
        session.info.pop("after_commit", None)
    for signal, payload in queued:
        _send(signal, payload)


def end_reading() -> None:
    """Give the connection back before a stranger is waited for. RuntimeError inside writing()."""
    session = db.session()
    if session.info.get("writing"):
        raise RuntimeError("a transaction is open across a call to the outside")
    if session.in_transaction():
        session.commit()


def insert_for_conflict(model: type[Any]) -> Any:
    """An INSERT that can say ON CONFLICT, in the dialect of the configured database."""
    dialect = db.session.get_bind().dialect.name
    return (sqlite_insert if dialect == "sqlite" else postgresql_insert)(model)


def after_commit(signal: NamedSignal, **payload: Any) -> None:
    """Queue a signal for the end of the writing transaction; dropped when that is rolled back."""
    db.session().info["after_commit"].append((signal, payload))


def _send(signal: NamedSignal, payload: dict[str, Any]) -> None:
    """Tell each receiver by itself: one that fails is logged and harms nobody else."""
    sender = current_app._get_current_object()  # type: ignore[attr-defined]
    for receiver in list(signal.receivers_for(sender)):
        try:
            receiver(sender, **payload)
        except Exception:
            log.exception("a receiver of signal %r failed", signal.name)
            db.session.rollback()
