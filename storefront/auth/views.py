"""Pages of accounts: register, sign in, sign out here or everywhere, change the password."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_login import current_user, login_required
from limits import parse

from storefront import rate_limits
from storefront.auth import sessions
from storefront.auth.forms import AccountForm, ChangePasswordForm, LoginForm, RegisterForm
from storefront.database import writing
from storefront.errors import InvalidInput, StaleForm, wants_json
from storefront.extensions import limiter
from storefront.i18n import gettext as _
from storefront.models.user import User
from storefront.rate_limits import client_network
from storefront.security import (
    SAFE_METHODS,
    answer_stale_form,
    require_token,
    safe_next,
    start_session,
)
from storefront.services import accounts

log = logging.getLogger(__name__)
bp = Blueprint("auth", __name__, url_prefix="/auth")

FAILURES_PER_ACCOUNT = parse("10 per 15 minutes")
LOGINS_PER_ADDRESS = "40 per 15 minutes"
REGISTERS_PER_ADDRESS = "20 per hour"


bp.before_app_request(sessions.drop_if_over)


@bp.before_request
def _require_token() -> None:
    """Also of visitors without a session: nobody can be signed in to a stranger's account."""
    if request.method not in SAFE_METHODS and request.endpoint in FORMS:
        require_token()


@bp.route("/register", methods=["GET", "POST"])
@limiter.limit(REGISTERS_PER_ADDRESS, key_func=client_network, methods=["POST"])
def register() -> Any:
    """Make an account. Whether the address had one already cannot be told from the answer."""
    form = RegisterForm()
    if form.validate_on_submit() and _register(form):
        flash(_("If this address is new here, your account is ready. Please sign in."), "ok")
        return redirect(url_for("auth.login", next=_next(form)), 303)
    return _page("auth/register.html", form)


def _register(form: RegisterForm) -> bool:
    try:
        email = accounts.normal_email(form.email.data)
    except InvalidInput as error:
        return _refuse(form.email, error.message)
    try:
        password = accounts.new_password(form.password.data, email)
    except InvalidInput as error:
        return _refuse(form.password, error.message)
    with writing():
        accounts.register(email, password, form.name.data or "")
    return True


@bp.route("/login", methods=["GET", "POST"])
@limiter.limit(LOGINS_PER_ADDRESS, key_func=client_network, methods=["POST"])
def login() -> Any:
    """Sign in and go on to where the visitor was heading."""
    form = LoginForm()
    if request.method == "GET" and current_user.is_authenticated:
        return redirect(safe_next(request.args.get("next")), 303)
    if form.validate_on_submit():
        user = _recognize(form.email.data, form.password.data)
        if user:
            sessions.start(user)
            return redirect(safe_next(form.next.data), 303)
        form.form_errors.append(_("The e-mail address or the password is not right."))
    return _page("auth/login.html", form)


def _recognize(email: str, password: str) -> User | None:
    account = _account_key(email)
    rate_limits.count(FAILURES_PER_ACCOUNT, account)
    user = accounts.authenticate(email, password)
    if user is None:
        log.info("sign-in failed", extra={"fields": {"account": account}})
        return None
    rate_limits.uncount(FAILURES_PER_ACCOUNT, account)
    stronger = accounts.stronger_hash(user, password)
    if stronger:
        with writing():
            accounts.keep_stronger_hash(user, user.password_hash, stronger)
    log.info("signed in", extra={"fields": {"user": user.id}})
    return user


def _account_key(email: str) -> str:
    """The account in counters and logs, whichever way the address is spelled."""
    try:
        email = accounts.normal_email(email)
    except InvalidInput:
        email = email.strip().lower()
    return "account-" + hashlib.sha256(email.encode()).hexdigest()[:32]


@bp.post("/logout")
def logout() -> Any:
    """Sign out. A copy of this browser's cookie is worth nothing from now on."""
    _end_all_sessions()
    flash(_("You are signed out."), "ok")
    return redirect("/", 303)


@bp.post("/logout-everywhere")
def logout_everywhere() -> Any:
    """Sign out on every device."""
    _end_all_sessions()
    flash(_("You are signed out on every device."), "ok")
    return redirect("/", 303)


def _end_all_sessions() -> None:
    if current_user.is_authenticated:
        user = _signed_in()
        with writing():
            accounts.sign_out_everywhere(user)
        log.info("signed out", extra={"fields": {"user": user.id}})
    sessions.end()


@bp.route("/change-password", methods=["GET", "POST"])
@login_required
def change_password() -> Any:
    """Change the password: every other device is signed out, this one stays."""
    form = ChangePasswordForm()
    if form.validate_on_submit() and _change_password(form):
        flash(_("Your password is changed. Every other device is signed out."), "ok")
        return redirect(url_for("shop.account"), 303)
    return _page("auth/change_password.html", form)


def _change_password(form: ChangePasswordForm) -> bool:
    user = _signed_in()
    account = _account_key(user.email)
    rate_limits.count(FAILURES_PER_ACCOUNT, account)
    if not accounts.is_password_of(user, form.current_password.data):
        return _refuse(form.current_password, _("This is not your current password."))
    rate_limits.uncount(FAILURES_PER_ACCOUNT, account)
    try:
        password = accounts.new_password(form.new_password.data, user.email)
    except InvalidInput as error:
        return _refuse(form.new_password, error.message)
    with writing():
        accounts.change_password(user, password)
    sessions.renew(user)
    log.info("password changed", extra={"fields": {"user": user.id}})
    return True


def _signed_in() -> User:
    user: User = current_user._get_current_object()  # the proxy would become its own user
    return user


def _refuse(field: Any, message: str) -> bool:
    field.errors = [*field.errors, message]
    return False


def _next(form: Any) -> str | None:
    """Where to go afterwards, kept through the forms; None stands for the home page."""
    target = safe_next(form.next.data or request.args.get("next"))
    return target if target != "/" else None


def _page(template: str, form: AccountForm, status: int | None = None) -> Any:
    start_session()
    if "next" in form:
        form.next.data = _next(form)
    if status is None:
        status = 400 if form.errors else 200
    return render_template(template, form=form), status


FORMS: dict[str, type[AccountForm]] = {
    "auth.login": LoginForm,
    "auth.register": RegisterForm,
    "auth.change_password": ChangePasswordForm,
}


@bp.errorhandler(StaleForm)
def _show_anew(error: StaleForm) -> Any:
    """The same form, filled in as it was but for the passwords, with a token that works."""
    endpoint = request.endpoint or ""
    if endpoint not in FORMS or wants_json():
        return answer_stale_form(error)
    form = FORMS[endpoint]()
    form.form_errors.append(_("This page had been open for a while. Please send it once more."))
    return _page(f"{endpoint.replace('.', '/')}.html", form, error.status)
