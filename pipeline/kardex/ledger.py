"""One product's ledger of a period, footed line by line."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Context, Decimal, Inexact, localcontext
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from pipeline.errors import LedgerError
from pipeline.kardex.kept import Kept
from pipeline.kardex.lines import Balance, Movement, Totals, lines_of, totals_of
from pipeline.translation import mark as N_
from pipeline.translation import translated as _

# The rules (dw.tipo_movimiento.regla) by which what the document says is what moves.
_MOVES_ALL = ("recibir", "al_promedio", "devolver_venta", "devolver_compra")
# Ledger columns are numeric(38, 6): their sums are exact here, or an error.
EXACT = Context(prec=60, traps=[Inexact])
_ZERO = Decimal(0)


class Product(NamedTuple):
    """A product as the OLAP knows it."""

    id_producto: int
    codigo: str | None
    nombre: str | None
    categoria: str


@dataclass(frozen=True)
class Period:
    """Days in `zone`, both included; None is the ledger's own beginning or end."""

    desde: date | None
    hasta: date | None
    zone: str


class BranchStock(NamedTuple):
    """What a branch holds of a product."""

    id_sucursal: int
    sucursal: str
    existencias: Decimal


class Sums(NamedTuple):
    """A ledger, or many, in one line; quantities of different units only tell that all foots."""

    opening_quantity: Decimal = _ZERO
    opening_value: Decimal = _ZERO
    entries_quantity: Decimal = _ZERO
    entries_cost: Decimal = _ZERO
    exits_quantity: Decimal = _ZERO
    exits_cost: Decimal = _ZERO
    ajuste: Decimal = _ZERO
    closing_quantity: Decimal = _ZERO
    closing_value: Decimal = _ZERO

    def plus(self, other: Sums) -> Sums:
        """Both together, to the last digit."""
        with localcontext(EXACT):
            return Sums(*(one + another for one, another in zip(self, other, strict=True)))


class Closing(NamedTuple):
    """The closing that a period is closed with.

    Where it ends with the period it says what is there then, as `movimientos` where the period
    begins as a closed one does; else None.
    """

    dia: date
    huella: str
    movimientos: int | None
    existencias: Decimal | None
    valor: Decimal | None


@dataclass(frozen=True)
class Ledger:
    """A product's ledger of a period, which foots: opening + entries - exits + ajuste = closing.

    `opening_date` is when the opening balance holds (in the shop's zone): the period's
    beginning, or the date of the opening that the shop gave; None where there is neither.
    `data_until` is the end of the last window loaded, in the shop's zone too. `branches` are those
    that hold some of it at the end of the period: only a book knows them. `corrected` is whether
    a line corrects a closed period.
    """

    product: Product
    period: Period
    data_until: datetime | None
    opening_date: datetime | None
    opening: Balance
    movements: Kept[Movement]
    totals: Totals
    closing: Balance
    corrected: bool
    branches: tuple[BranchStock, ...] = ()

    @property
    def sums(self) -> Sums:
        """Its own, in one line."""
        opening, closing = self.opening, self.closing
        return Sums(
            *(opening.existencias, opening.valor),
            *self.totals,
            *(closing.existencias, closing.valor),
        )


def foot(
    product: Product, period: Period, data_until: datetime | None, rows: Iterable[tuple[Any, ...]]
) -> Ledger:
    """The ledger of the rows of etl.libro_producto(): the opening balance, then each movement.

    `data_until` is the last window's end, which the ledger passes on in the shop's zone. Raises
    LedgerError where they do not foot.
    """
    movements: Kept[Movement] = Kept()
    totals = Totals()
    corrected = False
    with localcontext(EXACT):
        coming = iter(rows)
        first = next(coming)
        opening = closing = Balance(*first[9:12])
        for row in coming:
            movement = _movement(*row)
            _check(product, closing, movement)
            totals = totals_of(lines_of(movement), totals)
            closing = movement.after
            corrected = corrected or bool(movement.asiento)
            movements.append(movement)
        until = data_until and data_until.astimezone(ZoneInfo(period.zone))
        ledger = Ledger(
            product, period, until, first[0], opening, movements, totals, closing, corrected
        )
        _check_totals(ledger)
    return ledger


def _movement(
    fecha: datetime,
    id_movimiento: int,
    tipo: str,
    id_sucursal: int,
    sucursal: str,
    cantidad: Decimal,
    costo_unitario: Decimal | None,
    costo_total: Decimal,
    ajuste: Decimal,
    existencias: Decimal,
    costo_promedio: Decimal,
    valor: Decimal,
    provisional: bool,
    *rest: Any,
) -> Movement:
    """A row of etl.libro_producto(), in the order of its columns."""
    return Movement(
        *(fecha, id_movimiento, tipo, id_sucursal, sucursal),
        *(cantidad, costo_unitario, costo_total, ajuste, provisional),
        Balance(existencias, costo_promedio, valor),
        *rest,
    )


def _check(product: Product, before: Balance, line: Movement) -> None:
    """A line must follow from the balance before it."""
    if line.regla is None:
        raise LedgerError(
            _(
                "the ledger of product {product} has movement {movement} of type {type}, of "
                "which the kardex does not know whether it enters or leaves; run "
                "`python -m pipeline verify`"
            ).format(product=product.id_producto, movement=line.id_movimiento, type=line.tipo)
        )
    moved = line.variacion
    if line.regla in _MOVES_ALL:
        moved = line.signo * (-line.cantidad if line.reverso else line.cantidad)
    for what, was, change, now in (
        (N_("quantity"), before.existencias, moved, line.after.existencias),
        (N_("quantity"), before.existencias, line.variacion, line.after.existencias),
        (N_("value"), before.valor, line.value_change + line.ajuste, line.after.valor),
    ):
        if was + change != now:
            raise LedgerError(
                _(
                    "the ledger of product {product} does not foot at movement {movement}: "
                    "{what} {was:f} {change:+f} is not {now:f}; run `python -m pipeline verify`"
                ).format(
                    product=product.id_producto,
                    movement=line.id_movimiento,
                    what=_(what),
                    was=was,
                    change=change,
                    now=now,
                )
            )


def _check_totals(ledger: Ledger) -> None:
    """What is printed below the line must be what the lines above it say."""
    totals, opening, closing = ledger.totals, ledger.opening, ledger.closing
    quantity = opening.existencias + totals.entries_quantity - totals.exits_quantity
    value = opening.valor + totals.entries_cost - totals.exits_cost + totals.ajuste
    if (quantity, value) != (closing.existencias, closing.valor):
        raise LedgerError(
            _(
                "the ledger of product {product} does not foot: its totals lead to {quantity:f} "
                "worth {value:f}, its last line says {last_quantity:f} worth {last_value:f}; run "
                "`python -m pipeline verify`"
            ).format(
                product=ledger.product.id_producto,
                quantity=quantity,
                value=value,
                last_quantity=closing.existencias,
                last_value=closing.valor,
            )
        )
