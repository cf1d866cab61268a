"""A program served as `make run` serves the shop, under load: its rate, its CPU, its memory."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.programs import ROOT, Environ, child_environment

STARTS_WITHIN = 60.0
WORKERS = 2


@dataclass(frozen=True)
class Used:
    """CPU seconds of all workers, and seconds by the clock."""

    cpu: float
    clock: float


class Server:
    """gunicorn's workers, reached on a socket; Linux tells in /proc what they use."""

    def __init__(self, address: tuple[str, int], workers: list[int]) -> None:
        self.address, self.workers = address, workers

    def send(self, request: bytes) -> bytes:
        """One request on a connection of its own; the whole answer."""
        with socket.create_connection(self.address, timeout=STARTS_WITHIN) as connection:
            connection.sendall(request)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        return b"".join(parts)

    def take(self, requests: Sequence[bytes], senders: int) -> Used:
        """Send all, so many at a time; what they took. RuntimeError unless each gets 200."""
        with ThreadPoolExecutor(senders) as pool:
            cpu, clock = self.cpu_seconds(), time.perf_counter()
            answers = list(pool.map(self.send, requests))
            used = Used(self.cpu_seconds() - cpu, time.perf_counter() - clock)
        for answer in answers:
            if not answer.startswith(b"HTTP/1.1 200"):
                raise RuntimeError(f"not taken: {answer[:200]!r}")
        return used

    def cpu_seconds(self) -> float:
        """What the workers' threads have used so far, from Linux's scheduler."""
        threads = (task for pid in self.workers for task in Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text().split()[0]) for task in threads) / 1e9

    def resident_megabytes(self) -> float:
        """The memory of the heavier worker."""
        pages = (Path(f"/proc/{pid}/status").read_text() for pid in self.workers)
        return max(int(page.split("VmRSS:")[1].split()[0]) for page in pages) / 1024


@contextmanager
def served(program: str, folder: Path) -> Iterator[Server]:
    """Serve an app (module:call, as gunicorn writes it) on a free port, until the block ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        master = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn"),
                *("--config", str(ROOT / "deploy" / "gunicorn.conf.py")),
                *("--bind", f"fd://{listener.fileno()}", "--workers", str(WORKERS)),
                program,
            ],
            cwd=folder,
            env=child_environment(),
            pass_fds=[listener.fileno()],
            stderr=subprocess.DEVNULL,
        )
        try:
            yield Server(listener.getsockname(), _workers_of(master))
        finally:
            master.terminate()
            master.wait()


def _workers_of(master: subprocess.Popen[bytes]) -> list[int]:
    children = Path(f"/proc/{master.pid}/task/{master.pid}/children")
    until = time.monotonic() + STARTS_WITHIN
    while time.monotonic() < until and master.poll() is None:
        pids = [int(pid) for pid in children.read_text().split()]
        if len(pids) == WORKERS:
            return pids
        time.sleep(0.05)
    raise RuntimeError("gunicorn did not start; run it by hand to see why")


def as_sent(environ: Environ) -> bytes:
    """The request of this environ, as it goes over the wire."""
    head = [f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']} HTTP/1.1", "Connection: close"]
    for name, value in environ.items():
        if name.startswith(("HTTP_", "CONTENT_")):
            head.append(f"{name.removeprefix('HTTP_').replace('_', '-').title()}: {value}")
    return "\r\n".join([*head, "", ""]).encode() + environ["wsgi.input"].getvalue()
