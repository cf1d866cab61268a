"""Logs: one JSON object a line on standard error, a line for each request, and no secret in any.

A path or query may hold a token, so a request is named by its endpoint and URL rule only.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TextIO

from flask import Flask, Response, g, has_app_context, request
from sqlalchemy.engine import make_url

from storefront.config import SETTINGS

access = logging.getLogger("storefront.access")

HIDDEN = "[hidden]"
encode = json.JSONEncoder(default=str).encode
SHORTEST_SECRET = 8
PATTERNS = (
    r"(?P<stripe>\b(?:sk|rk)_(?:live|test)_|\bwhsec_)[\w+/=-]+",
    r"(?P<checkout>\bcs_(?:live|test)_\w{6})\w+",  # enough is left to find it at Stripe
    r"(?P<header>(?i:\b(?:set-cookie|cookie|authorization|stripe-signature|x-csrftoken))\b"
    r"[\"']?\s*[:=])[^\r\n}]+",
    r"(?P<field>(?i:\b(?:session|csrf_token|token|password|\w*secret|api_key))[\"']?\s*[:=]\s*[\"']?)"
    r"[^\s\"'&,;})]{4,}",
    r"(?P<address>://[^\s/:@]*:)[^\s/@]+(?=@)",
    r"\.?ey?J[\w-]{15,}(?:\.[\w-]+){1,2}",  # a signed cookie
    # A token by its looks: long, and of mixed letters and digits as no name in a trace is.
    r"(?<![\w-])(?=[\w-]*[0-9])(?=[\w-]*[A-Z])(?=[\w-]*[a-z])[\w-]{40,}",
)


class Redactor:
    """Hides the settings' own secrets, wherever they appear, and whatever looks like a secret."""

    def __init__(self, secrets: Iterable[str]) -> None:
        known = [re.escape(secret) for secret in secrets if len(secret) >= SHORTEST_SECRET]
        self._pattern = re.compile("|".join([*sorted(known, key=len, reverse=True), *PATTERNS]))

    def __call__(self, text: str) -> str:
        return self._pattern.sub(_hide, text)


def _hide(found: re.Match[str]) -> str:
    kept = found.lastgroup and found.group(found.lastgroup)
    return f"{kept or ''}{HIDDEN}"


class JsonFormatter(logging.Formatter):
    """Time (UTC), level, logger, message, request_id, the record's `fields`, and the trace."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__()
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": self._redact(record.getMessage()),
        }
        if has_app_context() and "request_id" in g:
            line["request_id"] = g.request_id
        fields: dict[str, Any] = getattr(record, "fields", {})
        line.update(fields if record.name == access.name else self._redacted(fields))
        if record.exc_info:
            line["trace"] = self._redact(self.formatException(record.exc_info))
        return encode(line)

    def _redacted(self, fields: dict[str, Any]) -> dict[str, Any]:
        return {
            name: self._redact(value) if isinstance(value, str) else value
            for name, value in fields.items()
        }


class PlainFormatter(logging.Formatter):
    """Lines for a person at a terminal; control characters are shown, not obeyed."""

    def __init__(self, redact: Redactor) -> None:
        super().__init__("%(levelname)s %(name)s: %(message)s")
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        text = self._redact(super().format(record))
        return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


class ShopHandler(logging.StreamHandler[TextIO]):
    """Writes to whatever standard error is at the moment; there is one in a process."""

    def __init__(self) -> None:
        logging.Handler.__init__(self)

    @property
    def stream(self) -> TextIO:  # type: ignore[override]
        return sys.stderr


def init_app(app: Flask) -> None:
    """Log in JSON at LOG_LEVEL; in the demo and in tests for people, where INFO means warnings."""
    plain = app.testing or app.config["STRIPE_SANDBOX"]
    redact = Redactor(_known_secrets(app.config))
    handler = ShopHandler()
    handler.setFormatter(PlainFormatter(redact) if plain else JsonFormatter(redact))
    root = logging.getLogger()
    root.handlers = [old for old in root.handlers if not isinstance(old, ShopHandler)] + [handler]
    level = app.config["LOG_LEVEL"]
    logging.getLogger("storefront").setLevel("WARNING" if plain and level == "INFO" else level)
    # The development server's own lines hold whole addresses, tokens included.
    logging.getLogger("werkzeug").setLevel("WARNING")
    app.logger.addFilter(_is_not_said_twice)
    app.before_request(_start_clock)
    app.after_request(_log_request)


def _known_secrets(config: dict[str, Any]) -> list[str]:
    found: list[str] = []
    for setting in SETTINGS:
        value = config.get(setting.name)
        if not setting.secret or not value:
            continue
        if setting.name == "DATABASE_URL":
            found.append(make_url(value).password or "")
        elif "://" not in str(value):
            found.extend([value] if isinstance(value, str) else value)
    return found


def _is_not_said_twice(record: logging.LogRecord) -> bool:
    # Flask names the path of a failed request; errors.py logs the same failure without it.
    return not str(record.msg).startswith("Exception on ")


def _start_clock() -> None:
    g.started = time.perf_counter()


def _log_request(response: Response) -> Response:
    if access.isEnabledFor(logging.INFO):
        rule = request.url_rule
        fields = {  # all of them our own words, nothing to hide
            "method": request.method,
            "endpoint": request.endpoint,
            "rule": rule.rule if rule else None,
            "status": response.status_code,
            "ms": round((time.perf_counter() - g.get("started", time.perf_counter())) * 1000, 1),
            "bytes": response.content_length,
        }
        access.info("request", extra={"fields": fields})
    return response
