"""Counting in the shop's database: exact under pressure, forgetful in time, never in the way."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import time_machine
from limits import parse
from sqlalchemy.exc import OperationalError

from storefront import rate_limits
from storefront.database import writing
from storefront.errors import TooMany
from storefront.extensions import db, limiter
from storefront.models.rate_count import RateCount
from storefront.rate_limits import DatabaseStorage
from tests.auth.people import Browser

START = 1_900_000_000


@pytest.fixture
def storage(app):
    with app.app_context():
        yield DatabaseStorage("shopdb://")


def rows():
    return db.session.scalar(db.select(db.func.count()).select_from(RateCount))


def test_each_of_many_at_once_gets_a_number_of_its_own(app, another_worker):
    def hit(turn):
        with (app if turn % 2 else another_worker).app_context():
            return DatabaseStorage("shopdb://").incr("door", 60)

    with ThreadPoolExecutor(8) as pool:
        numbers = list(pool.map(hit, range(80)))
    assert sorted(numbers) == list(range(1, 81))


def test_a_window_begins_with_its_first_hit_and_is_not_drawn_out_by_more(storage):
    with time_machine.travel(START, tick=False) as clock:
        assert [storage.incr("door", 60) for _ in range(3)] == [1, 2, 3]
        clock.shift(59)
        assert storage.incr("door", 60) == 4
        assert storage.get_expiry("door") == START + 60
        clock.shift(1)
        assert storage.get("door") == 0
        assert storage.incr("door", 60) == 1
        assert storage.get_expiry("door") == START + 120


def test_taking_back_never_gives_credit(storage):
    with time_machine.travel(START, tick=False) as clock:
        storage.incr("door", 60)
        assert storage.incr("door", 60, -1) == 0
        clock.shift(61)
        assert storage.incr("door", 60, -1) == 0
        assert storage.incr("other", 60, -1) == 0


def test_keys_of_any_length_and_kind_are_kept_apart(storage):
    for key in ("k" * 300 + "a", "k" * 300 + "b", "é🎉", "it's; DROP TABLE rate_count --"):
        assert storage.incr(key, 60) == 1
        assert storage.get(key) == 1


def test_old_windows_are_swept_out_a_few_at_a_time(storage):
    with time_machine.travel(START, tick=False) as clock:
        for number in range(50):
            storage.incr(f"old {number}", 60)
        storage.incr("lasting", 600)
        clock.shift(61)
        storage.incr("new 1", 60)
        assert rows() == 50 + 2 - rate_limits.CLEANED_AT_ONCE
        storage.incr("new 1", 60)
        assert rows() == 50 + 2 - rate_limits.CLEANED_AT_ONCE
        for number in range(2, 5):
            storage.incr(f"new {number}", 60)
        assert rows() == 5
        assert storage.get("lasting") == 1


def test_clearing_and_resetting(storage):
    storage.incr("a", 60)
    storage.incr("b", 60)
    storage.clear("a")
    assert (storage.get("a"), storage.get("b")) == (0, 1)
    assert storage.reset() == 1
    assert storage.get("b") == 0
    assert storage.check()


def test_an_attempt_stays_counted_when_the_request_is_rolled_back(storage):
    limit = parse("2 per minute")
    rate_limits.count(limit, "who")
    with pytest.raises(ValueError, match="no"), writing():
        raise ValueError("no")
    rate_limits.count(limit, "who")
    with pytest.raises(TooMany) as refused:
        rate_limits.count(limit, "who")
    assert 0 < refused.value.details["retry_after"] <= 61


def test_counting_inside_a_writing_transaction_is_refused_rather_than_waiting_for_itself(storage):
    with pytest.raises(RuntimeError, match="wait for itself"), writing():
        storage.incr("door", 60)


def test_a_database_that_fails_is_a_503(app, monkeypatch):
    browser = Browser(app)
    token = browser.token()

    def fail(*_args, **_kwargs):
        raise OperationalError("INSERT", {}, Exception("database is locked"))

    monkeypatch.setattr(limiter.storage, "incr", fail)
    form = {"csrf_token": token, "email": "a@example.com", "password": "x"}
    answer = browser.client.post("/auth/login", data=form)
    assert answer.status_code == 503
    assert "Retry-After" in answer.headers


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.9", "192.0.2.9"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("unknown", "unknown"),
    ],
)
def test_an_ipv6_customer_is_one_network(app, address, network):
    with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
        assert rate_limits.client_network() == network


def test_the_limiter_hangs_on_no_other_page(app):
    functions = app.before_request_funcs[None] + app.after_request_funcs[None]
    modules = {getattr(function, "__module__", "flask_limiter") for function in functions}
    assert not any(module.startswith(("flask_limiter", "flask_login")) for module in modules)
