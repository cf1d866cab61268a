"""Compare our pages and our webhook with bare reference programs: `make bench`, or ARGS=--quick.

Absolute figures depend on the machine and on what else it does; ratios within one run hardly do.
Ends with status 1 when a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench import audit, events, goods, programs, serving
from bench.goals import Figure, table
from bench.processes import children
from bench.serving import Used

PAGES = {
    "reference page": "page D: Flask, Flask-SQLAlchemy, Jinja",
    "product": "product page",
    "product, unchanged": "product page, answered 304",
    "product, first": "product page, first rendering",
    "product, signed in": "product page, signed in",
    "list": "list of 24",
    "list, first": "list of 24, first rendering",
}


@dataclass(frozen=True)
class Size:
    """How much is measured."""

    rounds: int
    calls: int
    events: int
    pages: int


FULL = Size(rounds=15, calls=40, events=100, pages=800)
QUICK = Size(rounds=5, calls=20, events=60, pages=200)
WARM_UP = 2  # rounds that are not counted
SENDERS = 4


def main() -> int:
    """Run everything once, print the table; the status for the shell."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds, for a first look")
    size = QUICK if parser.parse_args().quick else FULL
    instance = programs.ROOT / "instance"  # on the disk of a real shop: /tmp may be memory
    instance.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="bench-", dir=instance) as name:
        figures = run(Path(name), size)
    print(table(figures))
    missed = [figure.name for figure in figures if figure.is_met is False]
    print(f"\nMissed: {'; '.join(missed)}." if missed else "\nEvery goal is met.")
    return 1 if missed else 0


def run(folder: Path, size: Size) -> list[Figure]:
    """Everything that is measured, in the order of the table."""
    say("filling a shop and its references")
    prepare(folder)
    figures = pages(folder, size)
    figures += webhook(folder, size)
    figures += memory(folder, size)
    app = programs.shop(folder, LOG_LEVEL="ERROR")
    for words, path, most in (("product page", programs.PRODUCT, 1), ("list", programs.LIST, 2)):
        count = audit.statements(app, path)
        figures.append(Figure(f"SQL statements, {words}", str(count), count=count, most=most))
    writes = audit.writes(app, folder)
    figures.append(Figure("GETs that write", str(writes), count=writes, most=0))
    return figures


def say(words: str) -> None:
    print(f"... {words}", file=sys.stderr, flush=True)


def prepare(folder: Path) -> None:
    """Make the databases of a run, ours as `flask shop init` makes it, and the event to retell."""
    goods.fill_references(folder)
    app = programs.shop(folder)
    result = app.test_cli_runner().invoke(args=["shop", "init"])
    if result.exit_code != 0:
        raise RuntimeError(f"flask shop init failed: {result.output}")
    goods.fill_shop(app)
    (folder / "event.json").write_text(json.dumps(events.payment_told(folder)))


def pages(folder: Path, size: Size) -> list[Figure]:
    """CPU of each page in process, beside that of page D in the same round."""
    say("pages, in process")
    spent: dict[str, list[float]] = {name: [] for name in PAGES}
    with children(list(PAGES), folder) as measured:
        for _round in range(size.rounds + WARM_UP):
            for child in measured:
                spent[child.name].append(child.measure(size.calls))
    for seconds in spent.values():
        del seconds[:WARM_UP]
    reference = spent["reference page"]
    least = {"product": 0.8}
    return [
        Figure(
            words,
            f"{median(spent[name]) * 1e6:.0f} us",
            _ratio(reference, spent[name]),
            least.get(name),
        )
        for name, words in PAGES.items()
    ]


def _ratio(reference: list[float], ours: list[float]) -> float:
    return median(theirs / own for theirs, own in zip(reference, ours, strict=True))


def webhook(folder: Path, size: Size) -> list[Figure]:
    """Rate and CPU of paid events, each of an order of its own, several senders at once."""
    say("webhooks, served by gunicorn")
    rounds: list[tuple[Used, Used]] = []
    with (
        serving.served(f"bench.references:serve('webhook', {str(folder)!r})", folder) as bare,
        serving.served(f"bench.programs:serve({str(folder)!r})", folder) as shop,
    ):
        told, retold = programs.webhooks(folder), programs.webhooks(folder)
        for _round in range(size.rounds + WARM_UP):
            theirs = bare.take([serving.as_sent(next(told)) for _ in range(size.events)], SENDERS)
            ours = shop.take([serving.as_sent(next(retold)) for _ in range(size.events)], SENDERS)
            rounds.append((theirs, ours))
    goods.check_paid(folder, size.events * len(rounds))
    del rounds[:WARM_UP]
    clocks = [used.clock for used, _ours in rounds], [used.clock for _theirs, used in rounds]
    cpus = [used.cpu for used, _ours in rounds], [used.cpu for _theirs, used in rounds]
    rates = [f"{size.events / median(taken):.0f}/s" for taken in clocks]
    spent = [f"{median(taken) / size.events * 1e6:.0f} us" for taken in cpus]
    return [
        Figure("webhook W: hmac, json, sqlite3", rates[0], 1.0),
        Figure("webhook", rates[1], _ratio(*clocks), least=0.6),
        Figure("webhook W, CPU", spent[0], 1.0),
        Figure("webhook, CPU", spent[1], _ratio(*cpus)),
    ]


def memory(folder: Path, size: Size) -> list[Figure]:
    """What a worker weighs after many pages, beside the floor with the same libraries."""
    say("memory, served by gunicorn")
    weights = []
    floor_app = f"bench.references:serve('page', {str(folder)!r})"
    for program in (floor_app, f"bench.programs:serve({str(folder)!r})"):
        with serving.served(program, folder) as server:
            paths = (f"/products/bowl-{n % goods.PRODUCTS}" for n in range(size.pages))
            server.take([serving.as_sent(programs.environ(path)) for path in paths], SENDERS)
            weights.append(server.resident_megabytes())
    floor, ours = weights
    return [
        Figure("worker, floor with the same libraries", f"{floor:.0f} MB", 1.0),
        Figure("worker", f"{ours:.0f} MB", ours / floor, count=ours / floor, most=1.25),
    ]


if __name__ == "__main__":
    sys.exit(main())
