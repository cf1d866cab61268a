"""What every template can use: filters for money and dates, addresses of files, who is looking."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from babel.dates import format_date, format_datetime
from flask import Flask, get_flashed_messages, request
from flask_login import current_user

from storefront import security
from storefront.i18n import current_locale
from storefront.money import format_money
from storefront.services.media import file_name, stored_widths

A_YEAR = 365 * 24 * 3600


@dataclass(frozen=True)
class Viewer:
    """Who is looking, if the browser holds a session of ours at all."""

    signed_in: bool
    email: str
    is_staff: bool


def init_app(app: Flask) -> None:
    """Register filters and globals; settings that every page shows are fixed here."""
    static_folder = Path(app.static_folder or "")

    @lru_cache(maxsize=256)
    def static_url(path: str) -> str:
        """The address of a static file, with the hash of its content, so that it may be kept."""
        digest = hashlib.blake2b((static_folder / path).read_bytes(), digest_size=6).hexdigest()
        return f"/static/{path}?v={digest}"

    app.jinja_env.globals.update(
        static_url=static_url,
        media_url=media_url,
        media_srcset=media_srcset,
        public_url=security.public_url,
        shop_name=app.config["SHOP_NAME"],
        shop_url=app.config["SHOP_URL"],
        test_mode=not app.config["LIVEMODE"],
        sandbox_url="/sandbox/" if app.config["STRIPE_SANDBOX"] else None,
        locale=current_locale(),
        text_direction="ltr",
    )
    app.jinja_env.filters.update(money=money, day=day, moment=moment, iso=datetime.isoformat)
    app.jinja_env.trim_blocks = True
    app.get_send_file_max_age = _how_long_to_keep  # type: ignore[assignment, method-assign]
    # Flask-WTF would hand its function to each page; ours come with a token or without.
    app.jinja_env.globals.pop("csrf_token", None)
    app.context_processor(_per_visitor)


def _how_long_to_keep(_filename: str | None) -> int | None:
    """A file asked for by the hash of its content is kept for good, any other is asked about."""
    return A_YEAR if "v" in request.args else None


def money(amount: int, currency: str) -> str:
    return format_money(amount, currency, current_locale())


def day(when: datetime) -> str:
    return format_date(when, locale=current_locale())


def moment(when: datetime) -> str:
    return f"{format_datetime(when, 'medium', locale=current_locale())} UTC"


def media_url(image: dict[str, Any], width: int) -> str:
    """The address of a picture, at least this wide where the original was."""
    widths = stored_widths(image["width"])
    enough = [step for step in widths if step >= width]
    return f"/media/{file_name(image['key'], (enough or widths[-1:])[0])}"


def media_srcset(image: dict[str, Any]) -> str:
    """All widths of a picture for the browser to choose from."""
    widths = stored_widths(image["width"])
    return ", ".join(f"/media/{file_name(image['key'], step)} {step}w" for step in widths)


def _per_visitor() -> dict[str, Any]:
    """Nothing for a visitor without a session, so that his pages are the same for everyone."""
    if not request or not security.has_session():
        return {"viewer": None, "csrf_token": None, "notices": ()}
    signed_in = bool(current_user.is_authenticated)
    # Before the token: a session that held but a notice is over now, and its page needs no token.
    notices = get_flashed_messages(with_categories=True)
    return {
        "viewer": Viewer(
            signed_in=signed_in,
            email=current_user.email if signed_in else "",
            is_staff=signed_in and current_user.is_staff,
        ),
        "csrf_token": security.csrf_token_for_page(),
        "notices": notices,
    }
