"""Doing things in the same moment, and waiting for what another process does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

PATIENCE = 60.0  # seconds for a process to start or to end, on a busy machine


def at_once(tasks: Sequence[Callable[[], Any]], threads: int) -> list[Any]:
    """Do the tasks from so many threads, which begin in the same moment; results in task order."""
    starting = Barrier(min(threads, len(tasks)))
    with ThreadPoolExecutor(starting.parties, initializer=starting.wait, initargs=(10,)) as pool:
        futures = [pool.submit(task) for task in tasks]
        return [future.result(timeout=60) for future in futures]


def wait_until(
    is_so: Callable[[], bool], why_not: Callable[[], str] = str, patience: float = PATIENCE
) -> None:
    """Look again and again, a short while apart, until it is so; fail when patience ends."""
    end = time.monotonic() + patience
    while not is_so():
        assert time.monotonic() < end, why_not()
        time.sleep(0.02)
