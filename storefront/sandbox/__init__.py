"""The sandbox: a local stand-in for Stripe, which knows nothing of the shop that uses it."""

from storefront.sandbox.app import close, create_sandbox, ensure_webhook_endpoint, mount
from storefront.sandbox.deliveries import run_due
from storefront.sandbox.transport import InProcessClient

__all__ = [
    "InProcessClient",
    "close",
    "create_sandbox",
    "ensure_webhook_endpoint",
    "mount",
    "run_due",
]
