"""Faults on order: the next calls of the API answer wrongly, too late, or not at all."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass

from flask import Response, request

from storefront.sandbox import chaos
from storefront.sandbox.errors import ApiError, invalid
from storefront.sandbox.store import Store, Tx

MARK = "Sandbox-Fault"
ANSWERS: dict[str, ApiError] = {
    "500": ApiError("An unknown error occurred", status=500, kind="api_error"),
    "429": ApiError("Request rate limit exceeded.", status=429, code="rate_limit"),
    "409": ApiError("Another request is in progress.", status=409, code="lock_timeout"),
    "401": ApiError("Invalid API Key provided: sk_test_***", status=401),
    "403": ApiError("The provided key does not have the required permissions.", status=403),
}
# Carried out in full; only the answer suffers.
AFTER = ("half", "timeout_after", "drop")
# Not carried out; `500_stored` is also remembered under the idempotency key, as Stripe does.
BEFORE = (*ANSWERS, "html", "timeout_before")
STORED = "500_stored"
KINDS = (*BEFORE, *AFTER, STORED)


@dataclass(frozen=True)
class Fault:
    """One fault that strikes the present call."""

    kind: str
    seconds: float = 0.0


def inject(tx: Tx, fault: str, count: int = 1, path: str = "", seconds: float = 0.0) -> None:
    """Let the next `count` calls under `path` fail; raise ApiError for an unknown fault.

    A path may begin with a method, as in `POST /v1/refunds`.
    """
    if fault not in KINDS or count < 1 or not 0 <= seconds <= 60:
        raise invalid(f"fault is one of {', '.join(KINDS)}; count is at least 1", "fault")
    tx.connection.execute(
        "INSERT INTO faults (fault, path, remaining, seconds) VALUES (?, ?, ?, ?)",
        (fault, path, count, seconds),
    )


def take(store: Store, method: str, path: str, rule: str) -> Fault | None:
    """Use up one fault injected for this path, oldest first, or draw one if chaos has it so.

    `rule` is the path without its ids, which differ from one run to the next.
    """
    call = {"call": f"{method} {path}", "path": path}
    select = (
        "SELECT id FROM faults WHERE remaining > 0 AND (instr(:path, path) = 1"
        " OR instr(:call, path) = 1) ORDER BY id LIMIT 1"
    )
    with store.read() as tx:
        injected = tx.connection.execute(select, call).fetchone()
        drawn = chaos.threatens(tx, method, path)
    if injected is None and not drawn:
        return None
    with store.write() as tx:
        row = tx.connection.execute(
            f"UPDATE faults SET remaining = remaining - 1 WHERE id = ({select})"
            " RETURNING fault, seconds",
            call,
        ).fetchone()
        if row is not None:
            return Fault(*row)
        kind = chaos.draw_fault(tx, method, rule) if drawn else None
    return Fault(kind) if kind else None


def respond(fault: Fault | None, execute: Callable[[], Response]) -> Response:
    """Return what the caller gets to see of `execute` under this fault."""
    if fault is None or fault.kind == STORED:
        return execute()
    if fault.kind in ANSWERS:
        error = ANSWERS[fault.kind]
        return Response(json.dumps(error.body()), error.status, content_type="application/json")
    if fault.kind == "html":
        return Response("<html><h1>502 Bad Gateway</h1></html>", 502, content_type="text/html")
    if fault.kind == "timeout_before":
        return _cut(fault)
    response = execute()
    if fault.kind == "half":
        body = response.get_data()
        response.set_data(body[: len(body) // 2])
        return response
    return _cut(fault)


def _cut(fault: Fault) -> Response:
    """Let the caller wait, then drop the connection; in process, the transport reads the mark."""
    time.sleep(fault.seconds)
    for name in ("werkzeug.socket", "gunicorn.socket"):
        if name in request.environ:
            request.environ[name].shutdown(2)
    return Response(status=504, headers={MARK: fault.kind})
