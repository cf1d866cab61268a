"""One door to writing: committed at the end or not at all, and never a lock held for a stranger."""

from __future__ import annotations

import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from blinker import NamedSignal
from flask import Flask
from sqlalchemy import select, text, update

from storefront import database
from storefront.extensions import db
from storefront.models import Product, Variant
from storefront.services import settings
from tests.factories import make_product
from tests.payments.interventions import on_sqlite

TOLD = NamedSignal("told")


@pytest.fixture(autouse=True)
def inside(app: Flask) -> Any:
    with app.app_context():
        yield


def test_it_commits_at_the_end() -> None:
    with database.writing():
        settings.keep("a", {"n": 1})
    db.session.remove()
    assert settings.find("a") == {"n": 1}


def test_a_failure_takes_everything_back() -> None:
    with pytest.raises(ZeroDivisionError), database.writing():
        settings.keep("a", {"n": 1})
        _ = 1 / 0
    assert settings.find("a") is None
    with database.writing():
        settings.keep("b", {})
    assert settings.find("b") == {}


def test_it_does_not_open_twice() -> None:
    with database.writing(), pytest.raises(RuntimeError, match="open already"), database.writing():
        pass


def test_reading_first_is_no_obstacle() -> None:
    settings.find("a")
    with database.writing():
        settings.keep("a", {})
    assert settings.find("a") == {}


@pytest.mark.parametrize(
    "write",
    [
        lambda: settings.keep("a", {}),
        lambda: db.session.execute(update(Variant).values(position=1)),
        lambda: db.session.execute(db.delete(Variant)),
        lambda: make_product(),
    ],
    ids=["insert", "update", "delete", "flush"],
)
def test_a_write_outside_is_a_bug_and_says_so(write: Any) -> None:
    with pytest.raises(RuntimeError, match="a write outside"):
        write()
    db.session.rollback()


def test_no_stranger_is_waited_for_inside() -> None:
    with database.writing(), pytest.raises(RuntimeError, match="across a call"):
        database.end_reading()


def test_a_reader_lets_go_before_a_stranger_is_waited_for() -> None:
    settings.find("a")
    assert db.session().in_transaction()
    database.end_reading()
    assert not db.session().in_transaction()


def test_signals_go_out_after_the_commit(app: Flask) -> None:
    seen: list[Any] = []

    def receive(sender: Flask, **payload: Any) -> None:
        seen.append((sender is app, payload, settings.find("a")))

    with TOLD.connected_to(receive), database.writing():
        settings.keep("a", {"n": 1})
        database.after_commit(TOLD, n=7)
        assert seen == []
    assert seen == [(True, {"n": 7}, {"n": 1})]


def test_signals_of_what_was_taken_back_are_dropped() -> None:
    seen: list[Any] = []

    def receive(sender: Flask, **payload: Any) -> None:
        seen.append(payload)

    with TOLD.connected_to(receive):
        with pytest.raises(ZeroDivisionError), database.writing():
            database.after_commit(TOLD, n=7)
            _ = 1 / 0
        with database.writing():
            pass
    assert seen == []


def test_a_guest_that_fails_harms_nobody() -> None:
    seen: list[Any] = []

    def fails(sender: Flask, **payload: Any) -> None:
        raise ZeroDivisionError

    def works(sender: Flask, **payload: Any) -> None:
        seen.append(payload)

    with TOLD.connected_to(fails), TOLD.connected_to(works), database.writing():
        settings.keep("a", {"n": 1})
        database.after_commit(TOLD, n=7)
    assert seen == [{"n": 7}]
    assert settings.find("a") == {"n": 1}


def test_eight_writers_who_read_first_all_get_their_turn(app: Flask) -> None:
    with database.writing():
        settings.keep("sum", {"n": 0})
        make_product(position=0)

    def add_one(_number: int) -> None:
        with app.app_context():
            settings.find("sum")
            with database.writing():
                db.session.execute(
                    update(Product)
                    .values(position=Product.position + 1)
                    .execution_options(synchronize_session=False)
                )

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add_one, range(40)))
    assert db.session.scalar(select(Product.position)) == 40


@on_sqlite
@pytest.mark.parametrize(
    "pragma, value", [("journal_mode", "wal"), ("synchronous", 2), ("foreign_keys", 1)]
)
def test_sqlite_keeps_what_it_was_told(pragma: str, value: Any) -> None:
    assert db.session.execute(text(f"PRAGMA {pragma}")).scalar() == value


@on_sqlite
def test_reading_never_waits_for_a_writer(app: Flask) -> None:
    with database.writing():
        settings.keep("a", {"n": 1})
    stranger = sqlite3.connect(app.config["DATABASE_URL"].removeprefix("sqlite:///"))
    stranger.execute("BEGIN IMMEDIATE")
    started = time.monotonic()
    assert settings.find("a") == {"n": 1}
    assert time.monotonic() - started < database.BUSY_SECONDS / 2
    stranger.close()
