"""The verdicts of the benchmark: a ratio has a floor, a count a ceiling, a record neither."""

from __future__ import annotations

import pytest

from bench.goals import Figure, table


@pytest.mark.parametrize(("ratio", "met"), [(0.79, False), (0.8, True), (1.4, True)])
def test_a_ratio_must_reach_its_goal(ratio: float, met: bool) -> None:
    assert Figure("page", "1 us", ratio, least=0.8).is_met is met


@pytest.mark.parametrize(("count", "met"), [(0, True), (1, True), (2, False)])
def test_a_count_must_not_pass_its_goal(count: int, met: bool) -> None:
    assert Figure("statements", str(count), count=count, most=1).is_met is met


def test_a_figure_without_a_goal_is_for_the_record() -> None:
    assert Figure("list", "1 us", 0.1).is_met is None


def test_the_table_names_what_was_missed() -> None:
    missed = Figure("webhook", "9/s", 0.1, least=0.6)
    lines = table([missed, Figure("page", "1 us", 0.9, least=0.8)]).splitlines()
    assert lines[1].split() == ["webhook", "9/s", "0.10", ">=", "0.6", "NOT", "MET"]
    assert lines[2].split() == ["page", "1", "us", "0.90", ">=", "0.8", "met"]
