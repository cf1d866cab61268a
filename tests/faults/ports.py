"""Ports for servers that tests start."""

from __future__ import annotations

import random
import socket

# Not of a test's own generator: two runs with one seed may go on beside each other.
_anywhere = random.SystemRandom()


def find_free_port() -> int:
    """A free port below those that the system gives to outgoing connections."""
    for port in _anywhere.sample(range(20000, 32000), 50):
        if not is_taken(port):
            return port
    raise RuntimeError("no free port")


def is_taken(port: int) -> bool:
    """Whether anybody listens there on this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
