"""The text files that SUNAT's PLE takes: registers 12.1 (in units) and 13.1 (valued).

Fields and tables are those of the resolution 286-2009/SUNAT as 042-2018 and 108-2020 left it; the
guide says where public sources differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Context, Decimal
from itertools import chain
from pathlib import Path
from typing import TextIO

from pipeline.errors import InputError
from pipeline.kardex.files import Written, whole_files
from pipeline.kardex.formats import OPENING_OPERATION, code_of
from pipeline.kardex.ledger import Ledger
from pipeline.kardex.lines import OTHERS, Balance, Line
from pipeline.kardex.ple_rows import (
    NO_DOCUMENT,
    Document,
    Faults,
    LookUp,
    Row,
    described,
    looked_up,
)
from pipeline.kardex.reading import Book, go_through
from pipeline.translation import translated as _

VALUED, UNITS = "130100", "120100"
_OWN_CODES = "9"  # table 13: neither UNSPSC nor GTIN
_AVERAGE = "1"  # table 14
_AMPLE = Context(prec=80, rounding=ROUND_HALF_UP)
_ZERO, _CENT, _MICRO = Decimal(0), Decimal("0.01"), Decimal("0.000001")


@dataclass(frozen=True)
class Taxpayer:
    """Whose books they are: the RUC and the establishment's code in it."""

    ruc: str
    establishment: str


def file_name(taxpayer: Taxpayer, month: date, book: str, has_lines: bool) -> str:
    """As the PLE knows it: of an operating firm, with or without lines, in soles."""
    return f"LE{taxpayer.ruc}{month:%Y%m}00{book}001{int(has_lines)}11.txt"


def write_ple(
    book: Book, folder: Path, taxpayer: Taxpayer, look_up: LookUp, tell: Callable[[str], None]
) -> Written:
    """Write both registers of the book's month.

    What a product lacks is told, a line a product, and then InputError raised: nothing is written.
    """
    month = book.period.desde
    assert month
    coming = iter(book.ledgers)
    first = next(coming, None)
    has_lines = first is not None
    names = [file_name(taxpayer, month, kind, has_lines) for kind in (UNITS, VALUED)]
    faults = Faults(tell)
    with whole_files(folder, names) as (units, valued):
        ledgers = chain([first] if first else [], coming)
        products, movements, sums = go_through(
            book, _to_files(ledgers, month, taxpayer, look_up, faults, units, valued)
        )
        if faults.products:
            raise InputError(
                _(
                    "{products} products lack what the PLE wants, see the list; no file was written"
                ).format(products=faults.products)
            )
    for kind in (UNITS, VALUED):
        (folder / file_name(taxpayer, month, kind, not has_lines)).unlink(missing_ok=True)
    return Written(tuple(folder / name for name in names), products, movements, sums)


def _to_files(
    ledgers: Iterable[Ledger],
    month: date,
    taxpayer: Taxpayer,
    look_up: LookUp,
    faults: Faults,
    units: TextIO,
    valued: TextIO,
) -> Iterator[Ledger]:
    """Write the lines of each ledger, and pass it on when its first one is."""
    before = Balance(_ZERO, _ZERO, _ZERO)
    for row in looked_up(ledgers, look_up):
        ledger, line = row.ledger, row.line
        if line is None:
            before = ledger.opening
            faults.of_product(row)
            fields = _opening_fields(row, month, taxpayer)
            _put(units, fields, _unit_columns(_ZERO, before.existencias))
            _put(valued, fields, _opening_columns(before))
            yield ledger
            continue
        faults.of_line(row)
        adjusted = before._replace(valor=_sum(before.valor, line.ajuste))
        # What corrects a closed row is not to be taken for it, nor for what undoes it.
        number = 10 * line.movement.capa + 1
        if _cents(adjusted.valor) != _cents(before.valor):
            fields = _fields(row, month, taxpayer, number, OTHERS)
            _put(valued, fields, _value_columns(None, before, adjusted))
            number += 1
        if line.movement.operacion_destino is not None and line.entry:
            number += 1
        fields = _fields(row, month, taxpayer, number, line.operacion or OTHERS)
        if line.after.existencias != before.existencias:
            columns = _unit_columns(before.existencias, line.after.existencias, line)
            _put(units, fields, columns)
        _put(valued, fields, _value_columns(line, adjusted, line.after))
        before = line.after
    faults.end()


# The fields


def state_of(document: date, month: date, noted: bool) -> tuple[str, str]:
    """The period of a line (field 1) and its state (the last field).

    1: of the month; 8: of an earlier one, in which it was not noted; 9: in which it was.
    """
    if document >= month:
        return f"{month:%Y%m}00", "1"
    return f"{document:%Y%m}00", "9" if noted else "8"


def _opening_fields(row: Row, month: date, taxpayer: Taxpayer) -> tuple[list[str], str]:
    day = row.ledger.opening_date.date() if row.ledger.opening_date else month
    number = _id_text(row.ledger.product.id_producto)
    return [
        *(f"{month:%Y%m}00", f"S{month:%Y%m}{number}", "A1" if month.month == 1 else "M1"),
        *_existence_fields(row, taxpayer),
        *(f"{day:%d/%m/%Y}", NO_DOCUMENT, "0", "0", OPENING_OPERATION),
        *_described(row),
    ], "1"


def _fields(
    row: Row, month: date, taxpayer: Taxpayer, number: int, operation: str
) -> tuple[list[str], str]:
    """Fields 1 to 16, and the state; `number` tells the lines of one movement apart."""
    assert row.line
    movement, document = row.line.movement, row.document or Document(None, None, None)
    # What corrects a row was noted with it.
    period, state = state_of(movement.fecha_documento.date(), month, noted=movement.capa > 0)
    return [
        *(period, _id_text(movement.id_movimiento), f"M{number}"),
        *_existence_fields(row, taxpayer),
        f"{movement.fecha_documento:%d/%m/%Y}",
        *(document.tipo or NO_DOCUMENT, document.serie or "0", document.numero or "0"),
        operation,
        *_described(row),
    ], state


def _id_text(number: int) -> str:
    """As the CUO may be written: a hyphen has a meaning there."""
    return str(number).replace("-", "N")


def _existence_fields(row: Row, taxpayer: Taxpayer) -> tuple[str, ...]:
    kind = (row.existence and row.existence.tipo) or ""
    code = code_of(row.ledger.product).strip()
    return (taxpayer.establishment, _OWN_CODES, kind, code, "", "")


def _described(row: Row) -> tuple[str, str]:
    return described(row.ledger.product), (row.existence and row.existence.unidad) or ""


def _opening_columns(opening: Balance) -> list[str]:
    entry = (opening.existencias, _unit(opening), _cents(opening.valor))
    return [_AVERAGE, *map(_text, (*entry, _ZERO, _ZERO, _ZERO, *entry))]


def _value_columns(line: Line | None, before: Balance, after: Balance) -> list[str]:
    """Fields 17 to 26; of an adjustment, which has no `line`, the value alone is an entry.

    Amounts are what the balance changes by, where both balances are in cents: so they foot.
    """
    amount = _AMPLE.subtract(_cents(after.valor), _cents(before.valor))
    entry = exit_ = (_ZERO, _ZERO, _ZERO)
    side = line and line.entry
    # A reversal leaves its side with the other sign.
    if line and line.exit:
        unit = line.exit.costo_unitario or _ZERO
        exit_ = (line.exit.cantidad.copy_negate(), unit.copy_abs(), amount)
    else:
        quantity, unit = (side.cantidad, side.costo_unitario or _ZERO) if side else (_ZERO, _ZERO)
        entry = (quantity, unit.copy_abs(), amount)
    balance = (after.existencias, _unit(after), _cents(after.valor))
    return [_AVERAGE, *map(_text, (*entry, *exit_, *balance))]


def _unit_columns(before: Decimal, after: Decimal, line: Line | None = None) -> list[str]:
    """Fields 17 and 18 of 12.1, which has two decimals: what the balance in them changes by."""
    change = _AMPLE.subtract(_cents(after), _cents(before))
    leaves = line.exit is not None if line else after < before
    entry, exit_ = (_ZERO, change) if leaves else (change, _ZERO)
    return [_text(entry), _text(exit_)]


def _unit(balance: Balance) -> Decimal:
    if not balance.existencias:
        return _ZERO
    if balance.valor == _micros(_AMPLE.multiply(balance.existencias, balance.costo_promedio)):
        return balance.costo_promedio
    return _micros(_AMPLE.divide(balance.valor, balance.existencias)).copy_abs()


def _sum(one: Decimal, another: Decimal) -> Decimal:
    return _AMPLE.add(one, another)


def _cents(value: Decimal) -> Decimal:
    return value.quantize(_CENT, context=_AMPLE)


def _micros(value: Decimal) -> Decimal:
    return value.quantize(_MICRO, context=_AMPLE)


def _text(number: Decimal) -> str:
    """Two decimals at least, none that says nothing beyond them, and no sign before a zero."""
    whole, _point, decimals = f"{number or _ZERO:.6f}".partition(".")
    return f"{whole}.{decimals.rstrip('0').ljust(2, '0')}"


def _put(stream: TextIO, fields: tuple[list[str], str], columns: list[str]) -> None:
    texts, state = fields
    stream.write("|".join([*texts, *columns, state, ""]) + "\r\n")
