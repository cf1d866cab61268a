"""Who this browser is: the session of a signed-in user, how it begins, is checked, and ends."""

from __future__ import annotations

import time
from typing import Any

from flask import Flask, Response, g, redirect, request, session, url_for
from flask_login import current_user, login_user, logout_user

from storefront.errors import SignInRequired, wants_json
from storefront.extensions import login_manager
from storefront.i18n import gettext as _
from storefront.models.user import User
from storefront.security import has_session
from storefront.services import accounts

HOUR = 3600
DAY = 24 * HOUR
CUSTOMER_ENDS, CUSTOMER_IDLE = 30 * DAY, 14 * DAY
STAFF_ENDS, STAFF_IDLE = 12 * HOUR, 8 * HOUR
NOTED_EVERY = 10 * 60  # how exactly we know when the user was last here; spares a cookie a page
LONGEST_ID = 18  # digits; more would not fit a database's integer
GUESTS_OWN = ("visitor", "orders")  # what a guest did in this browser stays with it


def init_app(app: Flask) -> None:
    """Set Flask-Login up so that a visitor without a session costs it nothing."""
    login_manager.init_app(app, add_context_processor=False)
    # It looks into the session at the end of every request, for a cookie that we never set.
    app.after_request_funcs[None].remove(login_manager._update_remember_cookie)
    login_manager.session_protection = None  # addresses change on the way home; stamps do not
    login_manager.user_loader(_load_user)
    login_manager.unauthorized_handler(_ask_to_sign_in)
    app.config["SESSION_REFRESH_EACH_REQUEST"] = False


def start(user: User) -> None:
    """Sign this browser in, in a new session: nothing that was planted in the old one remains."""
    kept = {name: session[name] for name in GUESTS_OWN if name in session}
    session.clear()
    g.pop("csrf_token", None)
    session.update(kept)
    session.permanent = True
    session["signed_in_at"] = session["seen_at"] = int(time.time())
    login_user(user)


def renew(user: User) -> None:
    """Keep this browser signed in after the user's stamp has changed; its end does not move."""
    signed_in_at = session.get("signed_in_at", 0)
    start(user)
    session["signed_in_at"] = signed_in_at


def end() -> None:
    """Sign this browser out and forget all that its session held."""
    logout_user()
    session.clear()


def drop_if_over() -> None:
    """Empty a session whose user was signed out elsewhere: a copied cookie then opens nothing."""
    if has_session() and "_user_id" in session and not current_user.is_authenticated:
        session.clear()


def _load_user(user_id: str) -> User | None:
    number, _colon, stamp = user_id.partition(":")
    if not (number.isdecimal() and number.isascii() and len(number) <= LONGEST_ID):
        return None
    user = accounts.find_by_stamp(int(number), stamp)
    if user is None or _is_timed_out(user):
        return None
    _note_visit()
    return user


def _is_timed_out(user: User) -> bool:
    ends, idle = (STAFF_ENDS, STAFF_IDLE) if user.is_staff else (CUSTOMER_ENDS, CUSTOMER_IDLE)
    now = time.time()
    return now - session.get("signed_in_at", 0) > ends or now - session.get("seen_at", 0) > idle


def _note_visit() -> None:
    now = int(time.time())
    if now - session["seen_at"] >= NOTED_EVERY:
        session["seen_at"] = now


def _ask_to_sign_in() -> Any:
    target = request.full_path.rstrip("?") if request.method in ("GET", "HEAD") else None
    sign_in = url_for("auth.login", next=target)
    if wants_json():
        raise SignInRequired(_("Please sign in first."), url=sign_in)
    response: Response = redirect(sign_in, 303)  # type: ignore[assignment]
    response.headers["Cache-Control"] = "private, no-store"
    return response
