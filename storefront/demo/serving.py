"""The demo in one process: shop, local Stripe and what happens later, on this computer only."""

from __future__ import annotations

import logging
import os
import secrets
import socket
import sys
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import click
from dotenv import dotenv_values
from flask import Flask
from werkzeug.serving import BaseWSGIServer, WSGIRequestHandler, make_server

from storefront import config, database, stripe_gateway, work
from storefront.demo.goods import SHOP_NAME
from storefront.demo.stocking import stock_shop
from storefront.sandbox import ensure_webhook_endpoint, run_due
from storefront.services import accounts

log = logging.getLogger(__name__)

WEBHOOK_PATH = "/webhooks/stripe"
FIRST_PORT = 8000
PORTS_TRIED = 100
OWNER = "owner@demo.example"
PAUSE_SECONDS = 1.0
ASK_STRIPE_EVERY = timedelta(seconds=15)

CARDS = (
    ("4242 4242 4242 4242", "is paid"),
    ("4000 0000 0000 0002", "is declined"),
    ("4000 0027 6000 3184", "asks for 3-D Secure"),
)


def restart_as_demo(app: Flask, port: int | None) -> None:
    """Write the demo's settings into the instance folder, and start again with them.

    Raises ClickException beside a live key or when the port is taken.
    """
    if app.config["LIVEMODE"]:
        raise click.ClickException(
            "There is a live Stripe key in your settings, and the demo never runs beside one. "
            "Try the demo in a folder of its own."
        )
    url = f"http://127.0.0.1:{_free_port(port)}"
    config.write_secrets(
        Path(app.config["SHOP_INSTANCE"]),
        {
            "SHOP_NAME": SHOP_NAME,
            "STRIPE_SANDBOX": "true",
            "STRIPE_JS_URL": "/sandbox/stripe.js",
            "STRIPE_SECRET_KEY": f"sk_test_{secrets.token_hex(16)}",
            "STRIPE_PUBLISHABLE_KEY": f"pk_test_{secrets.token_hex(16)}",
            "STRIPE_WEBHOOK_SECRET": f"whsec_{secrets.token_hex(16)}",
            "DEMO_OWNER_PASSWORD": secrets.token_urlsafe(12),
            "SHOP_URL": url,  # for commands in a second terminal
        },
        anew={"SHOP_URL"},
    )
    environment = os.environ | {
        "SHOP_URL": url,
        "SHOP_INSTANCE": app.config["SHOP_INSTANCE"],
        "STRIPE_SANDBOX": "true",
    }
    wsgi = Path(__file__).parent.parent.parent / "wsgi.py"
    command = [sys.executable, "-m", "flask", "--app", str(wsgi), "shop", "demo", "--serve"]
    os.execve(sys.executable, command, environment)


def _free_port(wanted: int | None) -> int:
    candidates = [wanted] if wanted else range(FIRST_PORT, FIRST_PORT + PORTS_TRIED)
    for port in candidates:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise click.ClickException(f"Port {wanted or FIRST_PORT} is in use. Try PORT=8080 make demo.")


def register_webhook(app: Flask, events: list[str]) -> None:
    """Let the local Stripe tell this shop of exactly the events that it handles.

    An earlier start may have found another port: its endpoint goes, or events would knock there.
    """
    url = f"{app.config['SHOP_URL']}{WEBHOOK_PATH}"
    endpoints = app.extensions["stripe"].v1.webhook_endpoints
    for endpoint in endpoints.list({"limit": 100}).data:
        if endpoint.url != url and urlsplit(endpoint.url).path == WEBHOOK_PATH:
            endpoints.delete(endpoint.id)
    secret = app.config["STRIPE_WEBHOOK_SECRET"][0]
    version = stripe_gateway.API_VERSION
    ensure_webhook_endpoint(app.extensions["sandbox"], url, secret, events, version)


def serve(app: Flask, prepare: Callable[[], None]) -> None:
    """Make what is missing, then serve until Ctrl-C. A second start finds everything in place."""
    prepare()
    instance = Path(app.config["SHOP_INSTANCE"])
    stock_shop(Path(app.config["MEDIA_FOLDER"]), lambda name: click.echo(f"  drawing {name}"))
    password = dotenv_values(instance / "secrets").get("DEMO_OWNER_PASSWORD") or ""
    if accounts.find_by_email(OWNER) is None:
        with database.writing():
            accounts.make_owner(OWNER, password)
    address = urlsplit(app.config["SHOP_URL"])
    server = make_server(
        "127.0.0.1", address.port or FIRST_PORT, app, threaded=True, request_handler=QuietHandler
    )
    _greet(app.config["SHOP_URL"], password)
    stopping = threading.Event()
    later = threading.Thread(target=_work_until, args=(app, stopping), name="work", daemon=True)
    later.start()
    _serve_until_stopped(server, stopping)
    later.join(timeout=5)
    click.echo("\nThe demo has stopped. Everything is kept for the next start.")


class QuietHandler(WSGIRequestHandler):
    """Says nothing about each request: the demo's terminal is for people."""

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def _serve_until_stopped(server: BaseWSGIServer, stopping: threading.Event) -> None:
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass
    finally:
        stopping.set()
        server.server_close()


def _work_until(app: Flask, stopping: threading.Event) -> None:
    """What cron and Stripe's own clock do for a real shop."""
    while not stopping.wait(PAUSE_SECONDS):
        try:
            run_due(app.extensions["sandbox"])
            with app.app_context():
                work.run_pass(ASK_STRIPE_EVERY)
        except Exception:
            log.exception("a pass of the demo's work failed; the next one tries again")


def _greet(url: str, password: str) -> None:
    cards = "\n".join(f"             {number}   {outcome}" for number, outcome in CARDS)
    click.echo(
        f"""
{SHOP_NAME} is open. No real money moves here.

  Shop       {url}
  Merchant   {url}/auth/login
             {OWNER}   {password}
             in a second terminal: .venv/bin/flask shop orders (--help lists all commands)
  Stripe     {url}/sandbox/   (payments, events, what went wrong)
  Mailbox    {url}/demo/mailbox/   (what the shop would have sent)
  Test cards (any future date, any CVC)
{cards}

Ctrl-C stops it. Everything is kept for the next start.
"""
    )
