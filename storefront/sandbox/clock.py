"""The one clock of the sandbox: real time plus an offset in the database, so it can be moved."""

import re
import sqlite3
import time

from storefront.sandbox.errors import invalid
from storefront.sandbox.periods import DAY, end_of_period

SCHEMA = """
CREATE TABLE IF NOT EXISTS clock (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    ahead INTEGER NOT NULL
);
INSERT OR IGNORE INTO clock (id, ahead) VALUES (1, 0);
"""
SECONDS = {"s": 1, "second": 1, "min": 60, "minute": 60, "h": 3600, "hour": 3600, "d": DAY}
SECONDS |= {"day": DAY, "w": 7 * DAY, "week": 7 * DAY}
CALENDAR = {"mo": "month", "month": "month", "y": "year", "year": "year"}
MAX_STEP = 5 * 366 * DAY


def now(connection: sqlite3.Connection) -> int:
    """Return the sandbox's time in whole seconds since 1970, UTC."""
    row = connection.execute("SELECT ahead FROM clock").fetchone()
    return int(time.time()) + int(row[0])


def advance(connection: sqlite3.Connection, seconds: int) -> None:
    """Move the clock forward by whole seconds; raise ApiError for a step back or a leap."""
    if seconds < 0:
        raise invalid("The sandbox's clock only moves forward.", "seconds")
    if seconds > MAX_STEP:
        raise invalid("The sandbox's clock moves forward by at most five years at once.", "seconds")
    connection.execute("UPDATE clock SET ahead = ahead + ?", (seconds,))


def read_span(text: str, start: int) -> int:
    """Return the seconds of a span such as `90`, `12 h`, `30d`, `1 month` that begins at `start`.

    Months and years are those of the calendar. Raises ApiError for anything else.
    """
    match = re.fullmatch(r"([0-9]{1,9})\s*([a-z]*)", text.strip().lower(), re.ASCII)
    number, unit = (int(match[1]), match[2] or "s") if match else (0, "")
    unit = unit if unit in SECONDS | CALENDAR else unit.removesuffix("s")
    if unit in SECONDS:
        return number * SECONDS[unit]
    if unit not in CALENDAR or number > 60:
        raise invalid(
            f"Invalid span: {text[:40]}. Write seconds, or a number with a unit: 90, 5 min, 1h, "
            "30d, 2 weeks, 1 month, 1 year.",
            "by",
        )
    recurring = {"interval": CALENDAR[unit], "interval_count": max(number, 1)}
    return end_of_period(start, recurring) - start if number else 0
