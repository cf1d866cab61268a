"""The shop's webhook endpoint at Stripe: which ones there are, and what is wrong with each."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from flask import current_app

from storefront import stripe_gateway
from storefront.i18n import gettext as _

PATH = "/webhooks/stripe"


@dataclass(frozen=True)
class Endpoint:
    """One of Stripe's endpoints that leads here, and what about it can and cannot be corrected."""

    id: str
    url: str
    correctable: list[str] = field(default_factory=list)
    lasting: list[str] = field(default_factory=list)

    @property
    def faults(self) -> list[str]:
        return self.lasting + self.correctable


def address() -> str:
    """Where Stripe has to send its events."""
    return f"{current_app.config['SHOP_URL']}{PATH}"


def list_ours(events: list[str]) -> list[Endpoint]:
    """The endpoints that lead to this shop, the best first: only the first is needed."""
    found = [
        _judge(endpoint, events)
        for endpoint in stripe_gateway.iterate("webhook_endpoints", {})
        if _leads_here(endpoint["url"])
    ]
    return sorted(found, key=lambda endpoint: (len(endpoint.lasting), len(endpoint.correctable)))


def _leads_here(url: str) -> bool:
    """Also when its writer meant us and mistyped: http for https, or a slash at the end."""
    return _bare(url) == _bare(address())


def _bare(url: str) -> str:
    return url.lower().rstrip("/").removeprefix("https://").removeprefix("http://")


def _judge(endpoint: dict[str, Any], events: list[str]) -> Endpoint:
    lasting, correctable = [], []
    if endpoint["url"] != address():
        lasting.append(_("its address is %(url)s", url=endpoint["url"]))
    version = endpoint["api_version"] or _("the account's own")
    if version != stripe_gateway.API_VERSION:
        lasting.append(_("its API version is %(version)s", version=version))
    if endpoint["status"] != "enabled":
        correctable.append(_("it is disabled"))
    told = set(endpoint["enabled_events"])
    if missing := sorted(set(events) - told):
        correctable.append(_("it does not send %(events)s", events=", ".join(missing)))
    if extra := sorted(told - set(events)):
        correctable.append(_("it also sends %(events)s", events=", ".join(extra)))
    return Endpoint(endpoint["id"], endpoint["url"], correctable, lasting)
