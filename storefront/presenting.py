"""Rows as pages say them: states and amounts in the customer's words, for shop and payments."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from babel.dates import format_date
from flask import current_app, url_for
from flask_login import current_user
from markupsafe import Markup
from sqlalchemy import Row

from storefront.i18n import current_locale
from storefront.i18n import gettext as _
from storefront.models import Order, Refund
from storefront.money import format_money, to_decimal
from storefront.services import catalog, refunds


def payment_state(order: Order) -> str:
    """The state of an order, or that its money went back: wholly or in part."""
    if order.state != "paid" or not order.amount_refunded:
        return order.state
    return "refunded" if order.amount_refunded >= order.amount_total else "partly_refunded"


def state_text(state: str) -> str:
    """The payment state of an order in a customer's words."""
    return {
        "open": _("Waiting for payment"),
        "paid": _("Paid"),
        "processing": _("Waiting for your bank"),
        "expired": _("Not paid"),
        "cancelled": _("Cancelled"),
        "failed": _("Payment failed"),
        "refunded": _("Refunded"),
        "partly_refunded": _("Partly refunded"),
    }[state]


def closed_text(order: Order) -> str:
    """What an order that came to nothing means for its buyer."""
    return {
        "failed": _("Your bank did not complete the payment. Nothing was charged."),
        "expired": _("This order was not paid in time. Nothing was charged."),
        "cancelled": _("This order was cancelled before it was paid. Nothing was charged."),
    }.get(order.state, "")


def fulfillment_text(order: Order) -> str:
    """Where the goods are; empty while there is nothing to say."""
    if order.state != "paid" or order.mode == "subscription":
        return ""
    if order.fulfillment == "unfulfilled" and (
        order.stock == "short" or payment_state(order) == "refunded"
    ):
        return ""  # nothing will be sent
    return {
        "unfulfilled": _("We are preparing it."),
        "partial": _("Part of it is on its way."),
        "fulfilled": _("It is on its way."),
        "returned": _("It was returned."),
    }[order.fulfillment]


def order_page(order: Order) -> dict[str, Any]:
    """The order as its pages show it to its owner."""
    names = (
        "number",
        "token",
        "state",
        "email",
        "name",
        "currency",
        "amount_subtotal",
        "amount_shipping",
        "amount_tax",
        "amount_discount",
        "amount_total",
        "amount_refunded",
        "created_at",
        "paid_at",
        "lines",
    )
    return {name: getattr(order, name) for name in names} | {
        "payment_state": payment_state(order),
        "state_text": state_text(payment_state(order)),
        "closed_text": closed_text(order),
        "fulfillment_text": fulfillment_text(order),
        "shipping_lines": shipping_lines(order.shipping),
        "is_subscription": order.mode == "subscription",
        "refund_texts": refund_texts(order),
        "support_email": current_app.config["SUPPORT_EMAIL"] or None,
    }


def refund_texts(order: Order) -> list[str]:
    """What was given back, is on its way, or did not arrive, a sentence each."""
    if order.state != "paid":
        return []
    sentences = (refund_text(refund) for refund in refunds.list_of_order(order.id))
    return [sentence for sentence in sentences if sentence]


def refund_text(refund: Refund) -> str:
    """A refund in a customer's words; nothing of one that Stripe never took on."""
    given = {
        "money": format_money(refund.amount, refund.currency, current_locale()),
        "day": format_date(refund.created_at, locale=current_locale()),
    }
    if refund.state in ("failed", "canceled"):
        failed = _("A refund of %(money)s did not reach you. We will be in touch.", **given)
        return failed if refund.stripe_id else ""
    return {
        "asked": _("We are giving you back %(money)s.", **given),
        "requires_action": _(
            "We are giving you back %(money)s. Please see the mail about it: your bank details "
            "are needed.",
            **given,
        ),
        "pending": _("%(money)s is on its way back to you since %(day)s.", **given),
        "succeeded": _(
            "Refunded %(money)s on %(day)s. It may take up to 10 days until your bank shows it.",
            **given,
        ),
    }[refund.state]


def shipping_lines(shipping: dict[str, Any] | None) -> list[str]:
    """The delivery address as it stands on a parcel."""
    if not shipping:
        return []
    address = shipping.get("address") or {}
    town = " ".join(filter(None, (address.get("postal_code"), address.get("city"))))
    parts = (
        shipping.get("name"),
        address.get("line1"),
        address.get("line2"),
        town,
        address.get("state"),
        address.get("country"),
    )
    return [part for part in parts if part]


def history(order: Order) -> list[dict[str, Any]]:
    """What happened to the order, as far as it concerns its buyer."""
    words = {
        "open": _("Ordered"),
        "paid": _("Payment received"),
        "processing": _("Payment on its way from your bank"),
        "failed": _("The bank did not complete the payment"),
        "expired": _("Not paid in time"),
        "cancelled": _("Cancelled before payment"),
    }
    steps = (step for step in order.steps if step.after in words and step.after != step.before)
    return [{"at": step.at, "text": words[step.after or ""]} for step in steps]


def subscription_text(status: str) -> str:
    """The state of a subscription in a customer's words."""
    return {
        "trialing": _("Free trial"),
        "active": _("Active"),
        "past_due": _("Payment overdue"),
        "unpaid": _("Unpaid"),
        "paused": _("Paused"),
        "incomplete": _("Waiting for payment"),
        "incomplete_expired": _("Never started"),
        "canceled": _("Ended"),
    }.get(status, status)


def product_page(rows: Sequence[Row[Any]], sku: str | None, quantity: int) -> dict[str, Any]:
    """What the product page and the Buy form need; `rows` are those of `catalog.read_product`."""
    row, offered = rows[0], catalog.choices(rows)
    chosen = catalog.choose(offered, sku)
    config = current_app.config
    sign_in_first = bool(chosen.interval) or config["REQUIRE_SIGN_IN"]
    return {
        "product": {
            "slug": row.slug,
            "name": row.name,
            "summary": row.summary,
            "images": row.images,
            "description_html": Markup(row.description_html),  # sanitized when it was saved
        },
        "variants": offered,
        "chosen": chosen,
        "quantity": max(1, min(quantity, chosen.most)),
        "most": chosen.most,
        "error": None,
        "sign_in_first": sign_in_first and not current_user.is_authenticated,
        "stripe_js_url": config["STRIPE_JS_URL"] or None,
        "publishable_key": config["STRIPE_PUBLISHABLE_KEY"] or None,
        "json_ld": json_ld(row, offered),
    }


def json_ld(row: Row[Any], offered: list[catalog.Choice]) -> dict[str, Any]:
    """The product as schema.org describes one, for search engines."""
    base = current_app.config["SHOP_URL"]
    address = base + url_for("shop.product", slug=row.slug)
    data: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "Product",
        "name": row.name,
        "description": row.summary,
        "url": address,
        "offers": [_offer(choice, address) for choice in offered],
    }
    if row.images:
        data["image"] = [
            f"{base}/media/{image['key']}-{min(image['width'], 1280)}.webp" for image in row.images
        ]
    return data


def _offer(choice: catalog.Choice, address: str) -> dict[str, Any]:
    there = "OutOfStock" if choice.availability == "out" else "InStock"
    return {
        "@type": "Offer",
        "sku": choice.sku,
        "url": f"{address}?sku={choice.sku}",
        "price": str(to_decimal(choice.amount, choice.currency)),
        "priceCurrency": choice.currency.upper(),
        "availability": f"https://schema.org/{there}",
    }


def readable_quantity(text: str) -> int:
    """The quantity a page should keep; 1 when it is unreadable."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 1
