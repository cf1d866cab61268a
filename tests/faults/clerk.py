"""The merchant's hand: gives money back through the shop, in processes that may be killed.

`python -m tests.faults.clerk` reads wishes from its input, a line of JSON each, and answers each
with a line. It has the app ready and forks for every wish, so that a process costs nothing.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from typing import IO, Any

from storefront import create_app, database, refunding
from storefront.errors import ShopError
from storefront.services import orders, refunds
from storefront.services.refund_shares import Wish
from tests.faults import careless
from tests.faults.serving import Served
from tests.faults.together import PATIENCE

Asked = dict[str, Any]
DONE, REFUSED, UNEXPECTED, KILLED = 0, 1, 2, -signal.SIGKILL
MARK = "ended: "  # all other lines are for the log


class Clerk:
    """The process that waits for wishes, from the first on; any thread may ask it, in turn."""

    def __init__(self, shop: Served) -> None:
        self.shop, self.lock = shop, threading.Lock()
        self.process: subprocess.Popen[str] | None = None

    def give_back(self, wishes: list[Asked], dies_after: float | None = None) -> list[int]:
        """Ask for all of them at once; how each process ended. The first may be killed."""
        line = json.dumps({"wishes": wishes, "dies_after": dies_after})
        with self.lock:
            if self.process is None:
                self.process = self.shop.python("-m", __name__)
            hears, says = _pipes(self.process)
            hears.write(f"{line}\n")
            hears.flush()
            while not (told := says.readline()).startswith(MARK):
                assert told, "the clerk has gone"
                with self.shop.log.open("a") as log:
                    log.write(told)
            ends: list[int] = json.loads(told.removeprefix(MARK))
            return ends

    def stop(self) -> None:
        """Send it home, if it was ever needed."""
        if self.process is None:
            return
        hears, says = _pipes(self.process)
        hears.close()
        self.process.wait(PATIENCE)
        says.close()


def _pipes(process: subprocess.Popen[str]) -> tuple[IO[str], IO[str]]:
    assert process.stdin is not None and process.stdout is not None
    return process.stdin, process.stdout


def serve() -> None:
    """Until there is nothing more to read."""
    app = create_app()
    for line in sys.stdin:
        told = json.loads(line)
        children = [_fork(app, wish) for wish in told["wishes"]]
        if told["dies_after"] is not None:
            time.sleep(told["dies_after"])
            os.kill(children[0], signal.SIGKILL)
        ends = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
        print(f"{MARK}{json.dumps(ends)}", flush=True)


def _fork(app: Any, wish: Asked) -> int:
    child = os.fork()
    if child:
        return child
    try:
        with app.app_context():
            _give_back(**wish)
        os._exit(DONE)
    except ShopError:
        os._exit(REFUSED)
    except BaseException:
        traceback.print_exc()
    finally:
        os._exit(UNEXPECTED)


def _give_back(number: int, amount: int, key: str, restock: bool) -> None:
    order = orders.find(number)
    assert order is not None
    pieces = {line.id: line.quantity for line in order.lines} if restock else {}
    wish = Wish(amount=amount, pieces=pieces, restock=restock)
    with database.writing():
        refund_id = refunds.ask(order.id, wish, key=key, cause="clerk")
    refunding.send(refund_id, "clerk")


if __name__ == "__main__":
    careless.make_mistake()
    serve()
