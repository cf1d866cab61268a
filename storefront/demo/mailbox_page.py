"""At /demo/mailbox: what the demo's shop has sent, to look at. An app of its own, on this computer.

Mails style themselves in their own text, which the shop's policy for its pages rightly forbids.
"""

from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path
from urllib.parse import urlsplit

from flask import Blueprint, Flask, Response, abort, current_app, render_template, request
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from storefront import i18n
from storefront.mail.mailbox import Mailbox
from storefront.sandbox.transport import is_loopback
from storefront.templating import moment

PATH = "/demo/mailbox"
ROOT = Path(__file__).parent.parent.parent
PAGE_POLICY = "default-src 'none'; style-src 'self'; img-src 'self'; frame-src 'self'"
# A mail runs nothing and loads nothing; its links open in a window of their own.
MAIL_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'; sandbox allow-popups allow-popups-to-escape-sandbox"
)

bp = Blueprint("mailbox", __name__)


def mount(app: Flask, mailbox: Mailbox) -> None:
    """Show the mailbox under a path of the shop, which stays unaware of it."""
    page = Flask(
        __name__,
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
    )
    page.extensions["mailbox"] = mailbox
    page.register_blueprint(bp)
    i18n.init_app(page)
    page.jinja_env.trim_blocks = True
    page.jinja_env.filters.update(moment=moment)
    page.jinja_env.globals.update(shop_name=app.config["SHOP_NAME"])
    app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {PATH: page})  # type: ignore[method-assign]


@bp.before_request
def refuse_strangers() -> None:
    """Refuse other computers, and foreign hosts: a page could rebind its name to us and read."""
    if not is_loopback(request.remote_addr or ""):
        abort(403)
    if not is_loopback(urlsplit(f"//{request.host}").hostname or ""):
        abort(400)


@bp.get("/")
def index() -> str:
    """Every mail, newest first."""
    return render_template("demo/mailbox.html", messages=_mailbox().list_messages())


@bp.get("/<name>")
def message(name: str) -> str:
    """One mail, its text beside its HTML."""
    found = _find(name)
    return render_template(
        "demo/mail.html", name=name, message=found, text=_part(found, "plain"), headers=HEADERS
    )


@bp.get("/<name>/html")
def html(name: str) -> Response:
    """The HTML of a mail as a mail program would show it."""
    shown = _part(_find(name), "html").replace("<head>", '<head><base target="_blank">', 1)
    return Response(shown, headers={"Content-Security-Policy": MAIL_POLICY})


@bp.after_request
def protect(response: Response) -> Response:
    """Keep nothing, guess nothing, and let no other site show it."""
    response.headers.setdefault(
        "Content-Security-Policy", f"{PAGE_POLICY}; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["Cache-Control"] = "no-store"
    return response


HEADERS = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID")


def _mailbox() -> Mailbox:
    found: Mailbox = current_app.extensions["mailbox"]
    return found


def _find(name: str) -> EmailMessage:
    found = _mailbox().find(name)
    if found is None:
        abort(404)
    return found


def _part(found: EmailMessage, kind: str) -> str:
    body = found.get_body((kind,))
    return str(body.get_content()) if body else ""
