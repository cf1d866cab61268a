"""Idempotency keys: one answer for each key and path, kept for a day and replayed."""

import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any

from storefront.sandbox.core import DAY
from storefront.sandbox.errors import idempotency_in_use, idempotency_mismatch
from storefront.sandbox.ids import new_id
from storefront.sandbox.store import Store, Tx

ABANDONED_AFTER = 60  # seconds of real time; no request runs that long unless its process died


@dataclass(frozen=True)
class Claim:
    """The right to execute the request of one key."""

    key: str
    path: str
    token: str


@dataclass(frozen=True)
class Replay:
    """The stored answer of an earlier request with the same key."""

    status: int
    body: str


def begin(store: Store, key: str, path: str, params: Any) -> Claim | Replay:
    """Claim a key, or return its earlier answer; raise ApiError on a mismatch or while in use."""
    fingerprint = hashlib.sha256(json.dumps(params, sort_keys=True).encode()).hexdigest()
    claim = Claim(key, path, new_id("x"))
    with store.write() as tx:
        tx.connection.execute("DELETE FROM idempotency WHERE created < ?", (tx.now - DAY,))
        row = tx.connection.execute(
            "SELECT fingerprint, status, body, claimed_at FROM idempotency"
            " WHERE key = ? AND path = ?",
            (key, path),
        ).fetchone()
        if row is None:
            _insert(tx, claim, fingerprint)
            return claim
        return _continue(tx, claim, fingerprint, row)


def finish(tx: Tx, claim: Claim, status: int, body: str) -> None:
    """Store the answer in the transaction that carries out the request."""
    stored = tx.connection.execute(
        "UPDATE idempotency SET status = ?, body = ? WHERE key = ? AND path = ? AND claim = ?",
        (status, body, claim.key, claim.path, claim.token),
    )
    if stored.rowcount != 1:
        raise idempotency_in_use(claim.key)


def abandon(store: Store, claim: Claim) -> None:
    """Forget a claim whose request broke off without an answer."""
    with store.write() as tx:
        tx.connection.execute(
            "DELETE FROM idempotency WHERE key = ? AND path = ? AND claim = ? AND status IS NULL",
            (claim.key, claim.path, claim.token),
        )


def _insert(tx: Tx, claim: Claim, fingerprint: str) -> None:
    tx.connection.execute(
        "INSERT INTO idempotency (key, path, fingerprint, created, claim, claimed_at)"
        " VALUES (?, ?, ?, ?, ?, ?)",
        (claim.key, claim.path, fingerprint, tx.now, claim.token, time.time()),
    )


def _continue(tx: Tx, claim: Claim, fingerprint: str, row: tuple[Any, ...]) -> Claim | Replay:
    known, status, body, claimed_at = row
    if known != fingerprint:
        raise idempotency_mismatch(claim.key)
    if status is not None:
        return Replay(status, body)
    if time.time() - claimed_at < ABANDONED_AFTER:
        raise idempotency_in_use(claim.key)
    tx.connection.execute(
        "UPDATE idempotency SET claim = ?, claimed_at = ? WHERE key = ? AND path = ?",
        (claim.token, time.time(), claim.key, claim.path),
    )
    return claim
