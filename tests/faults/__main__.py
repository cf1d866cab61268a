"""The kill campaign in its long form: `make faults`, or one seed again with ARGS="--seed 17"."""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.engine import make_url

from storefront.config import database_url
from tests.faults.court import Court, court
from tests.faults.databases import make_empty_postgresql

FRESH_AFTER = 25  # runs on one shop


@dataclass
class Tally:
    """What a campaign on one database came to."""

    runs: int = 0
    kills: int = 0
    deliveries: int = 0
    bad: list[int] = field(default_factory=list)
    started: float = field(default_factory=time.monotonic)

    def __str__(self) -> str:
        minutes = (time.monotonic() - self.started) / 60
        bad = f"{len(self.bad)} bad runs" + (f": seeds {self.bad}" if self.bad else "")
        return (
            f"{self.runs} runs, {self.kills} kills, {self.deliveries} deliveries, {bad};"
            f" {minutes:.1f} min"
        )


def main() -> int:
    """Run what was asked for; 1 when any promise was broken."""
    asked = _read_arguments()
    seeds = [asked.seed] if asked.seed is not None else range(asked.first, asked.first + asked.runs)
    bad = False
    for kind in ("sqlite", "postgresql") if asked.database == "both" else (asked.database,):
        if kind == "postgresql" and not os.environ.get("TEST_POSTGRES_URL"):
            print("postgresql: skipped, as TEST_POSTGRES_URL names no server")
            continue
        print(f"{kind}: seeds {seeds[0]} to {seeds[-1]}", flush=True)
        tally = campaign(kind, seeds, asked.minutes * 60)
        print(f"{kind}: {tally}", flush=True)
        bad = bad or bool(tally.bad)
    return int(bad)


def _read_arguments() -> argparse.Namespace:
    anywhere = random.SystemRandom().randrange(1_000, 1_000_000)
    parser = argparse.ArgumentParser(prog="make faults")
    parser.add_argument("--seed", type=int, help="only this run, as a failure named it")
    parser.add_argument("--first", type=int, default=anywhere, help="the first seed of many")
    parser.add_argument("--runs", type=int, default=500, help="on each database")
    parser.add_argument("--minutes", type=float, default=60, help="at most, on each database")
    parser.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    return parser.parse_args()


def campaign(kind: str, seeds: Iterable[int], seconds: float) -> Tally:
    """Try these seeds one by one, on a fresh shop now and then, until the time is over."""
    tally, left = Tally(), iter(seeds)
    while batch := list(itertools.islice(left, FRESH_AFTER)):
        with tempfile.TemporaryDirectory(prefix="faults-") as folder, ExitStack() as open_court:
            judge = open_court.enter_context(court(Path(folder), _address(kind, Path(folder))))
            for seed in batch:
                if time.monotonic() - tally.started > seconds:
                    return tally
                _try(judge, seed, tally)
    return tally


def _try(judge: Court, seed: int, tally: Tally) -> None:
    verdict = judge.try_seed(seed)
    tally.runs += 1
    tally.kills += verdict.story.kills
    tally.deliveries += verdict.story.deliveries
    if verdict.faults:
        tally.bad.append(seed)
        print(verdict, flush=True)


def _address(kind: str, folder: Path) -> str:
    if kind == "sqlite":
        return f"sqlite:///{folder / 'shop.sqlite'}"
    url = make_url(database_url(os.environ["TEST_POSTGRES_URL"]))
    name = f"{url.database}_faults_{os.getpid()}"
    return make_empty_postgresql(url.render_as_string(hide_password=False), name)


if __name__ == "__main__":
    sys.exit(main())
