"""The lines of SUNAT's format 13.1 that a movement is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from decimal import Context, Decimal, localcontext
from typing import NamedTuple

from pipeline.base.csv_rows import rounded

# Table 12, others: what moves stock or value without a code of its own is in the format, too.
OTHERS = "99"
_ZERO = Decimal(0)
# A product of two of the ledger's columns is exact here.
_AMPLE = Context(prec=80)


class Balance(NamedTuple):
    """What is held at a moment: quantity, average unit cost and value."""

    existencias: Decimal
    costo_promedio: Decimal
    valor: Decimal


class Movement(NamedTuple):
    """A row of the ledger; `fecha` is in the shop's zone, `after` the balance it leaves.

    It stands at `fecha`, and `fecha_documento` is the document's own, before it where its period
    was closed. `capa` counts what corrects a closed row, and `reverso` undoes one: `cantidad` is
    that row's, `variacion` and `costo_total` are its opposites, and a transfer's branches change
    places.
    `cantidad` and `costo_unitario` are the document's, `variacion` is what it changed the stock
    by. `signo` (1, 0, -1) is how costo_total counts. The operations are SUNAT's, table 12: None
    where the movement is not in its format.
    """

    fecha: datetime
    id_movimiento: int
    tipo: str
    id_sucursal: int
    sucursal: str
    cantidad: Decimal
    costo_unitario: Decimal | None
    costo_total: Decimal
    ajuste: Decimal
    provisional: bool
    after: Balance
    variacion: Decimal
    regla: str
    signo: int
    nombre: str
    operacion: str | None
    operacion_destino: str | None
    sucursal_destino: str | None
    fecha_documento: datetime
    capa: int
    reverso: bool

    @property
    def value_change(self) -> Decimal:
        """What it adds to the value of the stock, its adjustment apart."""
        return self.signo * self.costo_total

    @property
    def asiento(self) -> str:
        """How it comes to stand where it does, in a word; none for what was booked in its time."""
        if self.reverso:
            return "reverso"
        if self.capa > 0:
            return "corrección"
        return "tarde" if self.fecha_documento < self.fecha else ""


class Amounts(NamedTuple):
    """One side of a line of the format; without a quantity there is no unit cost.

    Of a reversal quantity and total are negative.
    """

    cantidad: Decimal
    costo_unitario: Decimal | None
    costo_total: Decimal

    def taken_back(self) -> Amounts:
        """What undoes it, on its own side."""
        return Amounts(-self.cantidad, self.costo_unitario, -self.costo_total)


_NO_AMOUNTS = Amounts(_ZERO, None, _ZERO)


class Line(NamedTuple):
    """A line of the format. `operacion` None: it is not in there."""

    movement: Movement
    operacion: str | None
    sucursal: str
    entry: Amounts | None
    exit: Amounts | None
    ajuste: Decimal
    after: Balance


class Totals(NamedTuple):
    """The sums of a period's lines; a transfer is an exit and an entry."""

    entries_quantity: Decimal = _ZERO
    entries_cost: Decimal = _ZERO
    exits_quantity: Decimal = _ZERO
    exits_cost: Decimal = _ZERO
    ajuste: Decimal = _ZERO


def lines_of(movement: Movement) -> list[Line]:
    """The lines of SUNAT's format that a movement is, or would be.

    A transfer is two, at the average; what changes nothing has neither entry nor exit. A reversal
    takes away from the side where the row stood that it undoes.
    """
    with localcontext(_AMPLE):
        return _lines_of(movement)


def _lines_of(movement: Movement) -> list[Line]:
    if movement.operacion_destino is not None:
        return _transfer(movement)
    quantity, value = movement.variacion, movement.value_change
    if movement.reverso:
        quantity, value = -quantity, -value
    entry = exit_ = None
    if quantity < 0:
        exit_ = Amounts(-quantity, _unit_cost(movement), -value)
    elif quantity > 0 or value != 0:
        entry = Amounts(quantity, _unit_cost(movement), value)
    if movement.reverso:
        entry, exit_ = entry and entry.taken_back(), exit_ and exit_.taken_back()
    return [
        Line(
            movement,
            (movement.operacion or OTHERS) if entry or exit_ else None,
            movement.sucursal,
            entry,
            exit_,
            movement.ajuste,
            movement.after,
        )
    ]


def _transfer(movement: Movement) -> list[Line]:
    quantity, after = movement.cantidad, movement.after
    amounts = Amounts(quantity, after.costo_promedio, rounded(quantity * after.costo_promedio))
    assert movement.sucursal_destino is not None
    origin, destination = movement.sucursal, movement.sucursal_destino
    if movement.reverso:
        amounts, origin, destination = amounts.taken_back(), destination, origin
    gone = after._replace(
        existencias=after.existencias - amounts.cantidad,
        valor=after.valor - amounts.costo_total,
    )
    code = movement.operacion or OTHERS
    return [
        Line(movement, code, origin, None, amounts, _ZERO, gone),
        Line(
            movement,
            movement.operacion_destino,
            destination,
            amounts,
            None,
            movement.ajuste,
            after,
        ),
    ]


def _unit_cost(movement: Movement) -> Decimal | None:
    """The document's, or of a sale the average, where that is what it moved at."""
    own, quantity = movement.costo_unitario, abs(movement.variacion)
    if quantity == 0:
        return None
    if own is not None and (
        movement.regla == "al_promedio" or rounded(quantity * own) == abs(movement.costo_total)
    ):
        return own
    return rounded(abs(movement.costo_total) / quantity)


def totals_of(lines: Iterable[Line], before: Totals) -> Totals:
    """The sums `before` with these lines as well, exact in the caller's context."""
    totals = before
    for line in lines:
        entry, exit_ = line.entry or _NO_AMOUNTS, line.exit or _NO_AMOUNTS
        totals = Totals(
            totals.entries_quantity + entry.cantidad,
            totals.entries_cost + entry.costo_total,
            totals.exits_quantity + exit_.cantidad,
            totals.exits_cost + exit_.costo_total,
            totals.ajuste + line.ajuste,
        )
    return totals
