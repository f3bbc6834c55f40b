"""The oracle against the cases of other systems' suites, with returns, adjustments and counts."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from oracle import replay
from oracle_rows import Opening, Rules
from oracle_types import ALL_TYPES
from valuation_cases import (
    CASES,
    MOVEMENT_CASES,
    Case,
    expected_states,
    final_movements,
    products_of,
    read_cases,
)

RULES = Rules(datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC), types=ALL_TYPES)


STATE = ("stock", "costo_promedio", "valor")


def state(row: Any) -> tuple[Decimal, Decimal, Decimal]:
    return row.existencias, row.costo_promedio, row.valor


def name(case: Case) -> str:
    return str(case["name"])


def openings(case: Case) -> dict[int, Opening]:
    """An average that a case starts from, without stock."""
    if "costo_inicial" not in case:
        return {}
    opening = Opening(Decimal(0), Decimal(case["costo_inicial"]))
    return dict.fromkeys(products_of(case).values(), opening)


@pytest.mark.skipif(not MOVEMENT_CASES.exists(), reason="../shared is not beside the checkout")
@pytest.mark.parametrize("case", read_cases(MOVEMENT_CASES), ids=name)
def test_what_stands_after_each_arrival(case: Case):
    assert case["want"]
    for want in case["want"]:
        movements, products = final_movements(case, want["after_arrival"])
        done = replay(movements, products, RULES, openings(case))
        assert not done.rejects
        standing = done.inventory[products_of(case).get(want.get("producto"), 1)]
        assert state(standing) == tuple(want[k] for k in STATE), want["after_arrival"]
        # A long case gives no rows for some arrivals.
        assert not want["kardex"] or done.kardex.keys() == {r["seq"] for r in want["kardex"]}
        for wanted in want["kardex"]:
            row = done.kardex[wanted["seq"]]
            found = (*state(row), row.costo_total, row.ajuste, row.provisional)
            expected = (*(wanted[k] for k in (*STATE, "costo_total", "ajuste")),)
            assert found == (*expected, wanted.get("provisional", False)), wanted


@pytest.mark.skipif(not CASES.exists(), reason="../shared is not beside the checkout")
@pytest.mark.parametrize("case", read_cases(CASES), ids=name)
def test_what_the_suites_recommend(case: Case):
    for insertion in {r.get("as_of_insertion") for r in case["recommended"]}:
        movements, products = final_movements(case, insertion)
        kardex = replay(movements, products, RULES).kardex
        for seq, recommended in expected_states(case, insertion).items():
            # Some suites round to cents.
            assert state(kardex[seq]) == pytest.approx(recommended, abs=Decimal("0.01")), seq
