"""`flask shop ...`: the merchant's command line, a module for each kind of task."""

from __future__ import annotations

from flask import Flask

from storefront.cli import backup, evidence, fitness, listing, mails, money, setup, upkeep
from storefront.cli.group import shop

__all__ = [
    "backup",
    "evidence",
    "fitness",
    "init_app",
    "listing",
    "mails",
    "money",
    "setup",
    "upkeep",
]


def init_app(app: Flask) -> None:
    """Add the commands."""
    app.cli.add_command(shop)
