"""A child of the run: calls one program in this very process, and tells the CPU each call took.

`python -m bench.calling NAME FOLDER` reads a number of calls a line and answers with a line.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

from bench import programs
from bench.programs import Environ, Program


def main(name: str, folder: str) -> None:
    """Measure for as long as somebody asks."""
    program = programs.load(name, Path(folder))
    print(0, flush=True)
    for line in sys.stdin:
        print(measure(program, int(line)), flush=True)


def measure(program: Program, calls: int) -> float:
    """CPU seconds of one call, over this many; the requests are made before the clock starts."""
    waiting = [next(program.requests) for _ in range(calls)]
    spent = 0.0
    for environ in waiting:
        program.before_each()
        started = time.process_time()
        status = call(program.app, environ)
        spent += time.process_time() - started
        if not status.startswith(program.expected):
            raise RuntimeError(f"{environ['PATH_INFO']} answered {status}")
    return spent / calls


def call(app: Any, environ: Environ) -> str:
    """Take one request through the app as a server would; the status of the answer."""
    statuses: list[str] = []

    def start_response(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        statuses.append(status)

    body = app(environ, start_response)
    for _part in body:
        pass
    if hasattr(body, "close"):
        body.close()
    return statuses[-1]


if __name__ == "__main__":
    main(*sys.argv[1:])
