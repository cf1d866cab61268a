"""The local Stripe in a process of its own, so that it lives on when the shop is killed.

`python -m tests.faults.stripe_apart DATABASE PORT` serves it; LocalStripe starts that. It sends no
webhook: the tests are its postmen.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import requests
from werkzeug.serving import WSGIRequestHandler, make_server

from storefront.sandbox import create_sandbox
from tests.faults.ports import find_free_port
from tests.faults.together import PATIENCE, wait_until

ROOT = Path(__file__).parent.parent.parent


class LocalStripe:
    """Serves the sandbox whose state is in `folder`; a test's own process may open that too."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.database = folder / "sandbox.sqlite"
        self.port = find_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = folder / "stripe.log"
        self.start()

    def start(self) -> None:
        """Start the process, also again after a `stop`, with what it knew."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", __name__, str(self.database), str(self.port)],
                cwd=self.database.parent,
                env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)},
                stdout=log,
                stderr=log,
            )
        wait_until(self._answers, self.log.read_text)

    def stop(self) -> None:
        """End the process; its database stays."""
        self.process.terminate()
        self.process.wait(PATIENCE)

    def _answers(self) -> bool:
        assert self.process.poll() is None, self.log.read_text()
        try:
            return requests.get(f"{self.url}/control/state", timeout=5).status_code == 200
        except requests.RequestException:
            return False


class QuietHandler(WSGIRequestHandler):
    """Says nothing of requests; keeps connections open, as Stripe does."""

    protocol_version = "HTTP/1.1"

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        pass


def serve(database: str, port: int) -> None:
    """Serve until the process is ended."""
    url = f"http://127.0.0.1:{port}"
    sandbox = create_sandbox(database, url, background=False)
    server = make_server("127.0.0.1", port, sandbox, threaded=True, request_handler=QuietHandler)
    server.serve_forever()


if __name__ == "__main__":
    serve(sys.argv[1], int(sys.argv[2]))
