"""An oracle that has never convicted proves nothing: each known mistake is found in few runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.court import court
from tests.faults.databases import make_empty

RUNS = 14
CARELESS = "tests.faults.careless:app"
POSTGRESQL = pytest.mark.postgres


@pytest.mark.parametrize(
    ("mistake", "promises", "kind"),
    [
        ("looks, then writes", {"I3", "I6"}, "sqlite"),
        pytest.param("remembers events only", {"I3", "I6"}, "postgresql", marks=POSTGRESQL),
        ("works in a second transaction", {"I1", "I2", "I4", "I5"}, "sqlite"),
        pytest.param("releases whatever was left", {"I2", "I3"}, "postgresql", marks=POSTGRESQL),
        ("asks for refunds unclaimed", {"I5"}, "sqlite"),
        pytest.param("reads stock, then writes it", {"I3"}, "postgresql", marks=POSTGRESQL),
    ],
)
def test_a_careless_shop_is_convicted(
    mistake: str, promises: set[str], kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = make_empty(kind, tmp_path, request)
    with court(tmp_path, url, "--preload", wsgi=CARELESS, CARELESS=mistake) as judge:
        broken: set[str] = set()
        for seed in range(1, RUNS + 1):
            broken |= {fault.invariant for fault in judge.try_seed(seed).faults}
            if broken & promises:
                return
    pytest.fail(f"a shop that {mistake} was never convicted; only of {broken}")
