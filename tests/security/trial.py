"""Shops with a few routes made for trying what every request and response must pass."""

from flask import Blueprint, Flask, g, session

from storefront import create_app, security
from storefront.errors import SoldOut
from tests.conftest import SETTINGS


def shop(tmp_path, **changes) -> Flask:
    """A shop with these settings; it needs no database."""
    app = create_app(SETTINGS | {"SHOP_INSTANCE": str(tmp_path / "other")} | changes)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.register_blueprint(trial_routes())
    return app


def trial_routes() -> Blueprint:
    bp = Blueprint("trial", __name__)
    bp.add_url_rule("/trial", "page", lambda: "page")
    bp.add_url_rule("/trial", "change", lambda: "changed", methods=["POST", "PUT", "DELETE"])
    bp.add_url_rule("/trial/start", "start", start)
    bp.add_url_rule("/trial/sells", "sells", sells)
    bp.add_url_rule("/trial/broken", "broken", lambda: 1 / 0)
    bp.add_url_rule("/trial/sold-out", "sold_out", sold_out)
    bp.add_url_rule("/trial/url", "url", security.public_url)
    bp.add_url_rule("/trial/token", "token", lambda: security.csrf_token_for_page() or "none")
    bp.add_url_rule("/trial/staff", "staff", security.staff_required(lambda: "staff"))
    bp.add_url_rule("/trial/owner", "owner", security.owner_required(lambda: "owner"))
    bp.add_url_rule("/account-of-nobody", "account", lambda: "personal")
    return bp


def start():
    session["visitor"] = "v"
    return security.csrf_token_for_page() or "none"


def sells():
    g.sells = True
    return "Buy"


def sold_out():
    raise SoldOut("Gone.")
