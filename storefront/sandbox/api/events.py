"""/v1/events: everything that happened, for those who missed a delivery."""

from typing import Any

from storefront.sandbox.core import DAY
from storefront.sandbox.errors import invalid, not_found
from storefront.sandbox.listing import PAGING, Moments, page
from storefront.sandbox.outbox import count_pending
from storefront.sandbox.params import Boolean, ListOf, Text
from storefront.sandbox.router import Api, Call

api = Api()
URL = "/v1/events"
KEPT = 30 * DAY
# One endpoint or more has not taken it in any of its deliveries.
UNDELIVERED = (
    "EXISTS (SELECT 1 FROM deliveries WHERE deliveries.event = objects.id"
    " GROUP BY endpoint HAVING SUM(deliveries.state = 'delivered') = 0)"
)


@api.route("GET", f"{URL}/<id>")
def retrieve_event(call: Call, id: str) -> dict[str, Any]:
    """Return one event; only the count of its pending deliveries ever changes."""
    event = call.tx.get("event", id)
    if event["created"] < call.tx.present - KEPT:
        raise not_found("event", id)
    event["pending_webhooks"] = count_pending(call.tx, id)
    return event


@api.route(
    "GET",
    URL,
    {
        **PAGING,
        "created": Moments(),
        "delivery_success": Boolean(),
        "type": Text(),
        "types": ListOf(Text(), 20),
    },
)
def list_events(call: Call) -> dict[str, Any]:
    """Return a page of events, newest first."""
    if "type" in call.params and "types" in call.params:
        raise invalid("You may only specify one of these parameters: type, types.", "types")
    where: list[str] = ["type = 'event'", "created >= ?"]
    values: list[Any] = [call.tx.present - KEPT]
    for comparison, moment in call.params.get("created", []):
        where.append(f"created {comparison} ?")
        values.append(moment)
    types = [call.params["type"]] if "type" in call.params else call.params.get("types")
    if types:
        where.append("(" + " OR ".join(["json_extract(data, '$.type') GLOB ?"] * len(types)) + ")")
        values.extend(types)
    if "delivery_success" in call.params:
        where.append(f"NOT {UNDELIVERED}" if call.params["delivery_success"] else UNDELIVERED)
    found = page(call, where, values, URL)
    for event in found["data"]:
        event["pending_webhooks"] = count_pending(call.tx, event["id"])
    return found
