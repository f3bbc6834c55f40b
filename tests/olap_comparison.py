"""Compare the whole OLAP with the oracle's replay of the OLTP, to the last digit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from oltp_reading import (
    LAST,
    read_adjustments,
    read_moment,
    read_movements,
    read_openings,
    read_pricing,
    read_products,
)
from oracle import replay
from oracle_rows import (
    ZERO,
    Books,
    InventoryRow,
    KardexRow,
    Measures,
    Replay,
    Rules,
)
from oracle_views import QUARTER, YEAR, sold
from shop_database import Shop

SHOWN = 5
AMOUNTS = ("cantidad", "precio_unitario", "costo_unitario")
# What the product says, and the oracle's reasons that it can stand for.
REASONS = {
    "producto desconocido": {"producto"},
    "sin cantidad": {"cantidad"},
    "cantidad no positiva": {"cantidad"},
    "cantidad negativa": {"cantidad"},
    "sin destino": {"sin destino"},
    "destino igual al origen": {"destino igual al origen"},
    "cantidad fuera de rango": {"cantidad", "magnitud"},
    "sin precio": {"precio_unitario"},
    "precio negativo": {"precio_unitario"},
    "precio fuera de rango": {"precio_unitario", "magnitud"},
    "sin costo": {"costo_unitario"},
    "costo negativo": {"costo_unitario"},
    "costo fuera de rango": {"costo_unitario", "magnitud"},
    "impuesto negativo": {"impuesto"},
    "impuesto fuera de rango": {"impuesto"},
    "importe fuera de rango": {"magnitud"},
    "sin fecha": {"sin fecha"},
    "fecha futura": {"fecha futura"},
}
KARDEX_COLUMNS = KardexRow._fields
# What a ledger without closings does without.
OF_CLOSINGS = KARDEX_COLUMNS.index("fecha_documento")
SUMMARY_COLUMNS = Measures._fields
EMPTY_INVENTORY = InventoryRow(ZERO, ZERO, ZERO, None)

Rows = Mapping[Any, tuple[Any, ...]]


def replay_shop(
    shop: Shop,
    initial: datetime,
    scope: str = "true",
    books: Books | None = None,
    limit: datetime | None = None,
    documents: bool = False,
    **rules: Any,
) -> Replay:
    """The replay of a shop's OLTP as it stands; `rules` are those of oracle_rows.Rules.

    `scope` is what the shop's own query leaves in, `documents` whether it tells them, `books` what
    is closed: see oracle_closings, whose close() takes what assert_olap_equals_replay() returned
    before the command. Openings and, unless `rules` say otherwise, the price policy are those that
    the OLAP holds.
    """
    rules = {"snapshot": read_moment(shop.oltp), **read_pricing(shop.olap), **rules}
    return replay(
        read_movements(shop.oltp, scope, documents=documents),
        read_products(shop.oltp),
        Rules(initial=initial, **rules),
        read_openings(shop.olap),
        books,
        limit,
        read_adjustments(shop.olap),
    )


def assert_olap_equals_replay(shop: Shop, initial: datetime, **rules: Any) -> Replay:
    """Fail with the first differences of each table unless the OLAP is the replay of the OLTP.

    Call it when a run has carried everything: the OLTP is read as it stands. Returns the
    replay, for the views.
    """
    expected = replay_shop(shop, initial, **rules)
    assert_olap_equals(shop.olap, expected)
    return expected


def assert_olap_equals(olap: Any, expected: Replay) -> None:
    """Fail with the first differences of each table unless the OLAP is this replay."""
    found = differences(olap, expected)
    assert not found, "the OLAP is not the replay:\n" + "\n".join(found)


def differences(olap: Any, expected: Replay) -> list[str]:
    """A few lines for each table that differs; none where the OLAP is the replay."""
    inventory = read_rows(olap, "dw.inventario", ["id_producto"], InventoryRow._fields)
    # A product that has lost its movements keeps its row, at zero: the OLTP does not tell which.
    left = dict.fromkeys(inventory.keys() - expected.inventory.keys(), EMPTY_INVENTORY)
    found = compare(
        "dw.inventario", InventoryRow._fields, {**expected.inventory, **left}, inventory
    )
    for table, key, columns, rows in (
        (
            "dw.resumen_diario",
            ["dia", "id_sucursal", "categoria"],
            SUMMARY_COLUMNS,
            expected.by_day,
        ),
        (
            "dw.resumen_mensual",
            ["mes", "id_sucursal", "id_producto"],
            SUMMARY_COLUMNS,
            expected.by_month,
        ),
    ):
        held = {place: row[: len(columns)] for place, row in rows.items()}
        found += compare(table, columns, held, read_rows(olap, table, key, columns))
    found += compare_kardex(olap, expected) + compare_branches(olap, expected)
    return found + compare_rolling(olap, expected) + compare_rejects(olap, expected)


def compare_kardex(olap: Any, expected: Replay) -> list[str]:
    """Every booking of every movement."""
    with olap.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_attribute"
            " WHERE attrelid = 'dw.kardex'::regclass AND attname = 'capa'"
        )
        (layers,) = cursor.fetchone()
    key, columns = ["id_movimiento", "capa"], KARDEX_COLUMNS
    if layers:
        return compare(
            "dw.kardex", columns, expected.booked, read_rows(olap, "dw.kardex", key, columns)
        )
    key, columns = key[:1], columns[:OF_CLOSINGS]
    rows = {number: row[:OF_CLOSINGS] for number, row in expected.kardex.items()}
    return compare("dw.kardex", columns, rows, read_rows(olap, "dw.kardex", key, columns))


def compare_branches(olap: Any, expected: Replay) -> list[str]:
    """The stock of each product in each branch that it has moved in."""
    table, key = "dw.existencias_sucursal", ["id_producto", "id_sucursal"]
    rows = {place: (stock,) for place, stock in expected.branches.items()}
    return compare(table, ["existencias"], rows, read_rows(olap, table, key, ["existencias"]))


def compare_rolling(olap: Any, expected: Replay) -> list[str]:
    """Each product's sales of the last 90 and 365 days, as of the last window."""
    with olap.cursor() as cursor:
        cursor.execute("SELECT hasta FROM etl.control")
        hasta = cursor.fetchone()[0]
    sums = {
        "unidades_90": sold(expected, hasta, QUARTER, "unidades_vendidas"),
        "unidades_365": sold(expected, hasta, YEAR, "unidades_vendidas"),
        "venta_neta_365": sold(expected, hasta, YEAR, "venta_neta"),
        "costo_ventas_365": sold(expected, hasta, YEAR, "costo_ventas"),
    }
    rows = {
        product: tuple(column.get(product, ZERO) for column in sums.values())
        for product in set().union(*sums.values())
    }
    rows = {product: row for product, row in rows.items() if any(row)}
    actual = read_rows(olap, "dw.resumen_movil", ["id_producto"], sums)
    return compare("dw.resumen_movil", sums, rows, actual)


def compare_rejects(olap: Any, expected: Replay) -> list[str]:
    """Each reject is there as it was read, with a reason that is one of those that hold."""
    columns = ["tipo", "id_producto", "id_sucursal", *AMOUNTS, "fecha", "motivo"]
    actual = {
        key: reject_row(dict(zip(columns, row, strict=True)))
        for key, row in read_rows(olap, "etl.rechazo", ["id_movimiento"], columns).items()
    }
    rows = {}
    for key, (movement, reasons) in expected.rejects.items():
        motivo = actual[key][-1] if key in actual else None
        holds = REASONS.get(motivo, set()) & reasons
        rows[key] = reject_row(
            {**movement, "motivo": motivo if holds else " or ".join(sorted(reasons))}
        )
    return compare("etl.rechazo", columns, rows, actual)


def reject_row(content: Mapping[str, Any]) -> tuple[Any, ...]:
    """A reject's content such that what was read alike is equal, NaN and infinite dates too."""
    amounts = [
        amount if amount is None or amount.is_finite() else str(amount)
        for amount in (content[column] for column in AMOUNTS)
    ]
    fecha = content["fecha"]
    return (
        *(content[column] for column in ("tipo", "id_producto", "id_sucursal")),
        *amounts,
        fecha if fecha is None else min(fecha, LAST),
        content["motivo"],
    )


def read_rows(
    olap: Any, table: str, key: Iterable[str], columns: Iterable[str]
) -> dict[Any, tuple[Any, ...]]:
    """A table's rows by key; a key of one column is that column itself."""
    key, columns = list(key), list(columns)
    with olap.cursor() as cursor:
        cursor.execute(f"SELECT {', '.join([*key, *columns])} FROM {table}")
        rows = cursor.fetchall()
    found = {row[: len(key)]: row[len(key) :] for row in rows}
    assert len(found) == len(rows), f"{table} has two rows of one {key}"
    return {k[0]: row for k, row in found.items()} if len(key) == 1 else found


def compare(table: str, columns: Iterable[str], expected: Rows, actual: Rows) -> list[str]:
    """What is missing, extra or different in a table: a count and the first few of each."""
    columns = list(columns)
    missing = sorted(expected.keys() - actual.keys())
    extra = sorted(actual.keys() - expected.keys())
    different = sorted(k for k in expected.keys() & actual.keys() if expected[k] != actual[k])
    if not (missing or extra or different):
        return []
    lines = [
        f"{table}: {len(missing)} missing, {len(extra)} extra, {len(different)} different"
        f" of {len(expected)}"
    ]
    lines += [f"  missing {key}: {describe(columns, expected[key])}" for key in missing[:SHOWN]]
    lines += [f"  extra {key}: {describe(columns, actual[key])}" for key in extra[:SHOWN]]
    for key in different[:SHOWN]:
        unequal = [
            f"{column} is {have} instead of {want}"
            for column, want, have in zip(columns, expected[key], actual[key], strict=True)
            if want != have
        ]
        lines.append(f"  different {key}: {', '.join(unequal)}")
    return lines


def describe(columns: Iterable[str], row: Iterable[Any]) -> str:
    """A row with its column names."""
    return ", ".join(f"{column}={value}" for column, value in zip(columns, row, strict=True))
