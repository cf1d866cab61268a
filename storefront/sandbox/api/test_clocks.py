"""/v1/test_helpers/test_clocks."""

from typing import Any

from storefront.sandbox import customers, test_clocks
from storefront.sandbox.listing import PAGING, list_objects
from storefront.sandbox.params import Integer, Text
from storefront.sandbox.router import Api, Call

api = Api()
URL = "/v1/test_helpers/test_clocks"
LATEST = 4_102_444_800  # the year 2100


@api.route(
    "POST",
    URL,
    {"frozen_time": Integer(1, LATEST), "name": Text(max_length=300), "customer": Text()},
    ("frozen_time",),
)
def create_clock(call: Call) -> dict[str, Any]:
    """Create a clock, and let an existing customer without subscriptions live by it."""
    params = call.params
    clock = test_clocks.create(call.tx, params["frozen_time"], params.get("name"))
    if "customer" in params:
        customer = customers.get_live(call.tx, params["customer"], "customer")
        customers.change(call.tx, customer, {"test_clock": clock["id"]})
    return clock


@api.route("GET", f"{URL}/<id>")
def retrieve_clock(call: Call, id: str) -> dict[str, Any]:
    """Return a clock."""
    return call.tx.get(test_clocks.TYPE, id)


@api.route("GET", URL, {**PAGING})
def list_clocks(call: Call) -> dict[str, Any]:
    """Return a page of clocks, newest first."""
    return list_objects(call, test_clocks.TYPE, URL)


@api.route("POST", f"{URL}/<id>/advance", {"frozen_time": Integer(1, LATEST)}, ("frozen_time",))
def advance_clock(call: Call, id: str) -> dict[str, Any]:
    """Let a clock set out for a later moment; poll until it is ready."""
    clock = call.tx.get(test_clocks.TYPE, id)
    return test_clocks.advance(call.tx, clock, call.params["frozen_time"])


@api.route("DELETE", f"{URL}/<id>")
def delete_clock(call: Call, id: str) -> dict[str, Any]:
    """Delete a clock and its customers."""
    return test_clocks.delete(call.tx, call.tx.get(test_clocks.TYPE, id))
