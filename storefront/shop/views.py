"""Home, products, pictures, and what belongs to a customer: account and orders."""

from __future__ import annotations

from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    render_template,
    request,
    send_from_directory,
    url_for,
)
from flask_login import current_user, login_required

from storefront.errors import Gone, NotFound
from storefront.i18n import gettext as _
from storefront.presenting import (
    history,
    order_page,
    payment_state,
    product_page,
    readable_quantity,
    state_text,
    subscription_text,
)
from storefront.services import catalog, orders, settings, subscriptions
from storefront.shop.pages import shared_page

bp = Blueprint("shop", __name__)

A_YEAR = 365 * 24 * 3600


@bp.get("/")
def home() -> Response:
    """What the shop is, and a few things it is proud of."""
    rows, hero = catalog.list_featured(), settings.find("home")

    def context() -> dict[str, Any]:
        plain = {"title": current_app.config["SHOP_NAME"], "text": "", "image": None}
        return {"cards": [catalog.card(row) for row in rows], "hero": hero or plain}

    return shared_page("shop/home.html", [rows, hero], context)


@bp.get("/products")
def products() -> Response:
    """Everything for sale, a page at a time."""
    page = catalog.list_page(_mark("after"), _mark("before"))

    def context() -> dict[str, Any]:
        return {
            "cards": [catalog.card(row) for row in page.rows],
            "next_url": _page_url("after", page.after),
            "previous_url": _page_url("before", page.before),
            "total_text": None,
        }

    return shared_page("shop/products.html", [page.rows, page.after, page.before], context)


def _mark(name: str) -> tuple[int, int] | None:
    """A place in the list from the address ("position.id"); nonsense means the beginning."""
    parts = request.args.get(name, "").split(".")
    if len(parts) != 2 or not all(p.isascii() and p.isdigit() and len(p) < 10 for p in parts):
        return None
    return int(parts[0]), int(parts[1])


def _page_url(name: str, mark: tuple[int, int] | None) -> str | None:
    return f"{url_for('shop.products')}?{name}={mark[0]}.{mark[1]}" if mark else None


@bp.get("/products/<slug>")
def product(slug: str) -> Response:
    """One product with its variants and the Buy button; `?sku=` chooses a variant."""
    rows = catalog.read_product(slug)
    if not rows:
        raise NotFound(_("There is no such product."))
    if not rows[0].is_active or rows[0].sku is None:
        raise Gone(_("This product is no longer for sale."))
    g.sells = True
    sku, quantity = request.args.get("sku"), readable_quantity(request.args.get("quantity", "1"))
    return shared_page(
        "shop/product.html",
        [rows, sku, quantity],
        lambda: product_page(rows, sku, quantity),
    )


@bp.get("/media/<name>")
def media(name: str) -> Response:
    """A stored picture. Its name changes with its content, so it may be kept for ever."""
    response = send_from_directory(current_app.config["MEDIA_FOLDER"], name, max_age=A_YEAR)
    response.headers["Cache-Control"] = f"public, max-age={A_YEAR}, immutable"
    return response


@bp.get("/account")
@login_required
def account() -> str:
    """A customer's orders and subscriptions."""
    found = orders.list_of_user(current_user.id)
    return render_template(
        "shop/account.html",
        orders=[
            {
                "number": order.number,
                "created_at": order.created_at,
                "payment_state": payment_state(order),
                "state_text": state_text(payment_state(order)),
                "amount_total": order.amount_total,
                "currency": order.currency,
                "what": ", ".join(f"{line.quantity} × {line.name}" for line in order.lines),
            }
            for order in found
        ],
        subscriptions=[_subscription(row) for row in subscriptions.list_of_user(current_user.id)],
    )


def _subscription(row: Any) -> dict[str, Any]:
    return {
        "name": f"{row.name} – {row.label}" if row.label else row.name,
        "status": row.status,
        "status_text": subscription_text(row.status),
        "amount": row.unit_amount,
        "currency": row.currency,
        "interval": row.interval,
        "interval_count": row.interval_count,
        "current_period_end": row.current_period_end or row.trial_end,
        "cancel_at_period_end": row.cancel_at_period_end,
    }


@bp.get("/account/orders/<int:number>")
@login_required
def account_order(number: int) -> str:
    """A customer's own order; anybody else's looks as if it did not exist."""
    if number > 2**31:
        raise NotFound(_("You have no order with this number."))
    return _order_page(orders.get_of_user(number, current_user.id))


@bp.get("/orders/<token>")
def order(token: str) -> str:
    """An order by its unguessable link, for guests."""
    return _order_page(orders.get_by_token(token))


def _order_page(found: Any) -> str:
    return render_template("shop/order.html", order=order_page(found), history=history(found))
