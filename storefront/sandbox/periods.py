"""Billing periods: calendar arithmetic in UTC that keeps to the day it started from."""

import calendar
from datetime import UTC, datetime, timedelta
from typing import Any

DAY = 24 * 60 * 60
DAYS = {"day": 1, "week": 7}
MONTHS = {"month": 1, "year": 12}
LONGEST = {**DAYS, "month": 31, "year": 366}


def end_of_period(anchor: int, recurring: dict[str, Any], number: int = 1) -> int:
    """Return when the period of this number since `anchor` ends.

    A day that a month does not have becomes its last one, and comes back in the next month.
    """
    count = recurring["interval_count"] * number
    start = datetime.fromtimestamp(anchor, UTC)
    if recurring["interval"] in DAYS:
        return int((start + timedelta(days=DAYS[recurring["interval"]] * count)).timestamp())
    months = start.year * 12 + start.month - 1 + MONTHS[recurring["interval"]] * count
    year, month = divmod(months, 12)
    day = min(start.day, calendar.monthrange(year, month + 1)[1])
    return int(start.replace(year=year, month=month + 1, day=day).timestamp())


def next_end(anchor: int, recurring: dict[str, Any], moment: int) -> int:
    """Return when the period that runs at a moment ends; periods end at their edge."""
    days = recurring["interval_count"] * LONGEST[recurring["interval"]]
    number = max(1, (moment - anchor) // (days * DAY))
    while (end := end_of_period(anchor, recurring, number)) <= moment:
        number += 1
    return end
