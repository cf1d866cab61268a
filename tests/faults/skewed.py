"""The shop for gunicorn, on a computer whose clock is wrong: `tests.faults.skewed:make(10)`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import time_machine
from flask import Flask

from storefront import create_app


def make(minutes: int) -> Flask:
    """The shop, so many minutes ahead of everybody else; the clock goes on."""
    wrong = datetime.now(UTC) + timedelta(minutes=minutes)
    time_machine.travel(wrong, tick=True).start()
    return create_app()
