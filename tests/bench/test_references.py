"""The reference programs do what they are said to do; else a ratio to them would mean nothing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from bench import events, goods, references


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(goods, "ORDERS", 3)
    goods.fill_references(tmp_path)
    return tmp_path


def rows(folder: Path, question: str) -> list[Any]:
    with closing(sqlite3.connect(references.webhook_database(folder))) as connection:
        return connection.execute(question).fetchall()


def test_the_page_has_the_weight_and_the_parts_that_were_agreed(folder: Path) -> None:
    for app in (references.page(folder), references.page_with_login(folder)):
        answer = app.test_client().get(f"/products/{goods.SLUG}")
        assert answer.status_code == 200
        assert 6000 < len(answer.data) < 7000
        assert answer.text.count("srcset=") == 4
        assert "application/ld+json" in answer.text


def test_the_webhook_keeps_a_signed_event_and_pays_its_order_once(folder: Path) -> None:
    payload, signature = events.signed(events.payment_told(folder), 1)
    browser = references.webhook(folder).test_client()
    for _delivery in range(2):
        answer = browser.post(
            "/webhooks/stripe", data=payload, headers={"Stripe-Signature": signature}
        )
        assert answer.status_code == 200
    assert rows(folder, "SELECT count(*) FROM event") == [(1,)]
    paid = rows(folder, "SELECT session, amount FROM orders WHERE state = 'paid'")
    assert paid == [(goods.session_id(1), goods.AMOUNT)]


def test_the_webhook_refuses_a_forged_event(folder: Path) -> None:
    payload, signature = events.signed(events.payment_told(folder), 1)
    browser = references.webhook(folder).test_client()
    forged = payload.replace(b"4200", b"4201")
    answer = browser.post("/webhooks/stripe", data=forged, headers={"Stripe-Signature": signature})
    assert answer.status_code == 400
    assert rows(folder, "SELECT count(*) FROM event") == [(0,)]
