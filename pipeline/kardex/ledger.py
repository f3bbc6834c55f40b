"""One product's ledger: read from the OLAP for a period, and footed line by line."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Context, Decimal, Inexact, localcontext
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo

from pipeline.base.database import connect
from pipeline.errors import InputError, LedgerError
from pipeline.kardex.lines import Balance, Movement, Totals, lines_of, totals_of
from pipeline.translation import translated as _

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from pipeline.settings import Settings

# The rules (dw.tipo_movimiento.regla) by which what the document says is what moves.
_MOVES_ALL = ("recibir", "al_promedio", "devolver_venta", "devolver_compra")
# Ledger columns are numeric(38, 6): their sums are exact here, or an error.
_EXACT = Context(prec=60, traps=[Inexact])
_BIGINT = range(-(2**63), 2**63)


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


@dataclass(frozen=True)
class Ledger:
    """A product's ledger of a period, which foots: opening + entries - exits + ajuste = closing.

    `opening_date` is when the opening balance holds (in the shop's zone): the period's
    beginning, or the date of the opening that the shop gave; None where there is neither.
    `data_until` is the end of the last window loaded, in the shop's zone too.
    """

    product: Product
    period: Period
    data_until: datetime | None
    opening_date: datetime | None
    opening: Balance
    movements: tuple[Movement, ...]
    totals: Totals

    @property
    def closing(self) -> Balance:
        """The balance after the last movement of the period."""
        return self.movements[-1].after if self.movements else self.opening


def read_ledger(
    settings: Settings, named: str, period: Period, data_until: datetime | None
) -> Ledger:
    """Read the ledger of the product that has this id or, if none has it, this code.

    `data_until` is the last window's end, which the ledger passes on in the shop's zone.
    Raises InputError for an unknown product or a code that several have, LedgerError when
    the ledger does not foot.
    """
    with connect(settings.olap, "kardex", read_only=True) as connection:
        product = _find(connection, named)
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT * FROM etl.libro_producto(%s, %s, %s, %s)",
                (product.id_producto, period.desde, period.hasta, period.zone),
            )
            (first, *rest) = cursor.fetchall()
    movements = tuple(_movement(*row) for row in rest)
    opening = Balance(*first[9:12])
    with localcontext(_EXACT):
        _check(product, opening, movements)
        until = data_until and data_until.astimezone(ZoneInfo(period.zone))
        totals = totals_of(line for movement in movements for line in lines_of(movement))
        ledger = Ledger(product, period, until, first[0], opening, movements, totals)
        _check_totals(ledger)
    return ledger


def _find(connection: Connection, named: str) -> Product:
    whole = int(named) if re.fullmatch(r"-?[0-9]{1,19}", named.strip()) else None
    # An int is looked up in a range at once, but None would be compared with each of its numbers.
    is_id = whole is not None and whole in _BIGINT
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT * FROM etl.buscar_producto(%s, %s)",
            (whole if is_id else None, named),
        )
        found = [Product(*row) for row in cursor.fetchall()]
    if not found:
        raise InputError(
            _(
                "no product of the OLAP has the id or the code {named!r}; it has those that the "
                "movements loaded so far have named"
            ).format(named=named)
        )
    if len(found) > 1:
        ids = ", ".join(str(product.id_producto) for product in found)
        raise InputError(
            _("the code {named!r} is of {number} products; give one's id: {ids}").format(
                named=named, number=len(found), ids=ids
            )
        )
    return found[0]


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


def _check(product: Product, opening: Balance, movements: tuple[Movement, ...]) -> None:
    """Every line must follow from the balance before it."""
    before = opening
    for line in movements:
        if line.regla is None:
            raise LedgerError(
                _(
                    "the ledger of product {product} has movement {movement} of type {type}, of "
                    "which the kardex does not know whether it enters or leaves; run "
                    "`python -m pipeline verify`"
                ).format(product=product.id_producto, movement=line.id_movimiento, type=line.tipo)
            )
        moved = line.signo * line.cantidad if line.regla in _MOVES_ALL else line.variacion
        for what, was, change, now in (
            (_("quantity"), before.existencias, moved, line.after.existencias),
            (_("quantity"), before.existencias, line.variacion, line.after.existencias),
            (_("value"), before.valor, line.value_change + line.ajuste, line.after.valor),
        ):
            if was + change != now:
                raise LedgerError(
                    _(
                        "the ledger of product {product} does not foot at movement {movement}: "
                        "{what} {was:f} {change:+f} is not {now:f}; run `python -m pipeline verify`"
                    ).format(
                        product=product.id_producto,
                        movement=line.id_movimiento,
                        what=what,
                        was=was,
                        change=change,
                        now=now,
                    )
                )
        before = line.after


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
