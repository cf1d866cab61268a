"""What one running sandbox consists of; `state(app)` finds it from the Flask app."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Flask

from storefront.sandbox.store import Store

Deliver = Callable[[str, bytes, Mapping[str, str], float], tuple[int, str]]
DAY = 24 * 60 * 60


@dataclass
class Sandbox:
    """The store, the outside addresses, and the settings that a test may want to change."""

    store: Store
    base_url: str
    deliver: Deliver
    delivery_timeout: float = 10.0
    retry_delays: tuple[int, ...] = (60, 300, 1800, 7200, 18000, 36000, 43200, DAY, DAY)
    claim_seconds: float = 60.0
    merchant: str = "Sandbox shop"
    background: bool = True
    courier: Any = None


def state(app: Flask) -> Sandbox:
    """Return the sandbox behind an app made by create_sandbox."""
    sandbox = app.extensions["sandbox"]
    assert isinstance(sandbox, Sandbox)
    return sandbox
