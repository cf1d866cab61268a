"""The Buy button's address, and the ways back from Stripe: success, status, cancel."""

from __future__ import annotations

import hashlib
import logging
import secrets
from datetime import timedelta
from typing import Any
from uuid import UUID

from flask import (
    Blueprint,
    Response,
    flash,
    g,
    jsonify,
    make_response,
    render_template,
    request,
    session,
    url_for,
)
from flask_login import current_user

from storefront import database, security, stripe_gateway
from storefront.errors import (
    InvalidInput,
    NotFound,
    PaymentUnavailable,
    ShopError,
    SignInRequired,
    StaleForm,
    error_response,
    wants_json,
)
from storefront.extensions import limiter
from storefront.i18n import gettext as _
from storefront.models import Order, User
from storefront.models.columns import now
from storefront.payments.opening import open_payment
from storefront.presenting import order_page, product_page, readable_quantity
from storefront.services import catalog, orders, settlement
from storefront.services.checkout import MAX_QUANTITY, Purchase

log = logging.getLogger(__name__)
bp = Blueprint("payments", __name__)

ASK_AGAIN_AFTER = timedelta(seconds=4)
OPENINGS = "600 per hour"  # from one address, many customers included


@bp.post("/stripe/create-checkout-session")
@limiter.limit(OPENINGS)
def create_checkout_session() -> Response:
    """The buyer wants to pay: 303 to Stripe's page, or its address as JSON for the script."""
    try:
        payment = open_payment(_purchase(), _user())
    except ShopError as error:
        return _could_not_start(error)
    if wants_json():
        return jsonify(sessionId=payment.session_id, url=payment.url)
    return _see_other(payment.url)


def _see_other(url: str) -> Response:
    response = make_response("", 303)
    response.headers["Location"] = url
    return response


def _user() -> User | None:
    # Flask-Login hands out a proxy; services get the thing itself.
    return current_user._get_current_object() if current_user.is_authenticated else None


def _purchase() -> Purchase:
    sku = request.form.get("sku", "")
    if not sku or len(sku) > 64:
        raise NotFound(_("This product is not for sale."))
    user = _user()
    slug = catalog.find_slug(sku)
    back = url_for("shop.product", slug=slug, sku=sku) if slug else "/"
    return Purchase(
        buyer=f"user:{user.id}" if user else f"visitor:{_visitor()}",
        sku=sku,
        quantity=_quantity(),
        user_id=user.id if user else None,
        return_path=back[:255],
    )


def _quantity() -> int:
    text = request.form.get("quantity", "1")
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise InvalidInput(_("Please choose a quantity from 1 to %(most)s.", most=MAX_QUANTITY))
    return int(text)


def _visitor() -> str:
    """Names this browser, from its first purchase on.

    The two halves of a double click must agree on the name, though neither sees the cookie that the
    other is given: it is drawn from what both carry, the session or else the script's `attempt`.
    """
    if "visitor" not in session:
        carried = security.session_mark() or _from_attempt(request.form.get("attempt", ""))
        session["visitor"] = carried or secrets.token_hex(16)
        session.permanent = True
    visitor: str = session["visitor"]
    return visitor


def _from_attempt(attempt: str) -> str | None:
    try:
        chosen = UUID(attempt)
    except ValueError:
        return None
    return hashlib.sha256(b"attempt:" + chosen.bytes).hexdigest()[:32]


@bp.errorhandler(StaleForm)
def stale_form(error: StaleForm) -> Response:
    """The page's token is from before a session began or ended: ask for one more press."""
    if wants_json():
        return security.answer_stale_form(error)
    return _retry_page(StaleForm(_("Please press once more.")))


def _could_not_start(error: ShopError) -> Response:
    """A script gets the reason; a plain Buy gets its form again, with the choice kept."""
    if isinstance(error, SignInRequired):
        return _sign_in_first(error)
    if wants_json():
        return error_response(error.status, error.code, error.message, **error.details)
    return _retry_page(error)


def _sign_in_first(error: SignInRequired) -> Response:
    sku = request.form.get("sku", "")
    slug = catalog.find_slug(sku)
    back = url_for("shop.product", slug=slug, sku=sku) if slug else "/"
    address = url_for("auth.login", next=back)
    if wants_json():
        return error_response(error.status, error.code, error.message, url=address)
    return _see_other(address)


def _retry_page(error: ShopError) -> Response:
    sku = request.form.get("sku", "")
    slug = catalog.find_slug(sku) if len(sku) <= 64 else None
    rows = catalog.read_product(slug) if slug else []
    if not rows:
        return error_response(error.status, error.code, error.message)
    g.sells = True
    quantity = readable_quantity(request.form.get("quantity", "1"))
    context = product_page(rows, sku, quantity) | {"error": error.message}
    return make_response(render_template("payments/retry.html", **context), error.status)


@bp.get("/payment/success")
def success() -> Response:
    """The buyer is back: settle if the webhook is late, and show the order to its owner only."""
    order, pay_url = _own_order_of_session(), None
    if order.state in ("open", "processing"):
        order, told = _settle_if_due(order)
        # Somebody looks in before having paid: there is nothing to wait for.
        pay_url = told["url"] if told and told["status"] == "open" else None
    page = render_template("payments/success.html", order=order_page(order), pay_url=pay_url)
    return make_response(page)


@bp.get("/payment/status")
def status() -> Response:
    """How the order stands, for the success page to ask while it waits."""
    try:
        order = _own_order_of_session()
    except NotFound as error:
        return make_response(jsonify(error={"code": error.code, "message": error.message}), 404)
    if order.state == "open":
        order, _told = _settle_if_due(order)
    response = jsonify(state=order.state)
    response.headers["Cache-Control"] = "no-store"
    return response


def _own_order_of_session() -> Order:
    """The order of the session in the address, if this browser or account opened it; else 404."""
    session_id = request.args.get("sessid", "")
    order = orders.find_by_session(session_id) if 0 < len(session_id) <= 255 else None
    if order is None or not _is_own(order):
        raise NotFound(
            _("We cannot show an order here. If you have just paid, your order is safe with us.")
        )
    return order


def _is_own(order: Order) -> bool:
    mine = {f"user:{current_user.id}"} if current_user.is_authenticated else set()
    if "visitor" in session:
        mine.add(f"visitor:{session['visitor']}")
    return order.buyer in mine


def _settle_if_due(order: Order) -> tuple[Order, dict[str, Any] | None]:
    """Ask Stripe unless somebody has just done so; the order as it is then, and the answer."""
    with database.writing():
        due = orders.claim_asking(order.id, now() - ASK_AGAIN_AFTER)
    if not due:
        return order, None
    try:
        told = stripe_gateway.get_checkout_session(order.checkout_session or "")
    except PaymentUnavailable:
        log.info("order %s waits: Stripe gives no answer", order.number)
        return order, None
    with database.writing():
        settlement.settle(told, cause="success page")
    return orders.find(order.number) or order, told


@bp.get("/payment/cancel")
def cancel() -> Response:
    """The buyer came back without paying: free the goods at Stripe and here, and take him back.

    A browser that only looks ahead (HEAD, prefetch) gives nothing up.
    """
    reference = request.args.get("order", "")
    order = orders.find_by_reference(reference) if 0 < len(reference) <= 40 else None
    if order is None or not _is_own(order):
        return _see_other(url_for("shop.home"))
    if order.state == "open" and order.checkout_session and not _only_looks_ahead():
        order = _give_up(order)
    if order.state in ("paid", "processing"):
        return _see_other(url_for("payments.success", sessid=order.checkout_session))
    flash(_("You have not paid, and nothing was charged. Here is where you were."), "info")
    quantity = order.lines[0].quantity if order.lines else 1
    back = security.safe_next(order.return_path)
    return _see_other(f"{back}&quantity={quantity}" if "?" in back else back)


def _only_looks_ahead() -> bool:
    purpose = request.headers.get("Sec-Purpose", "") + request.headers.get("Purpose", "")
    return request.method == "HEAD" or "prefetch" in purpose


def _give_up(order: Order) -> Order:
    try:
        told = stripe_gateway.close_checkout_session(order.checkout_session or "")
    except PaymentUnavailable:
        log.info("order %s is freed later: Stripe gives no answer", order.number)
        return order
    with database.writing():
        settlement.settle(told, cause="cancel page")
    return orders.find(order.number) or order
