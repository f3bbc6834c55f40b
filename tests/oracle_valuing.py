"""A product's ledger, line by line: the table "Types" of MOVEMENTS.md."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from oracle_closings import Entry, line_of, shown
from oracle_course import Course, Outcome, document_order, landed_amount
from oracle_entry import LARGEST_FACTOR
from oracle_reversals import moved_in, taken_back
from oracle_rows import ZERO, Closed, KardexRow, Line, Product, State
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
    RECEIPT,
    SALE,
    SHRINKAGE,
    SUPPLIER_RETURN,
    SURPLUS,
    TRANSFER,
)


def order(entry: Entry) -> tuple[datetime, datetime, int, int, int]:
    """Order: (fecha, fecha_documento, orden, id_movimiento, capa)."""
    return entry.fecha, *document_order(entry.line), entry.capa


def value_product(
    entries: Iterable[Entry],
    product: Product,
    state: State,
    branches: dict[int, Decimal],
    closed: Sequence[Closed],
    last: Mapping[int, int],
    limit: datetime | None,
) -> list[KardexRow]:
    """The ledger of one product; `branches` is carried on to where its stock ends up.

    `closed` are its closed rows, which stay as they are; `last` each movement's last capa.
    """
    done = [c.row for c in closed]
    entries = sorted(entries, key=order)
    lines = [entry.line for entry in entries if entry.back is None]
    receipts = frozenset(line.id_movimiento for line in lines if line.tipo == RECEIPT)
    course = Course(product, state, branches, {}, {}, receipts, set(), done, last)
    for row in done:
        follow(row, course)
    # Closed inside their receipt, which takes them again; what was added on its own stays.
    lines += [line_of(r) for r in done if course.stands(r) and r.costo_total == 0]
    landed: dict[int, Decimal] = {}
    apart: set[int] = set()
    booked = {entry.line.id_movimiento: entry.fecha for entry in entries if entry.back is None}
    for line in lines:
        if line.tipo == LANDED_COST and line.id_origen in receipts:
            of, when = booked[line.id_origen], booked.get(line.id_movimiento)
            # A period has in it what is dated in it.
            if limit and when and of < limit <= when:
                apart.add(line.id_movimiento)
            else:
                landed[line.id_origen] = landed.get(line.id_origen, ZERO) + landed_amount(line)
    course.landed, course.apart = landed, apart
    opened = []
    for entry in entries:
        row = value(entry, course)
        follow(row, course)
        opened.append(row)
    return done + opened


def follow(row: KardexRow, course: Course) -> None:
    """The state, the branches and the origins after a row."""
    course.state = row.state
    own = row.id_sucursal
    course.branches[own] = course.branches.get(own, ZERO) + row.variacion
    if row.tipo == TRANSFER:
        assert row.id_sucursal_destino is not None
        course.branches[own] -= row.cantidad
        other = row.id_sucursal_destino
        course.branches[other] = course.branches.get(other, ZERO) + row.cantidad
    if course.stands(row):
        course.ledger[row.id_movimiento] = row


def value(entry: Entry, course: Course) -> KardexRow:
    """The ledger row of an entry. ajuste is what remains."""
    before, line = course.state, entry.line
    if entry.back:
        return taken_back(entry, entry.back.row, course)
    if not course.product.inventariable:
        return ledger_row(entry, before, Outcome(before, ZERO), False)
    outcome = roll_forward(entry, course) or OUTCOMES[line.tipo](line, course)
    after = outcome.state
    provisional = outcome.of_average and (after.existencias < 0 or after.costo_promedio == 0)
    return ledger_row(entry, before, outcome, provisional)


def roll_forward(entry: Entry, course: Course) -> Outcome | None:
    """A count typed late, as it would have been found on its day; None: it is none."""
    line = entry.line
    if line.tipo != COUNT or entry.fecha == line.fecha:
        return None
    since = [r for r in course.closed if document_order(line_of(r)) > document_order(line)]
    for row in since:
        knows = row.de_todo or row.id_sucursal == line.id_sucursal
        if row.tipo == COUNT and course.stands(row) and knows:
            return Outcome(course.state, ZERO)
    moved = sum((moved_in(row, line.id_sucursal) for row in since), ZERO)
    return count(line._replace(cantidad=line.cantidad + moved), course)


def ledger_row(entry: Entry, before: State, outcome: Outcome, provisional: bool) -> KardexRow:
    """The row as dw.kardex has it."""
    line, after = entry.line, outcome.state
    tipo, product, branch, documented, quantity, price, cost, amount, origin, other, whole, *tax = (
        shown(line)
    )
    return KardexRow(
        line.id_movimiento,
        tipo,
        product,
        branch,
        entry.fecha,
        quantity,
        price,
        before.costo_promedio if tipo == SALE else cost,
        outcome.costo_total,
        after.valor - before.valor - ALL_TYPES[tipo].signo * outcome.costo_total,
        *after,
        provisional,
        after.existencias - before.existencias,
        origin,
        other,
        amount,
        documented,
        entry.capa,
        False,
        whole,
        *tax,
    )


def goods(line: Line) -> Decimal:
    """round(q·c), or the line's amount where it gives one."""
    if line.importe is not None:
        return line.importe
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
    """The product's costo_referencia as an amount enters; one of 0 says nothing."""
    cost = product.costo_referencia
    if cost is None or not cost.is_finite() or not 0 < cost < LARGEST_FACTOR:
        return None
    return round_six(cost) or None


def surplus(line: Line, course: Course) -> Outcome:
    """AJUSTE_ENTRADA."""
    return entered(course.state, line.cantidad, line.costo_unitario, course.product)


def landed_cost(line: Line, course: Course) -> Outcome:
    """COSTO_ADICIONAL: with a usable receipt, before or after it, nothing here."""
    if line.id_origen in course.receipts and line.id_movimiento not in course.apart:
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
