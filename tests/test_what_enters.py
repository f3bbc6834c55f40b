"""What enters the ledger without more is told by raw values; the oracle says the same."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import product
from typing import Any

from oracle import LATEST_AFTER_SNAPSHOT, RECEIPT, SALE, in_scope, reasons_to_reject
from oracle_rows import Opening, Product
from psycopg2.extras import execute_values
from shop_database import Shop

SINCE = datetime(2026, 1, 1, tzinfo=UTC)
LIMIT = SINCE + timedelta(days=30)
OPENED = SINCE + timedelta(days=10)
INSTANT = timedelta(microseconds=1)
KNOWN, OPENING, UNKNOWN = 1, 2, 3
PRODUCTS = {n: Product(f"P{n}", None, "c") for n in (KNOWN, OPENING)}
OPENINGS = {OPENING: Opening(Decimal(1), Decimal(1), OPENED)}

# About each bound that is compared, before and after rounding to six decimals.
NUMBERS = [
    None if text is None else Decimal(text)
    for text in (
        None, "NaN", "Infinity", "-Infinity", "-1", "-0.0000006", "-0.0000004", "0", "0.0000004",
        "0.0000005", "0.000001", "1", "98999.9999994", "99999", "99999.0000001", "100000",
        "999998.9999996", "999999", "999999.0000001", "1000000", "10000000", "50000000000",
        "99999999999.9999994", "99999999999.9999995", "100000000000",
    )
]  # fmt: skip
DATES = [None, SINCE - INSTANT, SINCE, OPENED - INSTANT, OPENED, LIMIT, LIMIT + INSTANT]


COLUMNS = (
    "id_movimiento", "tipo", "id_producto", "cantidad", "precio_unitario", "costo_unitario",
    "fecha", "anulado", "importe",
)  # fmt: skip


def row(tipo: str, cantidad: Any, monto: Any, *rest: Any) -> tuple[Any, ...]:
    """A movement's columns but its number: `rest` are product, date, anulado and importe."""
    producto, fecha, anulado, importe = rest
    # The other amount says nothing.
    amounts = (monto, None) if tipo == SALE else (Decimal("NaN"), monto)
    return (tipo, producto, cantidad, *amounts, fecha, anulado, importe)


def test_what_enters_is_what_the_rules_let_in(shop: Shop):
    rows = (
        [
            row(tipo, cantidad, monto, KNOWN, SINCE, False, None)
            for tipo, cantidad, monto in product((SALE, RECEIPT), NUMBERS, NUMBERS)
        ]
        + [
            row(tipo, cantidad, Decimal(5), KNOWN, SINCE, False, importe)
            for tipo, cantidad, importe in product((SALE, RECEIPT), NUMBERS, NUMBERS)
        ]
        + [
            row(tipo, Decimal(1), Decimal(5), *rest, None)
            for tipo, *rest in product(
                (SALE, RECEIPT, "AJUSTE"), (KNOWN, OPENING, UNKNOWN), DATES, (None, False, True)
            )
        ]
    )
    movements = [dict(zip(COLUMNS, (n, *r), strict=True)) for n, r in enumerate(rows)]
    with shop.olap.cursor() as cursor:
        cursor.execute(
            "INSERT INTO dw.producto (id_producto, nombre, categoria)"
            " VALUES (1, 'Uno', 'c'), (2, 'Dos', 'c')"
        )
        cursor.execute(
            "INSERT INTO dw.apertura (id_producto, existencias, costo_promedio, fecha)"
            " VALUES (%s, 1, 1, %s)",
            (OPENING, OPENED),
        )
        execute_values(
            cursor,
            f"INSERT INTO etl.etapa ({', '.join(COLUMNS)}) VALUES %s",
            [tuple(movement.values()) for movement in movements],
            page_size=2000,
        )
    left_out = shop.olap_rows("SELECT id_movimiento FROM etl.por_descartar(%s, %s)", SINCE, LIMIT)
    numbers = sorted(row["id_movimiento"] for row in left_out)
    assert numbers == [
        movement["id_movimiento"]
        for movement in movements
        if not in_scope(movement, OPENINGS, SINCE)
        or reasons_to_reject(movement, PRODUCTS, LIMIT - LATEST_AFTER_SNAPSHOT)
    ]
    assert 0 < len(numbers) < len(movements)
