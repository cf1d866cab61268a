"""Counting attempts across all workers: a `limits` storage on the shop's database, and its answers.

Flask-Limiter asks it; the setting RATELIMIT_STORAGE_URI can name Redis in its place.
"""

from __future__ import annotations

import hashlib
import ipaddress
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import Flask, Response
from flask_limiter import RateLimitExceeded
from limits import RateLimitItem
from limits.storage import Storage
from sqlalchemy import Connection, bindparam, case, delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError

from storefront.errors import TooMany, error_response
from storefront.extensions import client_address, db, limiter
from storefront.i18n import gettext as _
from storefront.models.rate_count import RateCount

LONGEST_KEY = 255
CLEANED_AT_ONCE = 20


class DatabaseStorage(Storage):
    """Counts in table rate_count: each hit is one atomic statement in a transaction of its own."""

    STORAGE_SCHEME = ["shopdb"]

    @property
    def base_exceptions(self) -> type[Exception]:
        return DBAPIError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Add to the count of this window, which the first hit begins; returns the new count."""
        now = int(time.time())
        values = {
            "hit_key": _fitting(key),
            "amount": amount,
            "first": max(amount, 0),
            "now": now,
            "until": now + int(expiry),
        }
        with _writing() as connection:
            count = connection.execute(_count_statement(connection), values).scalar_one()
            if count == amount:  # a new window: pay for it by sweeping out some old ones
                connection.execute(SWEEP, {"now": now})
        return int(count)

    def get(self, key: str) -> int:
        """The count of the running window, 0 when there is none."""
        row = _find(key)
        return row.count if row else 0

    def get_expiry(self, key: str) -> float:
        """When the running window ends, in seconds since 1970; now, when there is none."""
        row = _find(key)
        return row.expires_at if row else time.time()

    def clear(self, key: str) -> None:
        """Forget the count of this key."""
        with _writing() as connection:
            connection.execute(delete(RateCount).where(RateCount.key == _fitting(key)))

    def reset(self) -> int | None:
        """Forget all counts; returns how many there were."""
        with _writing() as connection:
            return connection.execute(delete(RateCount)).rowcount

    def check(self) -> bool:
        """Whether the database answers."""
        try:
            _find("")
        except DBAPIError:
            return False
        return True


def _fitting(key: str) -> str:
    return key if len(key) <= LONGEST_KEY else hashlib.sha256(key.encode()).hexdigest()


@contextmanager
def _writing() -> Iterator[Connection]:
    """A short transaction of its own: the attempt stays counted when the request is rolled back."""
    if db.session().info.get("writing"):
        raise RuntimeError("counting inside database.writing() would wait for itself")
    with db.engine.connect().execution_options(writing=True) as connection, connection.begin():
        yield connection


def _count_statement_for(insert: Any) -> Any:
    is_over = RateCount.expires_at <= bindparam("now")
    return (
        insert(RateCount)
        .values(key=bindparam("hit_key"), count=bindparam("first"), expires_at=bindparam("until"))
        .on_conflict_do_update(
            index_elements=["key"],
            set_={
                "count": case(
                    (is_over, bindparam("first")), else_=RateCount.count + bindparam("amount")
                ),
                "expires_at": case((is_over, bindparam("until")), else_=RateCount.expires_at),
            },
        )
        .returning(RateCount.count)
    )


COUNT = {
    "sqlite": _count_statement_for(sqlite.insert),
    "postgresql": _count_statement_for(postgresql.insert),
}
FIND = select(RateCount.count, RateCount.expires_at).where(
    RateCount.key == bindparam("hit_key"), RateCount.expires_at > bindparam("now")
)
# Locked rows are skipped: two sweepers on PostgreSQL would otherwise wait for each other in a ring.
SWEEP = delete(RateCount).where(
    RateCount.key.in_(
        select(RateCount.key)
        .where(RateCount.expires_at <= bindparam("now"))
        .order_by(RateCount.expires_at)
        .limit(CLEANED_AT_ONCE)
        .with_for_update(skip_locked=True)
    )
)


def _count_statement(connection: Connection) -> Any:
    return COUNT[connection.dialect.name]


def _find(key: str) -> Any:
    with db.engine.connect() as connection:
        return connection.execute(FIND, {"hit_key": _fitting(key), "now": int(time.time())}).first()


def init_app(app: Flask) -> None:
    """Bind the limiter to its storage; a breached limit answers 429 and says when to return."""
    hooks: tuple[list[Any], ...] = (
        app.before_request_funcs[None],
        app.after_request_funcs[None],
        app.teardown_request_funcs[None],
    )
    lengths = [len(hook) for hook in hooks]
    limiter.init_app(app)
    for hook, length in zip(hooks, lengths, strict=True):
        # Decorated views ask the limiter themselves; its hooks would cost each page 0.1 ms.
        del hook[length:]
    app.register_error_handler(RateLimitExceeded, _exceeded)
    app.register_error_handler(TooMany, _too_many)


def client_network() -> str:
    """The visitor's IPv4 address, or the /64 network that one IPv6 customer has for himself."""
    address = client_address()
    try:
        if ipaddress.ip_address(address).version == 6:
            return str(ipaddress.ip_network(f"{address}/64", strict=False))
    except ValueError:
        pass
    return address


def count(limit: RateLimitItem, *key: str) -> None:
    """Count one attempt under this key; raises TooMany when the window holds too many already.

    Counting comes before the attempt, so that a hundred at once cannot all slip through.
    """
    if limiter.enabled and not limiter.limiter.hit(limit, *key):
        raise TooMany(_too_many_words(), retry_after=_seconds_left(limit, key))


def uncount(limit: RateLimitItem, *key: str) -> None:
    """Take back one `count`: the attempt was in order."""
    if limiter.enabled:
        limiter.limiter.hit(limit, *key, cost=-1)


def _seconds_left(limit: RateLimitItem, key: tuple[str, ...]) -> int:
    reset_at = limiter.limiter.get_window_stats(limit, *key).reset_time
    return max(1, int(reset_at - time.time()) + 1)


def _exceeded(_error: RateLimitExceeded) -> Response:
    breached = limiter.current_limit
    seconds = max(1, breached.reset_at - int(time.time())) if breached else 60
    return _too_many(TooMany(_too_many_words(), retry_after=seconds))


def _too_many(error: TooMany) -> Response:
    response = error_response(error.status, error.code, error.message)
    response.headers["Retry-After"] = str(error.details.get("retry_after", 60))
    return response


def _too_many_words() -> str:
    return _("There were too many tries. Please wait a few minutes and try again.")
