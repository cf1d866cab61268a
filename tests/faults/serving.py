"""The real shop under gunicorn, started by a test: its processes, its visitors and its webhooks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests
from sqlalchemy import select

from storefront import create_app, stripe_gateway
from storefront.extensions import db
from storefront.models import Order, OrderLine
from storefront.sandbox import InProcessClient, close, control, create_sandbox
from storefront.sandbox.core import state
from tests.faults.ports import find_free_port, is_taken
from tests.faults.stripe_apart import LocalStripe
from tests.faults.together import PATIENCE, wait_until
from tests.faults.visitors import CUT_OFF, Visitor
from tests.stage import WEBHOOK_SECRET, Stage, sign

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENT = {
    "SECRET_KEY": "tests-only-Kq2v9Zr4Xw7Yb1Nc8Md5Lf3Hg6Js0Pt",
    "STRIPE_SECRET_KEY": "sk_test_0123456789abcdef",
    "STRIPE_PUBLISHABLE_KEY": "pk_test_0123456789abcdef",
    "STRIPE_WEBHOOK_SECRET": WEBHOOK_SECRET,
    "STRIPE_JS_URL": "/sandbox/stripe.js",
    "LOG_LEVEL": "WARNING",
}


class Served:
    """One instance of the shop: an own folder, database, Stripe and port.

    `stage` reads what came of it, and moves Stripe, from the test's own process. No webhook arrives
    by itself: tests deliver them. Its Stripe lives in its own workers, or in the process given.
    """

    def __init__(
        self,
        folder: Path,
        database_url: str,
        wsgi: str = "wsgi:app",
        stripe: LocalStripe | None = None,
        **settings: str,
    ) -> None:
        self.folder, self.wsgi = folder, wsgi
        folder.mkdir(parents=True, exist_ok=True)
        self.port = find_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.settings = ENVIRONMENT | {
            "SHOP_URL": self.url,
            "SHOP_INSTANCE": str(folder),
            "DATABASE_URL": database_url,
        }
        self.settings |= {"STRIPE_API_BASE": stripe.url} if stripe else {"STRIPE_SANDBOX": "true"}
        self.settings |= settings
        self.log = folder / "server.log"
        self.master: subprocess.Popen[bytes] | None = None
        self.options: tuple[str, ...] = ()
        app = create_app(self.settings | {"TESTING": True, "STRIPE_SANDBOX": "false"})
        base = stripe.url if stripe else f"{self.url}/sandbox"
        database = stripe.database if stripe else folder / "sandbox.sqlite"
        sandbox = create_sandbox(database, base, background=False)
        if not stripe:
            stripe_gateway.use(app, InProcessClient(sandbox), base)
        self.stage = Stage(app, sandbox, None)
        self.stage.silence()

    # -- processes

    def command(self, *args: str) -> subprocess.Popen[str]:
        """Start `flask shop ...` on this shop, in a process of its own."""
        return self.python("-m", "flask", "--app", "wsgi", "shop", *args)

    def python(self, *args: str) -> subprocess.Popen[str]:
        """Start a program of Python's in this shop's surroundings; it hears and is heard."""
        return subprocess.Popen(
            [sys.executable, *args],
            cwd=self.folder,
            env=self._environment(),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def run(self, *args: str) -> str:
        """Run `flask shop ...` to its end; returns what it said."""
        with self.command(*args) as process:
            said, _nothing = process.communicate(timeout=PATIENCE * 2)
        assert process.returncode == 0, said
        return said

    def start(self, *options: str, ready: str = "/readyz") -> None:
        """Start gunicorn as `make run` does, or with more options, which it keeps from then on."""
        self.options = options or self.options
        config = str(ROOT / "deploy" / "gunicorn.conf.py")
        command = [sys.executable, "-m", "gunicorn", "--config", config, *self.options, self.wsgi]
        with self.log.open("ab") as log:
            self.master = subprocess.Popen(
                command,
                cwd=self.folder,
                env=self._environment(),
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        wait_until(lambda: self._answers(ready), self._said)

    def workers(self) -> list[int]:
        """The process ids of gunicorn's workers."""
        assert self.master is not None
        found = subprocess.run(
            ["pgrep", "-P", str(self.master.pid)], capture_output=True, text=True, check=False
        )
        return [int(pid) for pid in found.stdout.split()]

    def kill_all(self) -> None:
        """kill -9 the master and its workers in the same moment, as a power cut would."""
        if self.master is not None:
            os.killpg(self.master.pid, signal.SIGKILL)
            self.master.wait(PATIENCE)
            self.master = None

    def kill_master(self) -> None:
        """kill -9 the master alone, and wait for its workers, who find out and end."""
        assert self.master is not None
        self.master.kill()
        self.master.wait(PATIENCE)
        self.master = None
        wait_until(lambda: not is_taken(self.port))

    def stop(self) -> None:
        """End the server and give back what the test's own process holds."""
        if self.master is not None:
            self.master.terminate()
            try:
                self.master.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.kill_all()
            self.master = None
        close(self.stage.sandbox)
        with self.stage.app.app_context():
            db.session.remove()
            db.engine.dispose()

    def troubles(self) -> list[str]:
        """The lines of the server's log that begin a trace: nothing that we do may cause any."""
        marks = ('"trace"', "Traceback (most recent call last)")  # in JSON, and for people
        lines = self.log.read_text().splitlines()
        return [line for line in lines if any(mark in line for mark in marks)]

    def _environment(self) -> dict[str, str]:
        own = {"PORT": str(self.port), "PYTHONPATH": str(ROOT)}
        return {"PATH": os.environ["PATH"]} | self.settings | own

    def _answers(self, path: str) -> bool:
        assert self.master is not None and self.master.poll() is None, self._said()
        try:
            return requests.get(self.url + path, timeout=5).status_code == 200
        except requests.RequestException:
            return False

    def _said(self) -> str:
        return self.log.read_text()[-4000:] if self.log.exists() else "it said nothing"

    # -- goods, visitors, Stripe

    def add_goods(self, on_hand: int, what: str = "mug") -> str:
        """Put a new product on the shelf, so that tests do not share one; returns its SKU."""
        sku = f"{what}-{uuid.uuid4().hex[:8]}"
        self.stage.add_product({"sku": sku, "on_hand": on_hand}, slug=sku, name=what)
        return sku

    def visitor(self) -> Visitor:
        """Somebody new."""
        return Visitor(self.url)

    def orders_of(self, sku: str) -> list[Order]:
        """The orders for these goods as the database has them, oldest first."""
        of_sku = select(OrderLine.order_id).where(OrderLine.sku == sku).order_by(OrderLine.order_id)
        with self.stage.app.app_context():
            ids = db.session.scalars(of_sku).all()
        return [self.stage.orders(id=order_id)[0] for order_id in ids]

    def paid_session(self, sku: str) -> str:
        """Somebody has bought it and paid; nobody has told the shop yet."""
        session_id = self.visitor().open_session(sku)
        self.stage.pay(session_id)
        return session_id

    def event(self, session_id: str, kind: str = "completed", *, again: bool = False) -> bytes:
        """What Stripe tells of this session; `again` under a second id, as for two endpoints."""
        told = "type = 'event' AND data ->> '$.type' = ? AND data ->> '$.data.object.id' = ?"
        with state(self.stage.sandbox).store.read() as tx:
            (event,) = tx.select(told, (f"checkout.session.{kind}", session_id))
        own = {"id": f"{event['id']}again"} if again else {}
        return json.dumps(dict(event) | own).encode()

    def id_of(self, event: bytes) -> str:
        """The id that an event carries."""
        return str(json.loads(event)["id"])

    def deliver(self, event: bytes, **headers: str) -> int:
        """POST one signed webhook; the status, or 0 when the shop died over it."""
        answer = self.post_event(event, **headers)
        return 0 if answer is None else answer.status_code

    def post_event(self, event: bytes, **headers: str) -> requests.Response | None:
        """POST one signed webhook; None when the shop died over it."""
        try:
            return requests.post(
                f"{self.url}/webhooks/stripe",
                data=event,
                headers={"Stripe-Signature": sign(event)} | headers,
                timeout=20,
            )
        except CUT_OFF:
            return None

    def deliver_until_taken(self, event: bytes, tries: int = 5) -> int:
        """Deliver as Stripe does: again after each answer but 2xx."""
        for _ in range(tries):
            status = self.deliver(event)
            if 200 <= status < 300:
                return status
        return status

    def sessions_at_stripe(self, reference: str) -> list[dict[str, Any]]:
        """The Checkout Sessions that Stripe holds for an order."""
        made = "type = 'checkout.session' AND data ->> '$.client_reference_id' = ?"
        with state(self.stage.sandbox).store.read() as tx:
            return [dict(session) for session in tx.select(made, (reference,))]

    def endpoints(self) -> list[str]:
        """Where Stripe delivers to."""
        with state(self.stage.sandbox).store.read() as tx:
            return [endpoint["url"] for endpoint in tx.select("type = 'webhook_endpoint'", ())]

    def expire(self, session_id: str) -> None:
        """The session's time is over at Stripe."""
        control.expire_session(self.stage.sandbox, session_id)


@contextmanager
def serving(
    folder: Path,
    database_url: str,
    wsgi: str = "wsgi:app",
    *options: str,
    stripe: LocalStripe | None = None,
) -> Iterator[Served]:
    """A shop that runs; ended with its block."""
    shop = Served(folder, database_url, wsgi, stripe)
    try:
        shop.run("init")
        shop.start(*options)
        yield shop
    finally:
        shop.stop()
