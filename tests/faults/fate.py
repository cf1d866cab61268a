"""Fate: whom it kills, and how the server comes back."""

from __future__ import annotations

import os
import signal
import threading
from contextlib import suppress

from tests.faults.plan import Kill
from tests.faults.serving import Served


class Mortal:
    """The server as fate sees it: it is killed, it comes back, and meanwhile one waits for it."""

    def __init__(self, shop: Served) -> None:
        self.shop, self.is_up = shop, threading.Event()
        self.is_up.set()

    def kill(self, kill: Kill, choice: float) -> None:
        """kill -9 the victim; a server without its master is started anew, as systemd would."""
        workers = self.shop.workers()
        if kill.victim == "worker" and workers:
            with suppress(ProcessLookupError):
                os.kill(workers[int(choice * len(workers))], signal.SIGKILL)
            return
        self.is_up.clear()
        if kill.victim == "master":
            self.shop.kill_master()
        else:
            self.shop.kill_all()
        self.shop.start()
        self.is_up.set()
