"""What the settings alone tell: address, proxies, secrets, debugging, and the mail server."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from flask import current_app

from storefront.config import LOOPBACK
from storefront.fitness.finding import Finding, fail, ok, warn
from storefront.i18n import gettext as _
from storefront.mail.failures import Unreachable
from storefront.mail.outlets import find_outlet


def check() -> Iterator[Finding]:
    """Everything that nobody else has to be asked about."""
    yield _shop_url()
    yield _proxies()
    yield _debug()
    yield _secrets()
    yield _counting()


def _shop_url() -> Finding:
    url = current_app.config["SHOP_URL"]
    if urlsplit(url).hostname in LOOPBACK:
        found = _("Only this computer can reach the shop at %(url)s.", url=url)
        mend = _("Set SHOP_URL in .env to the shop's public address, like https://shop.example.")
        return fail("shop_url", found, mend)
    if not url.startswith("https://"):
        found = _("The shop's address has no https: %(url)s.", url=url)
        mend = _("Put a web server with https in front (see README), and https:// into SHOP_URL.")
        return fail("shop_url", found, mend)
    return ok("shop_url", _("The shop is at %(url)s, and answers to no other name.", url=url))


def _proxies() -> Finding:
    proxies = current_app.config["TRUSTED_PROXIES"]
    if current_app.config["SHOP_URL"].startswith("https://") and not proxies:
        found = _("TRUSTED_PROXIES is 0: behind a web server, all visitors look like one.")
        mend = _("With one web server in front, set TRUSTED_PROXIES=1.")
        return warn("proxies", found, mend)
    return ok("proxies", _("Proxies that are believed: %(count)s.", count=proxies))


def _debug() -> Finding:
    if current_app.debug:
        mend = _("Start the shop with `make run`, and without FLASK_DEBUG or --debug.")
        return fail("debug", _("Debugging is on: errors show the shop's insides."), mend)
    return ok("debug", _("Debugging is off."))


def _secrets() -> Finding:
    """That the key is strong was settled at the start; here, who can read it."""
    instance = Path(current_app.config["SHOP_INSTANCE"])
    files = [path for path in (instance / "secrets", Path(".env").resolve()) if path.exists()]
    files += [
        Path(os.environ[name])
        for name in os.environ
        if name.endswith("_FILE") and name.removesuffix("_FILE") in current_app.config
    ]
    if bare := [str(path) for path in files if path.exists() and _is_open(path)]:
        found = _("Others on this server can read %(files)s.", files=", ".join(bare))
        mend = _("Keep it to yourself: chmod 600 %(files)s", files=" ".join(bare))
        return fail("secrets", found, mend)
    return ok("secrets", _("The secret key is strong, and only its owner can read the secrets."))


def _is_open(path: Path) -> bool:
    return os.name == "posix" and bool(path.stat().st_mode & (stat.S_IRGRP | stat.S_IROTH))


def _counting() -> Finding:
    if current_app.config["RATELIMIT_STORAGE_URI"].startswith("memory://"):
        found = _("Each process counts sign-in attempts by itself, and forgets them.")
        return warn("rate_limits", found, _("Remove RATELIMIT_STORAGE_URI from .env."))
    return ok("rate_limits", _("Sign-in attempts are counted for all processes together."))


def check_mail() -> Iterator[Finding]:
    """Whether there is a mail server, and whether it lets us in. Sends nothing."""
    mend = _("Set MAIL_URL in .env, for example smtp://user:password@mail.example:587.")
    if not current_app.config["MAIL_URL"]:
        found = _("No mail is sent: nobody gets an order confirmation.")
        yield fail("mail", found, mend)
        return
    try:
        with find_outlet() as outlet:  # type: ignore[union-attr] # MAIL_URL is set
            outlet.reach()
    except Unreachable as error:
        found = _("The mail server does not let us in: %(error)s.", error=error)
        yield fail("mail", found, _("Correct MAIL_URL in .env, then try: flask shop mail-test"))
        return
    yield ok("mail", _("The mail server answers and lets us in."))
