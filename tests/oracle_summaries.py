"""The sums of a replay: each ledger row in one class, as "Reports" of MOVEMENTS.md has them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from oracle_rows import ZERO, Books, Closed, KardexRow, Measures, Product, Rules
from oracle_rules import round_six
from oracle_types import (
    COUNT,
    CREDIT_NOTE,
    CUSTOMER_RETURN,
    LANDED_COST,
    RECEIPT,
    SALE,
    SHRINKAGE,
    SUPPLIER_RETURN,
    SURPLUS,
)

NO_CATEGORY = "Sin categoría"
# Below it, the numbers of the adjustments that a product begins with: its first stock.
BEGINNING = -(2**61)


def category(products: Mapping[int, Product], id_producto: int) -> str | None:
    """None also for one that the OLTP has no more: only its opening is left of it."""
    known = products.get(id_producto)
    return known.categoria if known else None


def report_class(row: KardexRow) -> tuple[str | None, int]:
    """The class of a row and its sign there: +1 plus, -1 minus.

    (None, 0) for a transfer, and for what a product begins with.
    """
    if row.id_movimiento < BEGINNING:
        return None, 0
    with_cost = row.tipo == SURPLUS and row.costo_unitario is not None
    if row.tipo in (SALE, CUSTOMER_RETURN, CREDIT_NOTE):
        return "ventas", +1 if row.tipo == SALE else -1
    if row.tipo in (RECEIPT, LANDED_COST, SUPPLIER_RETURN) or with_cost:
        return "compras", -1 if row.tipo == SUPPLIER_RETURN else +1
    if row.tipo in (SHRINKAGE, SURPLUS, COUNT):
        return "merma", +1 if row.tipo == SHRINKAGE else -1
    return None, 0


def measures(row: KardexRow, rules: Rules, impuesto: Decimal) -> Measures:
    """What one ledger row adds to each of its summary rows."""
    name, sign = report_class(row)
    base = Measures(movimientos=1, ajuste=row.ajuste)
    costo = sign * row.costo_total
    if name == "compras":
        # An added cost has no goods of its own, and what is no stock does not come in.
        units = sign * row.cantidad if row.variacion else ZERO
        return base._replace(unidades_recibidas=units, costo_recibido=costo)
    if name == "merma":
        return base._replace(mermas=costo, unidades_merma=-row.variacion)
    if name != "ventas":
        return base
    assert row.precio_unitario is not None
    gross = row.importe if row.importe is not None else row.cantidad * row.precio_unitario
    within, rate = line_tax(row, rules, impuesto)
    net = round_six(gross / (1 + rate) if within else gross)
    units = ZERO if row.tipo == CREDIT_NOTE else row.cantidad
    returned = row.tipo != SALE
    return base._replace(
        unidades_vendidas=sign * units,
        venta_bruta=sign * round_six(gross),
        venta_neta=sign * net,
        costo_ventas=costo,
        devoluciones=net if returned else ZERO,
        unidades_devueltas=units if returned else ZERO,
    )


def line_tax(row: KardexRow, rules: Rules, impuesto: Decimal) -> tuple[bool, Decimal]:
    """Whether the price of a row has its tax within, and at which rate.

    Both as the line says it, else as the setting and the policy (`impuesto`) do.
    """
    within, rate = row.precio_con_impuesto, row.impuesto
    return (
        rules.prices_include_tax if within is None else within,
        impuesto if rate is None else rate,
    )


def added(
    row: KardexRow,
    products: Mapping[int, Product],
    rules: Rules,
    closed: Mapping[tuple[int, int], Closed],
) -> tuple[str, Measures]:
    """The category in which a row is summed, and what it adds; of a closed one as it was then."""
    before = closed.get((row.id_movimiento, row.capa))
    if before:
        return before.categoria, before.measures
    name = category(products, row.id_producto)
    shown = NO_CATEGORY if name is None else name
    if row.reverso:
        was = closed[row.id_movimiento, row.capa - 1].measures
        back = Measures(*(-value for value in was))._replace(movimientos=1, ajuste=row.ajuste)
        if row.tipo == LANDED_COST:
            back = back._replace(costo_recibido=row.costo_total)
        return shown, back
    day = rules.day(row.fecha_documento or row.fecha)
    impuesto = rules.pricing(row.id_producto, name, day).impuesto
    assert impuesto is not None
    return shown, measures(row, rules, impuesto)


def summaries(
    ledgers: Mapping[int, list[KardexRow]],
    products: Mapping[int, Product],
    rules: Rules,
    books: Books,
) -> tuple[dict[Any, Measures], dict[Any, Measures], dict[Any, Measures]]:
    """By day, branch and category; by month, branch and product; by day and product."""
    by_day: dict[Any, Measures] = {}
    by_month: dict[Any, Measures] = {}
    by_product_day: dict[Any, Measures] = {}
    closed = books.rows
    for id_producto, ledger in ledgers.items():
        for row in ledger:
            day = rules.day(row.fecha)
            categoria, more = added(row, products, rules, closed)
            for table, key in (
                (by_day, (day, row.id_sucursal, categoria)),
                (by_month, (day.replace(day=1), row.id_sucursal, id_producto)),
                (by_product_day, (day, id_producto)),
            ):
                so_far = table.get(key, Measures())
                table[key] = Measures(*(a + b for a, b in zip(so_far, more, strict=True)))
    return by_day, by_month, by_product_day
