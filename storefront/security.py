"""What every request and response must pass: host, size, cross-site checks, headers, role guards.

Nothing here touches the session of a visitor who has none, so that his pages stay cacheable.
"""

from __future__ import annotations

import hashlib
import logging
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Request, Response, abort, current_app, g, request, session
from flask.globals import request_ctx
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface, SessionMixin
from flask_login import current_user
from flask_wtf.csrf import CSRFError, generate_csrf
from werkzeug.middleware.proxy_fix import ProxyFix

from storefront.config import LOOPBACK
from storefront.content_policy import content_policy
from storefront.errors import CrossSite, InvalidInput, StaleForm, error_response, wants_json
from storefront.extensions import csrf, login_manager
from storefront.i18n import gettext as _

log = logging.getLogger(__name__)

Environ = dict[str, Any]
View = Callable[..., Any]
Headers = tuple[tuple[str, str], ...]

SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS", "TRACE"))
WITHOUT_CSRF = "webhooks.stripe"  # signed by Stripe; the only route without these checks
PROBES = ("/healthz", "/readyz")  # asked by machines that know an address, not the shop's name
PRIVATE_PATHS = ("/auth/", "/account", "/orders/", "/payment/", "/admin")
LONGEST_QUERY = 8192
MOST_FIELDS = 1000
LONGEST_NEXT = 2000
LOOPBACK_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:[0-9]{1,5})?")
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


class VisitorsSessions(SecureCookieSessionInterface):
    """Flask's sessions, which are no work for a visitor who has none."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        if "HTTP_COOKIE" not in request.environ:
            return self.session_class()
        return super().open_session(app, request)

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        if session.accessed or session.modified:
            super().save_session(app, session, response)


@dataclass(frozen=True)
class Policy:
    """What the settings say about requests and responses, worked out once at start."""

    shop_url: str
    hosts: frozenset[str]
    is_loopback: bool
    proxies: int
    headers: Headers
    headers_selling: Headers


def init_app(app: Flask) -> None:
    """Guard every request and dress every response of the app, errors and static files included."""
    policy = app.extensions["storefront_security"] = _policy(app.config)
    if policy.proxies:
        # x_host stays 0: links come from SHOP_URL, never from what a client can send.
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=policy.proxies, x_proto=policy.proxies, x_host=0
        )
    app.wsgi_app = _dressing(app.wsgi_app, policy)  # type: ignore[method-assign]
    app.session_interface = VisitorsSessions()
    app.before_request(_check_request)
    app.register_error_handler(StaleForm, answer_stale_form)


def _policy(config: dict[str, Any]) -> Policy:
    parts = urlsplit(config["SHOP_URL"])
    usual_port = 443 if parts.scheme == "https" else 80
    port = parts.port or usual_port
    # As browsers send it: international names in their ASCII form, the usual port left out.
    name = str(parts.hostname).encode("idna").decode()
    name = f"[{name}]" if ":" in name else name
    host = name if port == usual_port else f"{name}:{port}"
    return Policy(
        shop_url=f"{parts.scheme}://{host}",
        hosts=frozenset({host, f"{name}:{port}"}),
        is_loopback=parts.hostname in LOOPBACK,
        proxies=config["TRUSTED_PROXIES"],
        headers=_headers(config, selling=False),
        headers_selling=_headers(config, selling=True),
    )


def _headers(config: dict[str, Any], *, selling: bool) -> Headers:
    headers = [
        ("Content-Security-Policy", content_policy(config, selling=selling)),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin-allow-popups"),
        ("Permissions-Policy", "camera=(), geolocation=(), microphone=(), usb=()"),
        ("X-Frame-Options", "DENY"),
    ]
    if config["SHOP_URL"].startswith("https:"):
        headers.append(("Strict-Transport-Security", "max-age=31536000"))
    return tuple(headers)


def _check_request() -> None:
    policy: Policy = current_app.extensions["storefront_security"]
    environ = request.environ  # read as it is: this runs for every picture, too
    g.request_id = _request_id(environ, policy)
    _check_host(environ, policy)
    _check_address(environ)
    if environ["REQUEST_METHOD"] in SAFE_METHODS or request.routing_exception is not None:
        return
    if request.endpoint != WITHOUT_CSRF:
        _check_origin()
        _check_fields()
        if has_session():
            require_token()


def _request_id(environ: Environ, policy: Policy) -> str:
    given = environ.get("HTTP_X_REQUEST_ID") if policy.proxies else None
    return given if given and REQUEST_ID.fullmatch(given) else secrets.token_hex(8)


def _check_host(environ: Environ, policy: Policy) -> None:
    host = environ.get("HTTP_HOST", "").lower()
    if host in policy.hosts or (policy.is_loopback and LOOPBACK_HOST.fullmatch(host)):
        return
    if environ.get("PATH_INFO") not in PROBES:
        log.info("refused: unknown host")
        raise InvalidInput(_("This shop is not known by the address you used."))


def _check_address(environ: Environ) -> None:
    query = environ.get("QUERY_STRING", "")
    if "\0" in environ.get("PATH_INFO", "") or "%00" in query or "\0" in query:
        raise InvalidInput()
    if len(query) > LONGEST_QUERY or query.count("&") >= MOST_FIELDS:
        raise InvalidInput(_("The address of this page is too long."))


def _check_origin() -> None:
    """Refuse what the browser itself says to come from elsewhere; `null` is elsewhere, too."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if site not in (None, "same-origin", "none") or not _is_own_origin(origin):
        log.info("refused: cross-site %s", request.method)
        raise CrossSite(_("This request came from another site, so nothing was done."))


def _is_own_origin(origin: str | None) -> bool:
    return origin is None or origin.lower() == public_url()


def _check_fields() -> None:
    """Read the form once. A NUL reaches no database: SQLite keeps it, PostgreSQL fails on it."""
    fields = 0
    for name, values in request.form.lists():
        fields += len(values)
        if "\0" in name or any("\0" in value for value in values):
            raise InvalidInput()
    if fields > MOST_FIELDS:
        raise InvalidInput()


def require_token() -> None:
    """Demand the page's CSRF token (field csrf_token or header X-CSRFToken); raises StaleForm."""
    try:
        csrf.protect()
    except CSRFError as error:
        log.info("refused: %s", error.description)
        raise StaleForm(
            _("This page had been open for a while. Please go back, reload it and try again.")
        ) from error


def answer_stale_form(error: StaleForm) -> Response:
    """The answer to a script carries the token to try again with; no other site can read it."""
    response = error_response(error.status, error.code, error.message, **error.details)
    if wants_json():
        response.headers["X-CSRFToken"] = generate_csrf()
    return response


def _dressing(wsgi_app: Any, policy: Policy) -> Any:
    """Add our headers at the last moment: no response gets by, and it costs a list, not a copy."""

    def dressed(environ: Environ, start_response: Any) -> Any:
        def start(status: str, headers: list[tuple[str, str]], *exc_info: Any) -> Any:
            return start_response(status, [*headers, *_added(environ, headers, policy)], *exc_info)

        return wsgi_app(environ, start)

    return dressed


def _added(environ: Environ, headers: list[tuple[str, str]], policy: Policy) -> Headers:
    added = policy.headers_selling if g.get("sells") else policy.headers
    if not any(name.lower() == "cache-control" for name, _value in headers):
        path = environ.get("PATH_INFO", "")
        if has_session() or _held_session().modified or path.startswith(PRIVATE_PATHS):
            added = (*added, ("Cache-Control", "private, no-store"))
    return (*added, ("X-Request-ID", g.get("request_id", "")))


def _held_session() -> Any:
    # The public proxy would mark the session as used: `Vary: Cookie` on pages that have no session.
    return request_ctx._session


def has_session() -> bool:
    """Whether this browser holds a session of ours, or has just been given one. Costs nothing."""
    return bool(_held_session())


def csrf_token_for_page() -> str | None:
    """The token for this page's forms, or None for a visitor without a session, who needs none."""
    return generate_csrf() if has_session() else None


def session_mark() -> str | None:
    """Names the session this request came with, the same for each request that carries it."""
    drawn = session.get("csrf_token")  # at random, when the session began
    return hashlib.sha256(f"session:{drawn}".encode()).hexdigest()[:32] if drawn else None


def start_session() -> None:
    """Give this browser a session, so that the forms of this page carry a token and demand it."""
    if not session.permanent:  # writing it anew would send the cookie with every page
        session.permanent = True
    generate_csrf()


def public_url() -> str:
    """The shop's address for absolute links, without a slash at the end.

    It is SHOP_URL; a shop on loopback answers by whichever local name and port the visitor used,
    so that he keeps his cookies (port forwarding).
    """
    policy: Policy = current_app.extensions["storefront_security"]
    if not policy.is_loopback or not request:
        return policy.shop_url
    return f"{request.scheme}://{request.environ['HTTP_HOST'].lower()}"


def safe_next(target: str | None, default: str = "/") -> str:
    """`target` when it is a plain path of this shop, else `default`: no way to another site."""
    if not target or len(target) > LONGEST_NEXT or not target.isprintable():
        return default  # browsers drop tabs and line ends, and "/\t/evil" becomes "//evil"
    if not target.startswith("/") or target.startswith("//") or "\\" in target:
        return default
    return target


def staff_required(view: View) -> View:
    """Let only staff and owners in: a visitor is asked to sign in, a customer gets 404."""
    return _guarded(view, lambda user: None if user.is_staff else 404)


def owner_required(view: View) -> View:
    """Let only owners in: a visitor is asked to sign in, a customer gets 404 and staff 403."""

    def refusal(user: Any) -> int | None:
        if not user.is_staff:
            return 404
        return None if user.role == "owner" else 403

    return _guarded(view, refusal)


def _guarded(view: View, refusal: Callable[[Any], int | None]) -> View:
    @wraps(view)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        if not current_user.is_authenticated:
            return login_manager.unauthorized()
        status = refusal(current_user)
        if status:
            abort(status)
        return view(*args, **kwargs)

    return guarded
