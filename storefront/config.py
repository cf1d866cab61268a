"""Every setting in one table: its name, default, how it is read, and a sentence on what it does.

Sources, first found wins: the mapping given to `create_app`, the environment, `.env`, and the file
`secrets` in the instance folder, which the shop writes itself. Nonsense and unsafe combinations are
refused at start, each with the way to mend it.
"""

from __future__ import annotations

import math
import os
import re
import secrets
import sys
from collections import Counter
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import click
from dotenv import dotenv_values
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError


class ConfigError(click.ClickException):
    """The settings do not make a safe shop; the message lists each fault with its mend."""


def text(value: str) -> str:
    return value.strip()


def flag(value: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
    try:
        return words[value.strip().lower()]
    except KeyError:
        raise ValueError("says neither true nor false") from None


def whole(least: int, most: int) -> Callable[[str], int]:
    def read(value: str) -> int:
        try:
            number = int(value)
        except ValueError:
            raise ValueError("is not a whole number") from None
        if not least <= number <= most:
            raise ValueError(f"is not between {least} and {most}")
        return number

    return read


def log_level(value: str) -> str:
    if value.strip().upper() not in ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"):
        raise ValueError("is not DEBUG, INFO, WARNING or ERROR")
    return value.strip().upper()


def listed(value: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in value.split(",") if part.strip())


def address(value: str) -> str:
    """An http(s) origin without path, such as https://shop.example."""
    parts = urlsplit(value.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("is not an address like https://shop.example")
    if parts.path.strip("/") or parts.query or parts.fragment or parts.username:
        raise ValueError("must be the bare address of the shop, without a path")
    return f"{parts.scheme}://{parts.netloc}".lower()


def link(value: str) -> str:
    value = value.strip().rstrip("/") if value.strip() != "/" else value.strip()
    if value and not value.startswith(("http://", "https://", "/")):
        raise ValueError("is neither a web address nor a path")
    return value


def email(value: str) -> str:
    value = value.strip()
    if value and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", value):
        raise ValueError("is not an e-mail address")
    return value


def emails(value: str) -> tuple[str, ...]:
    return tuple(email(part) for part in listed(value))


def sender(value: str) -> str:
    """An address, with or without a name: shop@shop.example or The Shop <shop@shop.example>."""
    value = value.strip()
    bare = re.fullmatch(r"(?:[^<>\r\n]*<)?([^<>@\s]+@[^<>@\s]+)>?", value)
    if value and not bare:
        raise ValueError("is not an e-mail address, nor a name with one in <...>")
    return value


def mail_url(value: str) -> str:
    """A mail server such as smtp://user:password@mail.example:587."""
    value = value.strip()
    try:
        parts = urlsplit(value)
        named = parts.scheme in ("smtp", "smtps") and parts.hostname and parts.port != 0
    except ValueError:
        named = False
    if value and not named:
        raise ValueError("is not a mail server like smtp://user:password@mail.example:587")
    return value


def counter_storage(value: str) -> str:
    if not value.startswith(("shopdb://", "memory://", "redis://", "rediss://")):
        raise ValueError("must begin with shopdb:// or redis://")
    return value


def key_starting(*prefixes: str) -> Callable[[str], str]:
    def read(value: str) -> str:
        value = value.strip()
        if value and not value.startswith(prefixes):
            raise ValueError(f"does not begin with {' or '.join(prefixes)}")
        return value

    return read


def webhook_secrets(value: str) -> tuple[str, ...]:
    found = listed(value)
    if any(not secret.startswith("whsec_") or len(secret) < 16 for secret in found):
        raise ValueError("must be one or more signing secrets that begin with whsec_ (not we_...)")
    return found


def database_url(value: str) -> str:
    """A SQLAlchemy address; the short names postgres:// and postgresql:// get their driver."""
    value = value.strip()
    for name in ("postgres://", "postgresql://"):
        if value.startswith(name):
            value = "postgresql+psycopg://" + value.removeprefix(name)
    try:
        backend = make_url(value).get_backend_name() if value else "sqlite"
    except ArgumentError:
        raise ValueError("is not a database address") from None
    if backend not in ("sqlite", "postgresql"):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return value


@dataclass(frozen=True)
class Setting:
    """One row of the table. A `secret` is kept out of logs and may also come from NAME_FILE."""

    name: str
    default: str
    read: Callable[[str], Any]
    about: str
    secret: bool = False


SETTINGS = (
    Setting(
        "SECRET_KEY",
        "",
        text,
        "Signs sessions and links. Made by itself at the first start; at least 32 characters.",
        True,
    ),
    Setting(
        "SECRET_KEY_FALLBACKS",
        "",
        listed,
        "Older secret keys, comma-separated, still accepted while you change SECRET_KEY.",
        True,
    ),
    Setting(
        "SHOP_URL",
        "http://127.0.0.1:8000",
        address,
        "The public address of the shop. Links, Stripe's way back and the host check use it.",
    ),
    Setting("SHOP_NAME", "Our shop", text, "The name of the shop, as customers read it."),
    Setting(
        "SHOP_INSTANCE",
        "",
        text,
        "The folder for the database, pictures and secrets. Default: instance/ in the project.",
    ),
    Setting("SUPPORT_EMAIL", "", email, "Where customers write when something is wrong."),
    Setting(
        "MAIL_URL",
        "",
        mail_url,
        "The server that sends mail: smtp://user:password@host:587, or smtps:// (465).",
        True,
    ),
    Setting(
        "MAIL_FROM",
        "",
        sender,
        "Who mail comes from: shop@shop.example or Shop <...>. Default: SUPPORT_EMAIL.",
    ),
    Setting(
        "MERCHANT_EMAIL",
        "",
        emails,
        "Where news of orders go, comma-separated. Default: SUPPORT_EMAIL, else the owners.",
    ),
    Setting(
        "DATABASE_URL",
        "",
        database_url,
        "sqlite:///path or postgresql://user@host/name. Default: shop.sqlite in the instance.",
        True,
    ),
    Setting(
        "STRIPE_SECRET_KEY",
        "",
        key_starting("sk_", "rk_"),
        "Stripe's secret or restricted key (sk_... or rk_...).",
        True,
    ),
    Setting(
        "STRIPE_PUBLISHABLE_KEY",
        "",
        key_starting("pk_"),
        "Stripe's publishable key (pk_...). Without it, buyers are sent to Stripe by plain link.",
    ),
    Setting(
        "STRIPE_WEBHOOK_SECRET",
        "",
        webhook_secrets,
        "The webhook's signing secret (whsec_...); comma-separated while you roll it.",
        True,
    ),
    Setting(
        "STRIPE_API_BASE",
        "",
        link,
        "Address of a stand-in for Stripe's API, for tests. Empty: Stripe itself.",
    ),
    Setting(
        "STRIPE_SANDBOX",
        "false",
        flag,
        "Serve the built-in local Stripe under /sandbox and use it. Never beside a live key.",
    ),
    Setting(
        "STRIPE_JS_URL",
        "https://js.stripe.com/basil/stripe.js",
        link,
        "Where the Buy button gets Stripe.js. Empty: buyers are sent to Stripe without it.",
    ),
    Setting(
        "REQUIRE_SIGN_IN",
        "false",
        flag,
        "Let only signed-in customers buy. Subscriptions always need an account.",
    ),
    Setting(
        "CHECKOUT_HOLD_MINUTES",
        "31",
        whole(31, 1440),
        "How long an open payment holds its goods: 31 minutes to a day (1440), by Stripe's rule.",
    ),
    Setting(
        "TRUSTED_PROXIES",
        "0",
        whole(0, 9),
        "How many proxies in front of the shop set X-Forwarded-For and -Proto; 0 believes none.",
    ),
    Setting(
        "RATELIMIT_STORAGE_URI",
        "shopdb://",
        counter_storage,
        "Where sign-in attempts are counted: shopdb:// (the shop's database) or redis://...",
        True,
    ),
    Setting("LOG_LEVEL", "INFO", log_level, "DEBUG, INFO, WARNING or ERROR."),
)

NAMES = tuple(setting.name for setting in SETTINGS)
LOOPBACK = ("localhost", "127.0.0.1", "::1")
SAMPLE_KEYS = ("changeme", "change-me", "secret", "dev", "example", "your-secret", "replace")


def load(given: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """All settings, read and checked; makes the instance folder and the secret key when missing.

    Raises ConfigError with every fault found, so that one look is enough to mend them all.
    """
    given = dict(given or {})
    raw: dict[str, str] = {**_dotenv(Path(".env")), **os.environ}
    instance = _instance_folder(str(given.get("SHOP_INSTANCE") or raw.get("SHOP_INSTANCE") or ""))
    raw = {**_dotenv(instance / "secrets"), **raw}
    config: dict[str, Any] = {"TESTING": bool(given.get("TESTING", False))}
    faults: list[str] = []
    for setting in SETTINGS:
        try:
            value = _find(setting, given, raw)
            config[setting.name] = setting.read(value) if isinstance(value, str) else value
        except ValueError as error:
            faults.append(f"{setting.name} {error}.")
    if faults:
        raise ConfigError(_report(faults))
    config["SHOP_INSTANCE"] = str(instance)
    config["SECRET_KEY"] = config["SECRET_KEY"] or _own_secret_key(instance)
    config["DATABASE_URL"] = config["DATABASE_URL"] or f"sqlite:///{instance / 'shop.sqlite'}"
    is_set = {name for name in NAMES if given.get(name) or raw.get(name)}
    faults = [*_unsafe(config, is_set)]
    if faults:
        raise ConfigError(_report(faults))
    return config | _derived(config)


def write_secrets(instance: Path, values: Mapping[str, str], anew: Container[str] = ()) -> None:
    """Add values to the instance folder's `secrets` (mode 600).

    Those already there stay, but for the names in `anew`: of several lines the last one counts.
    """
    path = instance / "secrets"
    there = _dotenv(path)
    missing = {
        name: value
        for name, value in values.items()
        if name not in there or (name in anew and there[name] != value)
    }
    if not missing:
        return
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write("".join(f"{name}={value}\n" for name, value in missing.items()))


def _instance_folder(named: str) -> Path:
    folder = Path(named) if named else Path(__file__).parent.parent / "instance"
    folder = folder.resolve()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(f"The folder {folder} cannot be made: {error.strerror}.") from error
    return folder


def _dotenv(path: Path) -> dict[str, str]:
    return {name: value or "" for name, value in dotenv_values(path).items()}


def _find(setting: Setting, given: Mapping[str, Any], raw: Mapping[str, str]) -> Any:
    if setting.name in given:
        return given[setting.name]
    if setting.secret and raw.get(f"{setting.name}_FILE"):
        try:
            return Path(raw[f"{setting.name}_FILE"]).read_text().strip()
        except OSError as error:
            raise ValueError(f"cannot be read from its file: {error.strerror}") from error
    return raw.get(setting.name) or setting.default


def _own_secret_key(instance: Path) -> str:
    """The generated key. Of several workers that start at once, the first in the file wins."""
    try:
        write_secrets(instance, {"SECRET_KEY": secrets.token_urlsafe(48)})
        lines = (instance / "secrets").read_text().splitlines()
    except OSError as error:
        raise ConfigError(f"No secret key can be kept in {instance}: {error.strerror}.") from error
    return next(line for line in lines if line.startswith("SECRET_KEY=")).split("=", 1)[1]


def _unsafe(config: Mapping[str, Any], is_set: set[str]) -> list[str]:
    """The combinations no shop may run with, each with its mend."""
    faults = []
    stripe_key, sandbox = config["STRIPE_SECRET_KEY"], config["STRIPE_SANDBOX"]
    live = stripe_key.startswith(("sk_live_", "rk_live_"))
    loopback = urlsplit(config["SHOP_URL"]).hostname in LOOPBACK
    if _is_weak(config["SECRET_KEY"]):
        faults.append(
            "SECRET_KEY is too weak: remove it to have one made, or use the output of "
            '`python3 -c "import secrets; print(secrets.token_urlsafe(48))"`.'
        )
    if live and sandbox:
        faults.append(
            "STRIPE_SANDBOX is on beside a live Stripe key. Set STRIPE_SANDBOX=false, and give the "
            "real shop an instance folder of its own (SHOP_INSTANCE) if this one holds the demo."
        )
    if live and config["STRIPE_API_BASE"]:
        faults.append("STRIPE_API_BASE points a live Stripe key at a stand-in. Remove it.")
    if stripe_key and not config["STRIPE_WEBHOOK_SECRET"] and not _is_before_opening():
        faults.append(
            "STRIPE_SECRET_KEY is set without STRIPE_WEBHOOK_SECRET: nobody would be told of "
            "payments. `flask shop stripe-setup` makes the endpoint and tells its signing secret."
        )
    if sandbox and not (stripe_key and config["STRIPE_WEBHOOK_SECRET"]):
        faults.append(
            "STRIPE_SANDBOX needs made-up keys: STRIPE_SECRET_KEY=sk_test_... and "
            "STRIPE_WEBHOOK_SECRET=whsec_... (make demo makes them by itself)."
        )
    if live and "SHOP_URL" not in is_set:
        faults.append("SHOP_URL is missing: set it to the shop's public https address.")
    elif live and (loopback or not config["SHOP_URL"].startswith("https://")):
        faults.append("SHOP_URL must be a public https address when the Stripe key is a live one.")
    public_key = config["STRIPE_PUBLISHABLE_KEY"]
    if stripe_key and public_key and live != public_key.startswith("pk_live_"):
        faults.append("STRIPE_PUBLISHABLE_KEY and STRIPE_SECRET_KEY are not of the same mode.")
    if sandbox and not loopback:
        faults.append("STRIPE_SANDBOX is for this computer only: SHOP_URL must be a local address.")
    return faults + _without_sender(config)


def _without_sender(config: Mapping[str, Any]) -> list[str]:
    if not config["MAIL_URL"] or config["MAIL_FROM"] or config["SUPPORT_EMAIL"]:
        return []
    return [
        "MAIL_URL is set without a sender: set MAIL_FROM (or SUPPORT_EMAIL) to an address that the "
        "mail server may send for."
    ]


def _is_before_opening() -> bool:
    """Whether this is one of the two commands that come before there is a webhook secret."""
    words = sys.argv[1:]
    return "shop" in words and ("stripe-setup" in words or "check" in words)


def _is_weak(key: str) -> bool:
    if len(key) < 32 or any(sample in key.lower() for sample in SAMPLE_KEYS if len(sample) > 5):
        return True
    frequencies = [count / len(key) for count in Counter(key).values()]
    return -sum(share * math.log2(share) for share in frequencies) < 3


def _derived(config: Mapping[str, Any]) -> dict[str, Any]:
    """What Flask and its extensions want to know, worked out from the settings."""
    https = config["SHOP_URL"].startswith("https://")
    return {
        "LOG_PLAIN": config["STRIPE_SANDBOX"] or config["TESTING"],  # the demo is for people
        "LIVEMODE": config["STRIPE_SECRET_KEY"].startswith(("sk_live_", "rk_live_")),
        "MEDIA_FOLDER": str(Path(config["SHOP_INSTANCE"]) / "media"),
        "MAX_CONTENT_LENGTH": 1024 * 1024,
        "MAX_FORM_MEMORY_SIZE": 256 * 1024,
        "MAX_FORM_PARTS": 200,
        "PREFERRED_URL_SCHEME": "https" if https else "http",
        "SESSION_COOKIE_NAME": "__Host-session" if https else "session",
        "SESSION_COOKIE_SECURE": https,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": 14 * 24 * 3600,
        "WTF_CSRF_CHECK_DEFAULT": False,  # security.py decides when a token is due
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session
        "WTF_CSRF_SSL_STRICT": False,  # wants a Referer, which some strip; we look at Origin
        "RATELIMIT_ENABLED": True,
        "RATELIMIT_HEADERS_ENABLED": False,
        "TEMPLATES_AUTO_RELOAD": False,
        "JSON_SORT_KEYS": False,
    }


def _report(faults: list[str]) -> str:
    return "The shop cannot start with these settings:\n" + "\n".join(f"  - {f}" for f in faults)
