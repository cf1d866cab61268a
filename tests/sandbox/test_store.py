"""The database file: made by many at once, rolled back as a whole, kept over restarts."""

import subprocess
import sys

import pytest
import stripe

from storefront import sandbox as sandbox_package
from storefront.sandbox import InProcessClient
from storefront.sandbox.core import state
from storefront.sandbox.outbox import emit
from storefront.sandbox.store import Stored
from tests.sandbox.conftest import BASE_URL

START = """
import sys
from storefront.sandbox import create_sandbox

app = create_sandbox(sys.argv[1], "http://127.0.0.1:8000/sandbox", background=False)
answer = app.test_client().post("/v1/customers", headers={"Authorization": "Bearer sk_test_a"})
assert answer.status_code == 200, answer.text
"""


def test_four_processes_may_start_at_once(tmp_path):
    path = tmp_path / "new" / "sandbox.sqlite"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", START, str(path)], stderr=subprocess.PIPE, text=True
        )
        for _ in range(4)
    ]
    for process in started:
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors

    app = sandbox_package.create_sandbox(path, BASE_URL, background=False)
    answer = app.test_client().get("/v1/customers", headers={"Authorization": "Bearer sk_test_a"})
    sandbox_package.close(app)
    assert len(answer.json["data"]) == 4


def test_state_survives_a_restart(tmp_path):
    ids = []
    for _ in range(2):
        app = sandbox_package.create_sandbox(tmp_path / "s.sqlite", BASE_URL, background=False)
        client = stripe.StripeClient(
            "sk_test_a", http_client=InProcessClient(app), base_addresses={"api": BASE_URL}
        )
        ids.append(client.v1.customers.create({}).id)
        found = [customer.id for customer in client.v1.customers.list().data]
        sandbox_package.close(app)
    assert found == ids[::-1]


def test_a_change_and_its_event_are_stored_together_or_not_at_all(sandbox, endpoint):
    store = state(sandbox).store
    with pytest.raises(RuntimeError), store.write() as tx:
        customer = {"id": "cus_1", "object": "customer", "created": 1}
        tx.add(Stored(customer))
        emit(tx, "customer.created", customer)
        raise RuntimeError("power cut")

    with store.read() as tx:
        assert tx.find("customer", "cus_1") is None
        assert tx.select("type = 'event'", ()) == []
        assert tx.connection.execute("SELECT COUNT(*) FROM deliveries").fetchone()[0] == 0


def test_a_reader_does_not_wait_for_a_writer(api, sandbox):
    customer = api.customers.create({})
    with state(sandbox).store.write() as tx:
        tx.delete(tx.get("customer", customer.id))
        with state(sandbox).store.read() as other:
            assert other.find("customer", customer.id) is not None


def test_the_file_is_in_wal_mode(sandbox):
    with state(sandbox).store.read() as tx:
        assert tx.connection.execute("PRAGMA journal_mode").fetchone()[0] == "wal"
