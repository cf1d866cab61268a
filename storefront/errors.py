"""What can go wrong in words: ShopError and its children, and the pages or JSON they become.

A service raises a child of ShopError with a sentence for the visitor; the one handler here gives it
its status and its form. Of ours it imports the translations alone, so that all may import it.
"""

from __future__ import annotations

import logging
from typing import Any

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from jinja2 import TemplateError
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError, ProgrammingError
from werkzeug.exceptions import HTTPException

from storefront.i18n import gettext as _

log = logging.getLogger(__name__)

NO_SUCH_TABLE_OR_COLUMN = ("42P01", "42703")  # as PostgreSQL says it; SQLite's is operational
PAGES = (400, 403, 404, 405, 410, 413, 429, 500, 503)


class ShopError(Exception):
    """What the visitor can be told: `message` in his words, `status`, and `code` for scripts."""

    status = 400
    code = "invalid_request"

    def __init__(self, message: str = "", **details: Any) -> None:
        super().__init__(message)
        self.message = message
        self.details = details


class InvalidInput(ShopError):
    """A field holds something that cannot be used."""

    code = "invalid_input"


class NotFound(ShopError):
    """No such thing, or not for this visitor: both look the same from outside."""

    status = 404
    code = "not_found"


class Gone(ShopError):
    """It was here once and will not come back."""

    status = 410
    code = "gone"


class SoldOut(ShopError):
    """Less is free than was asked for. `details["free"]` says how many are left."""

    status = 409
    code = "sold_out"


class Conflict(ShopError):
    """The thing has moved on since the page was shown."""

    status = 409
    code = "conflict"


class AlreadySubscribed(Conflict):
    """The buyer already has this plan."""

    code = "already_subscribed"


class RefundRefused(Conflict):
    """The money cannot be given back like this; nothing was, and the message says why."""

    code = "refund_refused"


class SignInRequired(ShopError):
    """Only for signed-in buyers. `details["url"]` is where to sign in."""

    status = 403
    code = "sign_in_required"


class CrossSite(ShopError):
    """A form or script of another site sent this; nothing was done."""

    code = "csrf"


class StaleForm(ShopError):
    """The page's token is missing or of an older session: shown anew, the form works."""

    code = "csrf"


class TooMany(ShopError):
    """A limit is reached and passes by itself, in `details["retry_after"]` seconds."""

    status = 429
    code = "too_many"


class PaymentRefused(ShopError):
    """Stripe refused in words meant for the buyer."""

    status = 402
    code = "payment_refused"


class PaymentUnavailable(ShopError):
    """No payment can be started now, through no fault of the buyer."""

    status = 503
    code = "payment_unavailable"


def wants_json() -> bool:
    """Whether this request came from a script that asked for JSON rather than for a page."""
    accepted = request.accept_mimetypes
    return accepted["application/json"] > accepted["text/html"]


def error_response(status: int, code: str, message: str, **details: Any) -> Response:
    """The answer for an error: JSON for a script, else the page of its status."""
    if wants_json():
        error = {"code": code, "message": message or _plain_sentence(status), **details}
        return _as_error(jsonify(error=error), status)
    page = status if status in PAGES else (400 if status < 500 else 500)
    try:
        body = render_template(
            f"errors/{page}.html", message=message, request_id=g.get("request_id", "")
        )
    except (DBAPIError, TemplateError):
        log.exception("the error page itself failed")
        body = f"<!doctype html><title>{status}</title><p>{status}. Please try again in a moment."
    return _as_error(make_response(body), status)


def _as_error(response: Response, status: int) -> Response:
    """Page and JSON of one address must never be taken for each other, nor be kept."""
    response.status_code = status
    response.headers["Cache-Control"] = "no-store"
    response.headers["Vary"] = "Accept"
    return response


def _plain_sentence(status: int) -> str:
    """What a script can show when nobody had more to say; pages have their own words."""
    if status == 503:
        sentence = _("The shop is busy. Nothing was charged; please try again in a moment.")
    elif status >= 500:
        sentence = _("Something went wrong on our side. Please try again in a moment.")
    elif status == 429:
        sentence = _("There were too many tries. Please wait a little.")
    else:
        sentence = _("This request could not be used.")
    return sentence


def _shop_error(error: ShopError) -> Response:
    return error_response(error.status, error.code, error.message, **error.details)


def _http_exception(error: HTTPException) -> HTTPException | Response:
    status = error.code or 500
    if status < 400:
        return error
    name = (error.name or "error").lower().replace(" ", "_")
    response = error_response(status, name, "")
    for header, value in error.get_headers():
        if header.lower() in ("allow", "retry-after"):
            response.headers[header] = value
    return response


def _database_unavailable(error: DBAPIError) -> Response:
    """A locked, full or unreachable database: nothing was changed, so the visitor may try again."""
    log.error("database unavailable: %s", type(error.orig).__name__, exc_info=error)
    response = error_response(503, "unavailable", "")
    response.headers["Retry-After"] = "5"
    return response


def _programming_error(error: ProgrammingError) -> Response:
    """A database that is not made or upgraded yet will be; anything else is a fault of ours."""
    if getattr(error.orig, "sqlstate", "") in NO_SUCH_TABLE_OR_COLUMN:
        return _database_unavailable(error)
    return _unexpected(error)


def _unprintable(error: UnicodeError) -> Response:
    """Text no database can hold (a lone surrogate): the fault is in what was sent."""
    log.warning("refused text that cannot be encoded: %s", type(error).__name__)
    return error_response(400, "invalid_input", "")


def _unexpected(error: Exception) -> Response:
    log.error("unexpected error", exc_info=error)
    return error_response(500, "internal", "")


def init_app(app: Flask) -> None:
    """Give every failure a page: ours, Werkzeug's, the database's and the unforeseen."""
    app.register_error_handler(ShopError, _shop_error)
    app.register_error_handler(HTTPException, _http_exception)
    app.register_error_handler(OperationalError, _database_unavailable)
    app.register_error_handler(InterfaceError, _database_unavailable)
    app.register_error_handler(ProgrammingError, _programming_error)
    app.register_error_handler(UnicodeEncodeError, _unprintable)
    app.register_error_handler(500, lambda error: _unexpected(error.original_exception or error))
