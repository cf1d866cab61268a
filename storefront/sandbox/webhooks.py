"""Webhook endpoints: where events go, and the secret each of them is signed with."""

import re
from typing import Any

from storefront.sandbox.errors import invalid
from storefront.sandbox.ids import new_id
from storefront.sandbox.store import Stored, Tx

TYPE = "webhook_endpoint"
MAXIMUM = 16


def create(tx: Tx, params: dict[str, Any], secret: str | None = None) -> Stored:
    """Register an address; raise ApiError for a 17th one or an event name that cannot be."""
    check_events(params["enabled_events"])
    if len(tx.select("type = ?", (TYPE,))) >= MAXIMUM:
        raise invalid("You have reached the maximum of 16 test webhook endpoints.")
    endpoint = Stored(
        {
            "id": new_id("we"),
            "object": TYPE,
            "api_version": params.get("api_version"),
            "application": None,
            "created": tx.now,
            "description": params.get("description"),
            "enabled_events": params["enabled_events"],
            "livemode": False,
            "metadata": params.get("metadata") or {},
            "status": "enabled",
            "url": params["url"],
        }
    )
    endpoint.hidden = {"secret": secret or new_id("whsec")}
    return tx.add(endpoint)


def ensure(
    tx: Tx, url: str, secret: str, enabled_events: list[str], api_version: str | None
) -> Stored:
    """Register an address, or bring the one registered before up to date."""
    for endpoint in tx.select("type = ?", (TYPE,)):
        if endpoint["url"] == url:
            endpoint.update(
                enabled_events=enabled_events, api_version=api_version, status="enabled"
            )
            endpoint.hidden["secret"] = secret
            return tx.save(endpoint)
    params = {"url": url, "enabled_events": enabled_events, "api_version": api_version}
    return create(tx, params, secret)


def roll_secret(tx: Tx, endpoint: Stored, keep: int, secret: str | None = None) -> str:
    """Give an endpoint a new secret; for `keep` seconds deliveries are signed with the old too."""
    endpoint.hidden.update(
        old_secret=endpoint.hidden["secret"],
        old_secret_until=tx.now + keep,
        secret=secret or new_id("whsec"),
    )
    tx.save(endpoint)
    return str(endpoint.hidden["secret"])


def secrets(tx: Tx, endpoint: Stored) -> list[str]:
    """Return the secrets that deliveries to an endpoint are signed with at present."""
    found = [endpoint.hidden["secret"]]
    if tx.present < endpoint.hidden.get("old_secret_until", 0):
        found.append(endpoint.hidden["old_secret"])
    return found


def check_events(names: list[str]) -> None:
    """Raise ApiError unless every name is `*` or looks like an event's."""
    for name in names:
        if name != "*" and not re.fullmatch(r"[a-z0-9_]+(\.[a-z0-9_]+)+", name):
            raise invalid(f"Invalid event name: {name}", "enabled_events")
    if not names:
        raise invalid("You must name at least one event.", "enabled_events")
