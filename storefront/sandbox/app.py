"""The sandbox's Flask app: what it is made of, who may talk to it, the headers of its answers."""

import hashlib
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, g, render_template, request, url_for
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from storefront.sandbox import (
    aging,
    chaos_views,
    control_views,
    deliveries,
    money,
    money_back_views,
    pages,
    router,
    stripe_js,
    time_views,
    webhooks,
    wording,
)
from storefront.sandbox.api import (
    account,
    billing,
    catalog,
    customers,
    disputes,
    events,
    invoices,
    payment_methods,
    payment_pages,
    payments,
    plans,
    refunds,
    sessions,
    test_clocks,
    webhook_endpoints,
)
from storefront.sandbox.core import DAY, Deliver, Sandbox, state
from storefront.sandbox.errors import ApiError
from storefront.sandbox.store import Store, Stored
from storefront.sandbox.transport import is_loopback, post_to_loopback

ROOT = Path(__file__).resolve().parent.parent.parent
APIS = (
    account.api,
    billing.api,
    catalog.api,
    customers.api,
    disputes.api,
    events.api,
    invoices.api,
    payment_methods.api,
    payment_pages.api,
    payments.api,
    plans.api,
    refunds.api,
    sessions.api,
    test_clocks.api,
    webhook_endpoints.api,
)
MAX_BODY = 1024 * 1024


def create_sandbox(
    database: str | Path, base_url: str, *, deliver: Deliver | None = None, **settings: Any
) -> Flask:
    """Return a local Stripe that keeps its state in `database` and is reached at `base_url`.

    `settings` are fields of core.Sandbox. Any number of processes may do this on one file at once.
    """
    app = Flask(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static" / "sandbox"),
        static_url_path="/static",
    )
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    # Every address of a static file carries the hash of its content.
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 365 * DAY
    sandbox = Sandbox(
        Store(database), base_url.rstrip("/"), deliver or post_to_loopback, **settings
    )
    aging.catch_up(sandbox.store)
    app.extensions["sandbox"] = sandbox
    if sandbox.background:
        sandbox.courier = deliveries.Courier(app)
        sandbox.store.notify = sandbox.courier.kick
    router.install(app, *APIS)
    for part in (pages, control_views, chaos_views, money_back_views, stripe_js, time_views):
        app.register_blueprint(part.bp)
    app.before_request(_refuse_strangers)
    app.after_request(_protect)
    app.register_error_handler(ApiError, _show_error)
    app.register_error_handler(HTTPException, _show_http_error)
    app.jinja_env.globals.update(static_url=_static_url, show_money=money.show)
    app.jinja_env.filters.update(
        country=wording.country, moment=wording.moment, shorten=wording.shorten
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    return app


def mount(app: Flask, sandbox: Flask, path: str = "/sandbox") -> None:
    """Serve the sandbox under a path of another WSGI app, which stays unaware of it."""
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {path: sandbox})  # type: ignore[method-assign]


def ensure_webhook_endpoint(
    sandbox: Flask,
    url: str,
    secret: str,
    enabled_events: list[str] | None = None,
    api_version: str | None = None,
) -> Stored:
    """Have events delivered to `url`; a repeat with the same url updates that endpoint."""
    with state(sandbox).store.write() as tx:
        return webhooks.ensure(tx, url, secret, enabled_events or ["*"], api_version)


def close(sandbox: Flask) -> None:
    """Stop sending in the background and close the database; a second call changes nothing."""
    parts = state(sandbox)
    if parts.courier is not None:
        parts.courier.stop()
    parts.store.close()


def _refuse_strangers() -> None:
    """Refuse foreign hosts, so that no web page can rebind its name to us, and foreign forms."""
    own = urlsplit(state(current_app).base_url)
    if not is_loopback(_host()) and _host() != own.hostname:
        abort(400, "unknown host")
    if request.method in ("GET", "HEAD") or request.path.startswith("/v1/"):
        return
    origin = request.headers.get("Origin")
    foreign = origin is not None and origin not in (
        request.host_url.rstrip("/"),
        f"{own.scheme}://{own.netloc}",
    )
    if foreign or request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        abort(403, "this form was sent from another site")


def _host() -> str:
    return urlsplit(f"//{request.host}").hostname or ""


def _protect(response: Response) -> Response:
    """Add the headers that keep a browser from doing more with an answer than it is meant for."""
    targets = " ".join(["'self'", *g.get("form_targets", [])])
    response.headers.setdefault(
        "Content-Security-Policy",
        "default-src 'self'; base-uri 'none'; object-src 'none'; frame-ancestors 'none';"
        f" form-action {targets}",
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response


def _show_error(error: ApiError) -> tuple[Any, int]:
    if request.is_json:
        return error.body(), error.status
    return render_template("sandbox/error.html", message=error.message), error.status


def _show_http_error(error: HTTPException) -> Any:
    """What no page and no call of ours answers: JSON for an SDK, a page for a person."""
    if error.code is None or error.code < 400:
        return error
    if request.path.startswith("/v1/") or request.is_json:
        message = f"Unrecognized request URL ({request.method}: {request.path})."
        return ApiError(message).body(), error.code
    message = "There is no such page here." if error.code == 404 else str(error.description)
    return render_template("sandbox/error.html", message=message), error.code


@cache
def _static_hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:12]


def _static_url(name: str) -> str:
    path = Path(str(current_app.static_folder)) / name
    return url_for("static", filename=name, v=_static_hash(path))
