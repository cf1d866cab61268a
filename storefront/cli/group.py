"""The group that all commands of `flask shop` hang on, and how they print tables."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import click
from flask.cli import AppGroup
from sqlalchemy.exc import OperationalError, ProgrammingError


class ShopGroup(AppGroup):
    """Says in one line what is wrong with the database or with what was typed, not in a trace."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except (OperationalError, ProgrammingError) as error:
            made = "Has it been made? Run: flask shop init"
            raise click.ClickException(
                f"The database cannot be used: {error.orig}. {made}"
            ) from error
        except UnicodeEncodeError as error:
            if error.encoding != "utf-8":
                raise
            # Bytes of another encoding come in as halves of characters, which no database takes.
            raise click.UsageError("What you typed is not text in UTF-8.") from error


shop = ShopGroup("shop", help="Set up and look after the shop.")


def print_table(header: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> None:
    """Print rows under a header in columns."""
    lines = [header, *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    for line in lines:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        click.echo("  ".join(cells).rstrip())
    if len(lines) == 1:
        click.echo("(none yet)")
