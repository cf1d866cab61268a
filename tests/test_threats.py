"""Every known threat has a test that exists, or a sentence that says why not."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.threats.checkout import CHECKOUT
from tests.threats.machines import FAULTS
from tests.threats.row import Threat
from tests.threats.stock_and_money import MONEY_BACK, STOCK
from tests.threats.webhook import WEBHOOK

THREATS = WEBHOOK | CHECKOUT | STOCK | MONEY_BACK | FAULTS
TESTS = Path(__file__).parent
GROUPS = {"W": 32, "C": 23, "S": 9, "P": 13, "F": 15}


@cache
def _tests_in(path: str) -> frozenset[str]:
    tree = ast.parse((TESTS / path).read_text())
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("row", THREATS)
def test_it_is_named_by_tests_that_exist(row: str) -> None:
    threat: Threat = THREATS[row]
    for path, names in threat.tests.items():
        assert (TESTS / path).is_file(), path
        missing = set(names) - _tests_in(path)
        assert not missing, f"{path} has no {missing}"


def test_no_row_is_missing_and_none_is_without_a_test_or_a_reason() -> None:
    known = {
        f"{group}{number}" for group, count in GROUPS.items() for number in range(1, count + 1)
    }
    assert set(THREATS) == known
    assert [row for row, threat in THREATS.items() if not (threat.tests or threat.but)] == []
