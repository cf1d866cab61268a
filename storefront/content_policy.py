"""The Content-Security-Policy: what our pages may load, and where their forms may lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

STRIPE_SCRIPTS = "https://js.stripe.com https://*.js.stripe.com https://checkout.stripe.com"
STRIPE_FRAMES = f"{STRIPE_SCRIPTS} https://hooks.stripe.com https://*.link.com"
STRIPE_CALLS = "https://api.stripe.com https://checkout.stripe.com https://*.link.com"


def content_policy(config: Mapping[str, Any], *, selling: bool) -> str:
    """The policy as one line; a page with a Buy button may also load the configured Stripe.js.

    Browsers apply `form-action` to the redirect after a form, hence Stripe's pages in it.
    """
    stripe_js, stand_in = _origin(config["STRIPE_JS_URL"]), _origin(config["STRIPE_API_BASE"])
    forms = ["'self'", "https://checkout.stripe.com", "https://billing.stripe.com", stand_in]
    scripts, pictures = ["'self'"], ["'self'", "data:"]
    extra = []
    if selling and stripe_js == "https://js.stripe.com":
        scripts.append(STRIPE_SCRIPTS)
        pictures.append("https://*.stripe.com")
        extra = [f"frame-src 'self' {STRIPE_FRAMES}", f"connect-src 'self' {STRIPE_CALLS}"]
    elif selling:
        scripts.append(stripe_js)
    return "; ".join(
        [
            "default-src 'self'",
            "object-src 'none'",
            "base-uri 'none'",
            "frame-ancestors 'none'",
            f"form-action {' '.join(filter(None, forms))}",
            f"img-src {' '.join(pictures)}",
            f"script-src {' '.join(filter(None, scripts))}",
            *extra,
        ]
    )


def _origin(link: str) -> str:
    parts = urlsplit(link)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""
