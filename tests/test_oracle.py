"""Examples worked by hand that pin the oracle, so that its verdict can be trusted."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from oracle import RECEIPT, SALE, replay, round_six, suggested_price
from oracle_rows import Measures, Opening, Pricing, Product, Rules
from oracle_views import (
    Class,
    Cover,
    Margin,
    ValuedStock,
    abc,
    margins,
    month_ends,
    reorder,
    rotation,
    valued_stock,
)
from valuation_cases import CASES, expected_states, final_movements, sale_and_receipt_cases

START = datetime(2026, 1, 1, tzinfo=UTC)
NOON = timedelta(hours=12)
RULES = Rules(initial=START, snapshot=START + timedelta(days=364))
PRODUCTS = {1: Product("A1", "Arroz", "Abarrotes"), 2: Product("B2", "Jabón", None)}


def number(value: Any) -> Decimal | None:
    return None if value is None else Decimal(str(value))


def movement(id_movimiento: int, tipo: str, cantidad: Any, amount: Any, **other: Any) -> dict:
    """A line of product 1 at noon of its own day; `amount` is a sale's price, a receipt's cost."""
    own = {
        "id_movimiento": id_movimiento,
        "tipo": tipo,
        "id_producto": 1,
        "id_sucursal": None,
        "cantidad": number(cantidad),
        "precio_unitario": number(amount) if tipo == SALE else None,
        "costo_unitario": number(amount) if tipo == RECEIPT else None,
        "fecha": START + timedelta(days=id_movimiento - 1) + NOON,
        "anulado": False,
    }
    return own | other


def states(*lines: tuple[str, Any, Any], opening: Opening | None = None) -> list[tuple]:
    """(costo_total, ajuste, existencias, valor, costo_promedio, provisional) after each line."""
    movements = [movement(n, *line) for n, line in enumerate(lines, start=1)]
    done = replay(movements, PRODUCTS, RULES, {1: opening} if opening else {})
    return [
        (str(r.costo_total), str(r.ajuste), *map(float, r[10:13]), r.provisional)
        for r in done.ledgers[1]
    ]


# The rule of DESIGN 6


def test_receipts_average_and_sales_leave_at_the_average():
    assert states((RECEIPT, 10, 10), (RECEIPT, 10, 20), (SALE, 15, 30)) == [
        ("100.000000", "0.000000", 10, 100, 10, False),
        ("200.000000", "0.000000", 20, 300, 15, False),
        ("225.000000", "0.000000", 5, 75, 15, False),
    ]


def test_receipt_on_negative_stock_resets_the_cost_and_shows_the_correction():
    # -5 at 10 is worth -50; then 10 at 20: 5 left at 20 are 100, and -50 + 200 lacks -50.
    assert states((RECEIPT, 10, 10), (SALE, 15, 30), (RECEIPT, 10, 20)) == [
        ("100.000000", "0.000000", 10, 100, 10, False),
        ("150.000000", "0.000000", -5, -50, 10, True),
        ("200.000000", "-50.000000", 5, 100, 20, False),
    ]


def test_sale_before_any_receipt_is_provisional_and_costs_nothing_until_the_receipt():
    # 3 sold at cost 0; then 2 at 4: one is still owed at 4, so V = -4 and -4 - 0 - 8 = -12.
    assert states((SALE, 3, 9), (RECEIPT, 2, 4), (RECEIPT, 1, 5)) == [
        ("0.000000", "0.000000", -3, 0, 0, True),
        ("8.000000", "-12.000000", -1, -4, 4, False),
        ("5.000000", "-1.000000", 0, 0, 5, False),
    ]


def test_zero_stock_leaves_no_residue_of_value():
    # 10 / 3 = 3.333333; the three sales take 3.333334, 3.333333 and 3.333333.
    assert states((RECEIPT, 1, 4), (RECEIPT, 2, 3), *3 * [(SALE, 1, 9)], (RECEIPT, 1, 8))[1:] == [
        ("6.000000", "0.000000", 3, 10, 3.333333, False),
        ("3.333334", "0.000000", 2, 6.666666, 3.333333, False),
        ("3.333333", "0.000000", 1, 3.333333, 3.333333, False),
        ("3.333333", "0.000000", 0, 0, 3.333333, False),
        ("8.000000", "0.000000", 1, 8, 8, False),
    ]


def test_receipt_at_zero_cost_dilutes():
    assert states((RECEIPT, 12, 10), (RECEIPT, 1, 0))[1][2:5] == (13, 120, 9.230769)


def test_sale_at_zero_average_is_provisional_even_with_stock():
    assert states((RECEIPT, 2, 0), (SALE, 1, 5))[1] == ("0.000000", "0.000000", 1, 0, 0, True)


def test_sale_in_stock_at_a_cost_is_not_provisional_at_exactly_zero_left():
    assert states((RECEIPT, 2, 3), (SALE, 2, 5))[1] == ("6.000000", "0.000000", 0, 0, 3, False)


@pytest.mark.parametrize(
    ("given", "rounded"),
    [
        ("0.0000005", "0.000001"),
        ("-0.0000005", "-0.000001"),
        ("0.00000049999999999999999999999999999", "0"),
        ("2.5000005", "2.500001"),
        ("-0.0000001", "0"),
        ("12345678901234567890123456789012.0000005", "12345678901234567890123456789012.000001"),
    ],
)
def test_rounding_is_half_up_away_from_zero(given, rounded):
    assert round_six(Decimal(given)) == Decimal(rounded)
    assert not (round_six(Decimal(given)).is_signed() and rounded == "0")


def test_average_ties_round_up():
    # (1·0.000001 + 1·0) / 2 = 0.0000005
    assert states((RECEIPT, 1, "0.000001"), (RECEIPT, 1, 0))[1][4] == 0.000001


def test_every_row_foots():
    lines = [(RECEIPT, 7, "3.3"), (SALE, 9, 5), (RECEIPT, 1, "2.7"), (SALE, 1, 5), (RECEIPT, 5, 4)]
    valor = Decimal(0)
    movements = [movement(n, *line) for n, line in enumerate(lines, start=1)]
    for row in replay(movements, PRODUCTS, RULES).ledgers[1]:
        moved = row.costo_total if row.tipo == RECEIPT else -row.costo_total
        assert row.valor == valor + moved + row.ajuste
        valor = row.valor


def test_ledger_columns_of_each_type():
    sale = movement(2, SALE, 1, 9, costo_unitario=Decimal("NaN"), id_sucursal=3)
    receipt = movement(1, RECEIPT, 2, 4, precio_unitario=Decimal("-7.0000005"))
    ledger = replay([sale, receipt], PRODUCTS, RULES).ledgers[1]
    assert [r.id_sucursal for r in ledger] == [0, 3]
    assert [str(r.precio_unitario) for r in ledger] == ["-7.000001", "9.000000"]
    assert [str(r.costo_unitario) for r in ledger] == ["4.000000", "4.000000"]


@pytest.mark.parametrize("price", ["NaN", "Infinity", "-Infinity", "1e11", "-1e11", None])
def test_a_receipts_price_that_cannot_be_kept_is_null(price):
    receipt = movement(1, RECEIPT, 2, 4, precio_unitario=number(price))
    assert replay([receipt], PRODUCTS, RULES).kardex[1].precio_unitario is None


def test_order_is_date_then_receipts_then_id():
    same = {"fecha": START + NOON}
    movements = [
        movement(1, SALE, 1, 9, **same),
        movement(5, RECEIPT, 1, 4, **same),
        movement(4, RECEIPT, 1, 2, **same),
        movement(9, SALE, 1, 9, fecha=START),
    ]
    assert [r.id_movimiento for r in replay(movements, PRODUCTS, RULES).ledgers[1]] == [9, 4, 5, 1]


# Openings


def test_opening_is_the_first_state_and_what_is_before_it_does_not_count():
    opening = {1: Opening(Decimal(10), Decimal("2.5"), START + timedelta(days=2))}
    movements = [
        movement(1, RECEIPT, 100, 100),
        movement(3, SALE, 4, 5),
        movement(2, SALE, 1, 5, id_producto=2),
    ]
    done = replay(movements, PRODUCTS, RULES, opening)
    assert set(done.kardex) == {2, 3}
    assert done.kardex[3][8:13] == tuple(map(Decimal, ("10", "0.000000", "6", "15", "2.5")))


def test_opening_holds_at_its_own_moment_inclusive():
    at = START + timedelta(days=2)
    opening = {1: Opening(Decimal(10), Decimal(2), at)}
    movements = [
        movement(1, SALE, 1, 5, fecha=at),
        movement(2, SALE, 1, 5, fecha=at - timedelta(microseconds=1)),
    ]
    assert set(replay(movements, PRODUCTS, RULES, opening).kardex) == {1}


def test_opening_without_movements_has_an_inventory_row():
    done = replay([], PRODUCTS, RULES, {1: Opening(Decimal(-3), Decimal(7))})
    assert done.inventory[1] == (-3, -21, 7, 10)


# Suggested price


@pytest.mark.parametrize(
    ("costo", "pricing", "price"),
    [
        ("7", ("0.30", "0.000000", "0.01"), "10.00"),
        ("7.000001", ("0.30", "0.000000", "0.01"), "10.01"),
        ("1", ("0.30", "0.000000", "0.01"), "1.43"),
        ("1", ("0.40", "0.20", "0.01"), "2.00"),  # 1/0.6 · 1.2 is exactly 2: no step more
        ("10", ("0.30", "0.18", "0.50"), "17.00"),  # 16.857…
        ("0.000001", ("0", "0.000000", "5"), "5"),
        ("0", ("0.30", "0.000000", "0.01"), None),
    ],
)
def test_suggested_price_is_rounded_up_to_the_step_exactly(costo, pricing, price):
    found = suggested_price(Decimal(costo), Pricing(*map(Decimal, pricing)))
    assert found == number(price)


def test_pricing_is_the_products_then_its_categorys_then_the_default():
    rules = Rules(
        initial=START,
        snapshot=RULES.snapshot,
        category_pricing={"Abarrotes": Pricing(Decimal("0.20"), Decimal("0.10"))},
        product_pricing={1: Pricing(margen=Decimal("0.50"))},
    )
    assert rules.pricing(1, "Abarrotes") == tuple(map(Decimal, ("0.50", "0.10", "0.01")))
    assert rules.pricing(2, "Abarrotes") == tuple(map(Decimal, ("0.20", "0.10", "0.01")))
    assert rules.pricing(2, None) == tuple(map(Decimal, ("0.30", "0.000000", "0.01")))


# Scope and rejects

FUTURE = RULES.snapshot + timedelta(days=1)


@pytest.mark.parametrize(
    "changed",
    [
        {"tipo": "AJUSTE"},
        {"tipo": "venta"},
        {"cantidad": Decimal(0)},
        {"cantidad": Decimal("0.0000004")},
        {"anulado": True},
        {"fecha": START - timedelta(microseconds=1)},
        {"tipo": "AJUSTE", "fecha": None, "cantidad": None},
    ],
)
def test_out_of_scope_is_as_if_it_had_never_been(changed):
    done = replay([movement(1, SALE, 1, 5) | changed], PRODUCTS, RULES)
    assert (done.kardex, done.rejects, done.inventory) == ({}, {}, {})


@pytest.mark.parametrize("changed", [{"fecha": START}, {"fecha": FUTURE}, {"anulado": None}])
def test_the_bounds_of_the_scope_are_in_it(changed):
    assert set(replay([movement(1, SALE, 1, 5, **changed)], PRODUCTS, RULES).kardex) == {1}


@pytest.mark.parametrize(
    ("tipo", "cantidad", "amount", "other", "reasons"),
    [
        (SALE, 1, 5, {"id_producto": 99}, {"producto"}),
        (SALE, 1, 5, {"id_producto": None}, {"producto"}),
        (SALE, -1, 5, {}, None),
        (SALE, None, 5, {}, {"cantidad"}),
        (SALE, "NaN", 5, {}, {"cantidad"}),
        (SALE, "Infinity", 5, {}, {"cantidad"}),
        (SALE, "0.0000005", 5, {}, None),
        (SALE, 1, None, {}, {"precio_unitario"}),
        (SALE, 1, -1, {}, {"precio_unitario"}),
        (SALE, 1, "-0.0000004", {}, None),
        (SALE, 1, "NaN", {}, {"precio_unitario"}),
        (SALE, 1, "-Infinity", {}, {"precio_unitario"}),
        (SALE, 1, 0, {}, None),
        (RECEIPT, 1, None, {}, {"costo_unitario"}),
        (RECEIPT, 1, -1, {}, {"costo_unitario"}),
        (RECEIPT, 1, "NaN", {}, {"costo_unitario"}),
        (RECEIPT, 1, 0, {}, None),
        (SALE, "1e11", "0.000001", {}, {"magnitud"}),
        (SALE, "99999999999.9999996", "0.000001", {}, {"magnitud"}),
        (SALE, "99999999999.9999994", "0.000001", {}, None),
        (SALE, "0.000001", "1e11", {}, {"magnitud"}),
        (RECEIPT, "1e6", "1e6", {}, {"magnitud"}),
        (RECEIPT, "1e6", "999999.999999", {}, None),
        (SALE, "1e300", 1, {}, {"magnitud"}),
        (SALE, 1, 5, {"fecha": None}, {"sin fecha"}),
        (SALE, 1, 5, {"fecha": FUTURE + timedelta(microseconds=1)}, {"fecha futura"}),
        (SALE, None, None, {"fecha": None}, {"cantidad", "precio_unitario", "sin fecha"}),
    ],
)
def test_what_cannot_be_valued_is_rejected_for_its_reasons(tipo, cantidad, amount, other, reasons):
    line = movement(1, tipo, cantidad, amount, **other)
    done = replay([line], PRODUCTS, RULES)
    if reasons is None:
        assert set(done.kardex) == {1}
        assert not done.rejects
    else:
        assert done.rejects == {1: (line, reasons)}
        assert not done.kardex


def test_no_oltp_holds_an_id_twice():
    with pytest.raises(ValueError, match="twice"):
        replay([movement(1, SALE, 1, 5), movement(1, SALE, 1, 5)], PRODUCTS, RULES)


# Summary tables


def test_summaries_cut_days_in_the_zone_and_round_each_sale():
    rules = Rules(
        initial=START,
        snapshot=RULES.snapshot,
        zone="America/Lima",
        category_pricing={"Abarrotes": Pricing(impuesto=Decimal("0.18"))},
    )
    in_lima_january = datetime(2026, 2, 1, 4, 59, tzinfo=UTC)
    movements = [
        movement(1, SALE, 3, 10, fecha=in_lima_january),
        movement(2, SALE, 3, 10, fecha=in_lima_january),
        movement(3, RECEIPT, 10, 4, fecha=in_lima_january + timedelta(minutes=1), id_sucursal=7),
        movement(4, SALE, 1, 5, fecha=in_lima_january, id_producto=2),
    ]
    done = replay(movements, PRODUCTS, rules)
    # 30 / 1.18 = 25.423728813…, rounded in each of the two sales.
    sales = Measures(2, Decimal(6), Decimal(60), Decimal("50.847458"))
    # -6 worth 0; then 10 at 4: 4 left are 16, so 16 - 0 - 40.
    receipts = Measures(
        1, ajuste=Decimal(-24), unidades_recibidas=Decimal(10), costo_recibido=Decimal(40)
    )
    other = Measures(1, Decimal(1), Decimal(5), Decimal(5))
    assert done.by_day == {
        (date(2026, 1, 31), 0, "Abarrotes"): sales,
        (date(2026, 2, 1), 7, "Abarrotes"): receipts,
        (date(2026, 1, 31), 0, "Sin categoría"): other,
    }
    assert done.by_month == {
        (date(2026, 1, 1), 0, 1): sales,
        (date(2026, 2, 1), 7, 1): receipts,
        (date(2026, 1, 1), 0, 2): other,
    }
    assert done.by_product_day == {
        (date(2026, 1, 31), 1): sales,
        (date(2026, 2, 1), 1): receipts,
        (date(2026, 1, 31), 2): other,
    }


def test_prices_without_tax_are_net_as_they_are():
    rules = Rules(
        initial=START,
        snapshot=RULES.snapshot,
        prices_include_tax=False,
        default_pricing=Pricing(Decimal("0.3"), Decimal("0.18"), Decimal("0.01")),
    )
    done = replay([movement(1, SALE, 3, 10)], PRODUCTS, rules)
    assert done.by_product_day[date(2026, 1, 1), 1].venta_neta == 30


# Views


def on(day: date) -> dict[str, datetime]:
    """At noon of a day."""
    return {"fecha": datetime(day.year, day.month, day.day, 12, tzinfo=UTC)}


def test_month_ends_of_a_range_are_inclusive():
    assert month_ends(date(2025, 11, 30), date(2026, 2, 28)) == [
        date(2025, 11, 30),
        date(2025, 12, 31),
        date(2026, 1, 31),
        date(2026, 2, 28),
    ]
    assert month_ends(date(2026, 2, 1), date(2026, 1, 31)) == []


def test_rotation_is_a_years_cost_over_the_average_month_end_value():
    movements = [
        movement(1, RECEIPT, 10, 4, **on(date(2026, 1, 20))),  # end of January: 40
        movement(2, SALE, 15, 9, **on(date(2026, 2, 10))),  # end of February: -20, held as 0
        movement(3, RECEIPT, 25, 2, **on(date(2026, 3, 31))),  # end of March: 20 at 2 = 40
        movement(4, SALE, 5, 9, **on(date(2026, 4, 10))),  # April has not ended
    ]
    found = rotation(replay(movements, PRODUCTS, RULES), datetime(2026, 4, 15, tzinfo=UTC))
    assert found[1] == (Decimal(70), Fraction(80, 3), Fraction(70 * 3, 80))


def test_rotation_counts_365_days_ending_with_hastas_own_day():
    rules = Rules(initial=START - timedelta(days=400), snapshot=RULES.snapshot)
    hasta = datetime(2026, 4, 15, 9, tzinfo=UTC)
    movements = [
        movement(1, RECEIPT, 100, 1, **on(date(2025, 4, 1))),
        movement(2, SALE, 1, 9, **on(date(2025, 4, 15))),  # the 366th day
        movement(3, SALE, 2, 9, **on(date(2025, 4, 16))),
        movement(4, SALE, 4, 9, **on(date(2026, 4, 15))),
        movement(5, SALE, 8, 9, **on(date(2026, 4, 16))),
    ]
    found = rotation(replay(movements, PRODUCTS, rules), hasta)[1]
    assert found[:2] == (6, 97)  # 12 month-ends, from April 2025 to March 2026, at 97 each


def test_rotation_without_a_month_end_takes_the_current_value():
    hasta = datetime(2026, 1, 15, tzinfo=UTC)
    done = replay([movement(1, RECEIPT, 10, 4), movement(2, SALE, 5, 9)], PRODUCTS, RULES)
    assert rotation(done, hasta)[1] == (20, 20, 1)


def test_rotation_starts_with_the_month_of_the_opening():
    done = replay(
        [movement(1, SALE, 5, 9, **on(date(2026, 3, 5)))],
        PRODUCTS,
        RULES,
        {1: Opening(Decimal(10), Decimal(4)), 2: Opening(Decimal(0), Decimal(4))},
    )
    found = rotation(done, datetime(2026, 3, 31, tzinfo=UTC))
    assert found[1] == (20, Fraction(40 + 40 + 20, 3), Fraction(60, 100))
    assert found[2] == (0, 0, None)


def test_abc_classes_by_the_share_before_the_product():
    products = {n: Product(None, None, None) for n in range(1, 7)}
    amounts = {1: 5, 2: 60, 3: 20, 4: 10, 5: 5, 6: 0}
    movements = [
        movement(n, SALE, 1, amount, id_producto=n, **on(date(2026, 1, 5)))
        for n, amount in amounts.items()
    ]
    found = abc(replay(movements, products, RULES), datetime(2026, 2, 1, tzinfo=UTC))
    # Before each: 2 at 0 %, 3 at 60, 4 at 80, 1 at 90 (and before 5, by id), 5 at 95.
    assert found == {
        2: Class(Decimal(60), "A"),
        3: Class(Decimal(20), "A"),
        4: Class(Decimal(10), "B"),
        1: Class(Decimal(5), "B"),
        5: Class(Decimal(5), "C"),
    }
    assert list(found) == [2, 3, 4, 1, 5]


def test_reorder_is_days_of_cover_at_the_rate_of_90_days():
    hasta = datetime(2026, 5, 1, tzinfo=UTC)
    movements = [
        movement(1, RECEIPT, 100, 1),
        movement(2, SALE, 10, 2, **on(date(2026, 1, 31))),  # the 91st day
        movement(3, SALE, 18, 2, **on(date(2026, 2, 1))),
        movement(4, RECEIPT, 3, 1, id_producto=2),
    ]
    found = reorder(replay(movements, PRODUCTS, RULES), hasta)
    assert found == {
        1: Cover(Fraction(18, 90), Fraction(360), 90),
        2: Cover(Fraction(0), None, 90),
    }


def test_stock_below_zero_has_a_column_of_its_own():
    movements = [
        movement(1, RECEIPT, 2, 3),
        movement(2, SALE, 5, 9),
        movement(3, RECEIPT, 2, 3, id_producto=2),
    ]
    assert valued_stock(replay(movements, PRODUCTS, RULES)) == {
        1: ValuedStock(Decimal(0), Decimal(-9)),
        2: ValuedStock(Decimal(6), Decimal(0)),
    }


def test_margin_is_sales_less_cost_plus_ajuste():
    movements = [movement(1, SALE, 2, 10, **on(date(2026, 1, 1))), movement(2, RECEIPT, 5, 6)]
    found = margins(replay(movements, PRODUCTS, RULES).by_month)
    # The two were sold at cost 0; the receipt corrects them by -12.
    assert found == {
        (date(2026, 1, 1), 0, 1): Margin(Decimal(20), Decimal(0), Decimal(-12), Decimal(8))
    }


# Cases of other systems' suites


@pytest.mark.parametrize("case", sale_and_receipt_cases(), ids=lambda case: case["name"])
def test_other_systems_agree(case):
    insertions = [
        None,
        *{r["as_of_insertion"] for r in case["recommended"] if "as_of_insertion" in r},
    ]
    for insertion in insertions:
        movements, products = final_movements(case, insertion)
        first = min(m["fecha"] for m in movements)
        done = replay(movements, products, Rules(initial=first, snapshot=RULES.snapshot))
        expected = expected_states(case, insertion)
        for seq, recommended in expected.items():
            row = done.kardex[seq]
            found = (row.existencias, row.costo_promedio, row.valor)
            assert found == pytest.approx(recommended, abs=Decimal("0.01")), (insertion, seq)


def test_the_cases_are_there_or_their_absence_is_said():
    if not CASES.exists():
        pytest.skip("../shared/cases/valuation_cases.json is absent")
    assert len(sale_and_receipt_cases()) == 17
