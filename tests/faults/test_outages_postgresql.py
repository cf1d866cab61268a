"""PostgreSQL stopped and started, its backend killed, all its connections taken.

The server is the tests' own, in a folder of its own; the computer's server is left alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import psycopg
import pytest

from tests.conftest import require
from tests.faults.judging import check_paid_once
from tests.faults.ports import find_free_port
from tests.faults.serving import Served, serving
from tests.faults.test_outages import check_come_back, check_going_on
from tests.faults.together import wait_until

pytestmark = pytest.mark.postgres
DATA = "data"


class OwnServer:
    """A PostgreSQL of the tests' own, with few connections. It refuses to run as root."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs, self.folder, self.port = programs, folder, find_free_port()
        self.user = "postgres" if os.getuid() == 0 else None
        if self.user:
            shutil.chown(folder, self.user)
        self._run("initdb", "-D", DATA, "-A", "trust", "-U", "shop", "-E", "UTF8", "--no-sync")
        self.url = f"postgresql+psycopg://shop@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        options = f"-p {self.port} -k {self.folder} -c listen_addresses=127.0.0.1"
        options += " -c max_connections=20 -c fsync=off"
        self._run("pg_ctl", "-D", DATA, "-w", "-l", "log", "-o", options, "start")

    def stop(self) -> None:
        """Stop it; whoever is connected is cut off."""
        self._run("pg_ctl", "-D", DATA, "-w", "-m", "fast", "stop")

    def connect(self) -> psycopg.Connection:
        """A connection of the test's own."""
        plain = self.url.replace("+psycopg", "")
        return psycopg.connect(plain, autocommit=True, connect_timeout=5)

    def _run(self, program: str, *args: str) -> None:
        subprocess.run(
            [self.programs / program, *args], cwd=self.folder, user=self.user, check=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, env={"PATH": os.environ["PATH"]},
        )  # fmt: skip


@pytest.fixture(scope="module")
def server() -> Iterator[OwnServer]:
    on_path = shutil.which("initdb")
    found = [Path(on_path)] if on_path else [*Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    require(found, "no initdb: install PostgreSQL to see its server stop and start")
    # Not below pytest's own folder, which only its user may enter.
    folder = Path(tempfile.mkdtemp(prefix="shop-pg-"))
    server = OwnServer(found[-1].parent, folder)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def shop(server: OwnServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with serving(tmp_path_factory.mktemp("outages"), server.url) as shop:
        yield shop


def test_it_serves_again_when_postgresql_is_back(shop: Served, server: OwnServer) -> None:
    sku, session_id = shop.add_goods(1), shop.paid_session(shop.add_goods(1))
    event, buyer = shop.event(session_id), shop.visitor()
    server.stop()
    try:
        check_come_back(buyer.buy(sku))
        assert shop.deliver(event) == 503
        page = buyer.get(f"/products/{sku}")
        assert (page.status_code, "<h1>" in page.text) == (503, True)
        assert buyer.get("/healthz").status_code == 200
        assert buyer.get("/readyz").status_code == 503
    finally:
        server.start()
    assert buyer.get(f"/products/{sku}").status_code == 200
    assert shop.deliver(event) == 200
    check_paid_once(shop, session_id)
    check_going_on(shop, buyer, sku)


def test_an_event_whose_backend_is_killed_half_way_comes_again(
    shop: Served, server: OwnServer
) -> None:
    session_id = shop.paid_session(shop.add_goods(1))
    event = shop.event(session_id)
    waiting = (
        "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query ILIKE '%order%'"
    )
    with (
        closing(server.connect()) as stranger,
        closing(server.connect()) as owner,
        ThreadPoolExecutor(1) as pool,
        stranger.transaction(),
    ):
        stranger.execute(
            'SELECT id FROM "order" WHERE checkout_session = %s FOR UPDATE', [session_id]
        )
        told = pool.submit(shop.deliver, event)
        wait_until(lambda: owner.execute(waiting).fetchone() is not None)
        owner.execute(f"SELECT pg_terminate_backend(pid) FROM ({waiting}) AS waiting")
        assert told.result(20) == 503
    assert shop.deliver(event) == 200
    check_paid_once(shop, session_id)


def test_it_serves_again_when_there_are_connections_again(shop: Served, server: OwnServer) -> None:
    sku, session_id = shop.add_goods(1), shop.paid_session(shop.add_goods(1))
    event, buyer = shop.event(session_id), shop.visitor()
    with ExitStack() as held:
        crowd = [held.enter_context(closing(server.connect()))]
        crowd[0].execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        with pytest.raises(psycopg.OperationalError, match="too many clients"):
            while True:
                crowd.append(held.enter_context(closing(server.connect())))
        check_come_back(buyer.buy(sku))
        assert shop.deliver(event) == 503
    assert shop.deliver(event) == 200
    check_paid_once(shop, session_id)
    check_going_on(shop, buyer, sku)
