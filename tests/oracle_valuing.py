"""A product's ledger, line by line: the table "Types" of MOVEMENTS.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from oracle_entry import LARGEST_FACTOR, NO_BRANCH, Line
from oracle_rows import ZERO, KardexRow, Product, State
from oracle_rules import (
    add_cost,
    at_average,
    below_zero,
    brought_back,
    receive,
    round_six,
    send_back,
    take_back,
)
from oracle_types import (
    ALL_TYPES,
    COUNT,
    CREDIT_NOTE,
    CUSTOMER_RETURN,
    LANDED_COST,
    PRICE,
    RECEIPT,
    SALE,
    SHRINKAGE,
    SUPPLIER_RETURN,
    SURPLUS,
    TRANSFER,
    WITH_OWN_COST,
)


@dataclass
class Course:
    """Where the replay of a product stands before a line."""

    product: Product
    state: State
    branches: dict[int, Decimal]
    ledger: dict[int, KardexRow]
    landed: Mapping[int, Decimal]
    receipts: frozenset[int]


class Outcome(NamedTuple):
    """The state after a line, its costo_total, and whether only the average says what it cost."""

    state: State
    costo_total: Decimal
    of_average: bool = False


def order(line: Line) -> tuple[datetime, int, int]:
    """Order: (fecha, orden, id_movimiento)."""
    return line.fecha, ALL_TYPES[line.tipo].orden, line.id_movimiento


def value_product(
    lines: Iterable[Line], product: Product, state: State, branches: dict[int, Decimal]
) -> list[KardexRow]:
    """The ledger of one product; `branches` is carried on to where its stock ends up."""
    lines = sorted(lines, key=order)
    receipts = frozenset(line.id_movimiento for line in lines if line.tipo == RECEIPT)
    landed: dict[int, Decimal] = {}
    for line in lines:
        if line.tipo == LANDED_COST and line.id_origen in receipts:
            landed[line.id_origen] = landed.get(line.id_origen, ZERO) + landed_amount(line)
    course = Course(product, state, branches, {}, landed, receipts)
    for line in lines:
        row = value(line, course)
        course.state, course.ledger[row.id_movimiento] = row.state, row
    return list(course.ledger.values())


def value(line: Line, course: Course) -> KardexRow:
    """The ledger row of a line; moves the stock of its branches. ajuste is what remains."""
    before = course.state
    if not course.product.inventariable:
        return ledger_row(line, before, Outcome(before, ZERO), False)
    outcome = OUTCOMES[line.tipo](line, course)
    after = outcome.state
    change = after.existencias - before.existencias
    move_branches(line, change, course.branches)
    provisional = outcome.of_average and (after.existencias < 0 or after.costo_promedio == 0)
    return ledger_row(line, before, outcome, provisional)


def move_branches(line: Line, change: Decimal, branches: dict[int, Decimal]) -> None:
    """Branches: ± at id_sucursal (null is 0), ± at both ends of a transfer."""
    own = line.id_sucursal or NO_BRANCH
    branches[own] = branches.get(own, ZERO) + change
    if line.tipo == TRANSFER:
        assert line.id_sucursal_destino is not None
        branches[own] -= line.cantidad
        other = line.id_sucursal_destino
        branches[other] = branches.get(other, ZERO) + line.cantidad


def ledger_row(line: Line, before: State, outcome: Outcome, provisional: bool) -> KardexRow:
    """The row as dw.kardex has it."""
    after = outcome.state
    rule = ALL_TYPES[line.tipo]
    costo_unitario = line.costo_unitario if line.tipo in WITH_OWN_COST else None
    if line.tipo == SALE:
        costo_unitario = before.costo_promedio
    precio = line.precio_unitario
    # Where a price takes no part in anything it is kept where it can be, else null.
    if rule.amount != PRICE and precio is not None and abs(precio) >= LARGEST_FACTOR:
        precio = None
    return KardexRow(
        line.id_movimiento,
        line.tipo,
        line.id_producto,
        line.id_sucursal or NO_BRANCH,
        line.fecha,
        line.cantidad,
        precio,
        costo_unitario,
        outcome.costo_total,
        after.valor - before.valor - rule.signo * outcome.costo_total,
        *after,
        provisional,
        after.existencias - before.existencias,
        line.id_origen,
        line.id_sucursal_destino,
        line.importe,
    )


def goods(line: Line) -> Decimal:
    """round(q·c), or the line's amount where it gives one."""
    if line.importe is not None:
        return line.importe
    assert line.costo_unitario is not None
    return round_six(line.cantidad * line.costo_unitario)


def landed_amount(line: Line) -> Decimal:
    """A = round(cantidad·costo_unitario) of a COSTO_ADICIONAL."""
    assert line.costo_unitario is not None
    return round_six(line.cantidad * line.costo_unitario)


def usable_origin(line: Line, course: Course, tipo: str) -> KardexRow | None:
    """Usable origin of a return: in this ledger, before it, of the right type."""
    origin = course.ledger.get(line.id_origen) if line.id_origen is not None else None
    return origin if origin is not None and origin.tipo == tipo else None


def receipt(line: Line, course: Course) -> Outcome:
    """ENTRADA_MERCANCIA: recibir(q, c, A)."""
    assert line.costo_unitario is not None
    extra = course.landed.get(line.id_movimiento, ZERO)
    after = receive(course.state, line.cantidad, line.costo_unitario, extra, line.importe)
    return Outcome(after, goods(line) + extra)


def entered(before: State, q: Decimal, cost: Decimal | None, product: Product) -> Outcome:
    """AJUSTE_ENTRADA q at c or null; "Costs that nobody gave" says what null is at C = 0."""
    if cost is None and before.costo_promedio == 0:
        cost = reference(product)
    if cost is None:
        after = at_average(before, q)
        return Outcome(after, after.valor - before.valor, of_average=True)
    return Outcome(receive(before, q, cost), round_six(q * cost))


def reference(product: Product) -> Decimal | None:
    """The product's costo_referencia as an amount enters."""
    cost = product.costo_referencia
    return None if cost is None else round_six(cost)


def surplus(line: Line, course: Course) -> Outcome:
    """AJUSTE_ENTRADA."""
    return entered(course.state, line.cantidad, line.costo_unitario, course.product)


def landed_cost(line: Line, course: Course) -> Outcome:
    """COSTO_ADICIONAL: with a usable receipt, before or after it, nothing here."""
    if line.id_origen in course.receipts:
        return Outcome(course.state, ZERO)
    amount = landed_amount(line)
    return Outcome(add_cost(course.state, amount), amount)


def leaves(line: Line, course: Course) -> Outcome:
    """VENTA, AJUSTE_SALIDA: al_promedio of what leaves."""
    after = at_average(course.state, -line.cantidad)
    return Outcome(after, course.state.valor - after.valor, of_average=True)


def supplier_return(line: Line, course: Course) -> Outcome:
    """DEVOLUCION_COMPRA: at what its receipt cost, else at what is credited, else the average."""
    credit = None if line.costo_unitario is None else goods(line)
    origin = usable_origin(line, course, RECEIPT)
    if origin is not None:
        share = line.cantidad * max(origin.costo_total, ZERO) / origin.cantidad
        worth: Decimal | None = round_six(share)
    else:
        worth = credit
    if worth is None:
        return leaves(line, course)
    after, of_average = send_back(course.state, line.cantidad, worth)
    return Outcome(after, worth if credit is None else credit, of_average)


def nothing(line: Line, course: Course) -> Outcome:
    """TRASLADO, DESCUENTO_VENTA: no state changes."""
    return Outcome(course.state, ZERO)


def customer_return(line: Line, course: Course) -> Outcome:
    """DEVOLUCION_VENTA: K of its sale, else the average."""
    before, q = course.state, line.cantidad
    sale = usable_origin(line, course, SALE)
    if sale is not None:
        brought = brought_back(sale, q, before.costo_promedio)
        return Outcome(take_back(before, q, brought), brought, below_zero(sale) > 0)
    cost = reference(course.product) if before.costo_promedio == 0 else None
    if cost is not None:
        # "Below zero": a customer's return only covers, at whatever cost.
        brought = round_six(q * cost)
        return Outcome(take_back(before, q, brought), brought)
    after = at_average(before, q)
    return Outcome(after, after.valor - before.valor, of_average=True)


def count(line: Line, course: Course) -> Outcome:
    """CONTEO n: the difference to the branch's stock; without a branch, to the whole."""
    before = course.state
    if line.id_sucursal is None:
        d = line.cantidad - before.existencias
    else:
        d = line.cantidad - course.branches.get(line.id_sucursal, ZERO)
    if d > 0:
        return entered(before, d, line.costo_unitario, course.product)
    if d == 0:
        return Outcome(before, ZERO)
    after = at_average(before, d)
    return Outcome(after, after.valor - before.valor, of_average=True)


OUTCOMES = {
    RECEIPT: receipt,
    SURPLUS: surplus,
    LANDED_COST: landed_cost,
    SALE: leaves,
    SHRINKAGE: leaves,
    SUPPLIER_RETURN: supplier_return,
    TRANSFER: nothing,
    CREDIT_NOTE: nothing,
    CUSTOMER_RETURN: customer_return,
    COUNT: count,
}
