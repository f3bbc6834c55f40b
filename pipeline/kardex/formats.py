"""A product's ledger as a table, CSV and JSON; in Spanish, as the accountants who read it.

The columns are those of SUNAT's 'Formato 13.1: Registro de inventario permanente valorizado -
detalle del inventario valorizado' (Resolución de Superintendencia 234-2006/SUNAT, article 13);
what the OLAP does not hold stays empty there. Its page is in page.py.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, TextIO

from pipeline.base.text_tables import on_a_line, print_table, terminal_width, wrapped
from pipeline.kardex.ledger import Closing, Ledger, Period, Product, Sums
from pipeline.kardex.lines import Balance, Line, Movement, lines_of

METHOD = "PROMEDIO PONDERADO MÓVIL"
# Tabla 12, 'Tipo de operación', of the same resolution: 16 saldo inicial. The movements' own are in
# dw.tipo_movimiento.
OPENING_OPERATION = "16"
CSV_COLUMNS = (
    "periodo",
    "ruc",
    "denominacion",
    "establecimiento",
    "codigo_existencia",
    "tipo_existencia",
    "descripcion",
    "unidad_medida",
    "metodo_valuacion",
    "fecha_emision",
    "tipo_documento",
    "serie",
    "numero",
    "tipo_operacion",
    "entrada_cantidad",
    "entrada_costo_unitario",
    "entrada_costo_total",
    "salida_cantidad",
    "salida_costo_unitario",
    "salida_costo_total",
    "saldo_cantidad",
    "saldo_costo_unitario",
    "saldo_costo_total",
    # Not of the format, but without ajuste the others do not foot.
    "ajuste",
    "provisional",
    # Where it stands: fecha_emision is the document's own.
    "fecha_asiento",
    "asiento",
)
TOTALS_COLUMNS = (
    "codigo_existencia",
    "descripcion",
    "saldo_inicial_cantidad",
    "saldo_inicial_costo_total",
    "entrada_cantidad",
    "entrada_costo_total",
    "salida_cantidad",
    "salida_costo_total",
    "ajuste",
    "saldo_final_cantidad",
    "saldo_final_costo_total",
    "saldo_final_costo_unitario",
    "movimientos",
    # Of the last row, with what it must equal: see dw.cierre.
    "cierre",
    "huella",
)
OPEN = "abierto"
BRANCHES_COLUMNS = (
    "codigo_existencia",
    "descripcion",
    "id_sucursal",
    "establecimiento",
    "existencias",
)
_NOTHING = ("", "", "")

Numbers = Sequence[Decimal | None]


class _LineFeeds:
    """Ends rows with a line feed; csv before Python 3.13 quotes no other end than its rows' own."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, row: str) -> int:
        """Write a row, which csv ends with both characters, so that it quotes a name with one."""
        return self._stream.write(row.removesuffix("\r\n") + "\n")


def digits(number: Decimal | None) -> str:
    """Plain, with the ledger's six decimals."""
    return "" if number is None else f"{number:.6f}"


def balance_columns(balance: Balance) -> tuple[Decimal, Decimal, Decimal]:
    """In the order of the format's columns: quantity, unit cost, total."""
    return balance.existencias, balance.costo_promedio, balance.valor


def numbers_of(line: Line) -> Numbers:
    """A line's columns of numbers: entry, exit, adjustment, balance."""
    blank = [None] * 3
    return (
        *(line.entry or blank),
        *(line.exit or blank),
        line.ajuste or None,
        *balance_columns(line.after),
    )


def totals_numbers(ledger: Ledger) -> Numbers:
    """The same of what stands below the lines."""
    totals = ledger.totals
    return (
        *(totals.entries_quantity, None, totals.entries_cost),
        *(totals.exits_quantity, None, totals.exits_cost),
        *(totals.ajuste, *balance_columns(ledger.closing)),
    )


def code_of(product: Product) -> str:
    """By what the shop calls a product: its code or, where it has none, its id."""
    code = product.codigo or ""
    return code if code.strip() else str(product.id_producto)


def lines_in_format(ledger: Ledger) -> Iterator[Line]:
    """What the format has of a ledger: not what neither enters nor leaves."""
    lines = (line for movement in ledger.movements for line in lines_of(movement))
    return (line for line in lines if line.operacion is not None)


def _period_in_words(period: Period) -> str:
    """The period as a heading says it, in Spanish."""
    if period.desde and period.hasta:
        return f"Del {period.desde:%d/%m/%Y} al {period.hasta:%d/%m/%Y}"
    if period.desde:
        return f"Desde el {period.desde:%d/%m/%Y}"
    if period.hasta:
        return f"Hasta el {period.hasta:%d/%m/%Y}"
    return "Todo el libro"


def _until_in_words(ledger: Ledger) -> str:
    """Up to when the data go, and in which zone its times are."""
    until = ledger.data_until
    return f"{until:%d/%m/%Y %H:%M:%S} ({ledger.period.zone})" if until else ""


def print_text(ledger: Ledger) -> None:
    """Print an aligned table for a terminal, with the totals below."""
    product = ledger.product
    own = product.clave or str(product.id_producto)
    told = dict.fromkeys([own, product.codigo or "", product.nombre or ""])
    period, until = _period_in_words(ledger.period), _until_in_words(ledger)
    for text in (" ".join(told), f"{period}; datos al {until}; {METHOD}"):
        print("\n".join(wrapped(on_a_line(text), terminal_width())))
    print()
    opened = f"{ledger.opening_date:%Y-%m-%d}" if ledger.opening_date else None
    rows: list[list[Any]] = [
        [
            opened,
            None,
            "SALDO INICIAL",
            None,
            *[None] * 7,
            *balance_columns(ledger.opening),
            None,
        ]
    ]
    for line in (line for movement in ledger.movements for line in lines_of(movement)):
        row = line.movement
        rows.append(
            [
                *(f"{row.fecha:%Y-%m-%d %H:%M:%S}", row.number),
                *(_told(row), line.sucursal),
                *numbers_of(line),
                "sí" if row.provisional else None,
            ]
        )
    rows.append([None, None, "TOTALES", None, *totals_numbers(ledger), None])
    amounts = ("cantidad", "costo unit.", "costo total")
    print_table(
        [
            *("fecha", "documento", "tipo", "sucursal"),
            *(f"{side} {name}" for side in ("ent.", "sal.") for name in amounts),
            "ajuste",
            *(f"saldo {name}" for name in amounts),
            "provisional",
        ],
        rows,
    )


def _told(movement: Movement) -> str:
    """Its type, and of what corrects a closed period how, and the document's own day."""
    if not movement.asiento:
        return movement.tipo
    return f"{movement.tipo} ({movement.asiento}, del {movement.fecha_documento:%Y-%m-%d})"


def to_csv(ledgers: Iterable[Ledger], stream: TextIO) -> Iterator[Ledger]:
    """Write CSV_COLUMNS and a row a line, of each ledger the opening first, and pass them on.

    There are no totals, which would count twice.
    """
    writer = csv.writer(_LineFeeds(stream))
    writer.writerow(CSV_COLUMNS)
    for ledger in ledgers:
        writer.writerows(_csv_rows(ledger))
        yield ledger


def to_totals_csv(
    ledgers: Iterable[Ledger], closing: Closing | None, stream: TextIO
) -> Iterator[Ledger]:
    """Write a row a ledger, and one below them with the sums of all, and pass them on.

    That one says with which closing they stay, or that they are open.
    """
    writer = csv.writer(_LineFeeds(stream))
    writer.writerow(TOTALS_COLUMNS)
    whole, movements = Sums(), 0
    for ledger in ledgers:
        whole, movements = whole.plus(ledger.sums), movements + len(ledger.movements)
        average = digits(ledger.closing.costo_promedio)
        writer.writerow(
            [
                code_of(ledger.product),
                ledger.product.nombre or "",
                *map(digits, ledger.sums),
                *(average, len(ledger.movements), "", ""),
            ]
        )
        yield ledger
    closed = (closing.dia, closing.huella) if closing else (OPEN, "")
    writer.writerow(["", "TOTAL", *map(digits, whole), "", movements, *closed])


def to_branches_csv(ledgers: Iterable[Ledger], stream: TextIO) -> Iterator[Ledger]:
    """Write a row a product and branch that holds some of it, and pass the ledgers on."""
    writer = csv.writer(_LineFeeds(stream))
    writer.writerow(BRANCHES_COLUMNS)
    for ledger in ledgers:
        named = (code_of(ledger.product), ledger.product.nombre or "")
        for branch in ledger.branches:
            writer.writerow(
                [*named, branch.id_sucursal, branch.sucursal, digits(branch.existencias)]
            )
        yield ledger


def _csv_rows(ledger: Ledger) -> Iterator[list[Any]]:
    product, period = ledger.product, ledger.period
    days = f"{period.desde or ''}/{period.hasta or ''}"
    existence = (code_of(product), "", product.nombre or "", "", METHOD)
    opened = f"{ledger.opening_date:%Y-%m-%d}" if ledger.opening_date else ""
    opening = map(digits, balance_columns(ledger.opening))
    yield [
        *(days, "", "", "", *existence, opened, "", "", "", OPENING_OPERATION),
        *(*_NOTHING, *_NOTHING, *opening, digits(Decimal(0)), "", opened, ""),
    ]
    for line in lines_in_format(ledger):
        row = line.movement
        yield [
            *(days, "", "", line.sucursal, *existence),
            *(f"{row.fecha_documento:%Y-%m-%d}", "", ""),
            *(row.number, line.operacion),
            *(map(digits, line.entry) if line.entry else _NOTHING),
            *(map(digits, line.exit) if line.exit else _NOTHING),
            *map(digits, balance_columns(line.after)),
            *(digits(line.ajuste), "sí" if row.provisional else ""),
            *(f"{row.fecha:%Y-%m-%d}", row.asiento),
        ]


def write_json(ledger: Ledger, stream: TextIO) -> None:
    """Write one object; numbers are strings with six decimals, since JSON's own are inexact."""
    period, totals = ledger.period, ledger.totals

    def plain(record: Any) -> dict[str, Any]:
        return {
            name: digits(value) if isinstance(value, Decimal) else value
            for name, value in record._asdict().items()
        }

    document = {
        "product": plain(ledger.product),
        "desde": period.desde,
        "hasta": period.hasta,
        "timezone": period.zone,
        "data_until": ledger.data_until and ledger.data_until.isoformat(),
        "opening_date": ledger.opening_date and ledger.opening_date.isoformat(),
        "opening": plain(ledger.opening),
        "movements": [
            plain(line)
            | {"fecha": line.fecha.isoformat(), "tipo_operacion": lines_of(line)[0].operacion}
            | {"fecha_documento": line.fecha_documento.isoformat(), "asiento": line.asiento}
            | {"after": plain(line.after)}
            for line in ledger.movements
        ],
        "totals": plain(totals),
        "closing": plain(ledger.closing),
    }
    json.dump(document, stream, indent=2, ensure_ascii=False, default=str)
    stream.write("\n")
