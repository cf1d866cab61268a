"""/v1/webhook_endpoints: where events are delivered."""

from typing import Any

from storefront.sandbox import webhooks
from storefront.sandbox.listing import PAGING, list_objects
from storefront.sandbox.params import Boolean, Field, ListOf, Metadata, Text, Url, merge_metadata
from storefront.sandbox.router import Api, Call

api = Api()
URL = "/v1/webhook_endpoints"
CHANGEABLE: dict[str, Field] = {
    "description": Text(clearable=True),
    "enabled_events": ListOf(Text(), 500),
    "metadata": Metadata(),
    "url": Url(),
}


@api.route(
    "POST",
    URL,
    {**CHANGEABLE, "api_version": Text(), "connect": Boolean()},
    ("enabled_events", "url"),
)
def create_endpoint(call: Call) -> dict[str, Any]:
    """Register an endpoint; only this answer ever shows its secret."""
    endpoint = webhooks.create(call.tx, call.params)
    return {**endpoint, "secret": endpoint.hidden["secret"]}


@api.route("GET", f"{URL}/<id>")
def retrieve_endpoint(call: Call, id: str) -> dict[str, Any]:
    """Return one endpoint, without its secret."""
    return call.tx.get(webhooks.TYPE, id)


@api.route("POST", f"{URL}/<id>", {**CHANGEABLE, "disabled": Boolean()})
def update_endpoint(call: Call, id: str) -> dict[str, Any]:
    """Change an endpoint; its version stays what it was."""
    endpoint = call.tx.get(webhooks.TYPE, id)
    changes = dict(call.params)
    changes.pop("expand", None)
    if "disabled" in changes:
        endpoint["status"] = "disabled" if changes.pop("disabled") else "enabled"
    if "enabled_events" in changes:
        webhooks.check_events(changes["enabled_events"])
    if "metadata" in changes:
        changes["metadata"] = merge_metadata(endpoint["metadata"], changes["metadata"])
    endpoint.update(changes)
    return call.tx.save(endpoint)


@api.route("DELETE", f"{URL}/<id>")
def delete_endpoint(call: Call, id: str) -> dict[str, Any]:
    """Forget an endpoint; what was still to be delivered there is dropped."""
    call.tx.delete(call.tx.get(webhooks.TYPE, id))
    return {"id": id, "object": webhooks.TYPE, "deleted": True}


@api.route("GET", URL, PAGING)
def list_endpoints(call: Call) -> dict[str, Any]:
    """Return a page of endpoints, newest first."""
    return list_objects(call, webhooks.TYPE, URL)
