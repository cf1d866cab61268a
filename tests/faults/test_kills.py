"""What a server does without a hand when one of its parts is gone: a worker, its connections."""

from __future__ import annotations

import os
import random
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import create_engine, text

from tests.faults.databases import BOTH, make_empty
from tests.faults.judging import check_paid_once
from tests.faults.serving import Served, serving
from tests.faults.together import wait_until

SALES = 24
SENDERS = 4


@pytest.fixture(scope="module", params=BOTH)
def shop(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("kills")
    with serving(folder, make_empty(request.param, folder, request)) as shop:
        yield shop
        assert shop.troubles() == []


def deliver_and_kill(
    shop: Served, events: list[bytes], after: int, kill: Callable[[], None]
) -> list[int]:
    """Deliver each event once, and kill when so many are answered; the statuses, 0 for none."""
    answered = threading.Semaphore(0)

    def deliver(event: bytes) -> int:
        status = shop.deliver(event)
        answered.release()
        return status

    with ThreadPoolExecutor(SENDERS) as pool:
        pending = [pool.submit(deliver, event) for event in events]
        for _ in range(after):
            assert answered.acquire(timeout=30)
        kill()
        return [future.result(timeout=60) for future in pending]


def test_the_other_workers_serve_on_when_one_is_killed(shop: Served) -> None:
    sku = shop.add_goods(SALES)
    sessions = [shop.paid_session(sku) for _ in range(SALES)]
    events = [shop.event(session_id) for session_id in sessions]
    victim = random.choice(shop.workers())

    statuses = deliver_and_kill(shop, events, 3, lambda: os.kill(victim, signal.SIGKILL))

    assert statuses.count(0) <= 4, "more died than the four threads of one worker"
    for event, status in zip(events, statuses, strict=True):
        assert status == 200 or shop.deliver(event) == 200
    check_paid_once(shop, *sessions)
    wait_until(lambda: len(set(shop.workers()) - {victim}) == 2)


@pytest.mark.parametrize("shop", BOTH[1:], indirect=True)
def test_it_goes_on_when_postgresql_ends_its_connections(shop: Served) -> None:
    engine = create_engine(shop.settings["DATABASE_URL"], isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
        )
    engine.dispose()
    assert shop.deliver(shop.event(shop.paid_session(shop.add_goods(1)))) == 200
