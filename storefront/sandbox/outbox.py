"""Events and their deliveries, written in the transaction of the change that they tell of."""

from typing import Any

import stripe

from storefront.sandbox import chaos, switches
from storefront.sandbox.ids import new_id
from storefront.sandbox.store import Stored, Tx


def emit(tx: Tx, type: str, obj: dict[str, Any], previous: dict[str, Any] | None = None) -> Stored:
    """Record an event with the object as it is now, and a delivery to each endpoint that asked."""
    event = _record(tx, type, obj, previous)
    if switches.read(tx)["twins"]:
        _record(tx, type, obj, previous)
    return event


def _record(tx: Tx, type: str, obj: dict[str, Any], previous: dict[str, Any] | None) -> Stored:
    endpoints = [endpoint for endpoint in list_endpoints(tx) if wants(endpoint, type)]
    data: dict[str, Any] = {"object": dict(obj)}
    if previous is not None:
        data["previous_attributes"] = previous
    event = Stored(
        {
            "id": new_id("evt"),
            "object": "event",
            "api_version": stripe.api_version,
            "created": tx.now,
            "data": data,
            "livemode": False,
            "pending_webhooks": len(endpoints),
            "request": {
                "id": tx.cause.request_id,
                "idempotency_key": tx.cause.idempotency_key,
            },
            "type": type,
        }
    )
    tx.add(event)
    for endpoint in endpoints:
        enqueue(tx, event, endpoint["id"])
    return event


def enqueue(tx: Tx, event: dict[str, Any], endpoint: str) -> None:
    """Add a delivery of an event, due at present whenever it happened, if chaos does not mind."""
    tx.emitted = True
    for fate in chaos.draw_fates(tx, event["type"], endpoint):
        row = tx.connection.execute(
            "INSERT INTO deliveries (event, event_type, endpoint, state, due_at)"
            " VALUES (?, ?, ?, 'due', ?) RETURNING id",
            (event["id"], event["type"], endpoint, tx.present + fate.wait),
        ).fetchone()
        chaos.remember(tx, int(row[0]), fate)


def list_endpoints(tx: Tx) -> list[Stored]:
    """Return the webhook endpoints that are switched on, oldest first."""
    endpoints = tx.select("type = ?", ("webhook_endpoint",))
    return [endpoint for endpoint in endpoints if endpoint["status"] == "enabled"]


def wants(endpoint: dict[str, Any], type: str) -> bool:
    """Say whether an endpoint asked for this type of event."""
    return "*" in endpoint["enabled_events"] or type in endpoint["enabled_events"]


def count_pending(tx: Tx, event: str) -> int:
    """Return how many endpoints have not yet taken an event."""
    row = tx.connection.execute(
        "SELECT COUNT(DISTINCT endpoint) FROM deliveries WHERE event = ?"
        " AND state IN ('due', 'sending')",
        (event,),
    ).fetchone()
    return int(row[0])
