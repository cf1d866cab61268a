"""The hosted Checkout page, without JavaScript: pay, prove who you are, or learn why it is over."""

from collections.abc import Callable
from urllib.parse import urlsplit

from flask import Blueprint, current_app, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from storefront.sandbox import confirm, sessions, timekeeping
from storefront.sandbox.cards import ACCOUNTS, ALL, AUTHENTICATION_FAILED
from storefront.sandbox.checkout import Challenged, Declined, Outcome, needs_means
from storefront.sandbox.core import state
from storefront.sandbox.errors import ApiError
from storefront.sandbox.forms import PaymentForm
from storefront.sandbox.store import Stored
from storefront.sandbox.wording import Wording

bp = Blueprint("pay", __name__)
Page = Response | str | tuple[str, int]


@bp.get("/pay/<id>")
def page(id: str) -> Page:
    """Show what is bought and ask how it is to be paid."""
    session = _load(id)
    if session["status"] != "open":
        return _closed(session)
    return _show(PaymentForm(session, {"method": "card"}))


@bp.post("/pay/<id>")
def submit(id: str) -> Page:
    """Pay, and send the buyer back to the shop, to the bank's page, or back to the form."""
    confirm.choose_shipping(current_app, id, request.form.get("shipping_rate"))
    session = _load(id)
    if session["status"] != "open":
        return _closed(session)
    form = PaymentForm(session, request.form.to_dict())
    if "recalculate" in request.form:
        return _show(form)
    buyer, means = form.read()
    if form.errors:
        return _show(form), 422
    return _go_on(form, lambda: confirm.pay(current_app, id, buyer, means))


@bp.get("/pay/<id>/authenticate")
def challenge(id: str) -> Page:
    """Stand in for the bank that asks its customer to prove who he is."""
    session = _load(id)
    if session["status"] != "open":
        return _closed(session)
    if "challenge" not in session.hidden:
        return redirect(url_for("pay.page", id=id), 303)
    g.form_targets = _targets(session)
    return render_template("sandbox/authenticate.html", session=session, say=Wording(session))


@bp.post("/pay/<id>/authenticate")
def authenticate(id: str) -> Page:
    """Take the buyer's answer to the bank."""
    session = _load(id)
    if session["status"] != "open":
        return _closed(session)
    token = request.form.get("token", "")
    passed = request.form.get("answer") == "complete"
    form = PaymentForm(session, {"method": "card"})
    return _go_on(form, lambda: confirm.authenticate(current_app, id, token, passed=passed))


def _load(id: str) -> Stored:
    store = state(current_app).store
    timekeeping.sweep(store)
    with store.read() as tx:
        return tx.get(sessions.TYPE, id)


def _go_on(form: PaymentForm, attempt: Callable[[], Outcome]) -> Page:
    try:
        outcome = attempt()
    except ApiError:
        # Another tab was quicker, or the time ran out in between.
        session = _load(form.session["id"])
        if session["status"] == "open":
            return redirect(url_for("pay.page", id=session["id"]), 303)
        return _closed(session)
    if isinstance(outcome, Challenged):
        return redirect(url_for("pay.challenge", id=form.session["id"]), 303)
    if isinstance(outcome, Declined):
        where = "form" if outcome.decline is AUTHENTICATION_FAILED else "card_number"
        form.errors[where] = outcome.decline.message
        return _show(form), 402
    return redirect(_return_address(outcome.session), 303)


def _show(form: PaymentForm) -> str:
    session = form.session
    g.form_targets = _targets(session)
    return render_template(
        "sandbox/pay.html",
        form=form,
        session=session,
        lines=session.hidden["lines"],
        rates=session.hidden["shipping_rates"],
        say=Wording(session),
        needs_means=needs_means(session),
        cards=ALL,
        accounts=ACCOUNTS.values(),
        merchant=state(current_app).merchant,
    )


def _closed(session: Stored) -> Page:
    address = session["cancel_url"]
    if session["status"] == "complete":
        address = _return_address(session)
    return render_template("sandbox/closed.html", session=session, back=address)


def _return_address(session: Stored) -> str:
    return str(session["success_url"]).replace("{CHECKOUT_SESSION_ID}", session["id"])


def _targets(session: Stored) -> list[str]:
    """Return the origins that the form may lead to, for the browser's content security policy."""
    parts = [urlsplit(session[name] or "") for name in ("success_url", "cancel_url")]
    return sorted({f"{part.scheme}://{part.netloc}" for part in parts if part.netloc})
