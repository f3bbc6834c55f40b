"""The views of DESIGN section 8 computed from a replay: what each view must say.

Ratios are Fractions, so that a comparison rounds them once, to the scale of the column that
it looks at. Everything is relative to `hasta`, the end of the last window.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from operator import add
from typing import NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from oracle import SALE, category, opening_branches, opening_state
from oracle_rows import ZERO, KardexRow, Measures, Replay
from oracle_rules import round_six
from oracle_summaries import BEGINNING, added, line_tax
from oracle_types import ALL_TYPES, COUNT, CREDIT_NOTE, CUSTOMER_RETURN

YEAR = 365
QUARTER = 90
CLASS_A_UP_TO = Fraction(80, 100)
CLASS_B_UP_TO = Fraction(95, 100)

Key = TypeVar("Key", bound=Hashable)


class Rotation(NamedTuple):
    """A year's cost of sales over the average value held; None where nothing was held."""

    costo_ventas: Decimal
    valor_promedio: Fraction
    rotacion: Fraction | None


class Class(NamedTuple):
    """A product's net sales of a year, and its class by the share of the greater ones."""

    venta_neta: Decimal
    clase: str


class Cover(NamedTuple):
    """Units sold a day, how many days the stock lasts (None where nothing was sold), and over how
    many days the pace is measured."""

    venta_diaria: Fraction
    dias_cobertura: Fraction | None
    dias_medidos: int


class Hour(NamedTuple):
    """What was taken in an hour of a branch: lines of sales, units net of returns, gross."""

    renglones: int
    unidades: Decimal
    venta_bruta: Decimal


class Doubt(NamedTuple):
    """What was sold at no firm cost."""

    unidades: Decimal
    venta_bruta: Decimal


class Age(NamedTuple):
    """What is in stock, and since when it was not sold."""

    existencias: Decimal
    valor: Decimal
    dias_sin_venta: int
    tramo: str
    recibido_hace_poco: bool


class Day(NamedTuple):
    """What entered, left, was corrected and lost on a day; the value of all stock at its end."""

    apertura: Decimal
    entradas: Decimal
    salidas: Decimal
    ajuste: Decimal
    valor: Decimal
    mermas: Decimal


class Price(NamedTuple):
    """The last price charged, with tax and without."""

    ultima_venta: date
    precio: Fraction
    precio_neto: Fraction


class ValuedStock(NamedTuple):
    """The value of stock held, and of stock below zero, which has a column of its own."""

    valor: Decimal
    valor_negativo: Decimal


class Margin(NamedTuple):
    """Sales and what they left; `ajuste` is part of the margin, and also shown apart."""

    venta_neta: Decimal
    costo_ventas: Decimal
    ajuste: Decimal
    margen: Decimal


class Counted(NamedTuple):
    """What a count found: what there was to be, and the difference in units and in money."""

    contado: Decimal
    esperado: Decimal
    diferencia: Decimal
    valor: Decimal
    ajuste: Decimal


def last_days(replay: Replay, hasta: datetime, days: int) -> tuple[date, date]:
    """The first and the last of so many days, ending with hasta's own in the shop's zone."""
    last = replay.rules.day(hasta)
    return last - timedelta(days=days - 1), last


def rotation(replay: Replay, hasta: datetime) -> dict[int, Rotation]:
    """Cost of sales of 365 days over the average month-end value, by product."""
    first, last = last_days(replay, hasta, YEAR)
    result = {}
    for id_producto, ledger in replay.ledgers.items():
        if not is_stock(replay, id_producto):
            continue
        cost = sum(
            (
                row.costo_total if row.tipo == SALE else -row.costo_total
                for row in ledger
                if row.tipo in (SALE, CUSTOMER_RETURN)
                and first <= replay.rules.day(row.fecha) <= last
            ),
            ZERO,
        )
        values = [
            max(value_at(replay, id_producto, day), ZERO)
            for day in month_ends(max(first, first_month(replay, id_producto)), last)
        ] or [max(replay.inventory[id_producto].valor, ZERO)]
        average = Fraction(sum(values, ZERO)) / len(values)
        result[id_producto] = Rotation(cost, average, Fraction(cost) / average if average else None)
    return result


def is_stock(replay: Replay, id_producto: int) -> bool:
    """Whether a product has a stock; one that the catalogue lacks may have an opening."""
    product = replay.products.get(id_producto)
    return product is None or product.inventariable


def first_month(replay: Replay, id_producto: int) -> date:
    """The first day of the month in which a product's history starts."""
    starts = [row.fecha for row in replay.ledgers[id_producto][:1]]
    if id_producto in replay.openings:
        starts.append(replay.openings[id_producto].fecha or replay.rules.initial)
    return replay.rules.day(min(starts)).replace(day=1)


def month_ends(first: date, last: date) -> list[date]:
    """The last days of months from `first` to `last`, both inclusive."""
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if (day + timedelta(days=1)).day == 1]


def value_at(replay: Replay, id_producto: int, day: date) -> Decimal:
    """A product's value at the end of a day."""
    value = opening_state(replay.openings.get(id_producto)).valor
    for row in replay.ledgers[id_producto]:
        if replay.rules.day(row.fecha) > day:
            break
        value = row.valor
    return value


def abc(replay: Replay, hasta: datetime) -> dict[int, Class]:
    """Products by net sales of 365 days, cut at 80 and 95 % of what the greater ones sold."""
    sales = sold(replay, hasta, YEAR, "venta_neta")
    sales = {number: net for number, net in sales.items() if is_stock(replay, number)}
    ranked = sorted((item for item in sales.items() if item[1] > 0), key=lambda i: (-i[1], i[0]))
    total = sum((amount for _, amount in ranked), ZERO)
    result, before = {}, ZERO
    for id_producto, amount in ranked:
        share = Fraction(before) / Fraction(total)
        clase = "A" if share < CLASS_A_UP_TO else "B" if share < CLASS_B_UP_TO else "C"
        result[id_producto] = Class(amount, clase)
        before += amount
    return result


def sold(replay: Replay, hasta: datetime, days: int, measure: str) -> dict[int, Decimal]:
    """A measure of the last so many days, summed by product; products without any are absent."""
    first, last = last_days(replay, hasta, days)
    totals: dict[int, Decimal] = {}
    for (day, id_producto), row in replay.by_product_day.items():
        if first <= day <= last:
            totals[id_producto] = totals.get(id_producto, ZERO) + getattr(row, measure)
    return totals


def reorder(replay: Replay, hasta: datetime) -> dict[int, Cover]:
    """Days of cover at the sales rate of 90 days, for every product that has a state.

    Of one that came in within them, at the rate of the days since; so of one that came back, unless
    there was some of it as they began, or none of it was sold.
    """
    units = sold(replay, hasta, QUARTER, "unidades_vendidas")
    first, last = last_days(replay, hasta, QUARTER)
    result = {}
    for id_producto, row in replay.inventory.items():
        if is_stock(replay, id_producto):
            pace, found = units.get(id_producto, ZERO), moments(replay, id_producto)
            if pace and not stock_before(replay, id_producto, first):
                found = [moment for moment in found if replay.rules.day(moment) >= first]
            days = measured(replay, last, found)
            result[id_producto] = cover(row.existencias, pace, days)
    return result


def stock_before(
    replay: Replay, id_producto: int, first: date, branch: int | None = None
) -> Decimal:
    """What there was of a product as a day began; in a branch, what its rows had brought there."""
    opening = replay.openings.get(id_producto)
    stock = ZERO
    if opening and replay.rules.day(opening.fecha or replay.rules.initial) < first:
        places = opening_branches(opening)
        stock = sum(places.values(), ZERO) if branch is None else places.get(branch, ZERO)
    for row in replay.ledgers.get(id_producto, ()):
        if replay.rules.day(row.fecha) >= first:
            continue
        if branch is None:
            stock += row.variacion
        elif row.id_sucursal_destino is None:
            stock += row.variacion if row.id_sucursal == branch else ZERO
        else:
            stock -= row.cantidad if row.id_sucursal == branch else ZERO
            stock += row.cantidad if row.id_sucursal_destino == branch else ZERO
    return stock


def moments(replay: Replay, id_producto: int, branch: int | None = None) -> list[datetime]:
    """When a product moved or was opened; in a branch, when it moved from, to or within it."""
    found = [
        row.fecha
        for row in replay.ledgers.get(id_producto, ())
        if branch is None or branch in (row.id_sucursal, row.id_sucursal_destino)
    ]
    opening = replay.openings.get(id_producto)
    if opening and (branch is None or branch in (opening.sucursales or {0: ZERO})):
        found.append(opening.fecha or replay.rules.initial)
    return found


def measured(replay: Replay, last: date, found: list[datetime]) -> int:
    """The days since the first of them: at least one, at most 90."""
    if not found:
        return QUARTER
    return min(QUARTER, max(1, (last - replay.rules.day(min(found))).days))


def cover(stock: Decimal, units: Decimal, days: int) -> Cover:
    """How long a stock lasts at the units of some days; more brought back than sold is no pace."""
    rate = Fraction(units) / days
    return Cover(rate, Fraction(stock) / rate if rate > 0 else None, days)


def branch_reorder(replay: Replay, hasta: datetime) -> dict[tuple[int, int], Cover]:
    """The same for each product and branch that it has moved in, at the branch's own rate."""
    first, last = last_days(replay, hasta, QUARTER)
    units = sold_in_branches(replay, hasta)
    result = {}
    for (product, branch), stock in replay.branches.items():
        if not is_stock(replay, product):
            continue
        found = moments(replay, product, branch)
        if not stock_before(replay, product, first, branch):
            found = [moment for moment in found if replay.rules.day(moment) >= first]
        pace = units.get((product, branch), ZERO)
        result[product, branch] = cover(stock, pace, measured(replay, last, found))
    return result


def sold_in_branches(replay: Replay, hasta: datetime) -> dict[tuple[int, int], Decimal]:
    """Units of 90 days by product and branch, of those that were sold or brought back at all."""
    first, last = last_days(replay, hasta, QUARTER)
    units: dict[tuple[int, int], Decimal] = {}
    for ledger in replay.ledgers.values():
        for row in ledger:
            if row.tipo not in (SALE, CUSTOMER_RETURN, CREDIT_NOTE):
                continue
            if first <= replay.rules.day(row.fecha) <= last:
                place = (row.id_producto, row.id_sucursal)
                units[place] = units.get(place, ZERO) - row.variacion
    return units


def by_hour(replay: Replay, hasta: datetime) -> dict[tuple[date, int, int], Hour]:
    """What each branch took in each hour of the last 91 days, less returns and credit notes."""
    first, last = last_days(replay, hasta, QUARTER + 1)
    result: dict[tuple[date, int, int], Hour] = {}
    for row in replay.booked.values():
        local = row.fecha.astimezone(ZoneInfo(replay.rules.zone))
        if (
            row.tipo not in (SALE, CUSTOMER_RETURN, CREDIT_NOTE)
            or not first <= local.date() <= last
        ):
            continue
        sign = 1 if (row.tipo == SALE) != row.reverso else -1
        key = (local.date(), local.hour, row.id_sucursal)
        so_far = result.get(key, Hour(0, ZERO, ZERO))
        result[key] = Hour(
            so_far.renglones + (row.tipo == SALE and not row.reverso),
            so_far.unidades + sign * (ZERO if row.tipo == CREDIT_NOTE else row.cantidad),
            so_far.venta_bruta + sign * gross(row),
        )
    return result


def gross(row: KardexRow) -> Decimal:
    """What a line of a sale comes to, as its price says it."""
    assert row.precio_unitario is not None or row.importe is not None
    amount = row.cantidad * (row.precio_unitario or ZERO) if row.importe is None else row.importe
    return round_six(amount)


def doubtful(replay: Replay, hasta: datetime) -> dict[tuple[date, int, int, str], Doubt]:
    """The sales of 91 days whose cost is not firm, by day, branch, product and why."""
    first, last = last_days(replay, hasta, QUARTER + 1)
    result: dict[tuple[date, int, int, str], Doubt] = {}
    for row in replay.booked.values():
        day, product = replay.rules.day(row.fecha), row.id_producto
        if row.tipo != SALE or row.reverso or not first <= day <= last:
            continue
        if not is_stock(replay, product):
            continue
        if row.provisional and row.existencias < 0 and replay.inventory[product].existencias < 0:
            why = "sin recibir"
        elif row.costo_total == 0 and row.existencias >= 0:
            why = "sin costo"
        else:
            continue
        key = (day, row.id_sucursal, product, why)
        so_far = result.get(key, Doubt(ZERO, ZERO))
        result[key] = Doubt(so_far.unidades + row.cantidad, so_far.venta_bruta + gross(row))
    return result


def ages(replay: Replay, hasta: datetime) -> dict[int, Age]:
    """What is in stock, by the days since its last sale or, without one, since it came in."""
    last = replay.rules.day(hasta)
    recent = (last - timedelta(days=30)).replace(day=1)
    received = {
        id_producto
        for (month, _, id_producto), m in replay.by_month.items()
        if month >= recent and m.unidades_recibidas > 0
    }
    charged = prices(replay)
    result = {}
    for id_producto, row in replay.inventory.items():
        if row.existencias <= 0 or not is_stock(replay, id_producto):
            continue
        since = (
            charged[id_producto].ultima_venta
            if id_producto in charged
            else replay.rules.day(min(moments(replay, id_producto)))
        )
        days = max(0, (last - since).days)
        tramo = (
            "4: 365 o más"
            if days >= 365
            else "3: 180 a 364"
            if days >= 180
            else "2: 90 a 179"
            if days >= 90
            else "1: menos de 90"
        )
        result[id_producto] = Age(row.existencias, row.valor, days, tramo, id_producto in received)
    return result


def counts(replay: Replay) -> dict[int, Counted]:
    """Each count of the ledger that stands."""
    return {
        number: Counted(
            row.cantidad, row.cantidad - row.variacion, row.variacion, row.costo_total, row.ajuste
        )
        for number, row in replay.kardex.items()
        if row.tipo == COUNT
    }


def valued_stock(replay: Replay) -> dict[int, ValuedStock]:
    """Value held and value below zero, by product."""
    return {
        id_producto: ValuedStock(
            row.valor if row.existencias > 0 else ZERO, row.valor if row.existencias < 0 else ZERO
        )
        for id_producto, row in replay.inventory.items()
    }


def margins(summary: Mapping[Key, Measures]) -> dict[Key, Margin]:
    """Margin of each row of a summary table: net sales - cost + ajuste."""
    return {
        key: Margin(
            row.venta_neta,
            row.costo_ventas,
            row.ajuste,
            row.venta_neta - row.costo_ventas + row.ajuste,
        )
        for key, row in summary.items()
    }


def by_product(replay: Replay) -> dict[tuple[date, int, int], tuple[str, Measures]]:
    """The category and the sums of each day, product and branch."""
    result: dict[tuple[date, int, int], tuple[str, Measures]] = {}
    for id_producto, ledger in replay.ledgers.items():
        for row in ledger:
            key = (replay.rules.day(row.fecha), id_producto, row.id_sucursal)
            categoria, more = added(row, replay.products, replay.rules, replay.books.rows)
            _, so_far = result.get(key, ("", Measures()))
            result[key] = categoria, Measures._make(map(add, so_far, more))
    return result


def beside_last_year(
    replay: Replay, hasta: datetime
) -> dict[tuple[date, int, str], tuple[Decimal, ...]]:
    """Units, gross, net and margin by day, branch and category, then those of a year before."""
    last = replay.rules.day(hasta)
    result: dict[tuple[date, int, str], tuple[Decimal, ...]] = {}

    def put(day: date, place: tuple[int, str], position: int, m: Measures) -> None:
        margin = m.venta_neta - m.costo_ventas + m.ajuste
        row = list(result.get((day, *place), (ZERO,) * 8))
        for number, value in enumerate((m.unidades_vendidas, m.venta_bruta, m.venta_neta, margin)):
            row[position + number] += value
        result[(day, *place)] = tuple(row)

    for (day, *place), m in replay.by_day.items():
        put(day, (place[0], place[1]), 0, m)
        short = (day.month, day.day) == (2, 29)
        later = day.replace(year=day.year + 1, day=28 if short else day.day)
        if later <= last:
            put(later, (place[0], place[1]), 4, m)
    return result


def daily_value(replay: Replay) -> dict[date, Day]:
    """The value of all products on each day on which anything moved or a count was opened."""
    opened: dict[date, Decimal] = {}
    for opening in replay.openings.values():
        day = replay.rules.day(opening.fecha or replay.rules.initial)
        value = opening_state(opening).valor
        opened[day] = opened.get(day, ZERO) + value
    for row in replay.booked.values():
        if row.id_movimiento < BEGINNING:
            day, sign = replay.rules.day(row.fecha), ALL_TYPES[row.tipo].signo
            opened[day] = opened.get(day, ZERO) + sign * row.costo_total
    ends: dict[int, dict[date, Decimal]] = {
        id_producto: {replay.rules.day(row.fecha): row.valor for row in ledger}
        for id_producto, ledger in replay.ledgers.items()
    }
    for id_producto, opening in replay.openings.items():
        day = replay.rules.day(opening.fecha or replay.rules.initial)
        ends.setdefault(id_producto, {}).setdefault(day, opening_state(opening).valor)
    result = {}
    for day in sorted({day for day, _, _ in replay.by_day} | opened.keys()):
        moved = [m for (moment, _, _), m in replay.by_day.items() if moment == day]
        result[day] = Day(
            opened.get(day, ZERO),
            sum((m.costo_recibido for m in moved), ZERO),
            sum((m.costo_ventas for m in moved), ZERO),
            sum((m.ajuste for m in moved), ZERO),
            sum((last_value(values, day) for values in ends.values()), ZERO),
            sum((m.mermas for m in moved), ZERO),
        )
    return result


def last_value(ends: Mapping[date, Decimal], day: date) -> Decimal:
    """The value at the end of the latest day up to `day`; nothing before the first."""
    before = [moment for moment in ends if moment <= day]
    return ends[max(before)] if before else ZERO


def prices(replay: Replay) -> dict[int, Price]:
    """The last sale that stands of each product, in the order of its ledger."""
    result = {}
    standing = replay.kardex
    for id_producto, ledger in replay.ledgers.items():
        sales = [r for r in ledger if r.tipo == SALE and standing.get(r.id_movimiento) is r]
        if not sales:
            continue
        day = replay.rules.day(sales[-1].fecha)
        categoria = category(replay.products, id_producto)
        documented = replay.rules.day(sales[-1].fecha_documento or sales[-1].fecha)
        # A price with its tax within has that of its day; one without it gets that of today.
        (within, then), (_, now) = (
            line_tax(
                sales[-1],
                replay.rules,
                replay.rules.pricing(id_producto, categoria, of).impuesto or ZERO,
            )
            for of in (documented, None)
        )
        asked = Fraction(sales[-1].precio_unitario or 0)
        gross, net = (
            (asked, asked / (1 + Fraction(then)))
            if within
            else (asked * (1 + Fraction(now)), asked)
        )
        result[id_producto] = Price(day, gross, net)
    return result
