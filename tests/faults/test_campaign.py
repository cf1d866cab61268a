"""The kill campaign in its short form: a score of seeds on each database, and no promise broken.

`make faults` is the long form; what fails here says how to see it again.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.court import Court, court
from tests.faults.databases import BOTH, make_empty
from tests.faults.plan import draw

SEEDS = range(1, 21)


@pytest.fixture(scope="module", params=BOTH)
def judge(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Court]:
    folder = tmp_path_factory.mktemp("campaign")
    with court(folder, make_empty(request.param, folder, request)) as judge:
        yield judge


@pytest.mark.parametrize("seed", SEEDS)
def test_a_shop_under_kills_keeps_its_promises(judge: Court, seed: int) -> None:
    verdict = judge.try_seed(seed)
    assert not verdict.faults, str(verdict)


def test_a_seed_is_the_same_plan_again() -> None:
    assert draw(7) == draw(7) != draw(8)
    event = "checkout.session.completed"
    assert draw(7).deliveries(3, event) == draw(7).deliveries(3, event)


def test_half_of_the_sessions_have_one_delivery_that_counts() -> None:
    plan = draw(7)
    once = [place for place, buyer in enumerate(plan.buyers) if buyer.once]
    assert len(once) == len(plan.buyers) / 2
    assert all(len(plan.deliveries(place, "any")) == 1 for place in once)
