"""Setting the shop up: its database, its owner, and the demo."""

from __future__ import annotations

from typing import Any

import click
from flask import current_app
from flask_migrate import upgrade

from storefront import database
from storefront.cli.group import shop
from storefront.errors import ShopError
from storefront.services import accounts
from storefront.webhooks.handlers import HANDLERS


@shop.command()
def init() -> None:
    """Make the database, or bring it up to date. Safe to run again, and by several at once."""
    _prepare()
    click.echo("The database is ready.")


def _prepare() -> None:
    upgrade()
    if "sandbox" in current_app.extensions:
        _serving().register_webhook(current_app, sorted(HANDLERS))


@shop.command("create-owner")
@click.option("--email", prompt="E-mail address", help="What the owner signs in with.")
@click.password_option(help="At least 12 characters.")
def create_owner(email: str, password: str) -> None:
    """Make an owner: a new account, or one that is there.

    An account that is there gets the new password.

    Example: flask shop create-owner --email me@shop.example
    """
    try:
        with database.writing():
            accounts.make_owner(email, password)
    except ShopError as error:
        raise click.ClickException(error.message) from error
    click.echo(f"{email} can sign in as owner.")


@shop.command()
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    envvar="PORT",
    help="Default: PORT, or the next free one from 8000.",
)
@click.option("--serve", is_flag=True, hidden=True)
def demo(port: int | None, serve: bool) -> None:
    """Serve a stocked shop with a local Stripe on this computer. No account, no real money."""
    # The server's threads have no current app: they need the app itself.
    app = current_app._get_current_object()  # type: ignore[attr-defined]
    if serve:
        _serving().serve(app, _prepare)
    else:
        _serving().restart_as_demo(app, port)


def _serving() -> Any:
    # Only here: a real shop's workers never load the demo, its drawings and its local Stripe.
    from storefront.demo import serving

    return serving
