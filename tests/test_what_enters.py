"""What of a read enters the ledger without more, is told by raw values; the rules say the same."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from itertools import product
from typing import Any, NamedTuple

from psycopg2.extras import execute_values
from shop_database import Shop

SINCE = datetime(2026, 1, 1, tzinfo=timezone.utc)
LIMIT = SINCE + timedelta(days=30)
OPENED = SINCE + timedelta(days=10)
INSTANT = timedelta(microseconds=1)
KNOWN, OPENING, UNKNOWN = 1, 2, 3
SALE, RECEIPT = "VENTA", "ENTRADA_MERCANCIA"

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


class Movement(NamedTuple):
    """A row of etl.etapa, but for its branch and the amount that its type does not use."""

    tipo: str
    producto: int
    cantidad: Decimal | None
    monto: Decimal | None
    fecha: datetime | None
    anulado: bool | None


def rounded(number: Decimal) -> Decimal:
    """Half away from zero to six decimals."""
    if not number.is_finite():
        return number
    return number.quantize(Decimal("0.000001"), rounding=ROUND_HALF_UP)


def is_possible(number: Decimal | None, *, least: Decimal) -> bool:
    """Whether a rounded number is one, and within what a ledger holds."""
    return (
        number is not None
        and number.is_finite()
        and rounded(number) >= least
        and rounded(number) < 10**11
    )


def enters(movement: Movement) -> bool:
    """The README's rules, of values as they are."""
    tipo, producto, cantidad, monto, fecha, anulado = movement
    if tipo not in (SALE, RECEIPT) or anulado or fecha is None or not SINCE <= fecha <= LIMIT:
        return False
    if producto == UNKNOWN or (producto == OPENING and fecha < OPENED):
        return False
    if not is_possible(cantidad, least=Decimal("0.000001")):
        return False
    if not is_possible(monto, least=Decimal(0)):
        return False
    assert cantidad is not None
    assert monto is not None
    return rounded(cantidad) * rounded(monto) < 10**12


def test_what_enters_is_what_the_rules_let_in(shop: Shop):
    movements = [
        Movement(tipo, KNOWN, cantidad, monto, SINCE, False)
        for tipo, cantidad, monto in product((SALE, RECEIPT), NUMBERS, NUMBERS)
    ] + [
        Movement(tipo, producto, Decimal(1), Decimal(5), fecha, anulado)
        for tipo, producto, fecha, anulado in product(
            (SALE, RECEIPT, "AJUSTE"), (KNOWN, OPENING, UNKNOWN), DATES, (None, False, True)
        )
    ]
    rows: list[tuple[Any, ...]] = [
        (
            number,
            m.tipo,
            m.producto,
            m.cantidad,
            # The other amount says nothing.
            *((m.monto, None) if m.tipo == SALE else (Decimal("NaN"), m.monto)),
            m.fecha,
            m.anulado,
        )
        for number, m in enumerate(movements)
    ]
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
            "INSERT INTO etl.etapa (id_movimiento, tipo, id_producto, cantidad, precio_unitario,"
            " costo_unitario, fecha, anulado) VALUES %s",
            rows,
            page_size=2000,
        )
    left_out = shop.olap_rows("SELECT id_movimiento FROM etl.por_descartar(%s, %s)", SINCE, LIMIT)
    numbers = sorted(row["id_movimiento"] for row in left_out)
    assert numbers == [n for n, movement in enumerate(movements) if not enters(movement)]
    assert 0 < len(numbers) < len(movements)
