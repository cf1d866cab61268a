"""Webhook deliveries: claimed one by one, signed afresh, sent outside any transaction, retried."""

import json
import logging
import sqlite3
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask

from storefront.sandbox import chaos, signing, switches, timekeeping, versions, webhooks
from storefront.sandbox.core import Sandbox, state
from storefront.sandbox.errors import invalid
from storefront.sandbox.ids import new_id
from storefront.sandbox.outbox import enqueue
from storefront.sandbox.store import Store, Tx

log = logging.getLogger(__name__)
USER_AGENT = "Stripe/1.0 (+https://stripe.com/docs/webhooks)"
MAX_ANSWER = 500  # characters of an answer that the log keeps
MAX_PER_PASS = 200
REDIRECT_LEAD = 10  # seconds that a buyer is ahead of the webhook when told to be
# Chaos lets some wait until a later one was sent, or until their time has come all the same.
OVERTAKEN = (
    "attempts = 0 AND id IN (SELECT delivery FROM fates WHERE overtaken) AND EXISTS (SELECT 1"
    " FROM deliveries AS later WHERE later.endpoint = deliveries.endpoint"
    " AND later.id > deliveries.id AND later.attempts > 0)"
)


@dataclass(frozen=True)
class Parcel:
    """One claimed delivery with all that is needed to send it without the database."""

    id: int
    claim: str
    url: str
    body: bytes
    attempts: int
    copies: int
    headers: Mapping[str, str]
    accident: str = ""


def run_due(app: Flask) -> int:
    """Let everything happen whose time has come and send what is due; return how many were sent.

    Safe to call from any number of threads and processes: each delivery is claimed by one of them.
    """
    sandbox = state(app)
    timekeeping.sweep(sandbox.store)
    sent = 0
    for _ in range(MAX_PER_PASS):
        parcel = _claim_next(sandbox)
        if parcel is None:
            break
        send(sandbox, parcel)
        sent += 1
    return sent


def claim_event(tx: Tx, event: str) -> list[Parcel]:
    """Claim an event's deliveries in the transaction that wrote it, so that nobody else does."""
    positions = switches.read(tx)
    if positions["paused"]:
        return []
    if positions["redirect_first"]:
        tx.connection.execute(
            "UPDATE deliveries SET due_at = MAX(due_at, ?) WHERE event = ? AND state = 'due'",
            (tx.present + REDIRECT_LEAD, event),
        )
        return []
    return _claim_all(tx, positions, "deliveries.event = ?", event)


def claim_of_call(tx: Tx) -> list[Parcel]:
    """Claim what the call of this transaction told of, where it shall arrive before its answer."""
    positions = switches.read(tx)
    if not positions["webhook_first"] or positions["paused"] or not tx.emitted:
        return []
    request = "json_extract(objects.data, '$.request.id') = ?"
    return _claim_all(tx, positions, request, tx.cause.request_id)


def _claim_all(
    tx: Tx, positions: dict[str, Any], condition: str, value: str | None
) -> list[Parcel]:
    rows = tx.connection.execute(
        "SELECT deliveries.id, event_type FROM deliveries JOIN objects ON objects.id = event"
        f" WHERE state = 'due' AND deliveries.due_at <= ? AND {condition} ORDER BY deliveries.id",
        (tx.present, value),
    ).fetchall()
    held = positions["hold"]
    parcels = [_claim(tx, id, positions) for id, type in rows if type not in held]
    return [parcel for parcel in parcels if parcel is not None]


def send(sandbox: Sandbox, parcel: Parcel) -> bool:
    """Send one claimed delivery, note what came of it, and say whether the endpoint took it."""
    status, answer = 0, "(lost on its way)"
    if parcel.accident != "lost":
        for _ in range(parcel.copies):
            status, answer = _post(sandbox, parcel)
    if parcel.accident == "unheard":
        status, answer = 0, f"(its answer was lost: {status})"
    taken = 200 <= status < 300
    with sandbox.store.write() as tx:
        tx.connection.execute(
            "UPDATE deliveries SET state = ?, attempts = attempts + 1, due_at = ?, status = ?,"
            " answer = ?, claim = NULL, claimed_at = NULL WHERE id = ? AND claim = ?",
            (*_next_state(sandbox, tx, parcel, taken), status, answer, parcel.id, parcel.claim),
        )
    return taken


def resend(tx: Tx, event: str, endpoint: str | None = None) -> int:
    """Queue an event again, for one endpoint or all that had it; return how many that makes."""
    found = tx.get("event", event)
    rows = tx.connection.execute(
        "SELECT DISTINCT endpoint FROM deliveries WHERE event = ? AND ? IN ('', endpoint)",
        (event, endpoint or ""),
    ).fetchall()
    if not rows:
        raise invalid("No endpoint was listening for this event.", "event")
    for (id,) in rows:
        enqueue(tx, found, id)
    return len(rows)


def list_recent(tx: Tx, limit: int = 100) -> list[dict[str, Any]]:
    """Return the latest deliveries, newest first, with how the endpoint answered."""
    names = (
        "id",
        "event",
        "event_type",
        "endpoint",
        "state",
        "attempts",
        "due_at",
        "status",
        "answer",
    )
    rows = tx.connection.execute(
        f"SELECT {', '.join(names)} FROM deliveries ORDER BY id DESC LIMIT ?", (limit,)
    )
    return [dict(zip(names, row, strict=True)) for row in rows]


def hurry(tx: Tx) -> None:
    """Let everything that waits be due at present, whatever it waits for."""
    tx.connection.execute(
        "UPDATE deliveries SET due_at = ? WHERE state = 'due' AND due_at > ?",
        (tx.present, tx.present),
    )
    tx.emitted = True


def seconds_until_due(store: Store) -> float | None:
    """Return how long nothing has to be sent, or None when nothing is waiting at all."""
    with store.read() as tx:
        row = tx.connection.execute(
            "SELECT MIN(due_at) FROM deliveries WHERE state = 'due'"
        ).fetchone()
        return None if row[0] is None else max(0.0, float(row[0] - tx.now))


def _claim_next(sandbox: Sandbox) -> Parcel | None:
    with sandbox.store.read() as tx:
        if _find_due(sandbox, tx) is None:
            return None
    with sandbox.store.write() as tx:
        while (id := _find_due(sandbox, tx)) is not None:
            parcel = _claim(tx, id, switches.read(tx))
            if parcel is not None:
                return parcel
    return None


def _find_due(sandbox: Sandbox, tx: Tx) -> int | None:
    positions = switches.read(tx)
    if positions["paused"]:
        return None
    order = "DESC" if positions["reverse"] else "ASC"
    held = json.dumps(positions["hold"])
    row = tx.connection.execute(
        f"SELECT id FROM deliveries WHERE (state = 'due' AND (due_at <= ? OR {OVERTAKEN})"
        " OR state = 'sending' AND claimed_at < ?)"
        " AND event_type NOT IN (SELECT value FROM json_each(?))"
        f" ORDER BY due_at {order}, id {order} LIMIT 1",
        (tx.now, time.time() - sandbox.claim_seconds, held),
    ).fetchone()
    return int(row[0]) if row else None


def _claim(tx: Tx, id: int, positions: dict[str, Any]) -> Parcel | None:
    """Take a delivery for this thread; None when it is to be lost or its endpoint is gone."""
    endpoint, event, attempts = tx.connection.execute(
        "SELECT endpoint, event, attempts FROM deliveries WHERE id = ?", (id,)
    ).fetchone()
    target = tx.find("webhook_endpoint", endpoint)
    accident = chaos.draw_accident(tx, id, attempts)
    gone = target is None or target["status"] != "enabled" or accident == "lost_forever"
    if target is None or gone or switches.take_drop(tx):
        tx.connection.execute("UPDATE deliveries SET state = 'dropped' WHERE id = ?", (id,))
        return None
    claim = new_id("claim")
    tx.connection.execute(
        "UPDATE deliveries SET state = 'sending', claim = ?, claimed_at = ? WHERE id = ?",
        (claim, time.time(), id),
    )
    body = _body(tx, event, positions["api_version"] or target["api_version"])
    headers = signing.sign(body, webhooks.secrets(tx, target), positions["signature"])
    copies = 2 if positions["duplicate"] else 1
    return Parcel(id, claim, target["url"], body, attempts, copies, headers, accident)


def _body(tx: Tx, event: str, api_version: str | None) -> bytes:
    document: dict[str, Any] = tx.get("event", event)
    if api_version:
        document = versions.render(tx, document, api_version)
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def _post(sandbox: Sandbox, parcel: Parcel) -> tuple[int, str]:
    headers = {
        "Content-Type": "application/json; charset=utf-8",
        "User-Agent": USER_AGENT,
        **parcel.headers,
    }
    try:
        status, answer = sandbox.deliver(parcel.url, parcel.body, headers, sandbox.delivery_timeout)
    except Exception as error:
        return 0, f"{type(error).__name__}: {error}"[:MAX_ANSWER]
    return status, answer[:MAX_ANSWER]


def _next_state(sandbox: Sandbox, tx: Tx, parcel: Parcel, taken: bool) -> tuple[str, int]:
    if taken:
        return "delivered", tx.now
    if parcel.attempts >= len(sandbox.retry_delays):
        return "failed", tx.now
    return "due", tx.now + sandbox.retry_delays[parcel.attempts]


class Courier:
    """The thread that sends what is due, started with the first reason to send something."""

    def __init__(self, app: Flask) -> None:
        self._app = app
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self._stopped = False

    def kick(self) -> None:
        """Have the deliveries looked at now; after a fork this starts the child's own thread."""
        with self._lock:
            if self._stopped:
                return
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(
                    target=self._run, name="sandbox-courier", daemon=True
                )
                self._thread.start()
        self._wake.set()

    def stop(self) -> None:
        """End the thread after the delivery it is at; a stopped courier stays stopped."""
        with self._lock:
            self._stopped = True
            thread = self._thread
        self._wake.set()
        if thread is not None:
            thread.join()

    def _run(self) -> None:
        while not self._stopped:
            self._wake.clear()
            try:
                run_due(self._app)
                pause = seconds_until_due(state(self._app).store)
            except sqlite3.Error:
                log.exception("the sandbox could not look for deliveries and tries again")
                pause = None
            # Another process may add work, or die with some: look again before long.
            self._wake.wait(5.0 if pause is None else min(max(pause, 0.5), 5.0))
