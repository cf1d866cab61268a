"""Backups: one archive of database and pictures, and the way back."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import click
from flask_migrate import upgrade

from storefront import database, stripe_gateway
from storefront.cli import upkeep
from storefront.cli.group import shop
from storefront.errors import ShopError
from storefront.services import backup as backups
from storefront.services import restore as restoring


@shop.command()
@click.option(
    "--to",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Default: backups/ in the instance folder. Another disk is better.",
)
@click.option(
    "--keep",
    type=click.IntRange(1, 10_000),
    default=14,
    show_default=True,
    help="How many to keep; the oldest beyond that are removed.",
)
@click.option(
    "--with-secrets", is_flag=True, help="Also the keys and passwords (`secrets`, `.env`)."
)
def backup(folder: Path | None, keep: int, with_secrets: bool) -> None:
    """Write database and pictures to one archive.

    The shop goes on selling meanwhile.

    The archive is read back before it counts. Keys and passwords are not in it, unless asked for.
    Example: flask shop backup --to /mnt/backup
    """
    folder = (folder or backups.default_folder()).resolve()
    try:
        made = backups.take(folder, with_secrets)
        removed = backups.rotate(folder, keep, made.path)
    except ShopError as error:
        raise click.ClickException(error.message) from error
    except OSError as error:
        raise click.ClickException(f"No backup was written to {folder}: {error}.") from error
    with database.writing():
        backups.mark(made)
    about = f"{made.rows.get('order', 0)} orders, {made.pictures} pictures, {_size(made.size)}"
    click.echo(f"{made.path}\nWritten and checked: {about}.")
    if removed:
        click.echo(f"Removed {len(removed)} older than the newest {keep}.")
    if with_secrets:
        click.echo("It holds your keys: keep it where nobody else can read it.")
    else:
        click.echo("Keys and passwords are not in it: keep a copy of .env and instance/secrets.")


def _size(size: int) -> str:
    return f"{size / 1024 / 1024:.1f} MB" if size > 100_000 else f"{size / 1024:.1f} kB"


@shop.command()
@click.argument("archive", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Also over a database with data; that is kept.")
@click.pass_context
def restore(ctx: click.Context, archive: Path, force: bool) -> None:
    """Put a backup in place of the database. Stop the shop first.

    The archive is checked before anything is touched, and what was there stays beside it. Then
    Stripe is asked about everything since the backup, and the books are mended.
    Example: flask shop restore backups/shop-20270131T030000Z-a1b2c3.tar.gz
    """
    try:
        done = restoring.restore(archive, force)
    except ShopError as error:
        raise click.ClickException(f"{error.message} Nothing was changed.") from error
    except OSError as error:
        raise click.ClickException(f"Nothing was restored: {error}.") from error
    upgrade()
    orders = done.rows.get("order", 0)
    click.echo(f"The shop is as it was at {done.at}: {orders} orders, {done.pictures} pictures.")
    if done.kept:
        click.echo(f"What was there before is kept: {done.kept}")
    if done.has_secrets:
        click.echo(
            "The archive also holds keys and passwords. They are not put back by themselves: "
            f"tar -xzf {archive} secrets"
        )
    # A payment may have been begun a day before it is paid.
    _ask_stripe(ctx, datetime.fromisoformat(done.at) - timedelta(days=1))


def _ask_stripe(ctx: click.Context, since: datetime) -> None:
    """Bring the shop to what Stripe says today, and tell what the backup could not know.

    Mail is left to `work`: this may be a trial, beside a shop that has sent it all.
    """
    if not stripe_gateway.is_configured():
        click.echo("There is no Stripe key, so nobody was asked what happened since.")
        return
    click.echo("\nWhat Stripe knows of since then:")
    try:
        ctx.invoke(upkeep.do_reconcile, since=since, repair=True)
    except click.exceptions.Exit as done:
        if done.exit_code == upkeep.NOT_ASKED:
            click.echo("Once Stripe answers, run: flask shop reconcile --repair")
