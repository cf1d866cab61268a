"""The children of a run: each program in a process of its own, all asked in turn."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.programs import child_environment


class Child:
    """A program in a process of its own, called as often as it is told."""

    def __init__(self, name: str, process: subprocess.Popen[str]) -> None:
        self.name, self.process = name, process

    def measure(self, calls: int) -> float:
        """CPU seconds of one call, over this many."""
        assert self.process.stdin is not None
        print(calls, file=self.process.stdin, flush=True)
        return self.answer()

    def answer(self) -> float:
        """The next line the child says. Raises RuntimeError when it has ended instead."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"`python -m bench.calling {self.name!r} FOLDER` ended early")
        return float(line)


@contextmanager
def children(names: Sequence[str], folder: Path) -> Iterator[list[Child]]:
    """One child for each program, ready to be asked; all ended with the block."""
    with ExitStack() as stack:
        yield [stack.enter_context(_child(name, folder)) for name in names]


@contextmanager
def _child(name: str, folder: Path) -> Iterator[Child]:
    with (folder / "children.log").open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "bench.calling", name, str(folder)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            cwd=folder,
            env=child_environment(),
        )
        with process:
            child = Child(name, process)
            child.answer()
            yield child
            assert process.stdin is not None
            process.stdin.close()
