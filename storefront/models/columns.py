"""Column types that several tables share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, DateTime, String, or_
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator

StripeId = String(255)  # Stripe asks to allow for this length; ids are case-sensitive


# An answer never takes this long from being asked for to being kept (ten minutes in nanoseconds).
TOO_LONG = 600 * 10**9


def is_older(fetched_at: Any, asked_at: int) -> ColumnElement[bool]:
    """Whether what is kept was asked for before `asked_at` (both nanoseconds since 1970).

    One from far ahead was stamped by a clock that was wrong and has been put right since: it is
    old, or nothing would ever be newer.
    """
    return or_(fetched_at < asked_at, fetched_at > asked_at + TOO_LONG)


def now() -> datetime:
    """This moment, UTC and aware."""
    return datetime.now(UTC)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC: aware in Python on both databases, refused when naive."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a moment without a time zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        if value is None or value.tzinfo is not None:
            return value
        return value.replace(tzinfo=UTC)
