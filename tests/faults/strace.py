"""Faults at system calls: a process is killed at, or its disk fails at, the Nth write or sync.

`strace` holds the running process and steps in. It touches only calls on the files it is given, and
counts them for each thread and each kind of call by itself.
"""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.conftest import require

CALLS = (
    "write", "pwrite64", "pwritev", "fsync", "fdatasync",
    "ftruncate", "fallocate", "unlink", "unlinkat", "rename",
)  # fmt: skip
KILL, EIO, ENOSPC = "kill", "EIO", "ENOSPC"
KINDS = (KILL, EIO, ENOSPC)


@dataclass(frozen=True)
class Blow:
    """What happens at the Nth call of a kind. A full disk stays full until strace lets go."""

    call: str
    nth: int
    kind: str

    def __str__(self) -> str:
        return f"{self.kind} at {self.call} {self.nth}"

    @property
    def option(self) -> str:
        """The blow as strace is told of it."""
        if self.kind == KILL:
            return f"inject={self.call}:signal=KILL:when={self.nth}"
        still = "+" if self.kind == ENOSPC else ""
        return f"inject={self.call}:error={self.kind}:when={self.nth}{still}"


@dataclass
class Watch:
    """What strace saw; filled when it has let go."""

    calls: Counter[str] = field(default_factory=Counter)
    landed: bool = False


def need_strace(folder: Path) -> None:
    """Skip where strace is missing (a failure in CI), or where the kernel forbids to trace."""
    require(shutil.which("strace"), "no strace: install it to see the shop killed at each write")
    tried = subprocess.run(
        ["strace", "-o", str(folder / "tried"), "true"], capture_output=True, text=True, check=False
    )
    if tried.returncode:
        pytest.skip(f"strace may not trace here: {tried.stderr.strip()[:200]}")


@contextmanager
def watching(
    pids: Sequence[int], files: Sequence[Path], folder: Path, *blows: Blow
) -> Iterator[Watch]:
    """Hold these processes, with all their threads and children, for the length of the block."""
    said, options = folder / "strace", [f"-P{path}" for path in files]
    for blow in blows:
        options += ["-e", blow.option]
    command = ["strace", "-f", "-o", str(said), "-e", f"trace={','.join(CALLS)}", *options]
    watch = Watch()
    with subprocess.Popen(
        [*command, *(f"-p{pid}" for pid in pids)], stderr=subprocess.PIPE, text=True
    ) as strace:
        assert strace.stderr is not None
        for _pid in pids:
            line = strace.stderr.readline()
            assert " attached" in line, line + strace.stderr.read()
        try:
            yield watch
        finally:
            _let_go(strace)
    _read(said.read_text(), watch, blows)


def _let_go(strace: subprocess.Popen[str]) -> None:
    """End strace; it may wait for ever for the threads of a process that was killed."""
    strace.send_signal(signal.SIGINT)
    try:
        strace.wait(0.5)
    except subprocess.TimeoutExpired:
        strace.kill()


def _read(said: str, watch: Watch, blows: Sequence[Blow]) -> None:
    by_thread: Counter[tuple[str, str]] = Counter(re.findall(r"^(\d+) +(\w+)\(", said, re.M))
    for (_thread, call), count in by_thread.items():
        watch.calls[call] = max(watch.calls[call], count)
    killed = "+++ killed by SIGKILL +++" in said
    watch.landed = "(INJECTED)" in said or (killed and any(blow.kind == KILL for blow in blows))
