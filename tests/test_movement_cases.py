"""The oracle against the cases of other systems' suites, with returns, adjustments and counts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from oracle import replay
from oracle_rows import Rules
from oracle_types import ALL_TYPES
from valuation_cases import (
    CASES,
    MOVEMENT_CASES,
    Case,
    check_wanted,
    expected_states,
    final_movements,
    openings,
    read_cases,
    state,
)

RULES = Rules(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC), types=ALL_TYPES)


def name(case: Case) -> str:
    return str(case["name"])


@pytest.mark.skipif(not MOVEMENT_CASES.exists(), reason="../shared is not beside the checkout")
@pytest.mark.parametrize("case", read_cases(MOVEMENT_CASES), ids=name)
def test_what_stands_after_each_arrival(case: Case):
    assert case["want"]
    for want in case["want"]:
        movements, products = final_movements(case, want["after_arrival"])
        done = replay(movements, products, RULES, openings(case))
        assert not done.rejects
        check_wanted(case, want, done.inventory, done.kardex)


@pytest.mark.skipif(not CASES.exists(), reason="../shared is not beside the checkout")
@pytest.mark.parametrize("case", read_cases(CASES), ids=name)
def test_what_the_suites_recommend(case: Case):
    for insertion in {r.get("as_of_insertion") for r in case["recommended"]}:
        movements, products = final_movements(case, insertion)
        kardex = replay(movements, products, RULES).kardex
        for seq, recommended in expected_states(case, insertion).items():
            # Some suites round to cents.
            assert state(kardex[seq]) == pytest.approx(recommended, abs=Decimal("0.01")), seq
