"""Writes compiled once: the same effect as SQLAlchemy's own way, on both databases."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import bindparam, insert, select, update
from sqlalchemy.exc import IntegrityError

from storefront import database
from storefront.extensions import db
from storefront.models import Setting, Subscription
from storefront.prepared import Prepared
from tests.factories import make_product

KEEP = Prepared(insert(Setting.__table__))
NEVER = datetime(1970, 1, 1, tzinfo=UTC)


def subscription(**changes: Any) -> dict[str, Any]:
    values = {"stripe_id": "sub_1", "livemode": False, "status": "active", "fetched_at": 0}
    moments = {"created_at": NEVER, "asked_at": NEVER}
    return values | moments | {"cancel_at_period_end": False} | changes


def test_values_are_written_as_the_columns_say(app: Flask) -> None:
    add = Prepared(insert(Subscription.__table__))
    with app.app_context():
        with database.writing():
            KEEP(name="home", value={"title": "Mugs & more", "image": None})
            add(**subscription(trial_end=datetime(2026, 5, 1, 12, tzinfo=UTC)))
        kept = db.session.scalars(select(Subscription)).one()
        assert (kept.livemode, kept.trial_end) == (False, datetime(2026, 5, 1, 12, tzinfo=UTC))
        assert db.session.get_one(Setting, "home").value == {"title": "Mugs & more", "image": None}


def test_it_sets_the_columns_that_the_values_name_and_counts_rows(app: Flask) -> None:
    change = Prepared(
        update(Subscription.__table__).where(
            Subscription.stripe_id == bindparam("which"), Subscription.status != "canceled"
        )
    )
    with app.app_context():
        with database.writing():
            Prepared(insert(Subscription.__table__))(**subscription())
            assert change(which="sub_1", status="past_due") == 1
            assert change(which="sub_1", status="canceled", trial_end=NEVER) == 1
            assert change(which="sub_1", status="active") == 0
        kept = db.session.scalars(select(Subscription)).one()
        assert (kept.status, kept.trial_end) == ("canceled", NEVER)


def test_a_missing_value_is_an_error(app: Flask) -> None:
    change = Prepared(update(Setting.__table__).where(Setting.name == bindparam("which")))
    with app.app_context(), pytest.raises(KeyError), database.writing():
        change(value={})


def test_a_write_outside_a_writing_transaction_is_refused(app: Flask) -> None:
    with app.app_context():
        with pytest.raises(RuntimeError, match=r"outside database\.writing"):
            KEEP(name="home", value={})
        assert db.session.get(Setting, "home") is None


def test_the_database_refuses_in_sqlalchemys_words(app: Flask) -> None:
    with app.app_context():
        with pytest.raises(IntegrityError), database.writing():
            make_product()
            KEEP(name="home", value={})
            KEEP(name="home", value={})
        assert db.session.get(Setting, "home") is None
