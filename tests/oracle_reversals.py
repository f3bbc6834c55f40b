"""At what a closed row is taken back: see oracle_closings."""

from __future__ import annotations

from decimal import Decimal

from oracle_closings import Entry, line_of
from oracle_course import Course, landed_amount
from oracle_rows import ZERO, KardexRow
from oracle_rules import add_cost, send_back, take_back
from oracle_types import ALL_TYPES, LANDED_COST, RECEIPT, TRANSFER


def taken_back(entry: Entry, row: KardexRow, course: Course) -> KardexRow:
    """The reversal of a closed row: what it moved, at what it moved it."""
    before, q = course.state, abs(row.variacion)
    signo = ALL_TYPES[row.tipo].signo
    costo_total, after = row.costo_total, before
    branch, other = row.id_sucursal, row.id_sucursal_destino
    if row.tipo == TRANSFER:
        assert other is not None
        branch, other = other, branch
    if row.tipo == LANDED_COST:
        costo_total, put = added_before(row, course)
        after = add_cost(before, -put)
    elif row.variacion < 0:
        after = take_back(before, q, -(signo * costo_total + row.ajuste))
    elif row.variacion > 0:
        worth = max(costo_total, ZERO) if row.tipo == RECEIPT else costo_total
        after, _ = send_back(before, q, worth)
    return row._replace(
        fecha=entry.fecha,
        id_sucursal=branch,
        id_sucursal_destino=other,
        costo_total=-costo_total,
        ajuste=after.valor - before.valor + signo * costo_total,
        existencias=after.existencias,
        valor=after.valor,
        costo_promedio=after.costo_promedio,
        provisional=False,
        variacion=after.existencias - before.existencias,
        capa=entry.capa,
        reverso=True,
    )


def added_before(row: KardexRow, course: Course) -> tuple[Decimal, Decimal]:
    """costo_total of the reversal of a closed COSTO_ADICIONAL, and what it had put into V."""
    if row.costo_total != 0:
        return row.costo_total, row.costo_total + row.ajuste
    # Of what had no stock a receipt took nothing in.
    standing = {
        r.id_movimiento
        for r in course.closed
        if r.tipo == RECEIPT and r.variacion and course.stands(r)
    }
    amount = landed_amount(line_of(row)) if row.id_origen in standing else ZERO
    return amount, amount


def moved_in(row: KardexRow, branch: int | None) -> Decimal:
    """What a row changed in a branch; in all of them where it is None."""
    if branch is None:
        return row.variacion
    change = row.variacion if row.id_sucursal == branch else ZERO
    if row.tipo == TRANSFER:
        ends = (row.id_sucursal_destino == branch) - (row.id_sucursal == branch)
        change += row.cantidad * ends
    return change
