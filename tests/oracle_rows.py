"""What goes into the oracle and what comes out of it; tests/oracle.py is the rule itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from oracle_types import ALL_TYPES, Type

ZERO = Decimal(0)


class Product(NamedTuple):
    """A line of the shop's catalogue."""

    codigo: str | None
    nombre: str | None
    categoria: str | None
    inventariable: bool = True
    costo_referencia: Decimal | None = None
    activo: bool = True
    proveedor: str | None = None


class Opening(NamedTuple):
    """A count that the shop gave when it went live; `fecha` None means the initial date.

    `sucursales` says where the stock stands, its sum is `existencias`; None: all at branch 0.
    """

    existencias: Decimal
    costo_promedio: Decimal
    fecha: datetime | None = None
    sucursales: Mapping[int, Decimal] | None = None


class Adjustment(NamedTuple):
    """What the OLAP booked by itself: `cantidad` is signed, `deshace` the number that it undoes."""

    number: int
    fecha: datetime
    id_producto: int
    id_sucursal: int | None
    cantidad: Decimal
    deshace: int | None = None


class Pricing(NamedTuple):
    """Margin and tax as fractions, and the step prices are rounded up to; None: not said here."""

    margen: Decimal | None = None
    impuesto: Decimal | None = None
    redondeo: Decimal | None = None


# DESIGN 6: 30 %, no tax, cents.
DEFAULT_PRICING = Pricing(Decimal("0.30"), ZERO, Decimal("0.01"))


@dataclass(frozen=True)
class Rules:
    """What a replay depends on besides the OLTP's rows."""

    initial: datetime
    snapshot: datetime
    zone: str = "UTC"
    prices_include_tax: bool = True
    default_pricing: Pricing = DEFAULT_PRICING
    category_pricing: Mapping[str, Pricing] = field(default_factory=dict)
    product_pricing: Mapping[int, Pricing] = field(default_factory=dict)
    # The day that prices are suggested for: that of the last window's end.
    today: date = date.max
    # What is said of a product (its id), a category (its name) or all (None), from a day on.
    dated_pricing: Sequence[tuple[date, int | str | None, Pricing]] = ()
    types: Mapping[str, Type] = field(default_factory=lambda: ALL_TYPES)

    def pricing(self, id_producto: int, categoria: str | None, day: date | None = None) -> Pricing:
        """Each of margin, tax and step from the product, else its category, else the default.

        As it holds on that day, else on the last: what was said last of each.
        """
        day = self.today if day is None else day
        levels = (
            self._said(self.product_pricing.get(id_producto, Pricing()), id_producto, day),
            Pricing()
            if categoria is None
            else self._said(self.category_pricing.get(categoria, Pricing()), categoria, day),
            self._said(self.default_pricing, None, day),
            # Of a rate that nobody has said.
            DEFAULT_PRICING,
        )
        return Pricing(
            *(next(v for v in said if v is not None) for said in zip(*levels, strict=True))
        )

    def _said(self, always: Pricing, of: int | str | None, day: date) -> Pricing:
        for since, whose, pricing in sorted(self.dated_pricing, key=lambda said: said[0]):
            if whose == of and since <= day:
                always = Pricing(
                    *(was if new is None else new for was, new in zip(always, pricing, strict=True))
                )
        return always

    def day(self, moment: datetime) -> date:
        """The day of a moment in the shop's time zone."""
        return moment.astimezone(ZoneInfo(self.zone)).date()


class State(NamedTuple):
    """What DESIGN calls Q, V and C."""

    existencias: Decimal = ZERO
    valor: Decimal = ZERO
    costo_promedio: Decimal = ZERO


class KardexRow(NamedTuple):
    """A valued movement; existencias, valor and costo_promedio are the state after it.

    `variacion` is the signed quantity by which existencias changed. The columns from it on are
    those that the two oldest types do without, and from fecha_documento on those of closings:
    `fecha` is where it is booked, a movement's `capa` counts its bookings, `reverso` takes one
    back, and `de_todo` is what a count without a branch has (else None). The last two are what the
    line says of its tax.
    """

    id_movimiento: int
    tipo: str
    id_producto: int
    id_sucursal: int
    fecha: datetime
    cantidad: Decimal
    precio_unitario: Decimal | None
    costo_unitario: Decimal | None
    costo_total: Decimal
    ajuste: Decimal
    existencias: Decimal
    valor: Decimal
    costo_promedio: Decimal
    provisional: bool
    variacion: Decimal = ZERO
    id_origen: int | None = None
    id_sucursal_destino: int | None = None
    importe: Decimal | None = None
    fecha_documento: datetime | None = None
    capa: int = 0
    reverso: bool = False
    de_todo: bool | None = None
    impuesto: Decimal | None = None
    precio_con_impuesto: bool | None = None

    @property
    def state(self) -> State:
        """The state after it."""
        return State(self.existencias, self.valor, self.costo_promedio)


class InventoryRow(NamedTuple):
    """A product as it stands after its last movement."""

    existencias: Decimal
    valor: Decimal
    costo_promedio: Decimal
    precio_sugerido: Decimal | None


class Reject(NamedTuple):
    """A movement in scope that cannot be valued: what was read, and every reason that holds."""

    movement: Mapping[str, Any]
    reasons: frozenset[str]


class Measures(NamedTuple):
    """One row of a summary table, without its key.

    Sales are net of returns and credit notes, receipts net of what went back to suppliers;
    `devoluciones` (net of tax) and `unidades_devueltas` are what was taken off the sales.
    `mermas` and `unidades_merma` are what was lost, less what was found.
    """

    movimientos: int = 0
    unidades_vendidas: Decimal = ZERO
    venta_bruta: Decimal = ZERO
    venta_neta: Decimal = ZERO
    costo_ventas: Decimal = ZERO
    ajuste: Decimal = ZERO
    unidades_recibidas: Decimal = ZERO
    costo_recibido: Decimal = ZERO
    devoluciones: Decimal = ZERO
    unidades_devueltas: Decimal = ZERO
    mermas: Decimal = ZERO
    unidades_merma: Decimal = ZERO


class Line(NamedTuple):
    """A movement as the rules read it: amounts rounded, its type that of its sign."""

    id_movimiento: int
    tipo: str
    id_producto: int
    id_sucursal: int | None
    fecha: datetime
    cantidad: Decimal
    precio_unitario: Decimal | None
    costo_unitario: Decimal | None
    importe: Decimal | None
    id_origen: int | None
    id_sucursal_destino: int | None
    impuesto: Decimal | None = None
    precio_con_impuesto: bool | None = None


class Closed(NamedTuple):
    """A row of a closed period, and what it brought to the sums, in which category, by then."""

    row: KardexRow
    categoria: str
    measures: Measures


@dataclass(frozen=True)
class Books:
    """What is closed: the ends of the periods, the last one last, and their rows by product.

    `known` is what is booked of each movement, None of a voided one: it stays where the OLTP
    does not have a movement any more.
    """

    ends: tuple[datetime, ...] = ()
    closed: Mapping[int, tuple[Closed, ...]] = field(default_factory=dict)
    known: Mapping[int, Line | None] = field(default_factory=dict)
    # Of which document each movement was a line, where the shop tells.
    documents: Mapping[int, int] = field(default_factory=dict)
    # Of each period, the products that had no stock when it was closed.
    services: tuple[frozenset[int], ...] = ()

    @property
    def end(self) -> datetime | None:
        """K; None while nothing is closed."""
        return self.ends[-1] if self.ends else None

    @cached_property
    def rows(self) -> dict[tuple[int, int], Closed]:
        """The closed rows by (id_movimiento, capa)."""
        rows = (closed for ledger in self.closed.values() for closed in ledger)
        return {(closed.row.id_movimiento, closed.row.capa): closed for closed in rows}

    @cached_property
    def last(self) -> dict[int, Closed]:
        """The last closed booking of each movement."""
        rows = sorted(self.rows.items(), key=lambda item: item[0])
        return {number: closed for (number, _), closed in rows}


@dataclass(frozen=True)
class Replay:
    """Everything that follows from an OLTP; `ledgers` are the kardex by product, in order.

    `branches` is the stock by product and branch, `motivos` the one reason to tell of a reject,
    `books` what was closed, and what is known by now of movements that the OLTP may lose.
    """

    rules: Rules
    products: Mapping[int, Product]
    openings: Mapping[int, Opening]
    ledgers: Mapping[int, list[KardexRow]]
    inventory: Mapping[int, InventoryRow]
    rejects: Mapping[int, Reject]
    by_day: Mapping[tuple[date, int, str], Measures]
    by_month: Mapping[tuple[date, int, int], Measures]
    by_product_day: Mapping[tuple[date, int], Measures]
    branches: Mapping[tuple[int, int], Decimal] = field(default_factory=dict)
    motivos: Mapping[int, str] = field(default_factory=dict)
    books: Books = field(default_factory=lambda: Books())

    @cached_property
    def booked(self) -> dict[tuple[int, int], KardexRow]:
        """The whole ledger by (id_movimiento, capa)."""
        rows = (row for ledger in self.ledgers.values() for row in ledger)
        return {(row.id_movimiento, row.capa): row for row in rows}

    @property
    def kardex(self) -> dict[int, KardexRow]:
        """What stands of each movement, by id_movimiento: its last booking, unless a reversal."""
        last = {number: row for (number, _), row in sorted(self.booked.items(), key=lambda i: i[0])}
        return {number: row for number, row in last.items() if not row.reverso}
