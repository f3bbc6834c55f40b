"""Examples worked by hand of each row of MOVEMENTS.md that other systems' cases do not have."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from oracle import replay
from oracle_rows import Measures, Opening, Pricing, Rules
from oracle_types import (
    ALL_TYPES,
    COUNT,
    CREDIT_NOTE,
    CUSTOMER_RETURN,
    LANDED_COST,
    RECEIPT,
    SALE,
    SHRINKAGE,
    SUPPLIER_RETURN,
    SURPLUS,
    TRANSFER,
    TWO_TYPES,
)
from test_oracle_properties import OPENED, PRODUCTS, RULES, START, movement


def receipt(number: int, cantidad: Any, cost: Any, day: int = 0, **other: Any) -> dict[str, Any]:
    return movement(number, RECEIPT, cantidad, day, costo_unitario=Decimal(cost), **other)


def landed(number: int, amount: Any, origin: int | None, day: int = 0) -> dict[str, Any]:
    cost = Decimal(amount)
    return movement(number, LANDED_COST, None, day, costo_unitario=cost, id_origen=origin)


def rows(*lines: dict[str, Any], product: int = 1) -> list[tuple[float, ...]]:
    """costo_total, ajuste, existencias, valor, costo_promedio, variacion of each row."""
    ledger = replay([x | {"id_producto": product} for x in lines], PRODUCTS, RULES).ledgers[product]
    return [
        tuple(float(x) for x in (r.costo_total, r.ajuste, *r.state, r.variacion)) for r in ledger
    ]


@pytest.mark.parametrize("day", [0, 9])
def test_landed_cost_is_its_receipts_wherever_it_stands(day):
    # 10 at 4 and 10 of freight are 50: the sale of 5 takes 25.
    lines = rows(receipt(3, 10, 4, 2), movement(4, SALE, 5, 3), landed(5, 10, 3, day))
    assert (50, 0, 10, 50, 5, 10) in lines
    assert (25, 0, 5, 25, 5, -5) in lines


def test_landed_cost_without_a_receipt_may_double_the_stock_or_is_an_expense():
    assert rows(receipt(1, 10, 4), landed(2, 40, 9), landed(3, 81, 9))[1:] == [
        (40, 0, 10, 80, 8, 0),
        (81, -81, 10, 80, 8, 0),
    ]


def test_a_rebate_above_the_receipt_is_ajuste():
    assert rows(receipt(1, 10, 4), receipt(2, 2, 3), landed(3, -8, 2))[1] == (
        *(-2, 2, 12, 40, 3.333333, 2),
    )


def test_a_return_of_what_left_below_zero_comes_at_the_corrected_cost():
    # 2 left at 4, 3 more than there was at 4; received at 6: they cost 8 + 18 by now.
    lines = [receipt(1, 2, 4), movement(2, SALE, 5, 1), receipt(3, 10, 6, 2)]
    back = movement(4, CUSTOMER_RETURN, 5, 3, id_origen=2)
    assert rows(*lines, back)[3] == (26, 0, 12, 68, 5.666667, 5)


def test_a_negative_quantity_is_the_other_type():
    lines = [receipt(1, 10, 4), movement(2, SALE, -2, 1), receipt(3, -1, 5, 2)]
    more = [movement(4, SURPLUS, -1, 3), movement(5, SHRINKAGE, -3, 4)]
    ledger = replay([*lines, *more], PRODUCTS, RULES).ledgers[1]
    assert [(r.tipo, r.variacion) for r in ledger[1:]] == [
        (CUSTOMER_RETURN, 2),
        (SUPPLIER_RETURN, -1),
        (SHRINKAGE, -1),
        (SURPLUS, 3),
    ]


def test_counts_transfers_and_branches():
    lines = [
        receipt(1, 10, 4, id_sucursal=1),
        movement(2, TRANSFER, 4, 1, id_sucursal=1, id_sucursal_destino=2),
        # Typed before the day's sale in number, and holds at the end of the day all the same.
        movement(3, COUNT, 5, 2, id_sucursal=1),
        movement(4, SALE, 2, 2, id_sucursal=1),
        movement(5, COUNT, 8, 3, costo_unitario=Decimal(2)),
    ]
    done = replay(lines, PRODUCTS, RULES)
    assert [(r.id_movimiento, r.variacion, r.costo_total) for r in done.ledgers[1][1:]] == [
        (2, 0, 0),
        (4, -2, 8),
        (3, 1, 4),
        (5, -1, -4),
    ]
    assert done.branches == {(1, 0): -1, (1, 1): 5, (1, 2): 4}


def test_an_opening_stands_at_its_branches():
    lines = [movement(1, COUNT, 3, 1, id_producto=2, id_sucursal=1)]
    assert replay(lines, PRODUCTS, RULES, OPENED).branches == {(2, 0): 4, (2, 1): 3}
    whole = {1: Opening(Decimal(7), Decimal(1))}
    assert replay([], PRODUCTS, RULES, whole).branches == {(1, 0): 7}


def test_costs_that_nobody_gave():
    assert rows(movement(1, SURPLUS, 2), product=1) == [(0, 0, 2, 0, 0, 2)]
    assert rows(movement(1, SURPLUS, 2), product=2) == [(7.4, 0, 2, 7.4, 3.7, 2)]
    assert rows(movement(1, CUSTOMER_RETURN, 2), product=2) == [(7.4, 0, 2, 7.4, 3.7, 2)]
    assert rows(movement(1, COUNT, 2), product=2) == [(7.4, 0, 2, 7.4, 3.7, 2)]


def test_what_is_no_stock_has_only_its_price():
    ledger = [receipt(1, 10, 4), movement(2, SALE, 3, 1), movement(3, COUNT, 9, 2)]
    assert rows(*ledger, product=3) == 3 * [(0, 0, 0, 0, 0, 0)]


def test_importe_stands_for_the_product_of_what_was_rounded():
    lines = [receipt(1, 2_100_000, "0.001429", importe=Decimal(3000))]
    assert rows(*lines) == [(3000, 0, 2_100_000, 3000, 0.001429, 2_100_000)]


TAXED = Rules(
    START, RULES.snapshot, default_pricing=Pricing(Decimal("0.3"), Decimal("0.2"), Decimal("0.01"))
)
UNKNOWN = {"id_producto": 9, "fecha": None, "cantidad": None, "precio_unitario": None}


@pytest.mark.parametrize(
    ("tipo", "changed", "motivo"),
    [
        (SALE, UNKNOWN, "producto desconocido"),
        (SALE, UNKNOWN | {"id_producto": 1}, "sin fecha"),
        (SALE, {"cantidad": None, "precio_unitario": None}, "sin cantidad"),
        (CREDIT_NOTE, {"cantidad": None}, None),
        (COUNT, {"cantidad": Decimal(0)}, None),
        (COUNT, {"cantidad": Decimal(-1)}, "cantidad negativa"),
        (CUSTOMER_RETURN, {"cantidad": Decimal(-1)}, "cantidad no positiva"),
        (SALE, {"cantidad": Decimal("-1e11")}, "cantidad fuera de rango"),
        (TRANSFER, {}, "sin destino"),
        (TRANSFER, {"id_sucursal_destino": 0}, "destino igual al origen"),
        (CUSTOMER_RETURN, {"precio_unitario": None}, "sin precio"),
        (LANDED_COST, {}, "sin costo"),
        (LANDED_COST, {"costo_unitario": Decimal(-5)}, None),
        (LANDED_COST, {"costo_unitario": Decimal("-1e11")}, "costo fuera de rango"),
        (SURPLUS, {"costo_unitario": Decimal(-5)}, "costo negativo"),
        (SHRINKAGE, {"costo_unitario": Decimal(-5)}, None),
        (SALE, {"importe": Decimal("1e12")}, "importe fuera de rango"),
        (SALE, {"cantidad": Decimal(0)}, None),
        (SALE, {"cantidad": Decimal(0), "importe": Decimal(5)}, "cantidad no positiva"),
        (CREDIT_NOTE, {"cantidad": Decimal(0)}, "cantidad no positiva"),
        (SALE, {"impuesto": Decimal(18)}, "impuesto fuera de rango"),
        (SALE, {"impuesto": Decimal("0.9999994")}, None),
        (CREDIT_NOTE, {"impuesto": Decimal("-0.1")}, "impuesto negativo"),
        (SHRINKAGE, {"impuesto": Decimal(18)}, None),
    ],
)
def test_the_reason_that_is_told_is_the_first(tipo, changed, motivo):
    done = replay([movement(1, tipo, 1) | changed], PRODUCTS, RULES)
    assert done.motivos == ({} if motivo is None else {1: motivo})


def test_a_line_may_say_its_tax():
    said: list[dict[str, Any]] = [
        {"impuesto": Decimal("0.18")},
        {"impuesto": Decimal("0.18"), "precio_con_impuesto": False},
        {"precio_con_impuesto": False},
        {},
    ]
    sold = [
        replay(
            [movement(1, SALE, 1, precio_unitario=Decimal(118)) | line], PRODUCTS, TAXED
        ).by_month
        for line in said
    ]
    net = [sum(month.venta_neta for month in months.values()) for months in sold]
    assert net == [100, 118, 118, Decimal("98.333333")]


def test_the_summaries_are_net():
    lines = [
        receipt(1, 10, 4),
        movement(2, SALE, 4, 1),
        movement(3, CUSTOMER_RETURN, 1, 1, id_origen=2),
        movement(4, CREDIT_NOTE, None, 1, precio_unitario=Decimal("0.5")),
        movement(5, SUPPLIER_RETURN, 2, 1, id_origen=1),
        movement(6, SHRINKAGE, 1, 1),
    ]
    day = replay(lines, PRODUCTS, RULES).by_day[date(2026, 1, 2), 0, "Sin categoría"]
    sales = {"unidades_vendidas": 3, "venta_bruta": Decimal("2.5"), "venta_neta": Decimal("2.5")}
    returns = {"devoluciones": Decimal("1.5"), "unidades_devueltas": 1, "costo_ventas": 12}
    stock = {"unidades_recibidas": -2, "costo_recibido": -8, "mermas": 4, "unidades_merma": 1}
    assert day == Measures(movimientos=5, **sales, **returns, **stock)


def test_a_shop_of_two_types_takes_the_others_as_out_of_scope():
    two = Rules(initial=START, snapshot=RULES.snapshot, types=TWO_TYPES)
    lines = [movement(1, tipo, 1) for tipo in ALL_TYPES.keys() - {SALE, RECEIPT}][:1]
    done = replay([*lines, movement(2, SALE, -1)], PRODUCTS, two)
    assert (done.kardex, done.motivos) == ({}, {2: "cantidad no positiva"})
